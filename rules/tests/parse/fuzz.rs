//! Broken texts by the thousand: each is refused or read, none stops the load, none vanishes.

use super::*;

const SEEDS: [&str; 6] = [
    "title: T\nlogsource: {category: test}\ndetection:\n  s:\n    f|windash|contains: ['-a', 'b*\\*']\n    g|re|i: '^a[bc]+$'\n  \
     _x: {h|cidr: 10.0.0.0/8, i|lt: 5, j|hour|gte: 7, k|expand: '%p%'}\n  condition: 1 of s* and not (_x or s)\n",
    "title: U\nid: 00000000-0000-0000-0000-000000000001\nlogsource: {product: p}\nlevel: low\ndetection:\n  a: &x {f: 1.5}\n  \
     b: [w, {<<: *x, g: null}]\n  condition: [a, all of them]\nx-lists: {l: {ttl: 7d}}\nx-alert: {route: page, realert: 1h}\n\
     x-where:\n  - any(files, '*.yml') and len(minus(a, ['b'])) > 0\n  - not in(x, list('l', y)) or z != 'q'\n",
    "title: F\nlogsource: {product: p}\nfilter:\n  rules: [n]\n  s: {f|base64offset|contains: abc}\n  condition: not s\n---\ntitle: N\n\
     name: n\nlogsource: {product: p}\ndetection:\n  s: {'|all': [a, b]}\n  condition: s\n",
    "title: A\nname: a\nlogsource: {product: p}\ndetection: {s: [x], condition: s}\n---\ntitle: B\nname: b\nlogsource: {product: p}\n\
     detection: {s: [y], condition: s}\nx-prev: {key: [k], field: f, changed: true}\n---\ntitle: C\nname: c\ncorrelation:\n  \
     type: temporal_ordered\n  rules: [a, b]\n  group-by: [u, v]\n  timespan: 10m\n  aliases: {u: {a: f, b: g}}\n  \
     condition: a and not b\nx-absence: {start: a, expect: b, deadline: 10m, before: 24h, until: a, grace: 2m}\n\
     x-where: [\"a.f != b.f\"]\nx-alert: {fingerprint: [u], suppress_when: [b], composite: true}\n",
    "title: A\nname: a\nlogsource: {product: p}\ndetection: {s: [x], condition: s}\nx-interval: {open: b, close: c, key: [k, {this: t, open: o, \
     close: c}], pad: [30s, 60s], expect: outside}\n---\ntitle: B\nname: b\nlogsource: {product: p}\ndetection: {s: [y], condition: s}\n---\n\
     title: N\nname: n\ncorrelation: {type: value_percentile, rules: [a, m], timespan: 1M, condition: {field: f, gte: 3, lt: 9.5, percentile: 95}}\n",
    "title: M\nname: m\ngenerate: true\ncorrelation: {type: temporal, rules: [o, n], timespan: 1h, condition: (o or n) and not o}\n---\ntitle: O\nname: o\n\
     correlation: {type: event_count, rules: [n], timespan: 1h, condition: {gt: 1}}\n---\ntitle: N\nname: n\nlogsource: {product: p}\n\
     detection: {s: [y], condition: s}\nx-new-terms: {fields: [f], memory: 30d, warmup: {events: 1}}\nx-risk: {weight: 3}\n",
];

const SPLICES: [&str; 24] = [
    "|", "*", "(", ")", "[", "]", "{", "}", "\\", "'", "\"", "%", ": ", "- ", "\n", "\n---\n", "&x ", "*x", "!!int ",
    "not ", " of ", "é", "\u{0}", "#",
];

/// xorshift64: the same inputs in every run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

fn mutated(seeded: &mut Seeded) -> String {
    let mut chars: Vec<char> = SEEDS[seeded.below(SEEDS.len())].chars().collect();
    for _ in 0..=seeded.below(6) {
        let at = seeded.below(chars.len());
        let end = (at + seeded.below(20)).min(chars.len());
        match seeded.below(4) {
            0 => drop(chars.drain(at..end)),
            1 => {
                let copy: Vec<char> = chars[at..end].to_vec();
                let to = seeded.below(chars.len());
                chars.splice(to..to, copy);
            }
            2 => drop(chars.splice(at..at, SPLICES[seeded.below(SPLICES.len())].chars())),
            _ => {
                let splice = SPLICES[seeded.below(SPLICES.len())];
                chars.splice(at..at, splice.repeat(1 + seeded.below(80)).chars());
            }
        }
    }
    chars.into_iter().take(4096).collect()
}

#[test]
fn no_text_stops_the_load() {
    let inputs = option_env!("PIPEWARDEN_FUZZ_INPUTS").and_then(|text| text.parse().ok()).unwrap_or(200_000);
    let mut seeded = Seeded(0x9e37_79b9_7f4a_7c15);
    let (mut rules, mut refused) = (0, 0);
    for _ in 0..inputs {
        // `load` checks that every document is accounted for.
        let loaded = load(&mutated(&mut seeded));
        assert!(loaded.refused.iter().all(|why| why.line > 0 && why.hint.is_some()), "{:?}", loaded.refused);
        rules += loaded.rules.len();
        refused += loaded.refused.len();
    }
    println!("{inputs} inputs: {rules} rules, {refused} refused");
    assert!(rules > inputs / 20 && refused > inputs / 2, "the mutations are too mild or too wild: {rules}, {refused}");
}
