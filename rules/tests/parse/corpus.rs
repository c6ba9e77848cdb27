//! The public rule corpora load whole, or say why not.

use std::path::{Path, PathBuf};
use std::process::Command;

use rules::parse::{Loaded, Settings, load_paths};

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(name);
    if !path.exists() {
        println!("skipped: no {}", path.display());
        return None;
    }
    Some(path)
}

fn load(path: PathBuf) -> Loaded {
    let loaded = load_paths(&[path], &Settings { include_deprecated: true, ..Settings::default() });
    assert_eq!(loaded.documents, loaded.rules.len() + loaded.filters + loaded.refused.len() + loaded.skipped.len());
    loaded
}

#[test]
fn the_delivery_rules_load() {
    let Some(path) = shared("sigma-rules") else { return };
    let loaded = load(path);
    assert!(loaded.refused.is_empty(), "{}", loaded.refused[0]);
    assert_eq!((loaded.documents, loaded.rules.len()), (109, 109));
}

#[test]
fn all_rules_load_or_are_listed() {
    let Some(archive) = shared("sigma-rules-all.tar.gz") else { return };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sigma-rules-all");
    std::fs::create_dir_all(&folder).unwrap();
    let unpacked = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&folder).status().unwrap();
    assert!(unpacked.success());
    let loaded = load(folder);
    for why in &loaded.refused {
        println!("{why}");
        assert!(why.line > 0 && why.hint.is_some() && why.rule.is_some(), "{why}");
        assert!(why.message.contains("unresolved placeholder"), "{why}");
    }
    println!("{} documents, {} rules, {} refused", loaded.documents, loaded.rules.len(), loaded.refused.len());
    for warning in &loaded.warnings {
        println!("warning: {warning}");
    }
    assert_eq!(loaded.documents, 3_141);
}
