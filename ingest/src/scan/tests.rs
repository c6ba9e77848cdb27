//! What scans find, and what they take for JSON.

use serde_json::Value;

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

/// Numbers without a pattern, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

const KEYS: &[&str] = &["a", "b", "c", "é", "quoted \"key\"", "key of sixteen..", "a key of more than sixteen letters"];
const NUMBERS: &[&str] = &["0", "-0", "7", "-12", "999999999999999999", "9223372036854775808", "1.5", "-2e3", "1e30"];

fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth == 0 { 5 } else { 9 }) {
        0 => Value::Null,
        1 => Value::Bool(dice.below(2) == 0),
        2 => serde_json::from_str(dice.one(NUMBERS)).unwrap(),
        3 => Value::String("x\u{7f}".repeat(dice.below(60))),
        4 => Value::String(
            dice.one(&["", "é", "line\nend", "tab\t", "\\", "\"", "\u{1}", "🦀"]).repeat(1 + dice.below(3)),
        ),
        5 | 6 => (0..dice.below(4)).map(|_| value(dice, depth - 1)).collect(),
        _ => (0..dice.below(6)).map(|_| (dice.one(KEYS).to_owned(), value(dice, depth - 1))).collect(),
    }
}

/// What stands under a path of a tree.
fn walked(value: &Value, path: &[&str], found: &mut Vec<String>) {
    let scalar = match (value, path) {
        (Value::Array(all), _) if !all.is_empty() => return all.iter().for_each(|value| walked(value, path, found)),
        (Value::Object(of), [key, rest @ ..]) => {
            return of.get(*key).into_iter().for_each(|value| walked(value, rest, found));
        }
        (_, [_, ..]) => return,
        (Value::Array(_) | Value::Object(_), []) => Scalar::Empty,
        (Value::Null, []) => Scalar::Null,
        (Value::Bool(is), []) => Scalar::Bool(*is),
        (Value::String(text), []) => Scalar::Text(text),
        (Value::Number(n), []) => match (n.as_i64(), n.as_u64()) {
            (Some(n), _) => Scalar::Int(n),
            (_, Some(n)) => Scalar::UInt(n),
            _ => Scalar::Float(n.as_f64().unwrap()),
        },
    };
    found.push(format!("{scalar:?}"));
}

/// What this scan takes for JSON and finds in it is what the JSON library does, in good records and in broken ones.
#[test]
fn the_library_reads_the_same() {
    let mut dice = Dice(7);
    let paths: Vec<Vec<&str>> =
        KEYS.iter().flat_map(|one| [vec![*one], vec!["a", *one], vec!["b", "c", *one]]).collect();
    let names: Vec<String> = paths.iter().map(|path| path.join(".")).collect();
    let names: Vec<String> = names.into_iter().map(|name| name.replace("..", r"\.\.")).collect();
    let mut projection = Projection::default();
    let slots: Vec<Slot> = names.iter().map(|name| projection.ask(name)).collect();
    let mut row = Row::default();
    let (mut taken, mut refused) = (0, 0);
    for round in 0..30_000 {
        let tree = value(&mut dice, 4);
        let mut record = if round % 2 == 0 { tree.to_string() } else { serde_json::to_string_pretty(&tree).unwrap() };
        if round % 3 == 0 {
            assert_eq!(scan(&record, &projection, &mut row), Ok(()), "{record}");
            for (path, &slot) in paths.iter().zip(&slots) {
                let mut wanted = Vec::new();
                walked(&tree, path, &mut wanted);
                let found: Vec<String> = row.view(&record).values(slot).map(|value| format!("{value:?}")).collect();
                assert_eq!(found, wanted, "{path:?} of {record}");
            }
            continue;
        }
        let mut bytes = std::mem::take(&mut record).into_bytes();
        for _ in 0..1 + dice.below(3) {
            let (at, byte) = (dice.below(bytes.len() + 1), dice.one(b"{}[]\",:\\ 019eE+-.tfnux\n\x00\x1f\x7f"));
            match dice.below(3) {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ => bytes.truncate(at),
            }
        }
        let Ok(record) = String::from_utf8(bytes) else { continue };
        let is = serde_json::from_str::<IgnoredAny>(&record).is_ok();
        assert_eq!(scan(&record, &projection, &mut row).is_ok(), is, "{record:?}");
        *(if is { &mut taken } else { &mut refused }) += 1;
    }
    assert!(taken > 1_000 && refused > 1_000, "{taken} {refused}");
}

