//! Sigma's condition language: `or` < `and` < `not` < `1 of`/`all of` < parentheses, over the searches of a rule or the
//! references of a correlation.
//!
//! Must never let a name that does not exist, or a pattern that names nothing, pass as false.

use super::detection::{joined, size};
use super::hint::nearest;
use super::problem::Problem;
use crate::ast::{Occur, Search};

/// Nesting of parentheses and `not`.
const DEPTH_MAX: usize = 64;
/// Length of one condition in bytes.
const LENGTH_MAX: usize = 8_192;
/// Parts of one resolved condition: repeating a large search must not exhaust memory.
const PARTS_MAX: usize = 500_000;

/// A resolved condition.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) search: Search,
    /// Names of the searches it uses, in order, repetitions included.
    pub(super) used: Vec<String>,
    /// Lints: operators in upper case.
    pub(super) warnings: Vec<Problem>,
}

/// Reads one condition and puts the searches in place of their names.
pub(super) fn parse(text: &str, searches: &[(String, Search)], line: usize) -> Result<Condition, Problem> {
    let names = searches.iter().map(|(name, search)| (name.as_str(), size(search))).collect();
    let found = over(text, names, Kind::Search, line)?;
    let used = found.used.iter().filter_map(|at| searches.get(*at)).map(|(name, _)| name.clone()).collect();
    Ok(Condition { search: substituted(&found.tree, searches), used, warnings: found.warnings })
}

fn substituted(tree: &Occur, searches: &[(String, Search)]) -> Search {
    let all = |parts: &[Occur]| parts.iter().map(|part| substituted(part, searches)).collect();
    match tree {
        Occur::Reference(at) => searches.get(*at).map_or_else(|| Search::Any(Vec::new()), |(_, search)| search.clone()),
        Occur::All(parts) => Search::All(all(parts)),
        Occur::Any(parts) => Search::Any(all(parts)),
        Occur::Not(part) => Search::Not(Box::new(substituted(part, searches))),
    }
}

/// Reads a correlation's text condition over the names of its references.
pub(super) fn occur(text: &str, names: &[String], line: usize) -> Result<Named, Problem> {
    over(text, names.iter().map(|name| (name.as_str(), 1)).collect(), Kind::Rule, line)
}

/// A condition over names, by index.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) tree: Occur,
    /// The names it uses, in order, repetitions included.
    pub(super) used: Vec<usize>,
    /// Lints: operators in upper case.
    pub(super) warnings: Vec<Problem>,
}

/// What the names of a condition stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Search,
    Rule,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Search => "search",
            Kind::Rule => "rule",
        }
    }
}

fn over(text: &str, names: Vec<(&str, usize)>, kind: Kind, line: usize) -> Result<Named, Problem> {
    if text.trim().is_empty() {
        return Err(Problem::new(line, "the condition is empty").hint(match kind {
            Kind::Search => "name a search, for example `condition: selection`",
            Kind::Rule => "name rules, for example `condition: first and second`",
        }));
    }
    if text.len() > LENGTH_MAX {
        return Err(Problem::new(line, format!("condition longer than {LENGTH_MAX} bytes")).hint(match kind {
            Kind::Search => "use `1 of` and `all of` with patterns",
            Kind::Rule => "split it into several correlations",
        }));
    }
    let mut parser = Parser {
        tokens: scan(text),
        at: 0,
        depth: 0,
        parts: 0,
        names,
        kind,
        line,
        used: Vec::new(),
        warnings: Vec::new(),
    };
    let tree = parser.any_of()?;
    if let Some((token, column)) = parser.tokens.get(parser.at) {
        return Err(parser.unexpected(token, *column));
    }
    Ok(Named { tree, used: parser.used, warnings: parser.warnings })
}

