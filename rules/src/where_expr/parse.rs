//! Text of an `x-where` expression to its checked tree: a scanner and a recursive descent of bounded depth.
//!
//! Must never accept an expression whose evaluation could fail: what is wrong is said here, with its column.

use super::{Expr, Function, Kind, Operator};
use crate::parse::hint::nearest;
use crate::parse::pattern;

/// Nesting of parentheses, `not` and calls.
const DEPTH_MAX: usize = 48;
/// Length of one expression.
const LENGTH_MAX: usize = 8_192;

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at column {column}")]
pub struct ParseError {
    /// Column of the offending word, counted from 1 in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

type Result<T> = std::result::Result<T, ParseError>;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Backticked(String),
    Number(f64),
    Compare(Operator),
    Symbol(char),
    End,
}

fn error<T>(column: usize, message: impl Into<String>, hint: impl Into<Option<String>>) -> Result<T> {
    Err(ParseError { column, message: message.into(), hint: hint.into() })
}

/// Reads and checks one expression.
pub(super) fn parse(source: &str) -> Result<Expr> {
    if source.len() > LENGTH_MAX {
        return error(1, format!("expression longer than {LENGTH_MAX} bytes"), None);
    }
    let mut parser = Parser { tokens: scan(source)?, at: 0, depth: 0 };
    let expr = parser.any_of()?;
    let column = parser.column();
    match parser.next() {
        Token::End => {}
        token => {
            return error(
                column,
                format!("unexpected {}", describe(&token)),
                "join parts with `and` or `or`".to_owned(),
            );
        }
    }
    want(&expr, Kind::Truth, 1)?;
    Ok(expr)
}

fn scan(source: &str) -> Result<Vec<(Token, usize)>> {
    let chars: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let column = at + 1;
        let rest = chars.get(at..).unwrap_or_default();
        let (token, used) = match c {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '\'' | '"' => {
                let (text, used) = quoted(rest, c, column)?;
                (Token::Quoted(text), used)
            }
            '`' => {
                let (text, used) = quoted(rest, c, column)?;
                (Token::Backticked(text), used)
            }
            '(' | ')' | '[' | ']' | ',' => (Token::Symbol(c), 1),
            '=' | '!' | '<' | '>' => operator(rest, column)?,
            c if c.is_ascii_digit() || (c == '-' && rest.get(1).is_some_and(char::is_ascii_digit)) => {
                number(rest, column)?
            }
            c if c.is_alphabetic() || c == '_' || c == '@' => {
                let word: String =
                    rest.iter().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '@' | '-')).collect();
                let used = word.chars().count();
                (Token::Word(word), used)
            }
            c => return error(column, format!("unexpected `{c}`"), "put unusual field names in backticks".to_owned()),
        };
        tokens.push((token, column));
        at += used;
    }
    tokens.push((Token::End, chars.len() + 1));
    Ok(tokens)
}

/// A text up to the same quote; a backslash before that quote stands for the quote, any other is literal.
fn quoted(rest: &[char], quote: char, column: usize) -> Result<(String, usize)> {
    let mut text = String::new();
    let mut at = 1;
    while let Some(&c) = rest.get(at) {
        if c == quote {
            return Ok((text, at + 1));
        }
        if c == '\\' && rest.get(at + 1) == Some(&quote) {
            at += 1;
            text.push(quote);
        } else {
            text.push(c);
        }
        at += 1;
    }
    error(column, format!("the {quote} that opens here is never closed"), None)
}

fn operator(rest: &[char], column: usize) -> Result<(Token, usize)> {
    let two = rest.get(1) == Some(&'=');
    let found = match (rest.first(), two) {
        (Some('='), true) => Operator::Eq,
        (Some('!'), true) => Operator::Ne,
        (Some('<'), true) => Operator::Lte,
        (Some('>'), true) => Operator::Gte,
        (Some('<'), false) => Operator::Lt,
        (Some('>'), false) => Operator::Gt,
        (Some('='), false) => return error(column, "unexpected `=`", "equality is `==`".to_owned()),
        _ => return error(column, "unexpected `!`", "negation is `not`, inequality `!=`".to_owned()),
    };
    Ok((Token::Compare(found), 1 + usize::from(two)))
}

