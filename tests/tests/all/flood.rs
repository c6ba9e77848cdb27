//! A flood of keys ends at its limit, is counted, and hides nobody else's attack.

use harness::feed::{Feed, STEPS};

const SEQUENCE: &str = "\
---
title: one after the other
id: 00000000-0000-4000-8000-0000000000a4
correlation: {type: temporal_ordered, rules: [a, b, c], group-by: [k], timespan: 1d}
";

/// How often the attack is told, how many keys are held and given up in the end, and the most that were held.
fn flooded(principals: usize, attacker: &str) -> (u64, usize, u64, usize) {
    const KEYS: usize = 200_000;
    let mut feed = Feed::new(&(STEPS.to_owned() + SEQUENCE), 20_000);
    let (mut told, mut most) = (0, 0);
    for at in 0..KEYS {
        let (key, actor) = (format!("decoy-{at}"), format!("decoy-{}", at % principals));
        let event = feed.event(&["a"], at as i64, &[("k", &key), ("prov.actor_id", &actor)]);
        told += feed.apply(event);
        let step = [(KEYS / 10, "a"), (KEYS / 2, "b"), (KEYS / 10 * 9, "c")].iter().find(|(when, _)| *when == at);
        if let Some((_, rule)) = step {
            let event = feed.event(&[rule], at as i64, &[("k", "target"), ("prov.actor_id", attacker)]);
            told += feed.apply(event);
        }
        if at % 1_000 == 0 {
            most = most.max(feed.keys().0);
        }
    }
    let (held, evicted) = feed.keys();
    (told, held, evicted, most)
}

#[test]
fn first_steps_of_many_principals_hide_no_attack_of_another() {
    for principals in [1, 30, 100] {
        let (told, held, evicted, most) = flooded(principals, "mallory");
        assert_eq!(told, 1, "{principals} principals");
        assert!(most <= 20_000 + 64, "{most} keys held");
        // The target is a key, too.
        assert_eq!(held as u64 + evicted, 200_001, "every key is held or counted");
    }
}

#[test]
fn who_floods_gives_up_keys_of_its_own() {
    // The one who floods attacks among its own decoys: its first step goes with them, and that is counted.
    let (told, _, evicted, _) = flooded(1, "decoy-0");
    assert_eq!(told, 0);
    assert!(evicted > 0);
}
