//! Whether a line says that its client had logged in.

use std::sync::LazyLock;

use memchr::memmem;

use super::{
    ip,
    shape::{Field, Shape},
};

/// How the client authenticated itself, if it did.
pub fn method(line: &str, steps: &mut u32) -> Option<String> {
    let has_by = line.contains(" by ");
    protocol(line, has_by)
        .or_else(|| google(line))
        .or_else(|| courier(line, steps))
        .or_else(|| sendmail(line))
        .or_else(|| gmx(line, steps))
        .or_else(|| critical_path(line))
        .or_else(|| postfix(line, steps))
        .or_else(|| communigate(line))
        .or_else(|| line.contains(" with Microsoft Exchange Server HTTP-DAV").then(|| "HTTP-DAV".into()))
        .or_else(|| web_mail(line, has_by))
}

/// The protocols that only logged-in clients speak (RFC 3848, RFC 6531, and those of web mail).
fn protocol(line: &str, has_by: bool) -> Option<String> {
    const PROTOCOLS: [&str; 12] = [
        "ESMTPA",
        "ESMTPSA",
        "LMTPA",
        "LMTPSA",
        "UTF8SMTPA",
        "UTF8SMTPSA",
        "UTF8LMTPA",
        "UTF8LMTPSA",
        "ASMTP",
        "HTTP",
        "HTTPS",
        "HTTPU",
    ];
    if !has_by {
        return None;
    }
    let bytes = line.as_bytes();
    memchr::memchr_iter(b' ', bytes).find_map(|at| {
        bytes.get(at..at + 6)?.eq_ignore_ascii_case(b" with ").then_some(())?;
        let rest = line.get(at + 6..)?;
        let word = rest.get(..rest.find([' ', ';']).unwrap_or(rest.len()))?;
        PROTOCOLS.iter().any(|known| known.eq_ignore_ascii_case(word)).then(|| word.to_owned())
    })
}

/// Google's servers write ESMTPS all the same; their ids tell.
fn google(line: &str) -> Option<String> {
    let (_, rest) = split(line, " by mx.google.com with ESMTPS id ")?;
    let id = rest.split(' ').next()?;
    let (first, rest) = id.split_at(id.find("sm")?);
    let mut fields = rest.get(2..)?.split('.');
    let fits = (1..=4).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let host = fields.next()?;
    let letters = host.trim_start_matches(|char: char| char.is_ascii_digit());
    let digits = host.len() - letters.len();
    let numbers: Vec<usize> = fields
        .take_while(|field| !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit()))
        .map(str::len)
        .collect();
    let fits = fits
        && (2..=9).contains(&digits)
        && letters.len() == 3
        && matches!(numbers.as_slice(), [1..=3, 4, 2, 2, 2, 2, last] if *last >= 2);
    let (_, session) = line.split_once("(version=")?;
    let (version, rest) = session.split_once(" cipher=")?;
    let (cipher, _) = rest.split_once(')')?;
    (fits && !version.contains(' ')).then(|| format!("GMail - transport={version} cipher={cipher}"))
}

fn courier(line: &str, steps: &mut u32) -> Option<String> {
    static BEHIND: LazyLock<[Shape; 2]> =
        LazyLock::new(|| [Shape::new("%w) by "), Shape::new("%w, %~) by ")]);
    let (before, rest) = split(line, " (AUTH: ")?;
    let (method, behind) = rest.split_once(' ')?;
    let known = matches!(method, "LOGIN" | "PLAIN" | "DIGEST-MD5" | "CRAM-MD5");
    let closed = before.ends_with("])") || before.ends_with(")]");
    let fits = known && closed && BEHIND.iter().any(|shape| shape.matches(behind, steps).is_some());
    fits.then(|| method.to_owned())
}

/// `(... authenticated ...)` behind the client's address.
fn sendmail(line: &str) -> Option<String> {
    line.contains("authenticated").then_some(())?;
    line.strip_prefix("from ")?;
    let closers = memchr::memchr_iter(b']', line.as_bytes()).filter_map(|at| {
        let behind = line.get(at + 1..)?;
        if let Some(rest) = behind.strip_prefix(") ") {
            return Some(rest);
        }
        if let Some(rest) = behind.strip_prefix(" (").and_then(|note| note.split_once(')')) {
            return rest.1.strip_prefix(") ");
        }
        line.get(..at)?.ends_with(')').then(|| behind.strip_prefix(' ')).flatten()
    });
    let behind = |text: &str| -> Option<()> {
        let (_, text) = text.split_once('(')?;
        let (_, text) = text.split_once("authenticated")?;
        let (_, text) = text.split_once(')')?;
        text.contains(" by").then_some(())
    };
    // the first closing is enough: what is behind a later one is behind it, too
    closers.take(1).find_map(behind).map(|()| "Sendmail".into())
}

