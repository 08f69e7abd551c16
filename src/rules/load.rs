//! From definitions to a rule set that can scan.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use rayon::prelude::*;

use super::{
    Error, Loss, Options, Remark, Report, RuleSet, Source,
    captures::Template,
    evals::{self, Function},
    headers::{Grouped, HeaderRule, HeaderTest, Lookup},
    hits::Rule,
    language::{self, Argument, Attributes, Comparison, Definition, Definitions, Kind, Literal, Test},
    matching::{Cache, DatabaseScratch, Decider, Entry, Fuzzy, View, Wanted, compile},
    metas::{Company, Meta, MetaKind, Metas, Program, Standing},
    mime_headers::{self, MimeHeaders, NodeLookup},
    reach::Reach,
    regex::{Flags, Regex, translate},
    settings::Settings,
    uri_details::{Detail, Key, UriDetail},
};

/// Score sets without and with Bayes; network tests are off.
const PLAIN: usize = 0;
const WITH_BAYES: usize = 2;

/// An eval rule: its function is called once a message.
#[derive(Debug)]
pub struct Eval {
    pub rule: u32,
    pub function: Function,
    pub arguments: Vec<Argument>,
}

/// Reads and compiles `sources`.
pub fn load(sources: &[Source], options: &Options) -> Result<(RuleSet, Report), Error> {
    let mut report = Report::default();
    let mut definitions = language::read(sources, &mut report.remarks)?;
    let settings = std::mem::take(&mut definitions.settings);
    let mut plan = Plan {
        set: if options.bayes { WITH_BAYES } else { PLAIN },
        no_captures: options.no_captures,
        ..Plan::new(&definitions)
    };
    for definition in &definitions.rules {
        if let Err((loss, what)) = plan.add(definition) {
            plan.remarks.push(remark(definition, loss, what));
        }
    }
    let cache = options.cache.as_deref().map(Cache::new);
    let mut rules = plan.finish(cache.as_ref(), &mut report)?;
    rules.settings = settings;
    Ok((rules, report))
}

/// Reads the text of one rule file as far as it goes without compiling a database; what is wrong with it.
pub fn check(name: &str, text: &[u8]) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let definitions = language::read_text(name, text, &mut remarks);
    let mut plan = Plan { set: WITH_BAYES, ..Plan::new(&definitions) };
    for definition in &definitions.rules {
        if let Err((loss, what)) = plan.add(definition) {
            plan.remarks.push(remark(definition, loss, what));
        }
    }
    plan.metas();
    plan.idle_templates();
    remarks.append(&mut plan.remarks);
    remarks
}

fn remark(definition: &Definition, loss: Loss, what: String) -> Remark {
    let Definition { name, place, .. } = definition;
    Remark { file: place.file.to_string(), line: place.line, loss, what: format!("{name}: {what}") }
}

/// The rules that run, sorted by what they look at, patterns not compiled yet.
struct Plan<'d> {
    definitions: &'d Definitions,
    set: usize,
    no_captures: bool,
    rules: Vec<Rule>,
    /// The definition of each rule, for remarks.
    places: Vec<&'d Definition>,
    /// Patterns of the kinds that have a view of their own.
    views: HashMap<Kind, Vec<Entry>>,
    headers: Vec<HeaderRule>,
    nodes: Vec<(NodeLookup, Entry)>,
    /// mimeheader rules with `!~`.
    always: Vec<u32>,
    uri_details: Vec<UriDetail>,
    header_evals: Vec<Eval>,
    evals: Vec<Eval>,
    patterns: HashMap<String, Decider>,
    /// Rule, expression, and whether it has a score.
    metas: Vec<(u32, &'d str, bool)>,
    bayes: Vec<(u32, f64, f64)>,
    /// Names of the groups that rules capture.
    captured: HashSet<String>,
    undefined: Vec<(String, Arc<str>)>,
    remarks: Vec<Remark>,
}

type Added = Result<(), (Loss, String)>;

