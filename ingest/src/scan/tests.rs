//! What scans find, and what they take for JSON.

use super::*;

fn found(record: &str, paths: &[&str]) -> Vec<String> {
    let mut projection = Projection::default();
    let slots: Vec<Slot> = paths.iter().map(|path| projection.ask(path)).collect();
    let mut row = Row::default();
    scan(record, &projection, &mut row).expect("valid");
    let view = row.view(record);
    slots.iter().map(|&slot| view.values(slot).map(|v| format!("{v:?}")).collect::<Vec<_>>().join(",")).collect()
}

#[test]
fn finds_every_kind_of_value() {
    let record =
        r#"{"s":"x","e":"a\"b","i":-3,"u":18446744073709551615,"f":1.5,"b":true,"n":null,"o":{},"l":[],"x":9}"#;
    assert_eq!(
        found(record, &["s", "e", "i", "u", "f", "b", "n", "o", "l", "missing"]),
        [
            "Text(\"x\")",
            "Text(\"a\\\"b\")",
            "Int(-3)",
            "UInt(18446744073709551615)",
            "Float(1.5)",
            "Bool(true)",
            "Null",
            "Empty",
            "Empty",
            ""
        ]
    );
}

#[test]
fn nested_arrays_and_literal_keys() {
    assert_eq!(found(r#"{"a":{"b":1}}"#, &["a.b"]), ["Int(1)"]);
    assert_eq!(found(r#"{"a":[{"b":1},{"b":[2,3]},4]}"#, &["a.b"]), ["Int(1),Int(2),Int(3)"]);
    assert_eq!(found(r#"{"a":{"b":1},"a.b":2}"#, &["a.b"]), ["Int(2)"]);
    assert_eq!(found(r#"{"a.b":2,"a":{"b":1}}"#, &["a.b"]), ["Int(2)"]);
    assert_eq!(found(r#"{"a":{"b":1}}"#, &["a", "a.b"]), ["Empty", "Int(1)"]);
    assert_eq!(found(r#"{"a":1,"a":2}"#, &["a"]), ["Int(1),Int(2)"]);
    assert_eq!(found(r#"{"\u0061":1}"#, &["a"]), ["Int(1)"]);
    let annotated = r#"{"a":{"k8s.io/b":1,"k8s":{"io/b":2}}}"#;
    assert_eq!(found(annotated, &[r"a.k8s\.io/b", "a.k8s.io/b"]), ["Int(1)", "Int(2)"]);
}

#[test]
fn cut_out_is_what_stands_under_a_path() {
    let record =
        r#"{"a":[{"b":1}, {"b":[2]},3],"c":{"d":{"e":"x"}},"n":null,"l":[{"m":{"d":1}}],"w":{}, "m": {"d":"y"}}"#;
    for (path, cut, wanted) in [
        ("a", Cut::Each as fn(Slot) -> Cut, r#"Empty,Text("{\"b\":1}"),Text("{\"b\":[2]}"),Text("3")"#),
        ("c.d", Cut::Whole, r#"Text("{\"e\":\"x\"}")"#),
        ("n", Cut::Each, "Null"),
        ("n", Cut::Whole, r#"Text("null")"#),
        ("w", Cut::Each, ""),
        ("l.m", Cut::Whole, ""),
        ("m.d", Cut::Whole, r#"Text("\"y\"")"#),
    ] {
        for asked in [&["a.b", "c.d.e", "a", "w"][..], &["a", "c.d", "n", "m.d"], &[]] {
            for keeps_all in [false, true] {
                let mut projection = Projection::default();
                let slot = projection.cut(path, cut);
                let slots: Vec<Slot> = asked.iter().map(|path| projection.ask(path)).collect();
                if keeps_all {
                    projection.keep_all();
                }
                let mut row = Row::default();
                scan(record, &projection, &mut row).unwrap();
                let view = row.view(record);
                let values = |slot| view.values(slot).map(|v| format!("{v:?}")).collect::<Vec<_>>().join(",");
                assert_eq!(values(slot), wanted, "{path}");
                // What else is asked is found as if nothing were cut out.
                assert_eq!(slots.into_iter().map(values).collect::<Vec<_>>(), found(record, asked), "{path}");
                let texts = if keeps_all { "1\n2\n3\nx\n1\ny\n" } else { "" };
                assert_eq!(row.all_mut().joined(), texts.as_bytes(), "{path}");
            }
        }
    }
}

#[test]
fn a_record_is_valid_or_not_whatever_is_asked_of_it() {
    for record in [r#"{"a":"x\ud800","b":"y"}"#, r#"{"a":1e999,"b":"y"}"#, r#"{"\udc00":1,"b":"y"}"#] {
        assert_eq!(found(record, &["b"]), ["Text(\"y\")"], "{record}");
        assert_eq!(found(record, &["a", "b"])[1], "Text(\"y\")", "{record}");
    }
    assert_eq!(found(r#"{"a":"x\ud800"}"#, &["a"]), ["Text(\"x\u{fffd}\")"]);
    assert_eq!(found(r#"{"a":1e999}"#, &["a"]), ["Null"]);
}

#[test]
fn what_is_not_one_value_is_invalid() {
    let mut row = Row::default();
    let mut projection = Projection::default();
    projection.ask("a");
    for record in [
        "",
        "{",
        r#"{"a":1"#,
        r#"{"a":1}x"#,
        r#"{"a":1}{"a":2}"#,
        r#"{"b":{"c":[1,}}"#,
        "{\"b\":\"\u{1}\"}",
        "nul",
        r#"{"b":01}"#,
    ] {
        assert_eq!(scan(record, &projection, &mut row), Err(Invalid::NotJson), "{record}");
    }
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(scan(&deep, &projection, &mut row), Err(Invalid::TooDeep));
    // The deepest record that is one is one whatever is asked of it.
    for (depth, wanted) in [(126, Ok(())), (127, Err(Invalid::TooDeep))] {
        let mut all = projection.clone();
        all.keep_all();
        for (key, asked) in [("a", &projection), ("b", &projection), ("b", &all)] {
            let record = format!("{{\"{key}\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(scan(&record, asked, &mut row), wanted, "{depth} {key}");
        }
    }
    let wide = format!("[{}1]", "[],".repeat(10_000));
    assert_eq!(scan(&wide, &projection, &mut row), Ok(()));
    let text = format!("{{\"b\":\"{}\"}}", "[".repeat(10_000));
    assert_eq!(scan(&text, &projection, &mut row), Ok(()));
}
