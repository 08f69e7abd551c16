//! One Received line: which host handed the message to which.

use std::borrow::Cow;

use memchr::memmem;

use super::{
    Relay, auth,
    formats::{self, Family, Format, Meaning},
    ip,
    shape::{Field, word_ends},
};

/// What a line turns out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Relay(Box<Relay>),
    /// No handover between hosts.
    Skip,
    /// The same; qmail-scanner tells who sent the message in the line below.
    Scanner(Option<String>),
    /// A program fetched the message out of a mailbox.
    Fetched,
    Unknown,
}

/// What is known so far.
#[derive(Default)]
struct Draft {
    ip: String,
    rdns: String,
    helo: String,
    by: String,
    ident: String,
    id: String,
    envelope_from: Option<String>,
    auth: String,
    looked_up: bool,
}

/// Reads the value of one Received line. `steps` is what the search for its format may cost.
pub fn parse(value: &str, steps: &mut u32) -> Line {
    let line = single_spaced(value);
    let starts = |word: &str| line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if !starts("from ") && !starts("(from ") || auth::has_word(&line, "with local for") || is_bare(&line) {
        return Line::Skip;
    }
    let line = without_date(&line);
    let line = if line.contains(")by ") { line.replacen(")by ", ") by ", 1).into() } else { Cow::from(line) };
    let mut draft = Draft {
        id: id(&line).unwrap_or_default().to_owned(),
        helo: greeting(&line).unwrap_or_default().to_owned(),
        by: by(&line).unwrap_or_default().to_owned(),
        auth: auth::method(&line, steps).unwrap_or_default(),
        ..Draft::default()
    };
    if let Some(rest) = line.strip_prefix("from ") {
        draft.envelope_from = envelope_from(rest).map(str::to_owned);
        if let Some(line) = draft.from(rest, steps) {
            return line;
        }
    } else if let Some(rest) = line.strip_prefix("FROM ") {
        if let Some(line) = draft.simta(rest) {
            return line;
        }
    } else if let Some(rest) = line.strip_prefix("(from ")
        && let Some(line) = draft.parenthesis(rest)
    {
        return line;
    }
    if draft.ip.is_empty() {
        draft.ip = bracketed(&line).unwrap_or_default().to_owned();
    }
    match draft.ip.is_empty() || draft.by.is_empty() {
        true => Line::Unknown,
        false => draft.finish(),
    }
}

impl Draft {
    /// The line behind `from `.
    fn from(&mut self, text: &str, steps: &mut u32) -> Option<Line> {
        if let Some((ip, by)) = squirrel_mail(text) {
            (self.ip, self.by) = (ip.to_owned(), by.to_owned());
            return Some(self.finish());
        }
        if let found @ Some(_) = self.one_of(&formats::WEB_MAIL, text, steps) {
            return found;
        }
        let fits = |family: &&Family| {
            let marked = family.mark.find(text.as_bytes()).is_some();
            marked && (family.mark.needle() != formats::EXCHANGE || is_exchange(text))
        };
        if let Some(family) = formats::FAMILIES.iter().find(fits) {
            if let found @ Some(_) = self.one_of(&family.formats, text, steps) {
                return found;
            }
            if family.mark.needle() == formats::EXIM {
                self.odd_exim(text);
                if !self.ip.is_empty() && text.contains("by ") {
                    return Some(self.finish());
                }
            }
        }
        if auth::has_word(text, "with HTTP")
            && let Some(end) = ip::end(text.as_bytes(), 0)
            && let Some(rest) = text[end..].strip_prefix(" ([")
            && let Some(end_of_second) = ip::end(rest.as_bytes(), 0)
            && let Some(by) = rest[end_of_second..].strip_prefix("]) by ").and_then(|by| by.split(' ').next())
        {
            (self.ip, self.by) = (text[..end].to_owned(), by.to_owned());
            return Some(self.finish());
        }
        if !is_qmail_ldap(text)
            && let found @ Some(_) = self.one_of(&formats::SENDMAIL, text, steps)
        {
            return found;
        }
        if let found @ Some(_) = self.one_of(&formats::OTHERS, text, steps) {
            return found;
        }
        if text.contains("with POP3") || text.contains("with IMAP") {
            return Some(Line::Fetched);
        }
        if let found @ Some(_) = self.one_of(&formats::REST, text, steps) {
            return found;
        }
        if let found @ Some(_) = self.one_of(&formats::NO_RELAY, text, steps) {
            return found;
        }
        if text.contains(") with qmail-scanner")
            && let Some((_, rest)) = text.split_once(" by ")
            && let Some((_, rest)) = rest.split_once(" (")
            && rest.contains(") with qmail-scanner")
        {
            return Some(Line::Scanner(self.envelope_from.take().map(|from| without_brackets(&from))));
        }
        if let found @ Some(_) = self.one_of(&formats::NO_ADDRESS, text, steps) {
            return found;
        }
        if self.helo.is_empty() {
            self.helo = text.split(' ').next().unwrap_or_default().to_owned();
        }
        None
    }

