//! The slow evaluator's `x-where`: three values, no shortcuts.
//!
//! Must never share code with the engine's.

use rules::ast::ListHow;
use rules::where_expr::{Expr, Function, Operator};
use serde_json::Value;

use super::{ListTexts, folded, in_network, is_entry, matches, members};

/// True, false or unknown.
pub(crate) fn truth(expr: &Expr, event: &Value, lists: &ListTexts) -> Option<bool> {
    let scope = Scope { event, lists };
    scope.truth(expr)
}

struct Scope<'e> {
    event: &'e Value,
    lists: &'e ListTexts,
}

/// Text of a value in expressions: numbers as doubles.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => number.as_f64().map(|number| number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    if a.is_null() || b.is_null() {
        return a.is_null() && b.is_null();
    }
    if a.is_number() || b.is_number() {
        return number(a).is_some() && number(a) == number(b);
    }
    text(a).zip(text(b)).is_some_and(|(a, b)| folded(&a) == folded(&b))
}

impl Scope<'_> {
    fn truth(&self, expr: &Expr) -> Option<bool> {
        match expr {
            Expr::Not(part) => Some(!self.truth(part)?),
            Expr::And(parts) => self.joined(parts, false),
            Expr::Or(parts) => self.joined(parts, true),
            Expr::Bool(truth) => Some(*truth),
            Expr::Field(path) => self.members(path).iter().find_map(Value::as_bool),
            Expr::Compare { op, left, right } => self.compare(*op, left, right),
            Expr::Call { function, arguments } => self.call(*function, arguments),
            _ => None,
        }
    }

    /// One part that is `decides` decides; else one that is unknown makes all unknown.
    fn joined(&self, parts: &[Expr], decides: bool) -> Option<bool> {
        let truths: Vec<_> = parts.iter().map(|part| self.truth(part)).collect();
        if truths.contains(&Some(decides)) {
            return Some(decides);
        }
        (!truths.contains(&None)).then_some(!decides)
    }

    fn compare(&self, op: Operator, left: &Expr, right: &Expr) -> Option<bool> {
        let value = |expr| self.value(expr).unwrap_or(Value::Null);
        let (a, b) = (value(left), value(right));
        let speaks_of_null = *left == Expr::Null || *right == Expr::Null;
        match op {
            Operator::Eq if speaks_of_null => return Some(a == b),
            Operator::Ne if speaks_of_null => return Some(a != b),
            _ if a.is_null() || b.is_null() => return None,
            Operator::Eq => return Some(equal(&a, &b)),
            Operator::Ne => return Some(!equal(&a, &b)),
            _ => {}
        }
        let (a, b) = (number(&a)?, number(&b)?);
        Some(match op {
            Operator::Lt => a < b,
            Operator::Lte => a <= b,
            Operator::Gt => a > b,
            _ => a >= b,
        })
    }

    /// Members that have a value; null is one.
    fn members(&self, path: &str) -> Vec<Value> {
        members(self.event, path).into_iter().filter(|value| !value.is_array() && !value.is_object()).cloned().collect()
    }

    fn value(&self, expr: &Expr) -> Option<Value> {
        match expr {
            Expr::Field(path) => self.members(path).into_iter().next(),
            Expr::Text(text) => Some(Value::from(text.as_str())),
            Expr::Number(number) => Some(Value::from(*number)),
            Expr::Bool(truth) => Some(Value::from(*truth)),
            Expr::Null => Some(Value::Null),
            Expr::Call { function: Function::Len, arguments } => Some(Value::from(self.set(&arguments[0]).len())),
            Expr::Call { function: Function::Lower, arguments } => {
                Some(Value::from(text(&self.value(&arguments[0])?)?.to_lowercase()))
            }
            _ => None,
        }
    }

    fn set(&self, expr: &Expr) -> Vec<Value> {
        let inside = |set: &[Value], value: &Value| set.iter().any(|member| equal(member, value));
        match expr {
            Expr::Field(path) => self.members(path).into_iter().filter(|value| !value.is_null()).collect(),
            Expr::Array(parts) => parts.iter().flat_map(|part| self.set(part)).collect(),
            Expr::Call { function: Function::List, arguments } => {
                self.entries(arguments).iter().map(|entry| Value::from(entry.as_str())).collect()
            }
            Expr::Call { function: Function::Minus, arguments } => {
                let without = self.set(&arguments[1]);
                self.set(&arguments[0]).into_iter().filter(|value| !inside(&without, value)).collect()
            }
            Expr::Call { function: Function::Intersect, arguments } => {
                let with = self.set(&arguments[1]);
                self.set(&arguments[0]).into_iter().filter(|value| inside(&with, value)).collect()
            }
            Expr::Call { function: Function::Union, arguments } => {
                let mut all = self.set(&arguments[0]);
                for value in self.set(&arguments[1]) {
                    if !inside(&all, &value) {
                        all.push(value);
                    }
                }
                all
            }
            other => self.value(other).into_iter().collect(),
        }
    }

    /// Lists of tests have no keys: under a key there is nothing.
    fn entries(&self, arguments: &[Expr]) -> &[String] {
        match arguments {
            [Expr::Text(name)] => self.lists.get(name).map_or(&[], Vec::as_slice),
            _ => &[],
        }
    }

    fn call(&self, function: Function, arguments: &[Expr]) -> Option<bool> {
        let first = &arguments[0];
        match function {
            Function::Exists => match first {
                Expr::Field(path) => Some(!members(self.event, path).is_empty()),
                _ => None,
            },
            Function::Any | Function::All | Function::None => {
                let Expr::Glob(pattern) = &arguments[1] else { return None };
                let set = self.set(first);
                let matching = set.iter().filter(|v| text(v).is_some_and(|text| matches(pattern, &text))).count();
                Some(match function {
                    Function::Any => matching > 0,
                    Function::All => matching > 0 && matching == set.len(),
                    _ => matching == 0,
                })
            }
            Function::In => {
                let value = self.value(first).filter(|value| !value.is_null())?;
                let Expr::Call { function: Function::List, arguments } = &arguments[1] else {
                    return Some(self.set(&arguments[1]).iter().any(|member| equal(member, &value)));
                };
                let value = text(&value)?;
                Some(self.entries(arguments).iter().any(|entry| is_entry(ListHow::Equals, false, &value, entry)))
            }
            Function::CidrIn => {
                let address = text(&self.value(first)?)?;
                let networks = self.set(&arguments[1]);
                Some(networks.iter().filter_map(text).any(|network| in_network(&address, &network)))
            }
            Function::StartsWith | Function::EndsWith | Function::Contains => {
                let whole = folded(&text(&self.value(first)?)?);
                let part = folded(&text(&self.value(&arguments[1])?)?);
                Some(match function {
                    Function::StartsWith => whole.starts_with(&part),
                    Function::EndsWith => whole.ends_with(&part),
                    _ => whole.contains(&part),
                })
            }
            _ => None,
        }
    }
}
