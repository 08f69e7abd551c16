//! One rule resolved, for people.

use super::{
    Error, Options, Remark, RuleSet, Source,
    language::{self, Comparison, Definition, Definitions, Literal, Test},
    load,
    matching::{How, Pattern},
    metas::Program,
};

/// What is known of a rule.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    pub name: String,
    pub file: String,
    pub line: usize,
    /// The directive that made it.
    pub kind: &'static str,
    /// What it looks for, tags replaced.
    pub test: String,
    /// How its pattern is matched, and what is searched for on its behalf.
    pub matching: Option<String>,
    /// By score set: plain, net, Bayes, both.
    pub scores: [f64; 4],
    pub description: String,
    pub tflags: String,
    pub priority: i32,
    /// For a meta: the rules that it names, and what became of them.
    pub names: Vec<(String, &'static str)>,
    /// Metas that name it.
    pub named_by: Vec<String>,
    /// What loading had to say of it.
    pub remarks: Vec<Remark>,
}

/// Strings of a filter that are shown.
const SHOWN: usize = 20;

/// Reads `sources` and resolves the rule of that name; `None` if there is none.
///
/// # Errors
/// A source cannot be read.
pub fn explain(sources: &[Source], options: &Options, name: &str) -> Result<Option<Explanation>, Error> {
    let definitions = language::read(sources, &mut Vec::new())?;
    let Some(definition) = definitions.rules.iter().find(|rule| &*rule.name == name) else {
        return Ok(None);
    };
    let (rules, report) = load::load(sources, options)?;
    let attributes = definitions.attributes.get(name).cloned().unwrap_or_default();
    let place = &definition.place;
    let about = |remark: &&Remark| remark.file == *place.file && remark.line == place.line;
    Ok(Some(Explanation {
        name: name.to_owned(),
        file: place.file.to_string(),
        line: place.line,
        kind: definition.kind.name(),
        test: text(&definition.test),
        matching: rules.pattern(name).map(how),
        scores: [0, 1, 2, 3].map(|set| definitions.score(name, set)),
        description: attributes.description.as_deref().unwrap_or_default().to_owned(),
        tflags: attributes.tflags.to_string(),
        priority: attributes.priority,
        names: named(&definition.test, &definitions)
            .into_iter()
            .map(|other| {
                let standing = standing(&definitions, &rules, &other);
                (other, standing)
            })
            .collect(),
        named_by: naming(&definitions, name),
        remarks: report.remarks.iter().filter(about).cloned().collect(),
    }))
}

fn named(test: &Test, definitions: &Definitions) -> Vec<String> {
    let Test::Meta(text) = test else { return Vec::new() };
    let matching = |glob: &str| load::matching(definitions, glob);
    Program::parse(text, matching).map_or_else(|_| Vec::new(), |program| program.names)
}

fn naming(definitions: &Definitions, name: &str) -> Vec<String> {
    let names = |rule: &&Definition| named(&rule.test, definitions).iter().any(|other| other == name);
    definitions.rules.iter().filter(names).map(|rule| rule.name.to_string()).collect()
}

fn standing(definitions: &Definitions, rules: &RuleSet, name: &str) -> &'static str {
    let defined = definitions.rules.iter().find(|rule| &*rule.name == name);
    let runs = rules.rules.iter().any(|rule| &*rule.name == name);
    match (defined, runs) {
        (None, _) => "not defined: 0",
        (Some(_), false) => "not run: 0",
        (Some(rule), true) => rule.kind.name(),
    }
}

impl RuleSet {
    fn pattern(&self, name: &str) -> Option<&Pattern> {
        let rule = self.rules.iter().position(|rule| &*rule.name == name)? as u32;
        self.views().flat_map(|view| view.patterns()).find(|pattern| pattern.rule == rule)
    }
}

fn how(pattern: &Pattern) -> String {
    let decides = if pattern.decider.is_large() { "regex" } else { "PCRE2" };
    match pattern.how {
        How::Exact => "Hyperscan decides".into(),
        How::Prefilter => format!("Hyperscan finds candidates, {decides} decides"),
        How::Piece => format!("Hyperscan finds a piece of it, {decides} decides"),
        How::Alone => format!("{decides} alone, on every text"),
        How::Fuzzy => "Hyperscan decides by edit distance".into(),
        How::Literals | How::Squeezed => {
            let clauses = pattern.factors.iter().flat_map(|factors| &factors.clauses);
            let clauses: Vec<String> = clauses.map(|sets| clause(sets)).collect();
            let other = if pattern.is_ascii() { ", and on every text that is not plain ASCII" } else { "" };
            let place = if pattern.squeezed { " in the text without signs and blanks" } else { "" };
            format!("{decides} decides where Hyperscan finds {}{place}{other}", clauses.join(", or "))
        }
    }
}

fn clause(sets: &[Vec<Vec<u8>>]) -> String {
    let set = |set: &Vec<Vec<u8>>| {
        let strings = set.iter().take(SHOWN).map(|string| format!("\"{}\"", string.escape_ascii()));
        let more = if set.len() > SHOWN { format!(" ({} in all)", set.len()) } else { String::new() };
        format!("{}{more}", strings.collect::<Vec<_>>().join("|"))
    };
    sets.iter().map(set).collect::<Vec<_>>().join(" and ")
}

fn text(test: &Test) -> String {
    let comparison = |Comparison { literal, negated }: &Comparison| {
        format!("{} {}", if *negated { "!~" } else { "=~" }, delimited(literal))
    };
    match test {
        Test::Pattern(literal) => delimited(literal),
        Test::Fuzzy { words, distance } => format!("fuzzy:{}/{distance}", words.join("|")),
        Test::Exists(header) => format!("exists:{header}"),
        Test::Header { lookup, comparison: wanted, unset } => {
            let unset =
                unset.as_ref().map(|unset| format!(" [if-unset: {}]", String::from_utf8_lossy(unset)));
            format!("{lookup} {}{}", comparison(wanted), unset.unwrap_or_default())
        }
        Test::UriDetail(conditions) => conditions
            .iter()
            .map(|condition| format!("{} {}", condition.key, comparison(&condition.comparison)))
            .collect::<Vec<_>>()
            .join(" "),
        Test::Eval { function, arguments } => {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            format!("eval:{function}({})", arguments.join(", "))
        }
        Test::Meta(text) => text.clone(),
    }
}

fn delimited(Literal { source, flags }: &Literal) -> String {
    let flags: String =
        [('i', flags.caseless), ('m', flags.multi_line), ('s', flags.dot_all), ('x', flags.extended)]
            .into_iter()
            .filter_map(|(flag, on)| on.then_some(flag))
            .collect();
    format!("/{}/{flags}", String::from_utf8_lossy(source))
}
