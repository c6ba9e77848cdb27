//! Evaluation of `x-where` over one event, in three values: true, false, unknown.
//!
//! A comparison with something that is missing is unknown, and what is not true is no match; only `exists`, `len` and
//! `== null` speak of missing fields. Must never turn unknown into true by negating it.

use std::borrow::Cow;

use model::{Projection, Scalar, View};

use super::{Expr, Function, Operator, Where};
use crate::ast::ListHow;
use crate::compile::{Glob, compare};
use crate::fold::fold;
use crate::lists::{Entries, Lists};

impl Where {
    /// The expression is true of the event.
    pub fn holds(&self, fields: &Projection, view: View<'_>, lists: &Lists) -> bool {
        Scope { fields, view, lists }.truth(&self.expr) == Some(true)
    }
}

struct Scope<'e> {
    fields: &'e Projection,
    view: View<'e>,
    lists: &'e Lists,
}

/// One value of an expression.
#[derive(Debug, Clone, PartialEq)]
enum Value<'e> {
    Text(Cow<'e, str>),
    Number(f64),
    Bool(bool),
    Null,
}

impl<'e> Value<'e> {
    fn of(scalar: Scalar<'e>) -> Option<Value<'e>> {
        Some(match scalar {
            Scalar::Text(text) => Value::Text(Cow::Borrowed(text)),
            Scalar::Bool(b) => Value::Bool(b),
            Scalar::Null => Value::Null,
            Scalar::Empty => return None,
            number => Value::Number(number.as_number()?),
        })
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::Number(n) => Some(Cow::Owned(n.to_string())),
            Value::Bool(b) => Some(Cow::Borrowed(if *b { "true" } else { "false" })),
            Value::Null => None,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Value::Number(n) => Some(*n),
            Value::Text(text) => text.trim().parse().ok(),
            Value::Bool(_) | Value::Null => None,
        }
    }

    /// Equality as Sigma's: numbers by value, texts and everything else under case folding.
    fn equals(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Null, _) | (_, Value::Null) => false,
            (Value::Number(_), _) | (_, Value::Number(_)) => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
            _ => match (self.text(), other.text()) {
                (Some(a), Some(b)) => fold(&a) == fold(&b),
                _ => false,
            },
        }
    }
}

impl<'e> Scope<'e> {
    fn truth(&self, expr: &'e Expr) -> Option<bool> {
        match expr {
            Expr::Not(part) => self.truth(part).map(|truth| !truth),
            Expr::And(parts) => self.unless(parts, false),
            Expr::Or(parts) => self.unless(parts, true),
            Expr::Compare { op, left, right } => self.compare(*op, left, right),
            Expr::Call { function, arguments } => self.ask(*function, arguments),
            Expr::Bool(b) => Some(*b),
            Expr::Field(path) => self.members(path).into_iter().find_map(|value| match value {
                Value::Bool(b) => Some(b),
                _ => None,
            }),
            Expr::Text(_) | Expr::Glob(_) | Expr::Number(_) | Expr::Null | Expr::Array(_) => None,
        }
    }

    /// `decisive` when some part is, unknown when some part is unknown, else the other one: `or` with true, `and` with
    /// false.
    fn unless(&self, parts: &'e [Expr], decisive: bool) -> Option<bool> {
        let mut unknown = false;
        for part in parts {
            match self.truth(part) {
                Some(truth) if truth == decisive => return Some(decisive),
                Some(_) => {}
                None => unknown = true,
            }
        }
        (!unknown).then_some(!decisive)
    }

    fn compare(&self, op: Operator, left: &'e Expr, right: &'e Expr) -> Option<bool> {
        if matches!(left, Expr::Null) || matches!(right, Expr::Null) {
            let other = if matches!(left, Expr::Null) { right } else { left };
            let null = self.value(other).is_none_or(|value| value == Value::Null);
            return match op {
                Operator::Eq => Some(null),
                Operator::Ne => Some(!null),
                _ => None,
            };
        }
        let (left, right) = (self.value(left)?, self.value(right)?);
        if left == Value::Null || right == Value::Null {
            return None;
        }
        let how = match op {
            Operator::Eq => return Some(left.equals(&right)),
            Operator::Ne => return Some(!left.equals(&right)),
            Operator::Lt => crate::ast::Comparison::Lt,
            Operator::Lte => crate::ast::Comparison::Lte,
            Operator::Gt => crate::ast::Comparison::Gt,
            Operator::Gte => crate::ast::Comparison::Gte,
        };
        let (a, b) = (left.number()?, right.number()?);
        Some(compare(how, a.partial_cmp(&b)))
    }

