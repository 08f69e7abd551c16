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
    process::Command,
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
    let mut scratch = rules.scratch();
    // A mail may name a rule that changes no score by itself.
    scratch.look_for_all();
    let hits = rules.scan(&subject, &mut scratch, &mut Budget::new(Duration::from_secs(60)));
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

/// What `criba rules` prints, and its exit code.
fn command(arguments: &[&str], paths: &[&Path]) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_criba"))
        .arg("rules")
        .args(arguments)
        .args(paths)
        .output()
        .expect("criba runs");
    (String::from_utf8(output.stdout).expect("UTF-8"), output.status.code())
}

#[test]
fn a_rule_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("local.cf");
    fs::write(
        &rules,
        "body A /cheap (?:meds|pills)/i\ndescribe A Sells drugs\nscore A 1 2 3 4\ntflags A multiple maxhits=3\n\
         meta B A + NOSUCH > 1\nmeta C B\n",
    )
    .unwrap();
    let rules = rules.display().to_string();
    let (text, code) = command(&["explain", "--no-default-rules", "--rules", &rules, "A"], &[]);
    assert_eq!(code, Some(0));
    for line in [
        "A: Sells drugs",
        &format!("defined     {rules}:1"),
        "body        /cheap (?:meds|pills)/i",
        "score       1 (plain) 2 (net) 3 (Bayes) 4 (both)",
        "tflags      multiple maxhits=3",
        "named by    B",
    ] {
        assert!(text.lines().any(|found| found == line), "no `{line}` in\n{text}");
    }
    assert!(text.contains("\nmatched     "), "{text}");
    let (text, _) = command(&["explain", "--no-default-rules", "--rules", &rules, "B"], &[]);
    assert!(text.contains("names       A (body)\n            NOSUCH (not defined: 0)\n"), "{text}");
    let (_, code) = command(&["explain", "--no-default-rules", "--rules", &rules, "NOSUCH"], &[]);
    assert_eq!(code, Some(65));
}

#[test]
fn the_check_names_what_metas_miss_and_what_patterns_cost() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, mail) = (folder.path().join("local.cf"), folder.path().join("mail.eml"));
    fs::write(&rules, "meta B NOSUCH || A\nbody A /(\\w+) (?=\\1)/\n").unwrap();
    fs::write(&mail, "Subject: x\n\nword word\n").unwrap();
    let mail = mail.display().to_string();
    let (text, code) = command(&["check", "--corpus", &mail], &[&rules]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("\n  NOSUCH (in B)\n"), "{text}");
    assert!(text.contains("\n1 messages, "), "{text}");
    assert!(text.lines().any(|line| line.ends_with("  A")), "{text}");
}

#[test]
fn the_difference_of_two_rule_sets_names_messages_and_rules() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("before.cf"), "body A /cheap/\nscore A 5\nbody SAME /x/\n").unwrap();
    fs::write(path("after.cf"), "body A /cheap/\nscore A 1\nbody SAME /x/\nbody NEW /y/\nscore NEW 7\n")
        .unwrap();
    fs::write(path("1.eml"), "Subject: x\n\ncheap\n").unwrap();
    fs::write(path("2.eml"), "Subject: x\n\nyes\n").unwrap();
    fs::write(path("3.eml"), "Subject: x\n\nx\n").unwrap();
    let mails = ["1.eml", "2.eml", "3.eml"].map(path);
    let (before, after) = (path("before.cf").display().to_string(), path("after.cf").display().to_string());
    let arguments = ["diff", "--no-bayes", "--rules", &before, "--rules", &after];
    let (text, code) = command(&arguments, &mails.each_ref().map(PathBuf::as_path));
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("{}: 6 -> 2: A -4", mails[0].display()));
    assert_eq!(lines[1], format!("{}: 1 -> 8: NEW +7", mails[1].display()));
    assert_eq!(lines[2], "3 messages: 1 become spam, 1 are spam no more");
}
