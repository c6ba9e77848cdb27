//! The pack is Sigma: without the keys that only pipewarden knows, every document parses in the ecosystem's own library.
//!
//! pySigma is fetched into a virtual environment beside the build, once; where that fails the test is skipped aloud.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use harness::cli;

/// The version that the pack is held to.
const PYSIGMA: &str = "pysigma>=2.0,<2.1";

fn ran(program: impl AsRef<OsStr>, arguments: &[&OsStr]) -> Option<Output> {
    Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()
}

/// Python with pySigma; None: there is no Python, or nowhere to fetch it from.
fn python() -> Option<PathBuf> {
    let binary = cli::binary().parent().and_then(Path::parent).unwrap_or(Path::new("target"));
    let folder = binary.join("pysigma-2.0");
    let python = folder.join("bin/python");
    let imports = || ran(&python, &["-c", "import sigma"].map(OsStr::new)).is_some_and(|ran| ran.status.success());
    if !imports() {
        ran("python3", &[OsStr::new("-m"), OsStr::new("venv"), folder.as_os_str()])?;
        ran(&python, &["-m", "pip", "install", "--quiet", PYSIGMA].map(OsStr::new))?;
    }
    imports().then_some(python)
}

#[test]
fn every_document_of_the_pack_parses_in_pysigma() {
    let Some(python) = python() else {
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
