//! Rules against mail: each `tests/rules/*.test` holds rules and messages, and says which must hit.
//!
//! ```text
//! === rules            more rules for the messages below, in the language of .cf files
//! === default rules    the rules that come with criba
//! === mail: what it shows
//! expect NAME NAME     these hit (sub-rules, too)
//! refuse NAME          these don't
//! score 3.5            the sum
//! (an empty line, then the message as it is)
//! ```

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use criba::{
    budget::Budget,
    engine::default_rules,
    mime::{Arena, Limits, Message},
    render::render_with,
    rules::{Options, Outcome, RuleSet, Source},
    wire::request::Envelope,
};

struct Mail {
    title: String,
    expected: Vec<String>,
    refused: Vec<String>,
    score: Option<f64>,
    raw: Vec<u8>,
}

#[test]
fn every_mail_hits_what_it_should() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules");
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "test"));
    files.sort();
    assert!(!files.is_empty());
    let failures: Vec<String> = files.iter().flat_map(|path| check(path)).collect();
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

fn check(path: &Path) -> Vec<String> {
    let name = path.file_name().unwrap().to_string_lossy();
    let (rules, mails) = parse(&fs::read(path).unwrap());
    assert!(!mails.is_empty(), "{name}: no mail");
    // compiling all default rules takes a while: what did not change is taken from the build directory
    let cache = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("rules"));
    let (rules, report) =
        RuleSet::load(&rules.sources(), &Options { cache, bayes: false, ..Options::default() }).unwrap();
    assert!(report.remarks.is_empty(), "{name}: {:?}", report.remarks);
    mails.iter().flat_map(|mail| complaints(&rules, mail)).map(|what| format!("{name}: {what}")).collect()
}

fn complaints(rules: &RuleSet, mail: &Mail) -> Vec<String> {
    let outcome = outcome(rules, &mail.raw);
    let symbols = outcome.symbols.iter().map(|symbol| symbol.name.to_string());
    let hits: BTreeSet<String> =
        symbols.chain(outcome.subtests.iter().map(|name| name.to_string())).collect();
    let score: f64 = outcome.symbols.iter().map(|symbol| symbol.score).sum();
    let missing = mail.expected.iter().filter(|name| !hits.contains(*name)).map(|name| format!("no {name}"));
    let unwanted = mail.refused.iter().filter(|name| hits.contains(*name)).map(|name| format!("{name} hits"));
    let sum = mail
        .score
        .filter(|wanted| (wanted - score).abs() > 1e-6)
        .map(|wanted| format!("score {score}, not {wanted}"));
    missing
        .chain(unwanted)
        .chain(sum)
        .map(|what| format!("{}: {what} (hits: {hits:?})", mail.title))
        .collect()
}

fn outcome(rules: &RuleSet, raw: &[u8]) -> Outcome {
    let arena = Arena::new();
    let message = Message::parse(raw, &arena, &Limits::default());
    let rendered = render_with(&message, rules.links());
    let envelope = Envelope::default();
    let subject = rules.subject(&message, &rendered, &envelope);
    let hits = rules.scan(&subject, &mut rules.scratch(), &mut Budget::new(Duration::from_secs(60)));
    rules.evaluate(&hits, None)
}

/// What a file says about rules: the default ones, and its own in a directory of theirs.
struct Rules {
    default: bool,
    directory: tempfile::TempDir,
}

impl Rules {
    fn sources(&self) -> Vec<Source> {
        let mut sources = if self.default { default_rules() } else { Vec::new() };
        sources.push(Source::Path(self.directory.path().to_owned()));
        sources
    }
}

fn parse(text: &[u8]) -> (Rules, Vec<Mail>) {
    let mut rules = Rules { default: false, directory: tempfile::tempdir().unwrap() };
    let mut mails = Vec::new();
    let mut own = Vec::new();
    for section in sections(text) {
        let (head, body) = split_line(section);
        match std::str::from_utf8(head).unwrap().trim() {
            "rules" => own.extend_from_slice(body),
            "default rules" => rules.default = true,
            title => mails.push(mail(title.strip_prefix("mail:").expect("=== mail: title").trim(), body)),
        }
    }
    fs::write(rules.directory.path().join("own.cf"), own).unwrap();
    (rules, mails)
}

/// What stands behind each `=== ` at the start of a line; text before the first is a comment.
fn sections(text: &[u8]) -> Vec<&[u8]> {
    let mark = b"=== ";
    let starts: Vec<usize> = (0..text.len())
        .filter(|&at| text[at..].starts_with(mark) && (at == 0 || text[at - 1] == b'\n'))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(&start, end)| &text[start + mark.len()..end]).collect()
}

fn mail(title: &str, body: &[u8]) -> Mail {
    let mut mail = Mail {
        title: title.to_owned(),
        expected: Vec::new(),
        refused: Vec::new(),
        score: None,
        raw: Vec::new(),
    };
    let mut rest = body;
    loop {
        let (line, behind) = split_line(rest);
        rest = behind;
        let line = std::str::from_utf8(line).unwrap().trim();
        let (word, names) = line.split_once(' ').unwrap_or((line, ""));
        let names = names.split_whitespace().map(str::to_owned);
        match word {
            "" => break,
            "expect" => mail.expected.extend(names),
            "refuse" => mail.refused.extend(names),
            "score" => mail.score = Some(names.collect::<String>().parse().unwrap()),
            other => panic!("{title}: `{other}` is neither expect nor refuse nor score"),
        }
    }
    mail.raw = rest.to_vec();
    mail
}

fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|&byte| byte == b'\n') {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, b""),
    }
}
