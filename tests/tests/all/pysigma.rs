//! The pack is Sigma: without the keys that only pipewarden knows, every document parses in the ecosystem's own library.
//!
//! pySigma is fetched into a virtual environment beside the build, once; where that fails the test is skipped aloud.

use std::io::Write as _;
use std::path::Path;

use harness::cli;
use harness::python::{self, ran};

/// The version that the pack is held to.
const PYSIGMA: &str = "pysigma>=2.0,<2.1";

#[test]
fn every_document_of_the_pack_parses_in_pysigma() {
    let Some(python) = python::with("pysigma-2.0", PYSIGMA, "sigma") else {
        // Past the test runner's capture: a skipped test has to be seen.
        let _ = writeln!(std::io::stderr(), "skipped: the pack in pySigma: it cannot be fetched");
        return;
    };
    let script = cli::workspace().join("tests/pysigma.py");
    let parse = |folder: &Path| {
        let ran = ran(&python, &[script.as_os_str(), folder.as_os_str()]).expect("python starts");
        (
            ran.status.success(),
            String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr),
        )
    };
    let (passed, said) = parse(&cli::workspace().join("rules/library"));
    assert!(passed, "{said}");
    let count: usize = said.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default();
    assert!(count >= 321, "{said}");
    // It would have said so: a correlation of a rule that is not there, a condition that is none.
    let wrong = tempfile::tempdir().expect("a folder");
    let rule = "title: t\nlogsource: {product: x}\ndetection: {a: {x: 1}, condition: a and}\n";
    std::fs::write(wrong.path().join("rule.yml"), rule).expect("written");
    assert!(!parse(wrong.path()).0, "a condition that ends in `and`");
    let correlation =
        "title: t\ncorrelation: {type: event_count, rules: [nobody], timespan: 1m, condition: {gte: 2}}\n";
    std::fs::write(wrong.path().join("rule.yml"), correlation).expect("written");
    assert!(!parse(wrong.path()).0, "a correlation of nobody");
}
