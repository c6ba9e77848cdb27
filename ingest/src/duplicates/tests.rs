//! What is known, forgotten and reported of ids.
//!
//! Must never look at where an entry stands in memory, only at how much there is of it.

use super::*;

fn identity(id: u128, bytes: u128) -> Identity {
    Identity { id, bytes }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_ms(seconds * 1000)
}

#[test]
fn the_same_bytes_are_a_duplicate_until_the_horizon() {
    let mut seen = Duplicates::new(60_000, 100);
    assert_eq!(seen.see(identity(1, 1), at(0), false), Sight::New);
    assert_eq!(seen.see(identity(1, 1), at(0), false), Sight::Duplicate);
    seen.advance(at(660));
    assert_eq!(seen.see(identity(1, 1), at(0), true), Sight::Duplicate);
    seen.advance(at(900));
    assert_eq!(seen.see(identity(1, 1), at(0), true), Sight::New);
}

#[test]
fn a_late_copy_does_not_swallow_one_that_is_on_time() {
    let mut seen = Duplicates::new(60_000, 100);
    assert_eq!(seen.see(identity(1, 1), at(0), true), Sight::New);
    assert_eq!(seen.see(identity(1, 1), at(0), false), Sight::New);
    assert_eq!(seen.see(identity(1, 1), at(0), false), Sight::Duplicate);
}

#[test]
fn reuse_holds_at_the_same_times_in_any_order() {
    let variants = [(1, 0), (2, 100), (3, 700), (4, 5000)];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
        let mut seen = Duplicates::new(0, 100);
        let mut held = Vec::new();
        for i in order {
            if let Sight::Reused(times) = seen.see(identity(9, variants[i].0), at(variants[i].1), false) {
                held.extend(times);
            }
        }
        held.sort();
        assert_eq!(held, [at(100), at(700)], "{order:?}");
    }
}

#[test]
fn a_version_is_known_until_its_own_horizon_whatever_came_first_under_its_id() {
    for order in [[0, 5000], [5000, 0]] {
        let mut seen = Duplicates::new(60_000, 100);
        for second in order {
            assert_ne!(seen.see(identity(1, second as u128), at(second), false), Sight::Duplicate);
        }
        seen.advance(at(4900));
        assert_eq!(seen.see(identity(1, 5000), at(5000), false), Sight::Duplicate, "{order:?}");
        assert_eq!(seen.see(identity(1, 5001), at(5010), false), Sight::Reused(vec![at(5010)]), "{order:?}");
        seen.advance(at(6000));
        assert_eq!((seen.len(), seen.see(identity(1, 5000), at(5000), false)), (0, Sight::New), "{order:?}");
    }
}

#[test]
fn a_flood_under_one_id_stays_bounded_and_is_reported() {
    let mut seen = Duplicates::new(0, 100);
    let sights: Vec<Sight> = (0..1000).map(|bytes| seen.see(identity(1, bytes), at(bytes as i64), false)).collect();
    assert_eq!(sights.iter().filter(|sight| **sight == Sight::New).count(), 1);
    assert_eq!(sights[999], Sight::Reused(vec![at(999)]));
    assert_eq!(seen.forgotten(), 999 - VARIANTS_MAX as u64);
}

#[test]
fn a_full_table_forgets_the_oldest_minute_and_counts() {
    let mut seen = Duplicates::new(0, 10);
    for i in 0..20 {
        assert_eq!(seen.see(identity(i, 1), at(i as i64 * 30), false), Sight::New);
    }
    assert!(seen.len() <= 10 && seen.forgotten() >= 10);
    assert_eq!(seen.see(identity(19, 1), at(570), false), Sight::Duplicate);
    assert_eq!(seen.see(identity(0, 1), at(0), false), Sight::New);
}

#[test]
fn keyed_hashes_tell_events_apart() {
    let key = IdentityKey([1, 2, 3, 4]);
    assert_eq!(key.identity(b"id", b"x"), key.identity(b"id", b"x"));
    assert_ne!(key.identity(b"id", b"x").bytes, key.identity(b"id", b"y").bytes);
    assert_ne!(key.identity(b"id", b"x").id, IdentityKey([1, 2, 3, 5]).identity(b"id", b"x").id);
}

#[test]
fn what_is_forgotten_is_not_found_again_and_makes_room_for_others() {
    let mut seen = Duplicates::new(0, 1_000_000);
    let mut known = 0;
    for minute in 0..200 {
        for i in 0..1_000u128 {
            let id = (minute as u128 * 1_000 + i).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
            assert_eq!(seen.see(identity(id, 1), at(minute * 60), false), Sight::New);
        }
        seen.advance(at(minute * 60));
        known = known.max(seen.len());
    }
    // Eleven minutes can come again; memory is for them, not for all that was ever seen.
    let room: usize = seen.shards.iter().map(HashTable::capacity).sum();
    assert!(known <= 13_000 && room <= 8 * known, "{known} known, room for {room}");
    assert_eq!(seen.see(identity(0, 1), at(0), false), Sight::New);
    assert_eq!(seen.see(identity(0, 1), at(0), false), Sight::Duplicate);
    seen.advance(at(200 * 60));
    // The minute begins anew, and what stood in it before stays forgotten.
    assert_eq!(seen.see(identity(1, 1), at(0), false), Sight::New);
    assert_eq!(seen.see(identity(0, 1), at(0), false), Sight::New);
}

#[test]
fn a_snapshot_holds_what_is_known_and_nothing_that_is_forgotten() {
    let mut seen = Duplicates::new(0, 100);
    for (id, bytes, second) in [(1, 1, 0), (1, 2, 3_000), (2, 1, 3_000), (3, 1, 0)] {
        assert_ne!(seen.see(identity(id, bytes), at(second), false), Sight::Duplicate);
    }
    seen.advance(at(3_000));
    let entries = seen.snapshot();
    assert_eq!(
        entries.iter().map(|(id, of)| (*id, of.first.bytes, of.more.len())).collect::<Vec<_>>(),
        [(1, 2, 0), (2, 1, 0)]
    );
    let mut restored = Duplicates::new(0, 100);
    restored.restore(entries);
    assert_eq!(restored.len(), 2);
    assert_eq!(restored.see(identity(1, 2), at(3_000), false), Sight::Duplicate);
    assert_eq!(restored.see(identity(3, 1), at(0), false), Sight::New);
}