fn gmx(line: &str, steps: &mut u32) -> Option<String> {
    static SHAPE: LazyLock<Shape> = LazyLock::new(|| Shape::new("from %W (%E %H) [%i] by %b (%p) with %s"));
    if !line.contains(" by mail.gmx.") {
        return None;
    }
    let found = SHAPE.matches(line, steps)?;
    let by = found.get(Field::By, line).filter(|by| matches!(*by, "mail.gmx.net" | "mail.gmx.com"))?;
    let (_, with) = line.rsplit_once(") with ")?;
    let protocol = ["ESMTP", "SMTP"].into_iter().find(|protocol| with.starts_with(protocol))?;
    Some(format!("GMX ({protocol} / {by})"))
}

/// `(7.2.072.1) (authenticated as x) id`
fn critical_path(line: &str) -> Option<String> {
    let (before, behind) = split(line, " (authenticated as ")?;
    let (by, version) = before.rsplit_once(" (")?;
    let version: Vec<usize> = version
        .strip_suffix(')')?
        .split('.')
        .map(|number| if number.bytes().all(|byte| byte.is_ascii_digit()) { number.len() } else { 0 })
        .collect();
    let fits = matches!(version.as_slice(), [1..=2, 1, 3] | [1..=2, 1, 3, 1..=3]);
    (fits && by.contains(") by ") && behind.contains(") id ")).then(|| "CriticalPath".into())
}

/// With `smtpd_sasl_authenticated_header`; what stands for Postfix can be another name.
fn postfix(line: &str, steps: &mut u32) -> Option<String> {
    static SHAPE: LazyLock<Shape> =
        LazyLock::new(|| Shape::new("%~) (Authenticated sender: %w) by %w (%S) with "));
    if !line.contains("(Authenticated sender: ") {
        return None;
    }
    let name = SHAPE.matches(line, steps)?.get(Field::Notes, line)?;
    Some(if name == "Postfix" { name.into() } else { format!("Postfix ({name})") })
}

fn communigate(line: &str) -> Option<String> {
    let (_, product) = split(line, "CommuniGate Pro ")?;
    let known = ["HTTP", "SMTP", "XIMSS", "IMAP"].iter().any(|name| product.starts_with(name));
    (known && line.contains(" (account ")).then(|| "Communigate".into())
}

/// `(via HTTP)`, `(via HTTPS)`
fn web_mail(line: &str, has_by: bool) -> Option<String> {
    if !has_by || !line.contains(" (") {
        return None;
    }
    let bytes = line.as_bytes();
    memmem::find_iter(bytes, b" (").find_map(|at| {
        let rest = line.get(at + 2..)?;
        let tag = rest.get(..8).filter(|tag| tag.eq_ignore_ascii_case("via HTTP"))?;
        let close = rest.find(')').filter(|close| *close <= tag.len() + 1)?;
        let ends = matches!(rest.as_bytes().get(close + 1), None | Some(b' ' | b';'));
        ends.then(|| rest.get(4..close).map(str::to_owned)).flatten()
    })
}

/// What stands before and behind `mark`. Most lines have none, and to ask for its place takes much longer than to ask
/// whether there is one.
fn split<'l>(line: &'l str, mark: &str) -> Option<(&'l str, &'l str)> {
    line.contains(mark).then(|| line.split_once(mark))?
}

/// Whether `text` holds `word` where no letter or digit touches it.
pub fn has_word(text: &str, word: &str) -> bool {
    text.contains(word)
        && memmem::find_iter(text.as_bytes(), word).any(|at| {
            let bytes = text.as_bytes();
            let touches =
                |at: Option<usize>| at.and_then(|at| bytes.get(at)).copied().is_some_and(ip::is_word);
            !touches(at.checked_sub(1)) && !touches(Some(at + word.len()))
        })
}
