//! Directives to definitions.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    conditions,
    definitions::{
        Argument, Comparison, Condition, Definition, Definitions, Kind, Literal, Place, Test, Tflags,
    },
    features::Features,
    files::{self, File},
    lines::{Line, lines},
    settings,
    tags::Tags,
    trust,
};
use crate::rules::{Error, Loss, Remark, Source, regex::Delimited};

/// Files may include files, this deep (a loop ends here) and this many.
const MAX_INCLUDE_DEPTH: usize = 10;
const MAX_INCLUDES: usize = 1000;
/// A file that is no rule file must not make a remark of every line.
const MAX_REMARKS_PER_FILE: usize = 100;
/// Rules of all files together.
const MAX_RULES: usize = 100_000;
const MAX_NAME: usize = 100;

/// Reads all files of `sources`.
///
/// # Errors
/// A source is not there or cannot be listed; a single file that cannot be read is a remark.
pub fn read(sources: &[Source], remarks: &mut Vec<Remark>) -> Result<Definitions, Error> {
    let files = files::in_order(sources)?;
    let brings_plugins = files.iter().any(|file| file.name().ends_with(".pre"));
    let features = if brings_plugins { Features::default() } else { Features::standard() };
    let mut reader = Reader::new(features, remarks);
    for file in &files {
        match file {
            File::Embedded { name, text } => reader.text(name, None, text.as_bytes(), 0),
            File::Path(path) => reader.file(path, 0),
        }
    }
    Ok(reader.finish())
}

/// Reads one text that is no file: what it includes is not read.
pub fn read_text(name: &str, text: &[u8], remarks: &mut Vec<Remark>) -> Definitions {
    let mut reader = Reader::new(Features::standard(), remarks);
    reader.text(name, None, text, 0);
    reader.finish()
}

struct Reader<'r> {
    definitions: Definitions,
    features: Features,
    tags: Tags,
    remarks: &'r mut Vec<Remark>,
    remarks_here: usize,
    /// Settings without effect: where the first one stands, and how many there are.
    unused: HashMap<String, (Place, usize)>,
    includes: usize,
    /// The files being read, each included by the one before.
    open: Vec<PathBuf>,
}

/// Nested `if`s: whether the lines inside count.
struct Branch {
    outer: bool,
    holds: bool,
}

impl<'r> Reader<'r> {
    fn new(features: Features, remarks: &'r mut Vec<Remark>) -> Reader<'r> {
        Reader {
            definitions: Definitions::default(),
            features,
            tags: Tags::default(),
            remarks,
            remarks_here: 0,
            unused: HashMap::new(),
            includes: 0,
            open: Vec::new(),
        }
    }
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, depth: usize) {
        let name = path.display().to_string();
        match files::read(path) {
            Ok(bytes) => {
                self.open.push(path.canonicalize().unwrap_or_else(|_| path.to_owned()));
                self.text(&name, path.parent(), &bytes, depth);
                self.open.pop();
            }
            Err(error) => {
                let place = Place { file: name.as_str().into(), line: 0 };
                self.remarks_here = 0;
                self.remark(&place, Loss::Dropped, format!("not read: {error}"));
            }
        }
    }

    fn text(&mut self, name: &str, directory: Option<&Path>, text: &[u8], depth: usize) {
        let file: Arc<str> = name.into();
        let mut branches: Vec<Branch> = Vec::new();
        let mut active = true;
        self.remarks_here = 0;
        for line in lines(text) {
            let place = Place { file: file.clone(), line: line.number };
            match line.keyword.as_str() {
                "if" | "ifplugin" => {
                    let holds = active && self.condition(&line, &place);
                    branches.push(Branch { outer: active, holds });
                    active = holds;
                }
                "else" => match branches.last_mut() {
                    Some(branch) => {
                        branch.holds = !branch.holds;
                        active = branch.outer && branch.holds;
                    }
                    None => self.remark(&place, Loss::Dropped, "`else` without `if`".into()),
                },
                "endif" => match branches.pop() {
                    Some(branch) => active = branch.outer,
                    None => self.remark(&place, Loss::Dropped, "`endif` without `if`".into()),
                },
                _ if !active => {}
                "include" => self.include(&line, &place, directory, depth),
                "require_version" => {
                    let wanted = String::from_utf8_lossy(&line.rest).into_owned();
                    // packaged files have the placeholder of their build still in them
                    if wanted != "@@VERSION@@" && wanted.parse() != Ok(4.000_001_f64) {
                        let what = format!("the rest of the file is for version {wanted}, not 4.000001");
                        return self.remark(&place, Loss::Dropped, what);
                    }
                }
                _ => self.line(line, place),
            }
        }
    }

