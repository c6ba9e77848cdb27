//! A folder of broken rules: each file's name states the mistake, its first line the whole message that it gets.

use std::path::Path;

use rules::parse::{Settings, load_paths};

#[test]
fn every_broken_rule_gets_its_message() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid");
    let loaded = load_paths(std::slice::from_ref(&folder), &Settings::default());
    let files = std::fs::read_dir(&folder).unwrap().count();
    assert!(files >= 20, "{files}");
    assert_eq!((loaded.rules.len(), loaded.refused.len()), (0, files));
    let mut wrong = Vec::new();
    for refused in &loaded.refused {
        let text = std::fs::read_to_string(&refused.file).unwrap();
        let name = refused.file.file_name().unwrap().to_string_lossy().into_owned();
        let expected = text.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
        let got = refused.to_string().replace(&format!("{}/", folder.display()), "");
        assert!(refused.line > 0 && refused.hint.is_some(), "{got}");
        if got != expected {
            wrong.push(format!("{name}\n  expected {expected}\n  got      {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
