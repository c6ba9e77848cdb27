//! An archive is what its manifest says, whatever happens to its files or to who writes it.

use std::fs;
use std::path::Path;

use model::{Arrival, Event, EventClass, Sha256, Timestamp, Trust, Verdict};
use serde_json::json;

use super::*;

const DAY_MS: i64 = 86_400_000;

fn event(class: EventClass, at_ms: i64, digest: &str) -> ArchivedEvent {
    let fields = [("prov.digest", json!(digest)), ("prov.team", json!("payments")), ("duration", json!(7))];
    let event = Event {
        id: Some(format!("{at_ms}").into()),
        class: Some(class),
        action: Some("finished".to_owned()),
        outcome: Verdict::Success,
        time: Some(Timestamp::from_ms(at_ms)),
        source: "s".into(),
        trust: Trust::ControlPlane,
        sha256: Sha256::of(format!("{class:?}{at_ms}").as_bytes()),
        fields: fields.map(|(name, value)| (name.to_owned(), value)).into(),
    };
    ArchivedEvent { event, arrival: Arrival::OnTime, partition: "p".into(), offset: at_ms }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// An archive of two days and two classes, in several files.
fn written(folder: &Path, key: Option<SigningKey>) -> Archive {
    let mut writer = EventWriter::new(Archive::open(folder, key).expect("opens"), 4);
    for at in 0..10 {
        let class = if at % 2 == 0 { EventClass::CiRun } else { EventClass::BuildFinished };
        writer.put(event(class, at * DAY_MS / 5, &format!("d{at}")));
        if writer.is_full() {
            writer.flush().expect("is written");
        }
    }
    writer.finish().expect("is written")
}

fn findings(folder: &Path) -> Vec<String> {
    let (_, findings) = verify(folder, None, None).expect("the chain holds");
    findings.iter().map(ToString::to_string).collect()
}

fn first_file(archive: &Archive) -> std::path::PathBuf {
    archive.folder().join(&archive.manifest().files().next().expect("a file").path)
}

#[test]
fn what_was_changed_removed_or_added_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = written(folder.path(), None);
    assert_eq!(findings(folder.path()), Vec::<String>::new());
    assert_eq!(archive.manifest().files().map(|file| file.rows).sum::<u64>(), 10);
    let file = first_file(&archive);
    let bytes = fs::read(&file).expect("reads");
    let mut other = bytes.clone();
    let middle = other.len() / 2;
    other[middle] ^= 1;
    fs::write(&file, &other).expect("writes");
    let name = archive.manifest().files().next().expect("a file").path.clone();
    assert_eq!(findings(folder.path()), [format!("{name}: was changed")]);
    fs::remove_file(&file).expect("removes");
    assert!(findings(folder.path())[0].starts_with(&format!("{name}: was removed")));
    drop(archive);
    assert!(matches!(Archive::open(folder.path(), None), Err(ArchiveError::Missing { .. })));
    fs::write(&file, &bytes).expect("writes");
    fs::write(file.with_file_name("more.parquet"), b"x").expect("writes");
    assert!(findings(folder.path())[0].contains("more.parquet: was added"));
}

#[test]
fn the_manifest_is_a_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    written(folder.path(), Some(key()));
    let manifest = folder.path().join("manifest.jsonl");
    let text = fs::read_to_string(&manifest).expect("reads");
    let lines: Vec<&str> = text.lines().collect();
    let broken = |text: String| {
        fs::write(&manifest, text).expect("writes");
        let found = verify(folder.path(), Some(&key().verifying_key()), None);
        found.err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(lines.len() > 2);
    assert_eq!(broken(text.clone()), "");
    assert!(broken(format!("{}\n", lines[1..].join("\n"))).contains("line 1: it does not follow"));
    let without = format!("{}\n{}\n", lines[0], lines[2..].join("\n"));
    assert!(broken(without).contains("line 2: it does not follow"));
    assert!(broken(text.replacen("\"rows\":", "\"rows\":1", 1)).contains("line 1: its hash is not"));
    let unsigned = text.replacen("\"signature\":", "\"x\":", 1);
    assert!(broken(unsigned).contains("line 1:"));
    fs::write(&manifest, &text).expect("writes");
    let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
    let found = verify(folder.path(), Some(&other), None).expect_err("is by another key").to_string();
    assert!(found.contains("line 1: its signature is not by this key"), "{found}");
}

#[test]
fn an_end_that_was_cut_off_is_seen_by_who_kept_the_head() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = written(folder.path(), None);
    let head = archive.manifest().head().to_owned();
    let manifest = folder.path().join("manifest.jsonl");
    let text = fs::read_to_string(&manifest).expect("reads");
    let shorter = text.trim_end().rsplit_once('\n').expect("lines").0.to_owned() + "\n";
    fs::write(&manifest, shorter).expect("writes");
    let (_, found) = verify(folder.path(), None, Some(&head)).expect("the chain holds");
    assert!(matches!(found.first(), Some(Finding::CutOff { .. })), "{found:?}");
    fs::write(&manifest, text).expect("writes");
    assert_eq!(verify(folder.path(), None, Some(&head)).expect("holds").1, []);
}

