//! `x-where`: predicates over one event that Sigma's selections cannot say (arrays, sets, two fields, lists).
//!
//! The tree here is checked when it is read: functions exist, have the right number and kinds of arguments, and the
//! whole is a truth value. Must never hold anything that depends on a particular event or on a list's content.

mod eval;
mod parse;

use crate::ast::Pattern;

pub use parse::ParseError;

/// One `x-where` expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Where {
    /// The text as written, for messages and `why`.
    pub source: String,
    /// What it means.
    pub expr: Expr,
}

/// A node of an `x-where` expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// At least one part is true (two parts or more).
    Or(Vec<Expr>),
    /// Every part is true (two parts or more).
    And(Vec<Expr>),
    /// The part is false.
    Not(Box<Expr>),
    /// Two values compared.
    Compare {
        /// How.
        op: Operator,
        /// Left side.
        left: Box<Expr>,
        /// Right side.
        right: Box<Expr>,
    },
    /// A function; number and kinds of its arguments have been checked against [`Function::parameters`].
    Call {
        /// Which.
        function: Function,
        /// Its arguments in order.
        arguments: Vec<Expr>,
    },
    /// A field path, as Sigma's selections write them.
    Field(String),
    /// A quoted text.
    Text(String),
    /// The second argument of `any`, `all` and `none`: Sigma's wildcards and escapes, case-insensitive.
    Glob(Pattern),
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`: a missing field or JSON null.
    Null,
    /// `[…]`: literals and fields.
    Array(Vec<Expr>),
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Operator {
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
}

/// What an argument must be, and what a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// True or false.
    Truth,
    /// One value (a field, a literal, `lower(…)`, `len(…)`).
    Value,
    /// Several values: a field (its members), an array, `list(…)`, `minus`, `union`, `intersect`.
    Set,
    /// A field path, nothing else.
    Field,
    /// A quoted glob.
    Glob,
    /// A quoted list name.
    Name,
    /// A set, or one value that stands for a set of one.
    SetOrValue,
}

/// The functions of `x-where`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// `any(set, 'glob')`: some member matches.
    Any,
    /// `all(set, 'glob')`: every member matches, and there is one.
    All,
    /// `none(set, 'glob')`: no member matches.
    None,
    /// `len(set)`: how many members.
    Len,
    /// `minus(a, b)`: members of `a` that are not in `b`.
    Minus,
    /// `union(a, b)`.
    Union,
    /// `intersect(a, b)`.
    Intersect,
    /// `in(x, set)`.
    In,
    /// `list('name')`: all entries of a live list; `list('name', key)`: those under a key.
    List,
    /// `cidr_in(ip, networks)`: the address lies inside one of the networks.
    CidrIn,
    /// `exists(field)`.
    Exists,
    /// `lower(x)`.
    Lower,
    /// `startswith(x, 'text')`.
    StartsWith,
    /// `endswith(x, 'text')`.
    EndsWith,
    /// `contains(x, 'text')`.
    Contains,
    /// `geo_speed_kmh(key)` (E7): kilometres an hour from the last event with the same key to this one.
    GeoSpeedKmh,
}

/// Name, parameters (the last ones optional), how many of them are optional, result.
type Signature = (&'static str, Function, &'static [Kind], usize, Kind);

/// Every function with its signature: the one place that knows them.
const FUNCTIONS: [Signature; 16] = {
    use Function as F;
    use Kind::{Field, Glob, Name, Set, SetOrValue, Truth, Value};
    [
        ("any", F::Any, &[Set, Glob], 0, Truth),
        ("all", F::All, &[Set, Glob], 0, Truth),
        ("none", F::None, &[Set, Glob], 0, Truth),
        ("len", F::Len, &[Set], 0, Value),
        ("minus", F::Minus, &[Set, Set], 0, Set),
        ("union", F::Union, &[Set, Set], 0, Set),
        ("intersect", F::Intersect, &[Set, Set], 0, Set),
        ("in", F::In, &[Value, Set], 0, Truth),
        ("list", F::List, &[Name, Value], 1, Set),
        ("cidr_in", F::CidrIn, &[Value, SetOrValue], 0, Truth),
        ("exists", F::Exists, &[Field], 0, Truth),
        ("lower", F::Lower, &[Value], 0, Value),
        ("startswith", F::StartsWith, &[Value, Value], 0, Truth),
        ("endswith", F::EndsWith, &[Value, Value], 0, Truth),
        ("contains", F::Contains, &[Value, Value], 0, Truth),
        ("geo_speed_kmh", F::GeoSpeedKmh, &[Field], 0, Value),
    ]
};

impl Function {
    /// The name in expressions.
    pub fn name(self) -> &'static str {
        self.signature().map_or("", |signature| signature.0)
    }

    /// The function of that name, if there is one.
    pub fn by_name(name: &str) -> Option<Function> {
        FUNCTIONS.iter().find(|signature| signature.0 == name).map(|signature| signature.1)
    }

    /// All names, for hints.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FUNCTIONS.iter().map(|signature| signature.0)
    }

    /// The kinds of its arguments, and how many of the last ones may be left out.
    pub fn parameters(self) -> (&'static [Kind], usize) {
        self.signature().map_or((&[], 0), |signature| (signature.2, signature.3))
    }

    /// What it gives.
    pub fn result(self) -> Kind {
        self.signature().map_or(Kind::Truth, |signature| signature.4)
    }

    fn signature(self) -> Option<&'static Signature> {
        FUNCTIONS.iter().find(|signature| signature.1 == self)
    }
}

impl Where {
    /// Reads and checks one expression.
    ///
    /// # Errors
    /// Says what is wrong and at which column (counted from 1, in characters).
    pub fn parse(source: &str) -> Result<Where, ParseError> {
        parse::parse(source).map(|expr| Where { source: source.to_owned(), expr })
    }

    /// The fields it reads, in order of appearance, repetitions included.
    pub fn fields(&self) -> Vec<&str> {
        let mut fields = Vec::new();
        self.expr.visit(&mut |node| {
            if let Expr::Field(path) = node {
                fields.push(path.as_str());
            }
        });
        fields
    }

    /// Whether it calls the function anywhere.
    pub fn calls(&self, wanted: Function) -> bool {
        let mut found = false;
        self.expr.visit(&mut |node| found |= matches!(node, Expr::Call { function, .. } if *function == wanted));
        found
    }

    /// The live lists it reads, in order of appearance, repetitions included.
    pub fn lists(&self) -> Vec<&str> {
        let mut lists = Vec::new();
        self.expr.visit(&mut |node| {
            if let Expr::Call { function: Function::List, arguments } = node
                && let Some(Expr::Text(name)) = arguments.first()
            {
                lists.push(name.as_str());
            }
        });
        lists
    }
}

impl Expr {
    /// Calls `seen` with this node and everything below it, parents first, left to right.
    fn visit<'a>(&'a self, seen: &mut impl FnMut(&'a Expr)) {
        seen(self);
        match self {
            Expr::Or(parts) | Expr::And(parts) | Expr::Array(parts) => parts.iter().for_each(|part| part.visit(seen)),
            Expr::Call { arguments, .. } => arguments.iter().for_each(|argument| argument.visit(seen)),
            Expr::Not(part) => part.visit(seen),
            Expr::Compare { left, right, .. } => {
                left.visit(seen);
                right.visit(seen);
            }
            Expr::Field(_) | Expr::Text(_) | Expr::Glob(_) | Expr::Number(_) | Expr::Bool(_) | Expr::Null => {}
        }
    }
}
