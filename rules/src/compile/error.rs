//! Why rules cannot be compiled. Must never name anything that an event holds.

/// A rule set that cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// An automaton over the rules' texts would be too large.
    #[error("the texts of these rules do not fit one automaton: {0}")]
    TooManyTexts(#[from] aho_corasick::BuildError),
    /// A regular expression that the parser accepted cannot be built.
    #[error("rule {rule}: {error}")]
    Regex {
        /// Title of the rule.
        rule: String,
        /// What is wrong.
        error: regex::Error,
    },
}