    fn condition(&mut self, line: &Line, place: &Place) -> bool {
        let text = String::from_utf8_lossy(&line.rest);
        if line.keyword == "ifplugin" {
            return self.features.plugin(text.trim());
        }
        match conditions::holds(&text, &self.features) {
            Ok(holds) => holds,
            Err(what) => {
                self.remark(place, Loss::Dropped, what);
                false
            }
        }
    }

    fn include(&mut self, line: &Line, place: &Place, directory: Option<&Path>, depth: usize) {
        self.includes += 1;
        if depth == MAX_INCLUDE_DEPTH || self.includes > MAX_INCLUDES {
            let what =
                format!("not included: more than {MAX_INCLUDE_DEPTH} files deep or {MAX_INCLUDES} in all");
            return self.remark(place, Loss::Dropped, what);
        }
        let wanted = PathBuf::from(String::from_utf8_lossy(&line.rest).into_owned());
        match directory {
            Some(directory) => {
                let path = directory.join(wanted);
                if path.canonicalize().is_ok_and(|path| self.open.contains(&path)) {
                    return self.remark(
                        place,
                        Loss::Dropped,
                        "not included: the file includes itself".into(),
                    );
                }
                let before = self.remarks_here;
                self.file(&path, depth + 1);
                self.remarks_here = before;
            }
            None => self.remark(place, Loss::Dropped, "rules inside of the program include no files".into()),
        }
    }

    /// A directive that counts. `lang xx` in front keeps it for some locales; criba's is plain English.
    fn line(&mut self, mut line: Line, place: Place) {
        if line.keyword == "lang" {
            let (language, rest) = word(&line.rest);
            if !language.to_ascii_lowercase().starts_with("en") {
                return;
            }
            let Some(inner) = lines(rest).next() else { return };
            line = inner;
        }
        let Line { keyword, rest, .. } = line;
        let result = match keyword.as_str() {
            "header" => self.rule(Kind::Header, &rest, &place, header),
            "mimeheader" => self.rule(Kind::MimeHeader, &rest, &place, header),
            "body" => self.rule(Kind::Body, &rest, &place, pattern),
            "rawbody" => self.rule(Kind::RawBody, &rest, &place, pattern),
            "full" => self.rule(Kind::Full, &rest, &place, pattern),
            "uri" => self.rule(Kind::Uri, &rest, &place, pattern),
            "uri_detail" => self.rule(Kind::UriDetail, &rest, &place, uri_detail),
            "meta" => self.rule(Kind::Meta, &rest, &place, |text| Ok(Test::Meta(lossy(text)))),
            "ocr" => self.rule(Kind::Ocr, &rest, &place, late),
            "qr" => self.rule(Kind::Qr, &rest, &place, late),
            "pdf" => self.rule(Kind::Pdf, &rest, &place, late),
            "score" => self.score(&rest),
            "describe" => self.named(&rest, |attributes, text| {
                attributes.description = Some(text.into());
                Ok(())
            }),
            "tflags" => self.named(&rest, |attributes, text| tflags(&mut attributes.tflags, text)),
            "priority" => self.named(&rest, |attributes, text| {
                attributes.priority = text.parse().map_err(|_| format!("priority `{text}` is no number"))?;
                Ok(())
            }),
            "replace_rules" => {
                for name in String::from_utf8_lossy(&rest).split_whitespace() {
                    self.definitions.attributes_mut(name).replaced = true;
                }
                Ok(())
            }
            "replace_tag" => tag(&mut self.tags.tag, &rest),
            "replace_pre" => tag(&mut self.tags.pre, &rest),
            "replace_inter" => tag(&mut self.tags.inter, &rest),
            "replace_post" => tag(&mut self.tags.post, &rest),
            "loadplugin" | "tryplugin" => {
                self.features.load(&word(&rest).0);
                Ok(())
            }
            "enable_compat" => {
                self.features.enable_compat(&word(&rest).0);
                Ok(())
            }
            // notes of rule writers for their own tests
            "test" | "reuse" => Ok(()),
            _ if let Some(done) = trust::obey(&mut self.definitions.trust, &keyword, &rest) => done,
            _ if let Some(result) = self.definitions.settings.set(&keyword, &rest) => result,
            _ if settings::is_known(&keyword) => {
                let entry = self.unused.entry(keyword).or_insert_with(|| (place.clone(), 0));
                entry.1 += 1;
                return;
            }
            _ => Err(format!("unknown directive `{}`", keyword.chars().take(40).collect::<String>())),
        };
        if let Err(what) = result {
            self.remark(&place, Loss::Dropped, what);
        }
    }