    fn one_of(&mut self, formats: &[Format], text: &str, steps: &mut u32) -> Option<Line> {
        formats.iter().find_map(|format| self.format(format, text, steps))
    }

    fn format(&mut self, format: &Format, text: &str, steps: &mut u32) -> Option<Line> {
        if format.mark.as_ref().is_some_and(|mark| mark.find(text.as_bytes()).is_none()) {
            return None;
        }
        let found = format.shape.matches(text, steps)?;
        let get = |field| found.get(field, text).map(str::to_owned);
        for (field, value) in [
            (Field::Ip, &mut self.ip),
            (Field::Rdns, &mut self.rdns),
            (Field::Helo, &mut self.helo),
            (Field::By, &mut self.by),
            (Field::Ident, &mut self.ident),
        ] {
            if let Some(found) = get(field) {
                *value = found;
            }
        }
        if let Some(notes) = found.get(Field::Notes, text) {
            self.notes(notes);
        }
        match format.meaning {
            Meaning::Skip => return Some(Line::Skip),
            Meaning::Relay => {}
            Meaning::Resolved => self.looked_up = true,
            Meaning::WithIdent => {
                self.looked_up = true;
                // `IDENT:user@host`, and a host may bring a user of its own
                for _ in 0..if self.rdns.starts_with("IDENT:") { 2 } else { 1 } {
                    let rdns = self.rdns.strip_prefix("IDENT:").unwrap_or(&self.rdns);
                    if let Some((ident, rdns)) = rdns.split_once('@') {
                        (self.ident, self.rdns) = (ident.to_owned(), rdns.to_owned());
                    }
                }
            }
            Meaning::NoId => self.id.clear(),
            Meaning::XMail => {
                if let Some(id) = bracketed_word(text, " id <") {
                    self.id = id.to_owned();
                }
                if let Some(from) = bracketed_word(text, " from <") {
                    self.envelope_from = Some(from.to_owned());
                }
            }
            Meaning::Qmail if found.get(Field::By, text).is_none() => {
                // it is one of qmail's lines; now what it says
                if let found @ Some(_) = self.one_of(&formats::QMAIL, text, steps) {
                    return found;
                }
                self.looked_up = true;
            }
            Meaning::Qmail => self.looked_up = self.rdns != "unknown",
        }
        Some(self.finish())
    }

    /// `helo=` and `ident=` of Exim and its kin.
    fn notes(&mut self, notes: &str) {
        let mut rest = notes.to_owned();
        if let Some(at) = notes.find("helo=") {
            let helo = notes[at + 5..].split(' ').next().unwrap_or_default();
            if !helo.is_empty() {
                self.helo = helo.to_owned();
                rest.replace_range(at..at + 5 + helo.len(), "");
            }
        }
        if let Some((_, ident)) = rest.split_once("ident=") {
            self.ident = ident.split(' ').next().unwrap_or_default().to_owned();
        }
    }

