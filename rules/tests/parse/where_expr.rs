//! The language of `x-where`: what it accepts, what it means, what it says when it does not.

use super::*;
use rules::where_expr::{Expr, Function, Operator, Where};

fn parse(source: &str) -> Expr {
    Where::parse(source).unwrap_or_else(|error| panic!("{source}: {error}")).expr
}

fn call(function: Function, arguments: Vec<Expr>) -> Expr {
    Expr::Call { function, arguments }
}

fn path(name: &str) -> Expr {
    Expr::Field(name.to_owned())
}

fn quoted(text: &str) -> Expr {
    Expr::Text(text.to_owned())
}

fn compare(op: Operator, left: Expr, right: Expr) -> Expr {
    Expr::Compare { op, left: Box::new(left), right: Box::new(right) }
}

#[test]
fn expressions_mean_what_they_say() {
    use Function as F;
    let ab = || compare(Operator::Ne, path("a.commit"), path("b-c.commit"));
    let minus = call(F::Minus, vec![path("secrets"), Expr::Array(vec![quoted("T"), Expr::Number(-1.5), path("x")])]);
    for (source, expected) in [
        ("a.commit != b-c.commit", ab()),
        ("not a.commit != b-c.commit", Expr::Not(Box::new(ab()))),
        ("a or b and not c", Expr::Or(vec![path("a"), Expr::And(vec![path("b"), Expr::Not(Box::new(path("c")))])])),
        ("(a or b) and c", Expr::And(vec![Expr::Or(vec![path("a"), path("b")]), path("c")])),
        ("any(files, '*.yml')", call(F::Any, vec![path("files"), Expr::Glob(pattern("*.yml"))])),
        (
            "len(minus(secrets, ['T', -1.5, x])) > 0",
            compare(Operator::Gt, call(F::Len, vec![minus]), Expr::Number(0.0)),
        ),
        ("not in(s, list('declared', svc))", {
            let list = call(F::List, vec![quoted("declared"), path("svc")]);
            Expr::Not(Box::new(call(F::In, vec![path("s"), list])))
        }),
        ("cidr_in(ip, '10.0.0.0/8')", call(F::CidrIn, vec![path("ip"), quoted("10.0.0.0/8")])),
        ("lower(a) == \"it's\"", compare(Operator::Eq, call(F::Lower, vec![path("a")]), quoted("it's"))),
        ("`odd name` == 'a\\'b\\n'", compare(Operator::Eq, path("odd name"), quoted("a'b\\n"))),
        (
            "a == null or b == true",
            Expr::Or(vec![
                compare(Operator::Eq, path("a"), Expr::Null),
                compare(Operator::Eq, path("b"), Expr::Bool(true)),
            ]),
        ),
        (
            "startswith(a, 'x') AND exists(b)",
            Expr::And(vec![call(F::StartsWith, vec![path("a"), quoted("x")]), call(F::Exists, vec![path("b")])]),
        ),
    ] {
        assert_eq!(parse(source), expected, "{source}");
    }
}

#[test]
fn it_knows_its_fields_and_lists() {
    let found = Where::parse("in(a.b, list('l', c)) and len(union(d, list('m'))) >= 2 and e < `f g`").unwrap();
    assert_eq!(found.fields(), ["a.b", "c", "d", "e", "f g"]);
    assert_eq!(found.lists(), ["l", "m"]);
}

#[test]
fn errors_name_column_and_way_out() {
    for (source, column, why, hint) in [
        ("exsts(a)", 1, "unknown function `exsts`", "did you mean `exists`?"),
        ("any(a)", 1, "takes 2 arguments, here are 1", ""),
        ("lower(a, b) == 'x'", 10, "takes 1 arguments", ""),
        ("a == 1 and any(b, 5)", 19, "expected a quoted text", "write it as 'text'"),
        ("exists('a')", 8, "expected a field path", "without quotes"),
        ("in(a, 'x')", 7, "expected a field, an array", "['text']"),
        ("minus(a, b) == c", 1, "expected one value", "len"),
        ("len(a)", 1, "expected something true or false", "compare it"),
        ("a and 'x'", 7, "expected something true or false", ""),
        ("not 5", 5, "expected something true or false", ""),
        ("a = 'x'", 3, "unexpected `=`", "equality is `==`"),
        ("!a", 1, "unexpected `!`", "`not`"),
        ("a == 'x", 6, "never closed", ""),
        ("a == 5x", 6, "`5x` is no number", "quotes"),
        ("(a == 1", 8, "expected `)`, found end", ""),
        ("a == 1 b", 8, "unexpected `b`", "`and` or `or`"),
        ("a ==", 5, "expected a field, a value or a function, found end", ""),
        ("", 1, "found end", ""),
        ("a..b == 1", 1, "no field path", ""),
        ("in(a, [lower(b)])", 8, "an array holds", ""),
        ("a && b", 3, "unexpected `&`", ""),
    ] {
        let error = Where::parse(source).expect_err(source);
        assert_eq!(error.column, column, "{source}: {error}");
        assert!(error.message.contains(why), "{source}: {error}");
        assert!(error.hint.unwrap_or_default().contains(hint), "{source}");
    }
    for deep in ["(".repeat(4000), "not ".repeat(2000), "[".repeat(4000), "len(".repeat(2000)] {
        assert!(Where::parse(&deep).unwrap_err().message.contains("nested deeper"), "{}", &deep[..9]);
    }
}