/// Words, parentheses and `|`, each with its column from 1.
fn scan(text: &str) -> Vec<(String, usize)> {
    let mut tokens: Vec<(String, usize)> = Vec::new();
    let mut in_word = false;
    for (index, c) in text.chars().enumerate() {
        let symbol = matches!(c, '(' | ')' | '|');
        match tokens.last_mut() {
            Some((word, _)) if in_word && !symbol && !c.is_whitespace() => word.push(c),
            _ if !c.is_whitespace() => tokens.push((c.to_string(), index + 1)),
            _ => {}
        }
        in_word = !symbol && !c.is_whitespace();
    }
    tokens
}

struct Parser<'a> {
    tokens: Vec<(String, usize)>,
    at: usize,
    depth: usize,
    parts: usize,
    /// What can be named, each with the number of tests it stands for.
    names: Vec<(&'a str, usize)>,
    kind: Kind,
    line: usize,
    used: Vec<usize>,
    warnings: Vec<Problem>,
}

impl Parser<'_> {
    fn word(&self, ahead: usize) -> Option<&str> {
        self.tokens.get(self.at + ahead).map(|(word, _)| word.as_str())
    }

    fn take_operator(&mut self, operator: &str) -> bool {
        let Some(word) = self.word(0).filter(|word| word.eq_ignore_ascii_case(operator)) else { return false };
        if word != operator {
            let problem = Problem::new(self.line, format!("operator `{word}` in upper case"))
                .hint(format!("other tools know `{operator}` only"));
            self.warnings.push(problem);
        }
        self.at += 1;
        true
    }

    fn any_of(&mut self) -> Result<Occur, Problem> {
        let mut parts = vec![self.all_of()?];
        while self.take_operator("or") {
            parts.push(self.all_of()?);
        }
        Ok(joined(parts, Occur::Any))
    }

    fn all_of(&mut self) -> Result<Occur, Problem> {
        let mut parts = vec![self.negation()?];
        while self.take_operator("and") {
            parts.push(self.negation()?);
        }
        Ok(joined(parts, Occur::All))
    }

    fn negation(&mut self) -> Result<Occur, Problem> {
        if !self.take_operator("not") {
            return self.primary();
        }
        Ok(Occur::Not(Box::new(self.deeper(Parser::negation)?)))
    }

    fn primary(&mut self) -> Result<Occur, Problem> {
        let Some((token, column)) = self.tokens.get(self.at).cloned() else {
            let word = self.kind.word();
            return Err(Problem::new(self.line, format!("the condition ends where a {word} is expected"))
                .hint(format!("name a {word} behind the last operator")));
        };
        if token == "(" {
            self.at += 1;
            let inner = self.deeper(Parser::any_of)?;
            return match self.tokens.get(self.at) {
                Some((close, _)) if close == ")" => {
                    self.at += 1;
                    Ok(inner)
                }
                Some((other, at)) => Err(self.unexpected(other, *at)),
                None => Err(Problem::new(self.line, format!("the parenthesis at column {column} is never closed"))
                    .hint("add `)`")),
            };
        }
        if self.word(1).is_some_and(|next| next.eq_ignore_ascii_case("of")) {
            return self.selector(&token, column);
        }
        if matches!(token.as_str(), ")" | "|")
            || ["and", "or", "not"].iter().any(|word| token.eq_ignore_ascii_case(word))
        {
            return Err(self.unexpected(&token, column));
        }
        self.at += 1;
        // An id may be written in capitals where it is listed in small letters.
        let position = self.names.iter().position(|(name, _)| match self.kind {
            Kind::Search => *name == token,
            Kind::Rule => same_reference(name, &token),
        });
        match position {
            Some(at) => self.resolve(at),
            None => Err(self.unknown(&token, column)),
        }
    }

    /// `1 of them`, `all of selection_*`.
    fn selector(&mut self, quantifier: &str, column: usize) -> Result<Occur, Problem> {
        if self.kind == Kind::Rule {
            return Err(Problem::new(
                self.line,
                format!("`{quantifier} of` at column {column} is not for correlations"),
            )
            .hint("name each rule: `a and b`, `(a or b) and c`"));
        }
        let join: fn(Vec<Occur>) -> Occur = match quantifier.to_ascii_lowercase().as_str() {
            "1" | "any" => Occur::Any,
            "all" => Occur::All,
            other => {
                return Err(Problem::new(self.line, format!("`{other} of` at column {column} is not in Sigma 2"))
                    .hint("write `1 of`, `any of` or `all of`"));
            }
        };
        let Some((pattern, column)) = self.tokens.get(self.at + 2).cloned() else {
            return Err(Problem::new(self.line, "`of` needs `them` or a pattern behind it")
                .hint("for example `1 of selection_*`"));
        };
        self.at += 3;
        let them = pattern.eq_ignore_ascii_case("them");
        let is_meant = |name: &str| if them { !name.starts_with('_') } else { glob(&pattern, name) };
        let meant: Vec<usize> = (0..self.names.len()).filter(|at| self.name(*at).is_some_and(is_meant)).collect();
        let parts = meant.into_iter().map(|at| self.resolve(at)).collect::<Result<Vec<_>, _>>()?;
        if parts.is_empty() {
            return Err(Problem::new(
                self.line,
                format!("`{quantifier} of {pattern}` at column {column} matches no search"),
            )
            .hint(nearest(pattern.trim_matches('*'), self.names.iter().map(|(name, _)| *name))));
        }
        Ok(joined(parts, join))
    }

    fn name(&self, at: usize) -> Option<&str> {
        self.names.get(at).map(|(name, _)| *name)
    }

    fn resolve(&mut self, at: usize) -> Result<Occur, Problem> {
        self.parts += self.names.get(at).map_or(0, |(_, size)| *size);
        if self.parts > PARTS_MAX {
            return Err(Problem::new(self.line, format!("the condition resolves to more than {PARTS_MAX} tests"))
                .hint("name a large search once"));
        }
        self.used.push(at);
        Ok(Occur::Reference(at))
    }

    fn deeper(&mut self, part: fn(&mut Self) -> Result<Occur, Problem>) -> Result<Occur, Problem> {
        if self.depth >= DEPTH_MAX {
            return Err(Problem::new(self.line, format!("condition nested deeper than {DEPTH_MAX}"))
                .hint("drop parentheses that change nothing"));
        }
        self.depth += 1;
        let found = part(self);
        self.depth -= 1;
        found
    }

    fn unknown(&self, name: &str, column: usize) -> Problem {
        let known = self.names.iter().map(|(name, _)| *name);
        match self.kind {
            Kind::Search if name.contains('*') => {
                Problem::new(self.line, format!("`{name}` at column {column} names no single search"))
                    .hint(format!("write `1 of {name}` or `all of {name}`"))
            }
            Kind::Search => {
                Problem::new(self.line, format!("unknown search `{name}` at column {column} of the condition"))
                    .hint(nearest(name, known))
            }
            Kind::Rule => Problem::new(
                self.line,
                format!("`{name}` at column {column} of the condition is not among the correlation's `rules`"),
            )
            .hint(nearest(name, known)),
        }
    }

    fn unexpected(&self, token: &str, column: usize) -> Problem {
        let problem = Problem::new(self.line, format!("unexpected `{token}` at column {column} of the condition"));
        match (token, self.kind) {
            ("|", Kind::Search) => problem.hint("aggregations behind a pipe are not in Sigma 2: write a correlation"),
            (")", _) => problem.hint("no parenthesis is open here"),
            (_, Kind::Search) => problem.hint("join searches with `and` or `or`"),
            (_, Kind::Rule) => problem.hint("join rules with `and` or `or`"),
        }
    }
}

/// Whether both texts refer to the same document: ids are the same in any case, names as they are written.
pub(super) fn same_reference(one: &str, other: &str) -> bool {
    one == other || (super::header::is_uuid(one) && one.eq_ignore_ascii_case(other))
}

/// `*` stands for any characters; everything else for itself.
fn glob(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut rest) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = tail.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}
