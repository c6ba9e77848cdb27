//! Field modifiers: their names, and which of them go together.
//!
//! A chain such as `wide|base64offset|contains` becomes one [`Chain`]. Must never let a modifier that has no effect, or
//! two that contradict each other, pass.

use super::encode::Encoding;
use super::hint::nearest;
use super::problem::Problem;
use crate::ast::{Comparison, TextHow, TimePart};

/// What a modifier does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Modifier {
    All,
    Neq,
    Cased,
    Exists,
    Expand,
    Fieldref,
    Re,
    /// A flag of `re`.
    Flag(char),
    Cidr,
    Text(TextHow),
    Compare(Comparison),
    Time(TimePart),
    Encode(Encoding),
}

/// Every modifier by name: Sigma's 31, and pySigma's three long names of `i`, `m` and `s`.
const MODIFIERS: [(&str, Modifier); 34] = [
    ("all", Modifier::All),
    ("startswith", Modifier::Text(TextHow::StartsWith)),
    ("endswith", Modifier::Text(TextHow::EndsWith)),
    ("contains", Modifier::Text(TextHow::Contains)),
    ("exists", Modifier::Exists),
    ("cased", Modifier::Cased),
    ("neq", Modifier::Neq),
    ("windash", Modifier::Encode(Encoding::Windash)),
    ("re", Modifier::Re),
    ("i", Modifier::Flag('i')),
    ("m", Modifier::Flag('m')),
    ("s", Modifier::Flag('s')),
    ("ignorecase", Modifier::Flag('i')),
    ("multiline", Modifier::Flag('m')),
    ("dotall", Modifier::Flag('s')),
    ("base64", Modifier::Encode(Encoding::Base64)),
    ("base64offset", Modifier::Encode(Encoding::Base64Offset)),
    ("utf16le", Modifier::Encode(Encoding::Utf16Le)),
    ("utf16be", Modifier::Encode(Encoding::Utf16Be)),
    ("utf16", Modifier::Encode(Encoding::Utf16)),
    ("wide", Modifier::Encode(Encoding::Utf16Le)),
    ("lt", Modifier::Compare(Comparison::Lt)),
    ("lte", Modifier::Compare(Comparison::Lte)),
    ("gt", Modifier::Compare(Comparison::Gt)),
    ("gte", Modifier::Compare(Comparison::Gte)),
    ("minute", Modifier::Time(TimePart::Minute)),
    ("hour", Modifier::Time(TimePart::Hour)),
    ("day", Modifier::Time(TimePart::Day)),
    ("week", Modifier::Time(TimePart::Week)),
    ("month", Modifier::Time(TimePart::Month)),
    ("year", Modifier::Time(TimePart::Year)),
    ("cidr", Modifier::Cidr),
    ("expand", Modifier::Expand),
    ("fieldref", Modifier::Fieldref),
];

/// How values are compared: at most one of these in a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operator {
    /// By kind of value: text as pattern, number as number, null as absence.
    Plain,
    Text(TextHow),
    Exists,
    Fieldref(TextHow),
    /// With its flags, sorted.
    Re(String),
    Cidr,
    Compare(Comparison),
    Time(TimePart, Comparison),
}

/// A checked chain of modifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) operator: Operator,
    /// Encodings in the order they are applied.
    pub(super) encodings: Vec<Encoding>,
    pub(super) all: bool,
    pub(super) neq: bool,
    pub(super) cased: bool,
    pub(super) expand: bool,
}

/// Splits `field|modifier|…` and checks the chain. The field is empty for keywords.
pub(super) fn parse(key: &str, line: usize) -> Result<(&str, Chain), Problem> {
    let (field, rest) = key.split_once('|').unwrap_or((key, ""));
    let mut chain =
        Chain { operator: Operator::Plain, encodings: Vec::new(), all: false, neq: false, cased: false, expand: false };
    if rest.is_empty() && !key.contains('|') {
        return Ok((field, chain));
    }
    let names: Vec<&str> = rest.split('|').collect();
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|earlier| earlier == name) {
            return Err(Problem::new(line, format!("modifier `{name}` stands twice in `{key}`")).hint("drop one"));
        }
        let modifier = find(name, key, line)?;
        chain.add(modifier).map_err(|reason| {
            let problem = Problem::new(line, format!("contradictory modifiers in `{key}`: `{name}` {}", reason.0));
            problem.hint(reason.1)
        })?;
    }
    chain.check(key, line)?;
    Ok((field, chain))
}

fn find(name: &str, key: &str, line: usize) -> Result<Modifier, Problem> {
    if let Some((_, modifier)) = MODIFIERS.iter().find(|(known, _)| *known == name) {
        return Ok(*modifier);
    }
    let hint = match name {
        "not" => "negate in the condition, or use `neq`".to_owned(),
        _ => nearest(name, MODIFIERS.iter().map(|(known, _)| *known)),
    };
    Err(Problem::new(line, format!("unknown modifier `{name}` in `{key}`")).hint(hint))
}

