//! Announcements that silence: what they cover, what stays told, what they cost at their limit, and that the order in which
//! anything arrives decides nothing.

use super::*;
use model::{SILENCE_DEFAULT_MS, Silence};

const HOUR: i64 = 3_600;

/// The rule holds at a time, about a repository; `campaign` may silence it.
fn about(repo: &str, seconds: i64, urgency: Urgency) -> Finding {
    let plain = finding("r", repo, seconds, urgency);
    let rule = RuleInfo { suppress_when: vec!["campaign".into()], ..RuleInfo::clone(&plain.rule) };
    Finding { rule: Arc::new(rule), facts: vec![("prov.repo".to_owned(), repo.to_owned())], ..plain }
}

/// `campaign` announces a repository from `seconds` until `to`.
fn announced(repo: &str, seconds: i64, to: Option<i64>) -> Silence {
    let Finding { rule, order, position, .. } = finding("campaign", repo, seconds, Urgency::Ticket);
    let scope = vec![("prov.repo", vec![repo.to_owned()])];
    Silence::new(rule, (order, Arrival::OnTime, position), scope, (None, to.map(at))).expect("it is about something")
}

#[derive(Clone)]
enum Offered {
    Alert(Finding),
    Announced(Silence),
}

/// Everything sealed of these, offered in this order, with the cursor at `steps` in between.
fn sealed(offered: &[Offered], mode: Mode) -> (Vec<AlertRecord>, crate::Silenced) {
    let mut sealer = Sealer::new(mode, LIMITS, false);
    let lane = sealer.add_lane();
    let mut told = Vec::new();
    for one in offered {
        match one.clone() {
            Offered::Alert(finding) => told.extend(offer(&mut sealer, lane, finding)),
            Offered::Announced(silence) => sealer.offer_silence(lane, silence),
        }
    }
    told.extend(advance(&mut sealer, lane, Timestamp::MAX));
    (told, sealer.silenced())
}

#[test]
fn what_an_announcement_covers_is_kept_counted_and_not_told() {
    let alerts = [10, 20, 100, 300].map(|seconds| Offered::Alert(about("app", seconds, Urgency::Page)));
    let others =
        [Offered::Alert(about("other", 30, Urgency::Page)), Offered::Announced(announced("app", 15, Some(200)))];
    let (told, silenced) = sealed(&[&alerts[..], &others].concat(), Mode::Alerts);
    assert_eq!(
        short(&told),
        [
            "firing@10 r/app ×1",
            "suppressed@20 r/app ×1",
            "firing@30 r/other ×1",
            "expired@70 r/app ×1",
            "expired@90 r/other ×1",
            "suppressed@100 r/app ×1",
            "firing@300 r/app ×1",
            "expired@360 r/app ×1"
        ]
    );
    let by = told[1].suppressed_by.as_ref().expect("who silenced it");
    assert_eq!((&*by.rule, &*by.event.id, by.from, by.to), ("campaign", "campaign-app-15", at(15), at(200)));
    assert!(told[1].explain.contains("until 1970-01-01T00:03:20.000Z"), "{}", told[1].explain);
    assert!(told[1].urgency == Urgency::Page && told[0].suppressed_by.is_none());
    assert_eq!((silenced.findings, silenced.late, silenced.evicted), (2, 0, 0));
    // Every match is a match: nothing is folded, and nothing is silenced.
    let (every, _) = sealed(&[&alerts[..], &others].concat(), Mode::EveryMatch);
    assert!(every.len() == 5 && every.iter().all(|record| record.state == AlertState::Match));
}

#[test]
fn what_is_folded_while_silenced_is_told_at_its_end() {
    let held = [20, 30, 40].map(|seconds| Offered::Alert(about("app", seconds, Urgency::Ticket)));
    let raised = Offered::Alert(about("app", 50, Urgency::Page));
    let announced = Offered::Announced(announced("app", 1, None));
    let (told, _) = sealed(&[&held[..], std::slice::from_ref(&announced)].concat(), Mode::Alerts);
    assert_eq!(short(&told), ["suppressed@20 r/app ×1", "suppressed@100 r/app ×3"]);
    assert_eq!((told[1].suppressed, told[1].suppressed_by.is_none()), (2, true));
    assert!(told[1].explain.contains("held 2 more times while it was not told"), "{}", told[1].explain);
    let (told, _) = sealed(&[&held[..], &[raised, announced]].concat(), Mode::Alerts);
    assert_eq!(short(&told), ["suppressed@20 r/app ×1", "suppressed@50 r/app ×4"], "a page is not told either");
    assert_eq!((told[1].urgency, told[1].suppressed), (Urgency::Page, 2));
}

