//! Sigma's condition language: `or` < `and` < `not` < `1 of`/`all of` < parentheses, resolved against the searches.
//!
//! Must never let a name that does not exist, or a pattern that names nothing, pass as false.

use super::hint::nearest;
use super::problem::Problem;
use crate::ast::Search;

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
    if text.trim().is_empty() {
        return Err(
            Problem::new(line, "the condition is empty").hint("name a search, for example `condition: selection`")
        );
    }
    if text.len() > LENGTH_MAX {
        return Err(Problem::new(line, format!("condition longer than {LENGTH_MAX} bytes"))
            .hint("use `1 of` and `all of` with patterns"));
    }
    let mut parser = Parser {
        tokens: scan(text),
        at: 0,
        depth: 0,
        parts: 0,
        searches,
        line,
        used: Vec::new(),
        warnings: Vec::new(),
    };
    let search = parser.any_of()?;
    if let Some((token, column)) = parser.tokens.get(parser.at) {
        return Err(parser.unexpected(token, *column));
    }
    Ok(Condition { search, used: parser.used, warnings: parser.warnings })
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
    searches: &'a [(String, Search)],
    line: usize,
    used: Vec<String>,
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

    fn any_of(&mut self) -> Result<Search, Problem> {
        let mut parts = vec![self.all_of()?];
        while self.take_operator("or") {
            parts.push(self.all_of()?);
        }
        Ok(super::detection::joined(parts, Search::Any))
    }

    fn all_of(&mut self) -> Result<Search, Problem> {
        let mut parts = vec![self.negation()?];
        while self.take_operator("and") {
            parts.push(self.negation()?);
        }
        Ok(super::detection::joined(parts, Search::All))
    }

    fn negation(&mut self) -> Result<Search, Problem> {
        if !self.take_operator("not") {
            return self.primary();
        }
        Ok(Search::Not(Box::new(self.deeper(Parser::negation)?)))
    }

    fn primary(&mut self) -> Result<Search, Problem> {
        let Some((token, column)) = self.tokens.get(self.at).cloned() else {
            return Err(Problem::new(self.line, "the condition ends where a search is expected")
                .hint("name a search behind the last operator"));
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
        match self.searches.iter().find(|(name, _)| *name == token) {
            Some((name, search)) => self.resolve(name, search),
            None => Err(self.unknown(&token, column)),
        }
    }

    /// `1 of them`, `all of selection_*`.
    fn selector(&mut self, quantifier: &str, column: usize) -> Result<Search, Problem> {
        let join: fn(Vec<Search>) -> Search = match quantifier.to_ascii_lowercase().as_str() {
            "1" | "any" => Search::Any,
            "all" => Search::All,
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
        let searches = self.searches;
        let mut parts = Vec::new();
        for (name, search) in searches {
            if if them { !name.starts_with('_') } else { glob(&pattern, name) } {
                parts.push(self.resolve(name, search)?);
            }
        }
        if parts.is_empty() {
            return Err(Problem::new(
                self.line,
                format!("`{quantifier} of {pattern}` at column {column} matches no search"),
            )
            .hint(nearest(pattern.trim_matches('*'), searches.iter().map(|(name, _)| name.as_str()))));
        }
        Ok(super::detection::joined(parts, join))
    }

    fn resolve(&mut self, name: &str, search: &Search) -> Result<Search, Problem> {
        self.parts += super::detection::size(search);
        if self.parts > PARTS_MAX {
            return Err(Problem::new(self.line, format!("the condition resolves to more than {PARTS_MAX} tests"))
                .hint("name a large search once"));
        }
        self.used.push(name.to_owned());
        Ok(search.clone())
    }

    fn deeper(&mut self, part: fn(&mut Self) -> Result<Search, Problem>) -> Result<Search, Problem> {
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
        if name.contains('*') {
            return Problem::new(self.line, format!("`{name}` at column {column} names no single search"))
                .hint(format!("write `1 of {name}` or `all of {name}`"));
        }
        Problem::new(self.line, format!("unknown search `{name}` at column {column} of the condition"))
            .hint(nearest(name, self.searches.iter().map(|(name, _)| name.as_str())))
    }

    fn unexpected(&self, token: &str, column: usize) -> Problem {
        let problem = Problem::new(self.line, format!("unexpected `{token}` at column {column} of the condition"));
        match token {
            "|" => problem.hint("aggregations behind a pipe are not in Sigma 2: write a correlation"),
            ")" => problem.hint("no parenthesis is open here"),
            _ => problem.hint("join searches with `and` or `or`"),
        }
    }
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