/// Why a modifier does not fit, and the way out.
type Reason = (&'static str, &'static str);

const ONE_OPERATOR: Reason = (
    "cannot join the comparison before it",
    "use one of contains, startswith, endswith, re, cidr, exists, fieldref, lt, lte, gt, gte or a part of time",
);

impl Chain {
    fn add(&mut self, modifier: Modifier) -> Result<(), Reason> {
        match (modifier, &mut self.operator) {
            (Modifier::All, _) => self.all = true,
            (Modifier::Neq, _) => self.neq = true,
            (Modifier::Cased, _) => self.cased = true,
            (Modifier::Expand, _) => self.expand = true,
            (Modifier::Encode(Encoding::Windash), _) if self.encodings.is_empty() => {
                self.encodings.push(Encoding::Windash)
            }
            (Modifier::Encode(Encoding::Windash), _) => {
                return Err(("must stand before the encodings", "for example `windash|wide|base64offset|contains`"));
            }
            (Modifier::Encode(_), Operator::Text(_)) => {
                return Err(("must stand before the text comparison", "for example `wide|base64offset|contains`"));
            }
            (Modifier::Encode(encoding), _) => self.encode(encoding)?,
            (Modifier::Flag(flag), Operator::Re(flags)) => flags.push(flag),
            (Modifier::Flag(_), _) => {
                return Err(("is a flag of `re` and must follow it", "text is case-insensitive unless `cased`"));
            }
            (Modifier::Text(how), Operator::Fieldref(equals @ TextHow::Equals)) => *equals = how,
            (Modifier::Fieldref, Operator::Text(_)) => return Err(("must stand first", "write `fieldref|…`")),
            (Modifier::Compare(how), Operator::Time(_, equals @ Comparison::Eq)) => *equals = how,
            (operator, place @ Operator::Plain) => {
                *place = match operator {
                    Modifier::Exists => Operator::Exists,
                    Modifier::Fieldref => Operator::Fieldref(TextHow::Equals),
                    Modifier::Re => Operator::Re(String::new()),
                    Modifier::Cidr => Operator::Cidr,
                    Modifier::Text(how) => Operator::Text(how),
                    Modifier::Compare(how) => Operator::Compare(how),
                    Modifier::Time(part) => Operator::Time(part, Comparison::Eq),
                    _ => Operator::Plain,
                }
            }
            _ => return Err(ONE_OPERATOR),
        }
        Ok(())
    }

    fn encode(&mut self, encoding: Encoding) -> Result<(), Reason> {
        let is_base64 = |encoding: &Encoding| matches!(encoding, Encoding::Base64 | Encoding::Base64Offset);
        let earlier = |of_kind: bool| self.encodings.iter().any(|e| *e != Encoding::Windash && is_base64(e) == of_kind);
        if is_base64(&encoding) && earlier(true) {
            return Err(("repeats base64", "base64 and base64offset exclude each other"));
        }
        if !is_base64(&encoding) && earlier(true) {
            return Err(("must stand before base64", "for example `wide|base64offset|contains`"));
        }
        if !is_base64(&encoding) && earlier(false) {
            return Err(("repeats UTF-16", "wide, utf16le, utf16be and utf16 exclude each other"));
        }
        self.encodings.push(encoding);
        Ok(())
    }

    /// What only the whole chain can tell.
    fn check(&mut self, key: &str, line: usize) -> Result<(), Problem> {
        let is_text = matches!(self.operator, Operator::Plain | Operator::Text(_));
        let wrong = if !self.encodings.is_empty() && !is_text {
            Some("an encoding works on text comparisons only")
        } else if self.cased && !is_text && !matches!(self.operator, Operator::Fieldref(_)) {
            Some("`cased` works on text comparisons only")
        } else if self.expand && !(is_text || matches!(self.operator, Operator::Cidr | Operator::Compare(_))) {
            Some("`expand` works on text, cidr and number comparisons only")
        } else if self.operator == Operator::Exists && (self.all || self.neq) {
            Some("`exists` stands alone")
        } else {
            None
        };
        if let Some(reason) = wrong {
            return Err(Problem::new(line, format!("contradictory modifiers in `{key}`: {reason}"))
                .hint("drop the modifier that has no effect"));
        }
        if self.encodings.contains(&Encoding::Base64Offset) && self.operator == Operator::Plain {
            // The cut encodings are pieces from inside a text: equality with them could never hold.
            self.operator = Operator::Text(TextHow::Contains);
        }
        Ok(())
    }
}