    fn rule(
        &mut self,
        kind: Kind,
        text: &[u8],
        place: &Place,
        parse: impl Fn(&[u8]) -> Result<Test, String>,
    ) -> Result<(), String> {
        let (name, rest) = word(text);
        let name = checked_name(&name)?;
        if self.definitions.rules.len() >= MAX_RULES {
            return Err(format!("{name}: more than {MAX_RULES} rules"));
        }
        let test = match rest.strip_prefix(b"eval:") {
            Some(call) if kind != Kind::Meta => eval(call),
            _ => parse(rest),
        };
        let test = test.map_err(|what| format!("{name}: {what}"))?;
        self.definitions.define(Definition { name: name.into(), kind, test, place: place.clone() });
        Ok(())
    }

    fn named(
        &mut self,
        text: &[u8],
        set: impl Fn(&mut super::Attributes, &str) -> Result<(), String>,
    ) -> Result<(), String> {
        let (name, rest) = word(text);
        let name = checked_name(&name)?;
        set(self.definitions.attributes_mut(name), &String::from_utf8_lossy(rest))
            .map_err(|what| format!("{name}: {what}"))
    }

    /// One number for all sets, or four; `(n)` adds to what was.
    fn score(&mut self, text: &[u8]) -> Result<(), String> {
        let (name, rest) = word(text);
        let name = checked_name(&name)?;
        let rest = String::from_utf8_lossy(rest);
        let (mut values, mut relative) = (Vec::new(), false);
        for word in rest.split_whitespace() {
            let inner = word.strip_prefix('(').and_then(|word| word.strip_suffix(')'));
            relative |= inner.is_some();
            let value: f64 = inner
                .unwrap_or(word)
                .parse()
                .ok()
                .filter(|value: &f64| value.is_finite())
                .ok_or_else(|| format!("{name}: score `{word}` is no number"))?;
            values.push(value);
        }
        let first = *values.first().ok_or_else(|| format!("{name}: no score"))?;
        let mut scores = <[f64; 4]>::try_from(values).unwrap_or([first; 4]);
        let attributes = self.definitions.attributes_mut(name);
        if relative {
            let old =
                attributes.scores.ok_or_else(|| format!("{name}: relative score without one before"))?;
            scores.iter_mut().zip(old).for_each(|(score, old)| *score += old);
        }
        attributes.scores = Some(scores);
        Ok(())
    }

    fn remark(&mut self, place: &Place, loss: Loss, what: String) {
        self.remarks_here += 1;
        if self.remarks_here <= MAX_REMARKS_PER_FILE {
            self.remarks.push(Remark { file: place.file.to_string(), line: place.line, loss, what });
        } else if self.remarks_here == MAX_REMARKS_PER_FILE + 1 {
            let what = "and more of the kind; no further remarks on this file".into();
            self.remarks.push(Remark { file: place.file.to_string(), line: place.line, loss, what });
        }
    }