fn number(rest: &[char], column: usize) -> Result<(Token, usize)> {
    let text: String = rest
        .iter()
        .enumerate()
        .take_while(|(i, c)| c.is_ascii_alphanumeric() || **c == '.' || (*i == 0 && **c == '-'))
        .map(|(_, c)| *c)
        .collect();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((Token::Number(number), text.chars().count())),
        _ => error(column, format!("`{text}` is no number"), "put texts in quotes".to_owned()),
    }
}

fn describe(token: &Token) -> String {
    match token {
        Token::Word(word) | Token::Backticked(word) => format!("`{word}`"),
        Token::Quoted(text) => format!("text '{text}'"),
        Token::Number(number) => format!("number {number}"),
        Token::Compare(_) => "comparison".to_owned(),
        Token::Symbol(symbol) => format!("`{symbol}`"),
        Token::End => "end of the expression".to_owned(),
    }
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn column(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |(_, column)| *column)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(found) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn take_symbol(&mut self, symbol: char) -> bool {
        let found = *self.peek() == Token::Symbol(symbol);
        self.at += usize::from(found);
        found
    }

    fn need_symbol(&mut self, symbol: char) -> Result<()> {
        let column = self.column();
        if self.take_symbol(symbol) {
            return Ok(());
        }
        error(column, format!("expected `{symbol}`, found {}", describe(self.peek())), None)
    }

    fn any_of(&mut self) -> Result<Expr> {
        self.joined("or", Parser::all_of, Expr::Or)
    }

    fn all_of(&mut self) -> Result<Expr> {
        self.joined("and", Parser::negation, Expr::And)
    }

    fn joined(
        &mut self,
        word: &str,
        part: fn(&mut Parser) -> Result<Expr>,
        join: fn(Vec<Expr>) -> Expr,
    ) -> Result<Expr> {
        let column = self.column();
        let first = part(self)?;
        let mut parts = vec![first];
        while self.take_word(word) {
            if parts.len() == 1 {
                parts.iter().try_for_each(|first| want(first, Kind::Truth, column))?;
            }
            let column = self.column();
            let next = part(self)?;
            want(&next, Kind::Truth, column)?;
            parts.push(next);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { join(parts) })
    }

    fn negation(&mut self) -> Result<Expr> {
        if !self.take_word("not") {
            return self.comparison();
        }
        let column = self.column();
        let part = self.deeper(Parser::negation)?;
        want(&part, Kind::Truth, column)?;
        Ok(Expr::Not(Box::new(part)))
    }

    fn comparison(&mut self) -> Result<Expr> {
        let column = self.column();
        let left = self.operand()?;
        let &Token::Compare(op) = self.peek() else { return Ok(left) };
        self.at += 1;
        want(&left, Kind::Value, column)?;
        let column = self.column();
        let right = self.operand()?;
        want(&right, Kind::Value, column)?;
        Ok(Expr::Compare { op, left: Box::new(left), right: Box::new(right) })
    }

    fn operand(&mut self) -> Result<Expr> {
        let column = self.column();
        match self.next() {
            Token::Symbol('(') => {
                let inner = self.deeper(Parser::any_of)?;
                self.need_symbol(')')?;
                Ok(inner)
            }
            Token::Symbol('[') => self.array(),
            Token::Quoted(text) => Ok(Expr::Text(text)),
            Token::Backticked(path) if path.is_empty() => error(column, "empty field name", None),
            Token::Backticked(path) => Ok(Expr::Field(path)),
            Token::Number(number) => Ok(Expr::Number(number)),
            Token::Word(word) if *self.peek() == Token::Symbol('(') => self.call(&word, column),
            Token::Word(word) => match word.as_str() {
                "true" => Ok(Expr::Bool(true)),
                "false" => Ok(Expr::Bool(false)),
                "null" => Ok(Expr::Null),
                "and" | "or" | "not" => {
                    error(column, format!("`{word}` needs an expression before and after it"), None)
                }
                _ if word.ends_with(['.', '-']) || word.contains("..") => {
                    error(column, format!("`{word}` is no field path"), None)
                }
                _ => Ok(Expr::Field(word)),
            },
            token => {
                error(column, format!("expected a field, a value or a function, found {}", describe(&token)), None)
            }
        }
    }

    fn array(&mut self) -> Result<Expr> {
        let mut members = Vec::new();
        while !self.take_symbol(']') {
            if !members.is_empty() {
                self.need_symbol(',')?;
            }
            let column = self.column();
            let member = self.operand_in_array()?;
            want(&member, Kind::Value, column)?;
            members.push(member);
        }
        Ok(Expr::Array(members))
    }

    fn operand_in_array(&mut self) -> Result<Expr> {
        let column = self.column();
        match self.deeper(Parser::operand)? {
            Expr::Array(_) | Expr::Call { .. } => error(column, "an array holds texts, numbers and fields only", None),
            member => Ok(member),
        }
    }

    fn call(&mut self, name: &str, column: usize) -> Result<Expr> {
        let Some(function) = Function::by_name(name) else {
            return error(column, format!("unknown function `{name}`"), Some(nearest(name, Function::names())));
        };
        self.need_symbol('(')?;
        let (kinds, optional) = function.parameters();
        let mut arguments = Vec::new();
        while !self.take_symbol(')') {
            if !arguments.is_empty() {
                self.need_symbol(',')?;
            }
            let column = self.column();
            let argument = self.deeper(Parser::any_of)?;
            let Some(kind) = kinds.get(arguments.len()) else {
                return error(column, format!("`{name}` takes {} arguments", kinds.len()), None);
            };
            want(&argument, *kind, column)?;
            arguments.push(match (kind, argument) {
                (Kind::Glob, Expr::Text(text)) => Expr::Glob(pattern::parse(&text, false)),
                (_, argument) => argument,
            });
        }
        if arguments.len() + optional < kinds.len() {
            return error(
                column,
                format!("`{name}` takes {} arguments, here are {}", kinds.len() - optional, arguments.len()),
                None,
            );
        }
        Ok(Expr::Call { function, arguments })
    }

    fn deeper(&mut self, part: fn(&mut Parser) -> Result<Expr>) -> Result<Expr> {
        if self.depth >= DEPTH_MAX {
            return error(self.column(), format!("nested deeper than {DEPTH_MAX}"), None);
        }
        self.depth += 1;
        let found = part(self);
        self.depth -= 1;
        found
    }
}