    /// What can be guessed of a line that only looks like Exim's.
    fn odd_exim(&mut self, text: &str) {
        if let Some((first, _)) = text.split_once(' ').filter(|(first, _)| !first.is_empty()) {
            self.rdns = first.to_owned();
        }
        let words = || text.split(' ').skip(1);
        let enclosed = |open: char, close: char| {
            words().filter_map(move |word| word.strip_prefix(open)?.strip_suffix(close))
        };
        let behind = |word: &&str| text.contains(&format!("{word}) ")) || text.contains(&format!("{word}] "));
        if let Some(helo) = enclosed('(', ')').filter(|word| !word.is_empty()).find(behind) {
            self.helo = helo.to_owned();
        }
        let address = enclosed('[', ']').filter(behind).find_map(|word| {
            let end = ip::end(word.as_bytes(), 0)?;
            let port = word[end..].strip_prefix('.').unwrap_or(&word[end..]);
            port.bytes().all(|byte| byte.is_ascii_digit()).then(|| &word[..end])
        });
        if let Some(address) = address {
            self.ip = address.to_owned();
        }
        if let Some((by, _)) = text.split_once("by ").and_then(|(_, rest)| rest.split_once(' ')) {
            self.by = by.to_owned();
        }
    }

    /// `FROM helo (rdns [ip]) BY by ID id`
    fn simta(&mut self, text: &str) -> Option<Line> {
        let mut steps = 1000;
        let shape = super::shape::Shape::new("%h (%r [%i]) BY %b %{(%p) WITH SMTP %}ID ");
        let found = shape.matches(text, &mut steps)?;
        let get = |field| found.get(field, text).unwrap_or_default().to_owned();
        (self.helo, self.rdns, self.ip, self.by) =
            (get(Field::Helo), get(Field::Rdns), get(Field::Ip), get(Field::By));
        let (_, id) = text.split_once("ID ")?;
        let id = id.split(' ').next()?;
        self.id = id.trim_start_matches('<').trim_end_matches('>').to_owned();
        self.looked_up = true;
        if self.rdns == "unverified" {
            self.rdns.clear();
        }
        Some(self.finish())
    }

    /// `(from ...`: the line behind it.
    fn parenthesis(&mut self, text: &str) -> Option<Line> {
        let mut steps = 10_000;
        let norton = super::shape::Shape::new("%H [%i]) by %b (NAVGW %~) with ");
        if let Some(found) = norton.matches(text, &mut steps) {
            let get = |field| found.get(field, text).unwrap_or_default().to_owned();
            (self.helo, self.ip, self.by) = (get(Field::Helo), get(Field::Ip), get(Field::By));
            return Some(self.finish());
        }
        let (user, rest) = text.split_once(") by ")?;
        let host = user.split_once('@').map(|(_, host)| host)?;
        let local = host == "localhost" && !user.contains(' ') && rest.contains(' ');
        let queued = rest.split(' ').next().is_some_and(|by| by.ends_with("(jqueuemail)"));
        (local || queued).then_some(Line::Skip)
    }

    /// Cleans the values up.
    fn finish(&mut self) -> Line {
        let Draft { ip, rdns, helo, by, ident, id, envelope_from, auth, looked_up } = std::mem::take(self);
        let rdns = rdns.trim_end_matches('.');
        let rdns = if rdns.eq_ignore_ascii_case("unknown") || rdns.starts_with('[') { "" } else { rdns };
        let ip = plain(ip::plain(&ip));
        Line::Relay(Box::new(Relay {
            private: ip::is_private(&ip),
            no_rdns: rdns.is_empty() && looked_up,
            rdns: plain(rdns),
            helo: plain(&helo),
            by: plain(by.strip_suffix(';').unwrap_or(&by)),
            ident: plain(&ident),
            envelope_from: envelope_from.map(|from| without_brackets(&from)),
            ip,
            id,
            auth,
            internal: false,
            msa: false,
        }))
    }
}

/// White space as single spaces, without any at the ends or a `;` at the last.
fn single_spaced(value: &str) -> String {
    let mut line = String::with_capacity(value.len());
    for word in value.split([' ', '\t', '\n', '\r', '\x0b', '\x0c']).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    while line.ends_with(';') {
        line.pop();
        if line.ends_with(' ') {
            line.pop();
        }
    }
    line
}