    fn finish(mut self) -> Definitions {
        let mut unused: Vec<_> = self.unused.drain().collect();
        unused.sort();
        for (keyword, (place, lines)) in unused {
            let what = format!("`{keyword}` has no effect in criba ({lines} lines)");
            self.remarks.push(Remark {
                file: place.file.to_string(),
                line: place.line,
                loss: Loss::Ignored,
                what,
            });
        }
        for rule in &mut self.definitions.rules {
            let replaced = self.definitions.attributes.get(&rule.name).is_some_and(|a| a.replaced);
            let literal = match &mut rule.test {
                Test::Pattern(literal) => literal,
                Test::Header { comparison, .. } => &mut comparison.literal,
                _ => continue,
            };
            if !replaced {
                continue;
            }
            match self.tags.replace(&literal.source) {
                Some(source) => literal.source = source,
                None => self.remarks.push(Remark {
                    file: rule.place.file.to_string(),
                    line: rule.place.line,
                    loss: Loss::Dropped,
                    what: format!("{}: too long with its tags replaced; they stay", rule.name),
                }),
            }
        }
        self.definitions
    }
}

fn header(text: &[u8]) -> Result<Test, String> {
    if let Some(name) = text.strip_prefix(b"exists:") {
        return Ok(Test::Exists(lossy(name.trim_ascii())));
    }
    let at = text
        .windows(2)
        .position(|pair| pair == b"=~" || pair == b"!~")
        .ok_or("neither =~ nor !~ nor exists: nor eval:")?;
    let lookup = lossy(text[..at].trim_ascii());
    if lookup.is_empty() || lookup.contains(char::is_whitespace) {
        return Err(format!("`{lookup}` is no header"));
    }
    let negated = text[at] == b'!';
    let mut rest = text[at + 2..].trim_ascii();
    let mut unset = None;
    if let (Some(start), Some(inner)) = (memchr::memmem::rfind(rest, b"[if-unset:"), rest.strip_suffix(b"]"))
    {
        unset = Some(inner[start + b"[if-unset:".len()..].trim_ascii().to_vec());
        rest = rest[..start].trim_ascii_end();
    }
    Ok(Test::Header { lookup, comparison: Comparison { literal: literal(rest)?, negated }, unset })
}

fn pattern(text: &[u8]) -> Result<Test, String> {
    Ok(Test::Pattern(literal(text)?))
}

/// `ocr`, `qr` and `pdf` rules: a pattern, or words to be found within an edit distance.
fn late(text: &[u8]) -> Result<Test, String> {
    let Some(fuzzy) = text.strip_prefix(b"fuzzy:") else { return pattern(text) };
    let fuzzy = std::str::from_utf8(fuzzy).map_err(|_| "fuzzy words are ASCII")?;
    let (words, distance) = fuzzy.rsplit_once('/').ok_or("fuzzy:WORD/N: no distance")?;
    let distance = distance.parse().map_err(|_| "fuzzy:WORD/N: the distance is no number")?;
    let words: Vec<String> = words.split('|').map(str::to_ascii_lowercase).collect();
    // with a third of a word free to change, the pattern would match nearly anything
    let fits = |word: &String| {
        word.len() <= 60
            && word.len() > 3 * distance as usize
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ')
    };
    match words.iter().all(fits) && (1..=3).contains(&distance) {
        true => Ok(Test::Fuzzy { words, distance }),
        false => {
            Err("fuzzy:WORD/N: N from 1 to 3, words of letters, digits and blanks, longer than 3 N".into())
        }
    }
}

/// `KEY =~ /re/ KEY !~ /re/ ...`; the last condition on a key counts.
fn uri_detail(text: &[u8]) -> Result<Test, String> {
    let mut conditions: Vec<Condition> = Vec::new();
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        let at = rest
            .windows(2)
            .position(|pair| pair == b"=~" || pair == b"!~")
            .ok_or("neither =~ nor !~ behind a key")?;
        let key = lossy(rest[..at].trim_ascii());
        if !["raw", "type", "cleaned", "text", "domain", "host"].contains(&key.as_str()) {
            return Err(format!("`{key}` is nothing that URIs have"));
        }
        let negated = rest[at] == b'!';
        let behind = rest[at + 2..].trim_ascii_start();
        let end = end_of_literal(behind).ok_or("no delimiters around the regular expression")?;
        let comparison = Comparison { literal: literal(&behind[..end])?, negated };
        conditions.retain(|condition| condition.key != key);
        conditions.push(Condition { key, comparison });
        rest = behind[end..].trim_ascii();
    }
    match conditions.is_empty() {
        true => Err("no condition".into()),
        false => Ok(Test::UriDetail(conditions)),
    }
}