/// Checks that an expression can stand where `kind` is asked for. A field may hold anything, so it fits everywhere but
/// where a quoted text must stand.
fn want(expr: &Expr, kind: Kind, column: usize) -> Result<()> {
    let gives = match expr {
        Expr::Or(_) | Expr::And(_) | Expr::Not(_) | Expr::Compare { .. } => Kind::Truth,
        Expr::Call { function, .. } => function.result(),
        Expr::Array(_) => Kind::Set,
        Expr::Field(_) => Kind::Field,
        Expr::Text(_) | Expr::Glob(_) => Kind::Glob,
        Expr::Bool(_) if kind == Kind::Truth => Kind::Truth,
        Expr::Number(_) | Expr::Bool(_) | Expr::Null => Kind::Value,
    };
    let fits = match kind {
        Kind::Truth => matches!(gives, Kind::Truth | Kind::Field),
        Kind::Value => matches!(gives, Kind::Value | Kind::Field | Kind::Glob),
        Kind::Set => matches!(gives, Kind::Set | Kind::Field),
        Kind::SetOrValue => gives != Kind::Truth,
        Kind::Field => gives == Kind::Field,
        Kind::Glob | Kind::Name => gives == Kind::Glob,
    };
    let (asked, hint) = match kind {
        _ if fits => return Ok(()),
        Kind::Truth => ("something true or false", "compare it, or call `exists`, `in`, `any` …"),
        Kind::Value => ("one value", "sets are compared by `len`, `in`, `any`, `all`, `none`"),
        Kind::Set => ("a field, an array or `list(…)`", "a set of one is `['text']`"),
        Kind::SetOrValue => ("a value or a set", "write the network as text, an array or `list(…)`"),
        Kind::Field => ("a field path", "field paths stand without quotes"),
        Kind::Glob | Kind::Name => ("a quoted text", "write it as 'text'"),
    };
    error(column, format!("expected {asked}"), hint.to_owned())
}