    /// The one value of an expression; None: it is missing.
    fn value(&self, expr: &'e Expr) -> Option<Value<'e>> {
        match expr {
            Expr::Field(path) => self.members(path).into_iter().next(),
            Expr::Text(text) => Some(Value::Text(Cow::Borrowed(text))),
            Expr::Number(n) => Some(Value::Number(*n)),
            Expr::Bool(b) => Some(Value::Bool(*b)),
            Expr::Null => Some(Value::Null),
            Expr::Call { function: Function::Len, arguments } => {
                Some(Value::Number(self.set(arguments.first()?).len() as f64))
            }
            Expr::Call { function: Function::Lower, arguments } => {
                let value = self.value(arguments.first()?)?;
                let text = value.text()?.to_lowercase();
                Some(Value::Text(Cow::Owned(text)))
            }
            _ => None,
        }
    }

    /// The members of a set; a missing field has none.
    fn set(&self, expr: &'e Expr) -> Vec<Value<'e>> {
        match expr {
            Expr::Field(path) => self.members(path).into_iter().filter(|value| *value != Value::Null).collect(),
            Expr::Array(parts) => parts.iter().flat_map(|part| self.set(part)).collect(),
            Expr::Call { function: Function::List, arguments } => {
                let texts = self.list(arguments).map_or(&[][..], |entries| &entries.texts);
                texts.iter().map(|text| Value::Text(Cow::Borrowed(text.as_str()))).collect()
            }
            Expr::Call { function, arguments } if arguments.len() == 2 => {
                let (a, b) = (self.set(&arguments[0]), self.set(&arguments[1]));
                let inside = |set: &[Value<'_>], value: &Value<'_>| set.iter().any(|other| other.equals(value));
                match function {
                    Function::Minus => a.into_iter().filter(|value| !inside(&b, value)).collect(),
                    Function::Intersect => a.into_iter().filter(|value| inside(&b, value)).collect(),
                    Function::Union => {
                        let mut all = a;
                        b.into_iter().for_each(|value| {
                            if !inside(&all, &value) {
                                all.push(value);
                            }
                        });
                        all
                    }
                    _ => Vec::new(),
                }
            }
            other => self.value(other).into_iter().collect(),
        }
    }

    fn members(&self, path: &str) -> Vec<Value<'e>> {
        let slot = self.fields.slot(path);
        slot.map_or_else(Vec::new, |slot| self.view.values(slot).filter_map(Value::of).collect())
    }

    /// Entries of `list('name')` or `list('name', key)`.
    fn list(&self, arguments: &'e [Expr]) -> Option<&'e Entries> {
        let Some(Expr::Text(name)) = arguments.first() else { return None };
        let list = self.lists.get(name)?;
        match arguments.get(1) {
            None => Some(&list.all),
            Some(key) => {
                let key = self.value(key)?;
                list.keyed.get(&fold(&key.text()?))
            }
        }
    }

    fn ask(&self, function: Function, arguments: &'e [Expr]) -> Option<bool> {
        let (first, second) = (arguments.first()?, arguments.get(1));
        match function {
            Function::Exists => {
                let Expr::Field(path) = first else { return None };
                Some(self.fields.slot(path).is_some_and(|slot| self.view.has(slot)))
            }
            Function::Any | Function::All | Function::None => {
                let Some(Expr::Glob(pattern)) = second else { return None };
                let glob = Glob::new(pattern);
                let matches = |value: &Value<'_>| value.text().is_some_and(|text| glob.matches(&fold(&text)));
                let set = self.set(first);
                Some(match function {
                    Function::Any => set.iter().any(matches),
                    Function::All => !set.is_empty() && set.iter().all(matches),
                    _ => !set.iter().any(matches),
                })
            }
            Function::In => self.is_in(first, second?),
            Function::CidrIn => self.is_address_in(first, second?),
            Function::StartsWith | Function::EndsWith | Function::Contains => {
                let (text, part) = (self.value(first)?, self.value(second?)?);
                let (text, part) = (fold(&text.text()?), fold(&part.text()?));
                Some(match function {
                    Function::StartsWith => text.starts_with(&part),
                    Function::EndsWith => text.ends_with(&part),
                    _ => text.contains(&part),
                })
            }
            _ => None,
        }
    }

    /// A list that has no entries under the key is an empty set, not an unknown one: nobody is in it.
    fn is_in(&self, value: &'e Expr, set: &'e Expr) -> Option<bool> {
        let value = self.value(value).filter(|value| *value != Value::Null)?;
        if let Expr::Call { function: Function::List, arguments } = set {
            let text = value.text()?;
            return Some(self.list(arguments).is_some_and(|entries| entries.has(&text, ListHow::Equals, false)));
        }
        Some(self.set(set).iter().any(|member| member.equals(&value)))
    }

    fn is_address_in(&self, address: &'e Expr, networks: &'e Expr) -> Option<bool> {
        let address = self.value(address).filter(|value| *value != Value::Null)?;
        let address = address.text()?;
        if let Expr::Call { function: Function::List, arguments } = networks {
            return Some(self.list(arguments).is_some_and(|entries| entries.has_address(&address)));
        }
        let texts = self.set(networks).iter().filter_map(|value| value.text().map(Cow::into_owned)).collect();
        Some(Entries::new(texts).has_address(&address))
    }
}