#[test]
fn a_crash_at_any_step_leaves_all_of_it_or_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = written(folder.path(), None);
    let (manifest, last) = (folder.path().join("manifest.jsonl"), archive.manifest().lines());
    let text = fs::read_to_string(&manifest).expect("reads");
    // While a line was written: it does not count, its files have no claim, and the next line stands in its place.
    fs::write(&manifest, &text[..text.len() - 9]).expect("writes");
    let half = Manifest::read(folder.path(), None).expect("reads");
    assert_eq!(half.lines(), last - 1);
    fs::write(&manifest, &text).expect("writes");
    // Between the line and the move: the next opening moves it.
    let file = first_file(&archive);
    let entry = archive.manifest().files().next().expect("a file").clone();
    fs::rename(&file, archive.coming(&entry.path)).expect("moves");
    assert_eq!(findings(folder.path()), Vec::<String>::new(), "a reader finds it on its way");
    fs::write(folder.path().join(COMING).join("left.parquet"), b"half").expect("writes");
    drop(archive);
    Archive::open(folder.path(), None).expect("opens");
    assert!(file.exists() && !folder.path().join(COMING).join("left.parquet").exists());
}

#[test]
fn compaction_keeps_every_row_and_expiry_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut archive = written(folder.path(), None);
    let before = archive.manifest().files().count();
    let tidied = archive.compact(1_000).expect("compacts");
    let (after, rows) =
        (archive.manifest().files().count(), archive.manifest().files().map(|file| file.rows).sum::<u64>());
    assert!(before > 4 && after == 4 && rows == 10, "{before} {after} {rows}");
    assert_eq!(before + tidied.added - tidied.removed, after);
    assert_eq!(findings(folder.path()), Vec::<String>::new());
    assert_eq!(archive.expire("1970-01-02").expect("expires").removed, 2);
    assert_eq!(archive.manifest().files().map(|file| file.rows).sum::<u64>(), 5);
    assert_eq!(findings(folder.path()), Vec::<String>::new());
}

#[test]
fn how_far_inputs_have_been_archived_is_said_in_one_stroke_with_their_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = EventWriter::new(Archive::open(folder.path(), Some(key())).expect("opens"), 100);
    writer.put(event(EventClass::CiRun, 0, "d"));
    writer.flush_at([("t/0".to_owned(), 7), ("t/1".to_owned(), 3)].into()).expect("is written");
    writer.put(event(EventClass::CiRun, 1, "d"));
    writer.flush_at([("t/0".to_owned(), 9)].into()).expect("is written");
    writer.put(event(EventClass::CiRun, 2, "d"));
    let second = Archive::open(folder.path(), None).expect_err("one writes at a time");
    assert!(second.to_string().contains("is being written by another process"), "{second}");
    drop(writer);
    let manifest = Manifest::read(folder.path(), Some(&key().verifying_key())).expect("holds");
    let of = |input| manifest.position(input);
    assert_eq!((of("t/0"), of("t/1"), of("t/2")), (Some(9), Some(3), None));
    // What was not written with its position is not there: it will be read again.
    assert_eq!(manifest.files().map(|file| file.rows).sum::<u64>(), 2);
    assert_eq!(findings(folder.path()), Vec::<String>::new());
}

#[test]
fn rows_that_cannot_be_written_wait_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = EventWriter::new(Archive::open(folder.path(), None).expect("opens"), 100);
    writer.put(event(EventClass::CiRun, 0, "d"));
    fs::rename(folder.path().join("coming"), folder.path().join("gone")).expect("moves");
    assert!(writer.flush().is_err() && writer.written() == 0);
    fs::rename(folder.path().join("gone"), folder.path().join("coming")).expect("moves");
    let archive = writer.finish().expect("is written");
    assert_eq!(archive.manifest().files().map(|file| file.rows).sum::<u64>(), 1);
}

fn adding(entry: Entry) -> Change {
    Change { operation: Operation::Add, added: vec![entry], removed: Vec::new(), positions: Positions::new() }
}

#[test]
fn a_manifest_names_no_file_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut manifest = Manifest::read(folder.path(), None).expect("reads");
    let entry = |path: &str| Entry {
        path: path.to_owned(),
        sha256: String::new(),
        bytes: 0,
        rows: 0,
        table: EVENTS.to_owned(),
        day: "1970-01-01".to_owned(),
        class: String::new(),
    };
    for path in ["../x", "/etc/passwd", "events/../../x", "a//b", "a\\b", ""] {
        assert!(manifest.append(adding(entry(path)), None).is_err(), "{path}");
        assert!(!folder.path().join("manifest.jsonl").exists(), "{path}");
    }
    manifest.append(adding(entry("events/day=1970-01-01/x")), None).expect("is one");
    let text = fs::read_to_string(folder.path().join("manifest.jsonl")).expect("reads");
    fs::write(folder.path().join("manifest.jsonl"), text.replace("events/day", "../day")).expect("writes");
    assert!(Manifest::read(folder.path(), None).is_err());
}