#[test]
fn bounds_are_inclusive_equal_times_satisfy_either_order_and_nothing_is_silenced_backwards() {
    let states = |seconds: i64| {
        let all =
            [Offered::Alert(about("app", seconds, Urgency::Page)), Offered::Announced(announced("app", 50, Some(60)))];
        sealed(&all, Mode::Alerts).0[0].state
    };
    let silent = [49, 50, 60, 61].map(states);
    assert_eq!(silent, [AlertState::Firing, AlertState::Suppressed, AlertState::Suppressed, AlertState::Firing]);
    let of = |from: Option<i64>, to: Option<i64>| {
        let Silence { rule, order, arrival, position, scope, .. } = announced("app", 50, None);
        Silence::new(rule, (order, arrival, position), scope, (from.map(at), to.map(at)))
            .map(|silence| (silence.from.ms() / 1000, silence.to.ms() / 1000))
    };
    assert_eq!(of(None, None), Some((50, 50 + SILENCE_DEFAULT_MS / 1000)));
    assert_eq!(of(Some(10), Some(70)), Some((50, 70)), "never before it was announced");
    assert_eq!(of(Some(90), None), Some((90, 90 + HOUR)));
    assert_eq!(of(Some(90), Some(80)), None);
    assert_eq!(of(None, Some(100_000_000)), Some((50, 50 + 7 * 24 * HOUR)), "none lasts for ever");
    let silence = announced("app", 50, None);
    assert!(silence.covers(at(60), [("prov.repo", "app"), ("prov.env", "prod")].into_iter()));
    assert!(!silence.covers(at(60), [("prov.env", "prod")].into_iter()), "what is not said is not covered");
}

#[test]
fn the_order_of_arrival_changes_no_byte() {
    let mut all = vec![
        Offered::Announced(announced("app", 15, Some(200))),
        Offered::Announced(announced("app", 90, Some(120))),
        Offered::Announced(announced("other", 30, Some(400))),
    ];
    all.extend([10, 15, 20, 100, 300].map(|seconds| Offered::Alert(about("app", seconds, Urgency::Page))));
    all.extend([30, 250].map(|seconds| Offered::Alert(about("other", seconds, Urgency::Ticket))));
    let bytes = |offered: &[Offered]| serde_json::to_string(&sealed(offered, Mode::Alerts).0).expect("JSON");
    let wanted = bytes(&all);
    assert!(wanted.contains("suppressed_by"));
    // Every rotation of every stride: each comes before and behind each other somewhere.
    for stride in [1, 3, 7, 9] {
        for start in 0..all.len() {
            let mixed: Vec<Offered> = (0..all.len()).map(|n| all[(start + n * stride) % all.len()].clone()).collect();
            assert_eq!(bytes(&mixed), wanted, "stride {stride} from {start}");
        }
    }
}

#[test]
fn late_announcements_silence_nothing_and_at_the_limit_alerts_are_told() {
    let late = Silence { arrival: Arrival::Late, ..announced("app", 5, None) };
    let (told, silenced) =
        sealed(&[Offered::Announced(late), Offered::Alert(about("app", 10, Urgency::Page))], Mode::Alerts);
    assert_eq!((told[0].state, silenced.late, silenced.findings), (AlertState::Firing, 1, 0));
    // A late alert stands alone, silenced or not.
    let mut sealer = Sealer::new(Mode::Alerts, LIMITS, false);
    let lane = sealer.add_lane();
    sealer.offer_silence(lane, announced("app", 5, None));
    advance(&mut sealer, lane, at(100));
    let late = |repo: &str| Finding { arrival: Arrival::Late, ..about(repo, 50, Urgency::Page) };
    let told = [offer(&mut sealer, lane, late("app")), offer(&mut sealer, lane, late("other"))].concat();
    assert_eq!(short(&told), ["suppressed@50 r/app ×1", "firing@50 r/other ×1"]);
    assert!(told.iter().all(|record| record.late));
    // One for each virtual shard; all are announced long before the alerts.
    let mut sealer = Sealer::new(Mode::Alerts, Limits { silences_max: 64, ..LIMITS }, false);
    let lane = sealer.add_lane();
    for n in 0..50 {
        sealer.offer_silence(lane, announced(&format!("n{n}"), n, Some(2 * HOUR + n)));
        advance(&mut sealer, lane, at(n + 1));
    }
    (0..50).for_each(|n| assert!(offer(&mut sealer, lane, about(&format!("n{n}"), HOUR, Urgency::Page)).is_empty()));
    let told = advance(&mut sealer, lane, at(HOUR + 1));
    let firing = told.iter().filter(|record| record.state == AlertState::Firing).count() as u64;
    let silenced = sealer.silenced();
    assert!(firing > 0 && firing == silenced.evicted && silenced.findings == 50 - firing, "{firing} {silenced:?}");
    assert_eq!(silenced.held as u64, 50 - firing);
}

#[test]
fn what_may_be_silenced_is_not_told_ahead() {
    let mut sealer = Sealer::new(Mode::Alerts, LIMITS, false);
    let lane = sealer.add_lane();
    assert!(sealer.preview(lane, &finding("r", "app", 10, Urgency::Page)).is_some());
    assert!(sealer.preview(lane, &about("app", 10, Urgency::Page)).is_none());
    sealer.offer_silence(lane, announced("app", 5, None));
    let waiting = sealer.waiting_positions().count();
    assert_eq!(waiting, 1, "offsets do not pass an announcement that has not been reached");
    sealer.forget(|_| true);
    assert_eq!((sealer.waiting_positions().count(), sealer.silenced().held), (0, 0));
}
