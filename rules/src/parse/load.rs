//! Many documents to one set: one namespace of ids and names, references resolved, filters applied, every document
//! accounted for.
//!
//! Must never drop a document without a message: documents = rules + correlations + filters + refused + skipped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::filter::{self, Filter, Targets};
use super::header::{self, Header};
use super::hint::nearest;
use super::problem::Problem;
use super::yaml::{self, Document, Node};
use super::{Loaded, Settings, correlation, resolve, rule, suppressing};
use crate::ast::{Origin, Rule, Search, Status};

/// A load under way.
pub(super) struct Load<'a> {
    settings: &'a Settings,
    loaded: Loaded,
    rules: Vec<rule::Draft>,
    correlations: Vec<correlation::Draft>,
    filters: Vec<Filter>,
    /// Where each id and name was first given.
    known: BTreeMap<String, Origin>,
    /// Ids and names of documents that were refused or skipped.
    absent: BTreeMap<String, Origin>,
}

/// What became of one document.
enum Kept {
    Rule(Box<rule::Draft>),
    Correlation(Box<correlation::Draft>),
    Filter(Filter),
    Skipped(Problem),
}

impl<'a> Load<'a> {
    pub(super) fn new(settings: &'a Settings) -> Load<'a> {
        Load {
            settings,
            loaded: Loaded::default(),
            rules: Vec::new(),
            correlations: Vec::new(),
            filters: Vec::new(),
            known: BTreeMap::new(),
            absent: BTreeMap::new(),
        }
    }

    /// A path that could not be read, counted as one refused document.
    pub(super) fn refuse_path(&mut self, path: PathBuf, message: String, hint: &str) {
        self.loaded.documents += 1;
        self.loaded.refused.push(Problem::new(0, message).hint(hint).at(path, None));
    }

    /// Something about a path that stops nothing.
    pub(super) fn warn_path(&mut self, path: PathBuf, message: &str) {
        self.loaded.warnings.push(Problem::new(0, message).at(path, None));
    }

    /// Reads every document of one text.
    pub(super) fn text(&mut self, path: &Path, text: &str) {
        let file = Arc::new(path.to_owned());
        let documents = yaml::documents(text);
        if documents.is_empty() {
            self.warn_path(path.to_owned(), "holds no document");
        }
        for document in &documents {
            self.document(&file, document);
        }
    }

    fn document(&mut self, file: &Arc<PathBuf>, document: &Document<'_>) {
        self.loaded.documents += 1;
        let origin = Origin { file: Arc::clone(file), line: document.line };
        let own = |key| document.node.as_ref().ok().and_then(|node| node.get(key)).and_then(Node::text);
        let label = own("title").or_else(|| own("id"));
        let names: Vec<String> = own("id").map(|id| id.to_ascii_lowercase()).into_iter().chain(own("name")).collect();
        let mut warnings = Vec::new();
        let kept = self
            .read(&origin, document, &mut warnings)
            .and_then(|kept| self.register(&kept, &names, &origin).map(|()| kept));
        let at = |problem: Problem| problem.at(file.as_ref().clone(), label.clone());
        self.loaded.warnings.extend(warnings.into_iter().map(at));
        match kept {
            Ok(Kept::Rule(rule)) => self.rules.push(*rule),
            Ok(Kept::Correlation(correlation)) => self.correlations.push(*correlation),
            Ok(Kept::Filter(filter)) => self.filters.push(filter),
            Ok(Kept::Skipped(why)) => {
                self.loaded.skipped.push(at(why));
                self.absent.extend(names.into_iter().map(|name| (name, origin.clone())));
            }
            Err(why) => {
                self.loaded.refused.push(at(why));
                self.absent.extend(names.into_iter().map(|name| (name, origin.clone())));
            }
        }
    }

    fn read(&self, origin: &Origin, document: &Document<'_>, warnings: &mut Vec<Problem>) -> Result<Kept, Problem> {
        let node = document.node.as_ref().map_err(Problem::clone)?;
        if node.map().is_none() {
            return Err(Problem::new(node.line, format!("a document must be a map, not {}", node.kind()))
                .hint("start with `title:`"));
        }
        if let Some(action) = node.get("action") {
            return Err(Problem::new(action.line, "`action` documents are not in Sigma 2")
                .hint("repeat the shared keys in every document"));
        }
        let header = header::parse(node)?;
        if let Some(why) = self.skip(&header, node) {
            return Ok(Kept::Skipped(why));
        }
        // Each kind of document has its own reader.
        if node.get("correlation").is_some() {
            return correlation::parse(header, document, node, &origin.file, self.settings, warnings)
                .map(|draft| Kept::Correlation(Box::new(draft)));
        }
        if node.get("filter").is_some() {
            return filter::parse(header, node, origin.clone(), self.settings, warnings).map(Kept::Filter);
        }
        rule::parse(header, document, node, &origin.file, self.settings, warnings)
            .map(|draft| Kept::Rule(Box::new(draft)))
    }

    fn skip(&self, header: &Header, node: &Node) -> Option<Problem> {
        let word = match header.status {
            Some(Status::Deprecated) => "deprecated",
            Some(Status::Unsupported) => "unsupported",
            _ => return None,
        };
        let line = node.get("status").map_or(node.line, |status| status.line);
        let why = Problem::new(line, format!("skipped: its status is {word}"))
            .hint("load deprecated rules too, or replace it");
        (!self.settings.include_deprecated).then_some(why)
    }

    /// Claims the document's id and name; the later of two that claim the same is refused.
    fn register(&mut self, kept: &Kept, names: &[String], origin: &Origin) -> Result<(), Problem> {
        let mut claims = names.to_vec();
        let id = match kept {
            Kept::Rule(draft) => Some(&draft.rule.id),
            Kept::Correlation(draft) => Some(&draft.correlation.id),
            Kept::Filter(_) | Kept::Skipped(_) => None,
        };
        claims.extend(id.filter(|id| !names.contains(id)).cloned());
        for claim in &claims {
            if let Some(first) = self.known.get(claim) {
                let message =
                    format!("duplicate id or name `{claim}`: first at {}:{}", first.file.display(), first.line);
                return Err(Problem::new(origin.line, message).hint("give each document its own"));
            }
        }
        self.known.extend(claims.into_iter().map(|claim| (claim, origin.clone())));
        Ok(())
    }

    /// Resolves references, applies the filters and hands out the set.
    pub(super) fn finish(mut self) -> Loaded {
        self.resolve();
        suppressing::resolve(&mut self.loaded);
        for filter in std::mem::take(&mut self.filters) {
            match self.apply(&filter) {
                Ok(warnings) => {
                    self.loaded.filters += 1;
                    let at =
                        |problem: Problem| problem.at(filter.origin.file.as_ref().clone(), Some(filter.title.clone()));
                    self.loaded.warnings.extend(warnings.into_iter().map(at));
                }
                Err(why) => {
                    self.loaded.refused.push(why.at(filter.origin.file.as_ref().clone(), Some(filter.title.clone())))
                }
            }
        }
        for messages in [&mut self.loaded.refused, &mut self.loaded.skipped, &mut self.loaded.warnings] {
            messages.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        }
        self.loaded
    }

    fn resolve(&mut self) {
        let (rules, correlations) = (std::mem::take(&mut self.rules), std::mem::take(&mut self.correlations));
        let resolved = resolve::resolve(rules, correlations, &self.absent, self.settings);
        for refused in resolved.refused {
            let names = refused.names.into_iter().map(|name| (name, refused.origin.clone()));
            self.absent.extend(names);
            self.loaded.refused.push(refused.why.at(refused.origin.file.as_ref().clone(), Some(refused.title)));
        }
        self.loaded.rules = resolved.rules;
        self.loaded.correlations = resolved.correlations;
        self.loaded.silent_rules = resolved.silent_rules;
        self.loaded.silent_correlations = resolved.silent_correlations;
    }

    /// Appends one filter's condition to its rules; all or, when one of them is unknown, none.
    fn apply(&mut self, filter: &Filter) -> Result<Vec<Problem>, Problem> {
        let mut warnings = Vec::new();
        let mut fitting = Vec::new();
        let fits = |rule: &Rule| filter::fits(&filter.logsource, &rule.logsource);
        match &filter.targets {
            Targets::Fitting => {
                fitting.extend(self.loaded.rules.iter().enumerate().filter(|(_, rule)| fits(rule)).map(|(at, _)| at));
            }
            Targets::Named(names) => {
                for (name, line) in names {
                    match self.find(name, *line)? {
                        Target::Rule(at) if self.loaded.rules.get(at).is_some_and(fits) => fitting.push(at),
                        Target::Rule(_) => warnings.push(
                            Problem::new(
                                *line,
                                format!("rule `{name}` has another log source: the filter leaves it as it is"),
                            )
                            .hint("drop the rule from the filter, or widen the filter's logsource"),
                        ),
                        Target::Absent(why) => warnings.push(why),
                    }
                }
                if fitting.is_empty()
                    && warnings.len() == names.len()
                    && !warnings.iter().any(|why| why.message.contains("did not load"))
                {
                    return Err(Problem::new(filter.origin.line, "the filter's log source fits none of its rules")
                        .hint("drop keys from the filter's logsource, or name other rules"));
                }
            }
        }
        fitting.sort_unstable();
        fitting.dedup();
        if fitting.is_empty() && warnings.is_empty() {
            warnings.push(
                Problem::new(filter.origin.line, "the filter applies to no rule").hint("drop keys from its logsource"),
            );
        }
        for at in fitting {
            if let Some(rule) = self.loaded.rules.get_mut(at) {
                let condition = std::mem::replace(&mut rule.condition, Search::Any(Vec::new()));
                rule.condition = Search::All(vec![condition, filter.condition.clone()]);
            }
        }
        Ok(warnings)
    }

    fn find(&self, name: &str, line: usize) -> Result<Target, Problem> {
        let id = name.to_ascii_lowercase();
        if let Some(at) = self.loaded.rules.iter().position(|rule| rule.name.as_deref() == Some(name) || rule.id == id)
        {
            return Ok(Target::Rule(at));
        }
        if let Some(origin) = self.absent.get(name).or_else(|| self.absent.get(&id)) {
            let message = format!(
                "rule `{name}` did not load ({}:{}): the filter goes without it",
                origin.file.display(),
                origin.line
            );
            return Ok(Target::Absent(Problem::new(line, message).hint("see the message about that rule")));
        }
        let names =
            self.loaded.rules.iter().flat_map(|rule| rule.name.as_deref().into_iter().chain([rule.id.as_str()]));
        Err(Problem::new(line, format!("the filter names an unknown rule `{name}`")).hint(nearest(name, names)))
    }
}

enum Target {
    Rule(usize),
    Absent(Problem),
}