/// Where the pattern that `text` begins with ends, flags included.
fn end_of_literal(text: &[u8]) -> Option<usize> {
    let start = match text {
        [b'/', ..] => 1,
        [b'm', _, ..] => 2,
        [b'q', b'r', _, ..] => 3,
        _ => return None,
    };
    let close = match text[start - 1] {
        b'{' => b'}',
        b'(' => b')',
        b'<' => b'>',
        b'[' => b']',
        same => same,
    };
    let mut at = start;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            byte if byte == close => {
                let flags = text[at + 1..].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
                return Some(at + 1 + flags);
            }
            _ => at += 1,
        }
    }
    None
}

fn literal(text: &[u8]) -> Result<Literal, String> {
    let Delimited { source, flags } = Delimited::parse(text).map_err(|error| error.to_string())?;
    Ok(Literal { source: source.to_vec(), flags })
}

/// `function('text', "text", 1.5)`
fn eval(text: &[u8]) -> Result<Test, String> {
    let text = String::from_utf8_lossy(text);
    let (function, rest) = text.split_once('(').unwrap_or((&text, ")"));
    let function = function.trim().to_owned();
    if function.is_empty() || !function.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("no function behind eval:".into());
    }
    let mut rest = rest.trim_end().strip_suffix(')').ok_or("an open parenthesis")?.trim();
    let mut arguments = Vec::new();
    while !rest.is_empty() {
        let argument;
        match rest.chars().next() {
            Some(quote @ ('\'' | '"')) => {
                let (text, behind) = rest[1..].split_once(quote).ok_or("an open quote")?;
                argument = Argument::quoted(text);
                rest = behind.trim_start();
            }
            _ => {
                let (word, _) = rest.split_once(',').unwrap_or((rest, ""));
                rest = &rest[word.len()..];
                let word = word.trim();
                argument = word.parse().map_or_else(|_| Argument::Text(word.to_owned()), Argument::Number);
            }
        }
        arguments.push(argument);
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    Ok(Test::Eval { function, arguments })
}

/// Sets the flags named; a second line adds to the first.
fn tflags(flags: &mut Tflags, text: &str) -> Result<(), String> {
    for word in text.split_whitespace() {
        match word.split_once('=') {
            Some(("maxhits", value)) => flags.max_hits = value.parse().ok(),
            Some(("range", value)) => {
                let (first, last) = value.split_once('-').unwrap_or((value, value));
                let end = |text: &str, open| if text.is_empty() { Some(open) } else { text.parse().ok() };
                flags.range = end(first, 0).zip(end(last, usize::MAX));
            }
            _ => match word {
                "multiple" => flags.multiple = true,
                "nosubject" => flags.no_subject = true,
                "nice" => flags.nice = true,
                "net" => flags.net = true,
                "learn" => flags.learn = true,
                "concat" => flags.concat = true,
                // about learning, reporting and publishing: nothing that a scan does
                _ => {}
            },
        }
    }
    Ok(())
}

fn tag(tags: &mut HashMap<Vec<u8>, Vec<u8>>, text: &[u8]) -> Result<(), String> {
    let (name, rest) = word(text);
    match rest.is_empty() {
        true => Err(format!("tag `{name}` without a string")),
        false => {
            tags.insert(name.into_bytes(), rest.to_vec());
            Ok(())
        }
    }
}

fn checked_name(name: &str) -> Result<&str, String> {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let fits =
        name.len() <= MAX_NAME && first && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match fits {
        true => Ok(name),
        false => Err(format!("`{}` is no name of a rule", name.chars().take(MAX_NAME).collect::<String>())),
    }
}

/// The first word and what stands behind it.
fn word(text: &[u8]) -> (String, &[u8]) {
    let length = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    (lossy(&text[..length]), text[length..].trim_ascii())
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