/// Two lists of records of one kind, one in the other.
fn nested() -> (Projection, Slot, Slot) {
    let mut projection = Projection::default();
    let (name, key) = (projection.ask("name"), projection.ask("a.b"));
    for path in ["items", "results"] {
        projection.ask(path);
        projection.cut(path, Cut::Each);
    }
    (projection, name, key)
}

#[test]
fn rows_read_ahead_say_what_a_scan_of_their_record_says() {
    let (projection, ..) = nested();
    let record = r#" {"name":"list", "items": [ {"name":"é","results":[{"name":"\u0061","a":{"b":1}},7,{"a.b":"x","a":{"b":2}}],
        "a":{"b":[1.5,{}]}}, [{"name":"no"}], null, {}, {"results":[{"name":"y"}],"results":[{"name":"z","name":2}]} ]}"#;
    let (mut row, mut ahead) = (Box::default(), Ahead::default());
    scan_ahead(record, &projection, &mut row, &mut ahead).expect("valid");
    let objects = [
        r#"{"name":"é"#,
        r#"{"name":"\u"#,
        r#"{"a.b":"#,
        r#"{}, {"results""#,
        r#"{"results":[{"name":"y"#,
        r#"{"name":"y"#,
        r#"{"name":"z"#,
    ];
    for begins in objects {
        let mut values = serde_json::Deserializer::from_str(&record[record.find(begins).expect(begins)..])
            .into_iter::<&serde_json::value::RawValue>();
        let element = values.next().expect("a value").expect("JSON").get();
        let (mut read, mut scanned) = (Box::default(), Row::default());
        assert!(ahead.take(element, &mut read), "{begins}");
        scan(element, &projection, &mut scanned).expect("valid");
        let says = |row: &Row| {
            let view = row.view(element);
            let values =
                |slot: &Slot| (*slot, view.values(*slot).map(|value| format!("{value:?}")).collect::<Vec<_>>());
            view.touched().iter().map(values).collect::<Vec<_>>()
        };
        assert_eq!(says(&read), says(&scanned), "{begins}");
    }
    assert!(!ahead.take(&record[1..], &mut row), "the list itself");
}

#[test]
fn few_rows_of_small_records_are_read_ahead() {
    let (projection, name, _) = nested();
    let (mut row, mut ahead) = (Box::default(), Ahead::default());
    let mut taken = |record: &str| {
        scan_ahead(record, &projection, &mut row, &mut ahead).expect("valid");
        let parts = record.match_indices(r#"{"name""#).map(|(at, _)| &record[at..]);
        parts.filter(|part| ahead.take(part, &mut row) && row.view(part).has(name)).count()
    };
    let list = |count: usize, space: usize| {
        format!(r#"{{"items":[{}]{}}}"#, [r#"{"name":"x"}"#].repeat(count).join(","), " ".repeat(space))
    };
    assert_eq!([taken(&list(3, 0)), taken(&list(40, 0)), taken(&list(3, 20_000))], [3, ahead::ROWS_MAX, 0]);
    assert_eq!(taken(r#"{"items":{"name":"x"}}"#), 0, "no list");
}

/// What is read ahead may hold what no value can be, in fields that nobody asks a container for.
#[test]
fn a_container_is_read_whatever_stands_in_it() {
    let (projection, name, _) = nested();
    let (mut row, mut ahead) = (Box::default(), Ahead::default());
    let record = r#"{"items":[{"name":"x"},{"name":1e999}],"name":"list"}"#;
    scan_ahead(record, &projection, &mut row, &mut ahead).expect("valid");
    assert_eq!(row.view(record).text(name), Some("list"));
    assert!(!ahead.take(&record[10..], &mut row), "each is scanned for itself");
    for broken in
        [r#"{"items":[{"name":"x"},{"name":}]}"#, r#"{"items":[{"name":"x"}]"#, r#"{"items":[{"name":"x"}]}}"#]
    {
        assert_eq!(scan_ahead(broken, &projection, &mut row, &mut ahead), Err(Invalid::NotJson), "{broken}");
        assert!(!ahead.take(&broken[10..], &mut row), "{broken}");
    }
    let deep = |levels: usize| format!("{}0{}", r#"{"results":[{"results":["#.repeat(levels), "]}]}".repeat(levels));
    assert_eq!(scan_ahead(&deep(31), &projection, &mut row, &mut ahead), Ok(()));
    assert_eq!(scan_ahead(&deep(32), &projection, &mut row, &mut ahead), Err(Invalid::TooDeep));
}