/// `from host by host;` and no more.
fn is_bare(line: &str) -> bool {
    let mut words = line.split(' ').skip(1);
    let (Some(host), Some(by), Some(receiver)) = (words.next(), words.next(), words.next()) else {
        return false;
    };
    let is_address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|ip| !ip.is_empty() && ip.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
    let ends = match receiver.split_once(';') {
        Some((name, _)) => !name.is_empty(),
        None => words.next().is_some_and(|next| next.starts_with(';')),
    };
    line.is_char_boundary(5)
        && line[..5].eq_ignore_ascii_case("from ")
        && by.eq_ignore_ascii_case("by")
        && ends
        && !is_address
}

/// Without `; Tue, 23 May 2006 13:06:35 -0400` at the end. A comment behind the zone keeps the date.
fn without_date(line: &str) -> &str {
    date_at(line).map_or(line, |at| &line[..at])
}

fn date_at(line: &str) -> Option<usize> {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut words = line.rsplitn(6, ' ');
    let (_zone, time, year, month, day) =
        (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    let before = words.next();
    let parts = time.split(':').count();
    if !(2..=3).contains(&parts) || !time.split(':').all(digits) || !digits(year) || !MONTHS.contains(&month)
    {
        return None;
    }
    let number = day.trim_start_matches(|char: char| !char.is_ascii_digit());
    if !digits(number) {
        return None;
    }
    let separator = |text: &str| text.trim_end_matches([' ', ';']).len();
    // where the day begins; `;` or a space stands before it
    let start = before.map_or(0, |before| before.len() + 1) + day.len() - number.len();
    let head = line.get(..start)?;
    if separator(head) == head.len() {
        return None;
    }
    if let Some(named) = head.strip_suffix(", ")
        && let Some(name) = named.get(named.len().checked_sub(3)?..)
        && DAYS.contains(&name)
    {
        let head = &named[..named.len() - 3];
        if separator(head) < head.len() {
            return Some(separator(head));
        }
    }
    Some(separator(head))
}

/// ` id <X`, of three characters at least.
fn id(line: &str) -> Option<&str> {
    memmem::find_iter(line.as_bytes(), b" id ").find_map(|at| {
        let rest = line.get(at + 4..)?;
        let rest = rest.strip_prefix('<').unwrap_or(rest);
        let id = rest.get(..rest.find([' ', '<', '>', ';']).unwrap_or(rest.len()))?;
        (id.len() >= 3).then_some(id)
    })
}

/// `helo=X`, else `HELO X` or `EHLO X`.
fn greeting(line: &str) -> Option<&str> {
    let is_helo = |char: char| char.is_ascii_alphanumeric() || r"-.^+_&:=?!@%*$\/".contains(char);
    // to ask for a place takes much longer than to ask whether there is one
    let behind = |mark: &'static str| {
        let text = if line.contains(mark) { line.as_bytes() } else { b"" };
        memmem::find_iter(text, mark)
            .filter(|at| word_ends(line.as_bytes(), *at))
            .filter_map(move |at| {
                let rest = line.get(at + mark.len()..)?;
                let helo = rest.get(..rest.find(|char| !is_helo(char)).unwrap_or(rest.len()))?;
                (!helo.is_empty()).then_some((at, helo))
            })
            .next()
    };
    let greeted = || behind("HELO ").into_iter().chain(behind("EHLO ")).min().map(|(_, helo)| helo);
    behind("helo=").map(|(_, helo)| helo).or_else(greeted)
}

fn by(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(" by ")?;
    rest.split(' ').next().filter(|by| !by.is_empty())
}