impl<'d> Plan<'d> {
    fn new(definitions: &'d Definitions) -> Plan<'d> {
        Plan {
            definitions,
            set: PLAIN,
            no_captures: false,
            rules: Vec::new(),
            places: Vec::new(),
            views: HashMap::new(),
            headers: Vec::new(),
            nodes: Vec::new(),
            always: Vec::new(),
            uri_details: Vec::new(),
            header_evals: Vec::new(),
            evals: Vec::new(),
            patterns: HashMap::new(),
            metas: Vec::new(),
            bayes: Vec::new(),
            captured: HashSet::new(),
            undefined: Vec::new(),
            remarks: Vec::new(),
        }
    }

    fn add(&mut self, definition: &'d Definition) -> Added {
        let Definition { name, kind, test, .. } = definition;
        let nothing = Attributes::default();
        let attributes = self.definitions.attributes.get(name).unwrap_or(&nothing);
        let score = self.definitions.score(name, self.set);
        // a meta without score takes part all the same: others may wait for it
        if score == 0.0 && *kind != Kind::Meta {
            return Ok(());
        }
        let tflags = &attributes.tflags;
        let rule = self.rules.len() as u32;
        let dropped = |what: String| (Loss::Dropped, what);
        let template = Template::of(test);
        if template.is_some() && self.no_captures {
            return Err((Loss::NotRun, "compares with what other rules capture: not run".into()));
        }
        match test {
            Test::Eval { function, arguments } if function == "check_bayes" => {
                if self.set != WITH_BAYES {
                    return Ok(());
                }
                let (Some(from), Some(to)) = (evals::number(arguments, 0), evals::number(arguments, 1))
                else {
                    return Err(dropped("check_bayes without a range".into()));
                };
                self.bayes.push((rule, from, to));
            }
            // network tests are not run; tests of what was learnt need Bayes
            Test::Eval { .. } if tflags.net || (tflags.learn && self.set != WITH_BAYES) => return Ok(()),
            Test::Eval { function, arguments } => match evals::find(function, *kind) {
                Some(known) => {
                    if let Some(pattern) =
                        evals::pattern_of(function).and_then(|index| evals::text(arguments, index))
                    {
                        self.argument_pattern(pattern).map_err(dropped)?;
                    }
                    let eval = Eval { rule, function: known, arguments: arguments.clone() };
                    match kind {
                        Kind::Header => self.header_evals.push(eval),
                        _ => self.evals.push(eval),
                    }
                }
                None if evals::asks_network(function) => return Ok(()),
                None => {
                    return Err((Loss::NotRun, format!("criba has no eval function `{function}`: not run")));
                }
            },
            Test::Pattern(literal) => {
                let regex = self.regex(literal, template.as_ref()).map_err(dropped)?;
                self.entry(*kind, rule, Wanted::Pattern(regex));
            }
            Test::Fuzzy { words, distance } => {
                let fuzzy = Fuzzy { words: words.clone(), distance: *distance };
                self.entry(*kind, rule, Wanted::Fuzzy(fuzzy));
            }
            Test::Exists(header) if header.contains(':') => {
                return Err(dropped(format!("`{header}` is no name of a header")));
            }
            Test::Exists(header) => {
                let lookup = Lookup::parse(header).map_err(dropped)?;
                self.headers.push(HeaderRule { rule, lookup, test: HeaderTest::Exists });
            }
            Test::Header { lookup, comparison, unset } => {
                let regex = self.regex(&comparison.literal, template.as_ref()).map_err(dropped)?;
                let negated = comparison.negated && template.is_none();
                let entry = Entry { rule, wanted: Wanted::Pattern(regex), negated };
                if *kind == Kind::MimeHeader && entry.negated {
                    let what = "hits always: `!~` of mimeheader does in SpamAssassin 4.0.1".to_owned();
                    self.remarks.push(remark(definition, Loss::Ignored, what));
                    self.always.push(rule);
                } else if *kind == Kind::MimeHeader {
                    let lookup = NodeLookup::parse(lookup, unset.clone(), tflags).map_err(dropped)?;
                    self.nodes.push((lookup, entry));
                } else {
                    let lookup = Lookup::parse(lookup).map_err(dropped)?;
                    let test = HeaderTest::Matches { entry, unset: unset.clone().unwrap_or_default() };
                    self.headers.push(HeaderRule { rule, lookup, test });
                }
            }
            Test::UriDetail(conditions) => {
                let details = conditions.iter().map(|condition| {
                    let Comparison { literal, negated } = &condition.comparison;
                    let key = Key::named(&condition.key).ok_or("an unknown key")?;
                    Ok(Detail { key, decider: Decider::new(self.regex(literal, None)?)?, negated: *negated })
                });
                let conditions = details.collect::<Result<_, String>>().map_err(dropped)?;
                self.uri_details.push(UriDetail { rule, conditions });
            }
            // a placeholder that other code would set
            Test::Meta(text) if text.trim() == "()" => return Ok(()),
            Test::Meta(text) => self.metas.push((rule, text, score != 0.0)),
        }
        let multiple = match (tflags.multiple, tflags.max_hits, kind) {
            (false, ..) => 1,
            (true, Some(most), _) => most,
            (true, None, Kind::MimeHeader) => mime_headers::MOST,
            (true, None, _) => u32::MAX,
        };
        let is_bayes = self.bayes.last().is_some_and(|(of, ..)| *of == rule);
        self.rules.push(Rule {
            name: name.clone(),
            label: if is_bayes { "bayes" } else { kind.name() },
            score,
            description: attributes.description.clone().unwrap_or_default(),
            sub: name.starts_with("__"),
            most: multiple,
            no_subject: tflags.no_subject,
            template: template.map(Arc::new),
        });
        self.places.push(definition);
        Ok(())
    }

    fn argument_pattern(&mut self, pattern: &str) -> Result<(), String> {
        let regex = translate(pattern.as_bytes(), Flags::default()).map_err(|error| error.to_string())?;
        self.patterns.insert(pattern.to_owned(), Decider::new(regex)?);
        Ok(())
    }

    fn regex(&mut self, literal: &Literal, template: Option<&Template>) -> Result<Regex, String> {
        let regex = match template {
            Some(template) => template.loose()?,
            None => translate(&literal.source, literal.flags).map_err(|error| error.to_string())?,
        };
        self.captured.extend(regex.captures.iter().cloned());
        Ok(regex)
    }

    /// Rules that wait for what nothing captures.
    fn idle_templates(&mut self) {
        for (rule, definition) in self.rules.iter().zip(&self.places) {
            let names = rule.template.iter().flat_map(|template| &template.names);
            if let Some(name) = names.into_iter().find(|name| !self.captured.contains(*name)) {
                let what = format!("no rule captures `{name}`: not run");
                self.remarks.push(remark(definition, Loss::NotRun, what));
            }
        }
    }

    fn entry(&mut self, kind: Kind, rule: u32, wanted: Wanted) {
        self.views.entry(kind).or_default().push(Entry { rule, wanted, negated: false });
    }

    fn finish(mut self, cache: Option<&Cache>, report: &mut Report) -> Result<RuleSet, Error> {
        const KINDS: [Kind; 7] =
            [Kind::Body, Kind::RawBody, Kind::Full, Kind::Uri, Kind::Ocr, Kind::Qr, Kind::Pdf];
        let grouped = Grouped::new(std::mem::take(&mut self.headers));
        let (lookups, nodes) = mime_headers::grouped(std::mem::take(&mut self.nodes));
        let mut bundles: Vec<Vec<Vec<Entry>>> =
            KINDS.iter().map(|kind| vec![self.views.remove(kind).unwrap_or_default()]).collect();
        bundles.push(grouped.entries());
        bundles.push(nodes);
        let compiled: Vec<_> = bundles.into_par_iter().map(|sets| compile(sets, cache)).collect();
        let mut views: Vec<Vec<View>> = Vec::new();
        for (compiled, broken) in compiled {
            for (rule, why) in broken {
                self.remarks
                    .extend(self.places.get(rule as usize).map(|place| remark(place, Loss::Dropped, why)));
            }
            views.push(compiled);
        }
        let mut views = views.into_iter();
        let mut one = || views.next().and_then(|mut set| set.pop()).unwrap_or_default();
        let [body, rawbody, full, uri, ocr, qr, pdf] = KINDS.map(|_| one());
        let header_views = views.next().unwrap_or_default();
        let most = |rule: u32| self.rules.get(rule as usize).map_or(1, |rule| rule.most);
        let headers = grouped.finish(header_views, most);
        let mime_headers =
            MimeHeaders::new(lookups, views.next().unwrap_or_default(), std::mem::take(&mut self.always));
        let metas = self.metas();
        self.idle_templates();
        report.remarks.append(&mut self.remarks);
        let Plan { rules, uri_details, header_evals, evals, patterns, undefined, .. } = self;
        let mut rules = RuleSet {
            most: rules.iter().map(|rule| rule.most).collect(),
            rules,
            body,
            rawbody,
            full,
            uri,
            ocr,
            qr,
            pdf,
            headers,
            mime_headers,
            uri_details,
            header_evals,
            evals,
            settings: Settings::default(),
            patterns,
            metas,
            company: Company::default(),
            reach: Reach::default(),
            trust: self.definitions.trust.clone(),
            undefined,
            scratch: None,
        };
        let databases = rules.views().flat_map(View::databases);
        rules.scratch = DatabaseScratch::for_all(databases).map_err(|error| Error::Memory(error.message))?;
        rules.company = rules.find_company();
        rules.reach = rules.find_reach();
        Ok(rules)
    }

    fn metas(&mut self) -> Metas {
        let mut standings: HashMap<&str, Standing> = HashMap::new();
        for (rule, known) in (0..).zip(&self.rules) {
            standings.insert(&known.name, Standing::Counts(rule));
        }
        let of_bayes = self.bayes.iter().map(|(rule, ..)| *rule);
        let of_metas = self.metas.iter().map(|(rule, ..)| *rule);
        for (index, rule) in (0..).zip(of_bayes.chain(of_metas)) {
            if let Some(known) = self.rules.get(rule as usize) {
                standings.insert(&known.name, Standing::Meta(index));
            }
        }
        let mut planned: Vec<Meta> = self
            .bayes
            .iter()
            .map(|&(rule, from, to)| Meta { rule, kind: MetaKind::Bayes(from, to), scored: true })
            .collect();
        let mut undefined = HashSet::new();
        for &(rule, text, scored) in &self.metas {
            let program = Program::parse(text, |glob| matching(self.definitions, glob));
            let program = program.unwrap_or_else(|error| {
                let place = self.places.get(rule as usize);
                self.remarks.extend(place.map(|place| remark(place, Loss::Dropped, error.to_string())));
                Program::never()
            });
            for name in program.names.iter().filter(|name| !self.definitions.has(name)) {
                if let Some(known) = self.rules.get(rule as usize).filter(|_| undefined.insert(name.clone()))
                {
                    self.undefined.push((name.clone(), Arc::clone(&known.name)));
                }
            }
            let standing = |name: &String| standings.get(name.as_str()).copied().unwrap_or(Standing::NotRun);
            let names = program.names.iter().map(standing).collect();
            planned.push(Meta { rule, kind: MetaKind::Expression(program, names), scored });
        }
        let (metas, circular) = Metas::plan(planned, self.rules.len());
        for rule in circular {
            let what = "depends on itself: dropped".to_owned();
            self.remarks
                .extend(self.places.get(rule as usize).map(|place| remark(place, Loss::Dropped, what)));
        }
        metas
    }
}

/// The rules that `rules_matching(glob)` stands for.
pub fn matching(definitions: &Definitions, glob: &str) -> Vec<String> {
    let names = definitions.rules.iter().map(|rule| &*rule.name);
    names.filter(|name| matches_glob(name, glob)).map(str::to_owned).collect()
}

/// Shell-like: `*` any characters, `?` one.
fn matches_glob(name: &str, glob: &str) -> bool {
    let (name, glob) = (name.as_bytes(), glob.as_bytes());
    let (mut n, mut g, mut star) = (0, 0, None);
    while n < name.len() {
        match glob.get(g) {
            Some(b'*') => {
                star = Some((g, n));
                g += 1;
            }
            Some(&byte) if byte == b'?' || byte == name[n] => {
                n += 1;
                g += 1;
            }
            _ => match star {
                // let the last star take one more
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (g, n) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches_glob;

    #[test]
    fn globs() {
        assert!(matches_glob("__FRAUD_ABC", "__FRAUD_*"));
        assert!(matches_glob("__FRAUD_ABC", "__FRAUD_???"));
        assert!(matches_glob("ABCABD", "*AB?"));
        assert!(!matches_glob("FRAUD", "__*") && !matches_glob("AB", "A") && !matches_glob("A", "A?"));
    }
}