/// The sender of the envelope, as far as the last letter.
fn envelope_from(line: &str) -> Option<&str> {
    const MARKS: [&str; 6] = [
        "return-path: ",
        "return-path ",
        "envelope-sender ",
        "envelope-sender=",
        "envelope-from ",
        "envelope-from=",
    ];
    memchr::memchr_iter(b'-', line.as_bytes()).find_map(|dash| {
        MARKS.iter().find_map(|mark| {
            let start = dash.checked_sub(mark.find('-')?)?;
            let found = line.get(start..start + mark.len())?;
            if !found.eq_ignore_ascii_case(mark) {
                return None;
            }
            let from = start + mark.len();
            let word = line.get(from..)?.split(' ').next()?;
            let end = (1..=word.len()).rev().find(|end| word_ends(line.as_bytes(), from + end))?;
            word.get(..end)
        })
    })
}

/// An address in brackets, anywhere.
fn bracketed(line: &str) -> Option<&str> {
    memchr::memchr_iter(b'[', line.as_bytes()).find_map(|at| {
        let end = ip::end(line.as_bytes(), at + 1)?;
        line.get(end..)?.starts_with(']').then(|| line.get(at + 1..end)).flatten()
    })
}

/// The word behind `mark` that a `>` ends.
fn bracketed_word<'l>(line: &'l str, mark: &str) -> Option<&'l str> {
    let (_, rest) = line.split_once(mark)?;
    let word = rest.split(' ').next()?;
    word.get(..word.rfind('>')?).filter(|word| !word.is_empty())
}

/// Client and receiving host of SquirrelMail: of several addresses, the last proxy's is too far from `by`.
fn squirrel_mail(text: &str) -> Option<(&str, &str)> {
    const BETWEEN: std::ops::RangeInclusive<usize> = 10..=80;
    if !text.contains("Mail authenticated user ")
        || !["Squirrel", "NaS"].iter().any(|name| text.contains(&format!(" ({name}Mail authenticated user ")))
    {
        return None;
    }
    let hosts: Vec<(usize, &str)> = memmem::find_iter(text.as_bytes(), b"by ")
        .filter_map(|at| {
            let (host, rest) = text.get(at + 3..)?.split_once(' ')?;
            rest.starts_with("with HTTP").then_some((at, host))
        })
        .collect();
    (0..text.len()).find_map(|at| {
        let end = ip::end(text.as_bytes(), at)?;
        let reaches =
            |(by, _): &&(usize, &str)| by.checked_sub(end).is_some_and(|far| BETWEEN.contains(&far));
        let (_, host) = hosts.iter().rfind(reaches)?;
        (!text[end..].starts_with(['.', '-'])).then_some((&text[at..end], *host))
    })
}

/// Whether it is Exchange, by a version of four numbers behind the product.
fn is_exchange(text: &str) -> bool {
    ["Microsoft SMTP Server ", "mapi id "].iter().any(|product| {
        memmem::find_iter(text.as_bytes(), product.as_bytes()).any(|at| {
            let Some(rest) = text.get(at + product.len()..) else { return false };
            let rest =
                rest.strip_prefix('(').and_then(|note| note.split_once(") ")).map_or(rest, |(_, rest)| rest);
            let version = rest.split(' ').next().unwrap_or_default();
            let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            text[..at].ends_with(" with ")
                && version.split('.').count() == 4
                && version.split('.').all(is_number)
        })
    })
}

fn is_qmail_ldap(text: &str) -> bool {
    text.contains("(qmail-")
        && memmem::find_iter(text.as_bytes(), b" by ").any(|at| {
            let rest = text.get(at + 4..).unwrap_or_default();
            let note = rest.split_once(' ').and_then(|(_, rest)| rest.strip_prefix("(qmail-"));
            note.and_then(|note| note.split(' ').next().map(|word| (note, word)))
                .is_some_and(|(note, word)| word.ends_with(')') && note[word.len()..].starts_with(" with "))
        })
}

/// What would break the notation of relays becomes `!`.
fn plain(text: &str) -> String {
    text.replace(
        |char: char| matches!(char, ' ' | '\t'..='\r' | '\0' | '#' | '[' | ']' | '(' | ')' | '<' | '>' | '|'),
        "!",
    )
}

fn without_brackets(from: &str) -> String {
    plain(from.trim().trim_start_matches('<').trim_end().trim_end_matches('>'))
}
