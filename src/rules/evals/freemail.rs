//! Addresses that anybody can have: in the headers, in the body, and different ones in both.

use std::{ops::Range, sync::LazyLock};

use rustc_hash::FxHashSet;

use super::{Function, matches, text, truth};
use crate::{
    render::{Boundaries, Origin},
    rules::{
        Subject,
        language::Argument,
        matching::Decider,
        regex::{Flags, translate},
    },
};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("check_freemail_body", check_freemail_body),
    ("check_freemail_from", check_freemail_from),
    ("check_freemail_header", check_freemail_header),
    ("check_freemail_replyto", check_freemail_replyto),
];

/// Addresses taken from links and from all of the body.
const MAX_LINKED: usize = 20;
const MAX_ADDRESSES: usize = 40;
/// Bytes of an address before the `@`.
const MAX_USER: usize = 64;
/// Labels of a domain before its last, and the bytes of one.
const MAX_LABELS: usize = 4;
const MAX_LABEL: usize = 61;

/// The free mail addresses of the body.
#[derive(Debug, Default)]
pub struct BodyAddresses<'m> {
    /// Lower case, no duplicates; `None` where there are so many addresses that they say nothing.
    free: Option<Vec<String>>,
    /// The body units without what was not to be looked at, if something was: SpamAssassin takes it out
    /// of the text that later rules see.
    pub body: Option<Vec<&'m [u8]>>,
}

impl<'m> Subject<'_, 'm> {
    /// Whether anybody can have this address (lower case).
    fn is_free(&self, address: &str) -> bool {
        let settings = &self.rules.settings;
        let free = &settings.freemail;
        let imported = |on: bool, list: &str| on && settings.lists.has_address(list, address);
        !address.is_empty()
            && free.has_domain(address)
            && !free.is_welcome(address)
            && !is_role(address)
            && !imported(free.import_auth, "welcomelist_auth")
            && !imported(free.import_default_auth, "def_welcomelist_auth")
    }

    fn lower_addresses(&self, header: &str) -> Vec<String> {
        let mut found = self.addresses(&format!("{header}:addr"));
        found.iter_mut().for_each(|address| address.make_ascii_lowercase());
        found
    }

    fn free_in_body(&self) -> Option<&[String]> {
        self.facts.free_mail.get_or_init(|| self.look_for_free_mail()).free.as_deref()
    }

    fn look_for_free_mail(&self) -> BodyAddresses<'m> {
        let boundaries = &self.rules.settings.links.boundaries;
        let mut found = Found::default();
        // links of anchors, which the text doesn't show
        let shown =
            |raw: &str| self.rendered.uris.iter().any(|uri| uri.origin == Origin::Text && uri.raw == raw);
        for uri in self.rendered.uris.iter().filter(|uri| uri.element == "a") {
            let Some(address) = uri.raw.get(7..).filter(|_| starts_with(uri.raw.as_bytes(), b"mailto:"))
            else {
                continue;
            };
            if let Some(end) = end_of_address(address.as_bytes(), 0, boundaries)
                && !shown(uri.raw)
            {
                found.add(address.as_bytes().get(..end).unwrap_or_default());
            }
            if found.addresses.len() >= MAX_LINKED {
                break;
            }
        }
        let mut body: Option<Vec<&'m [u8]>> = None;
        'body: for (index, &unit) in self.rendered.body.iter().enumerate() {
            if memchr::memchr2(b'@', b'%', unit).is_none() {
                continue;
            }
            let mut unit = unit;
            if let Some(stripped) = stripped(unit, boundaries) {
                unit = self.message.arena().alloc_slice_copy(&stripped);
                let body = body.get_or_insert_with(|| self.rendered.body.clone());
                if let Some(place) = body.get_mut(index) {
                    *place = unit;
                }
            }
            let mut at = 0;
            while let Some(range) = next_address(unit, at, boundaries, |_| true) {
                at = range.end;
                found.add(unit.get(range).unwrap_or_default());
                if found.addresses.len() >= MAX_ADDRESSES {
                    break 'body;
                }
            }
        }
        BodyAddresses { free: self.counted(found.addresses), body }
    }

    /// The free ones, unless there are too many of them or of all.
    fn counted(&self, addresses: Vec<String>) -> Option<Vec<String>> {
        let settings = &self.rules.settings.freemail;
        let mut free = Vec::new();
        for (count, address) in (1..).zip(addresses) {
            if settings.skip_over_most && count == settings.most_addresses {
                return None;
            }
            if self.is_free(&address) {
                free.push(address);
                if settings.skip_over_most && free.len() == settings.most_free {
                    return None;
                }
            }
        }
        Some(free)
    }

    fn free_matching(&self, addresses: &[String], pattern: Option<&str>) -> u32 {
        let pattern = match pattern.map(|text| self.pattern(text)) {
            Some(None) => return 0,
            pattern => pattern.flatten(),
        };
        let fits = |address: &String| pattern.is_none_or(|pattern| matches(pattern, address.as_bytes()));
        truth(addresses.iter().any(|address| self.is_free(address) && fits(address)))
    }
}

/// Addresses in the order they were found.
#[derive(Default)]
struct Found {
    addresses: Vec<String>,
    seen: FxHashSet<String>,
}

impl Found {
    fn add(&mut self, address: &[u8]) {
        let address = String::from_utf8_lossy(address).to_ascii_lowercase();
        if self.seen.insert(address.clone()) {
            self.addresses.push(address);
        }
    }
}

/// A free mail address in the body; one that matches the pattern, if there is one.
fn check_freemail_body(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    if subject.rules.settings.freemail.is_empty() {
        return 0;
    }
    let Some(free) = subject.free_in_body() else { return 0 };
    let pattern = text(arguments, 0).map(|text| subject.pattern(text));
    truth(match pattern {
        None => !free.is_empty(),
        Some(pattern) => {
            pattern.is_some_and(|pattern| free.iter().any(|address| matches(pattern, address.as_bytes())))
        }
    })
}

/// A sender has a free mail address; one that matches the pattern, if there is one.
fn check_freemail_from(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    subject.free_matching(subject.senders(), text(arguments, 0))
}

/// A header has a free mail address: name, pattern.
fn check_freemail_header(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(header) = text(arguments, 0) else { return 0 };
    subject.free_matching(&subject.lower_addresses(header), text(arguments, 1))
}

/// Replies go to another free mail address than that of the author or those in the body. `reply` looks at
/// the author where there is no Reply-To, `replyto` does not.
fn check_freemail_replyto(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let settings = &subject.rules.settings.freemail;
    let wanted = text(arguments, 0).unwrap_or("replyto");
    if settings.is_empty()
        || !matches!(wanted, "reply" | "replyto")
        || settings.skip_bulk && is_bulk(&subject.get("EnvelopeFrom"))
    {
        return 0;
    }
    let author = subject.lower_addresses("From");
    let reply_to = subject.lower_addresses("Reply-To");
    let any_free = |addresses: &[String]| addresses.iter().any(|address| subject.is_free(address));
    let (author_free, reply_to_free) = (any_free(&author), any_free(&reply_to));
    if author_free && reply_to_free && !author.iter().any(|address| reply_to.contains(address)) {
        return 1;
    }
    let looks = match wanted {
        "replyto" => reply_to_free,
        _ => author_free && (reply_to.is_empty() || reply_to_free),
    };
    if !looks {
        return 0;
    }
    let Some(free) = subject.free_in_body() else { return 0 };
    let replies = if wanted == "replyto" || reply_to_free { &reply_to } else { &author };
    truth(free.iter().any(|address| replies.iter().any(|reply| reply != address)))
}

/// Whether an envelope sender looks like that of bulk mail, whose replies go elsewhere anyway.
fn is_bulk(sender: &[u8]) -> bool {
    static BULK: LazyLock<Option<Decider>> = LazyLock::new(|| {
        let text = concat!(
            r"(?:^(?:postmaster|hostmaster|domainmaster|double-bounce",
            r"|(?:sentto|owner|return|bounced?|grbounced?)-.+)",
            r"|-(?:request|bounce|bounces|admin|owner)",
            r"|\b(?:do[._-t]?)?no[._-t]?repl(?:y|ies)",
            r"|.+=.+)@"
        );
        let flags = Flags { caseless: true, ..Flags::default() };
        Decider::new(translate(text.as_bytes(), flags).ok()?).ok()
    });
    // one that begins with `double-bounce` or a role ends there
    BULK.as_ref().is_some_and(|bulk| matches(bulk, sender.strip_suffix(b"\n").unwrap_or(sender)))
}

/// Whether an address (lower case) belongs to a role or to a machine of the provider.
fn is_role(address: &str) -> bool {
    const ROLES: [&str; 10] = [
        "abuse",
        "support",
        "sales",
        "info",
        "helpdesk",
        "contact",
        "kontakt",
        "postmaster",
        "hostmaster",
        "domainmaster",
    ];
    let Some((user, _)) = address.split_once('@') else { return false };
    let hex = |text: &str, len: usize| text.len() == len && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_number = || {
        let (first, rest) = user.split_at_checked(8).unwrap_or((user, ""));
        let lengths = [4, 4, 4, 12];
        let mut groups = rest.strip_prefix('-').unwrap_or_default().split('-');
        hex(first, 8)
            && (rest.strip_prefix('.').is_some_and(|rest| hex(rest, 8))
                || lengths.iter().all(|&len| groups.next().is_some_and(|group| hex(group, len)))
                    && groups.next().is_none())
    };
    // `a=b=c`
    let is_forwarded = || {
        let inner = user.get(1..).and_then(|rest| rest.split_once('=')).map(|(_, rest)| rest);
        inner.is_some_and(|rest| {
            rest.get(1..).is_some_and(|rest| rest.split_once('=').is_some_and(|(_, c)| !c.is_empty()))
        })
    };
    ROLES.contains(&user)
        || user.starts_with("undisclosed")
        || matches!(user, "bounce-" | "bounced-")
        || user.strip_prefix("request-").is_some_and(|rest| hex(rest, 16))
        || user.is_char_boundary(1) && is_forwarded()
        || is_number()
}

fn starts_with(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start))
}

/// What an address may consist of before its `@`, dots apart.
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte)
}

/// White space as Perl has it.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

/// Where an address that begins at `start` ends.
fn end_of_address(text: &[u8], start: usize, boundaries: &Boundaries) -> Option<usize> {
    let at = start + memchr::memchr(b'@', text.get(start..)?)?;
    starts(text, start, at).any(|found| found == start).then(|| end_of_domain(text, at, boundaries))?
}

/// Where an address whose `@` stands at `at` may begin, from `from` on, in order.
fn starts(text: &[u8], from: usize, at: usize) -> impl Iterator<Item = usize> {
    let least = from.max(at.saturating_sub(MAX_USER));
    let byte = |index: usize| text.get(index).copied().unwrap_or_default();
    let mut start = at;
    while start > least {
        let before = byte(start - 1);
        let joins = is_atom(before) || before == b'.' && start < at && byte(start) != b'.';
        if !joins {
            break;
        }
        start -= 1;
    }
    (start..at).filter(move |&index| is_atom(byte(index)) && (index == 0 || !is_atom(byte(index - 1))))
}

/// The end of the domain behind the `@` at `at`, if it is one: no more labels than usual, and the last of
/// them is a top-level domain.
fn end_of_domain(text: &[u8], at: usize, boundaries: &Boundaries) -> Option<usize> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric();
    let mut start = at + 1;
    for count in 0.. {
        let rest = text.get(start..)?;
        let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let label = rest.get(..length)?;
        let goes_on = rest.get(length) == Some(&b'.') && rest.get(length + 1).is_some_and(is_letter);
        if !goes_on {
            let label = std::str::from_utf8(label).ok()?.to_ascii_lowercase();
            return (count > 0 && boundaries.is_tld(&label)).then_some(start + length);
        }
        let is_label = length <= MAX_LABEL
            && label.first().is_some_and(is_letter)
            && label.last().is_some_and(is_letter);
        if !is_label || count == MAX_LABELS {
            return None;
        }
        start += length + 1;
    }
    None
}

/// The next address that begins at `from` or behind it, where `accept` takes its beginning.
fn next_address(
    text: &[u8],
    from: usize,
    boundaries: &Boundaries,
    accept: impl Fn(usize) -> bool,
) -> Option<Range<usize>> {
    memchr::memchr_iter(b'@', text.get(from..)?).find_map(|at| {
        let at = from + at;
        let start = starts(text, from, at).find(|&start| accept(start))?;
        Some(start..end_of_domain(text, at, boundaries)?)
    })
}

/// A unit with a blank for each web link that holds an address, and for each address that is quoted:
/// in angle brackets, or before `wrote:` and the like. `None` if there is nothing of the kind.
fn stripped(unit: &[u8], boundaries: &Boundaries) -> Option<Vec<u8>> {
    let without_links = replaced(unit, next_link);
    let text = without_links.as_deref().unwrap_or(unit);
    let without_quotes = replaced(text, |text, from| next_quoted(text, from, boundaries));
    without_quotes.or(without_links)
}

/// `text` with a blank for everything that `next` finds.
fn replaced(text: &[u8], next: impl Fn(&[u8], usize) -> Option<Range<usize>>) -> Option<Vec<u8>> {
    let mut out = None::<Vec<u8>>;
    let mut done = 0;
    while let Some(found) = next(text, done) {
        let out = out.get_or_insert_default();
        out.extend_from_slice(text.get(done..found.start).unwrap_or_default());
        out.push(b' ');
        done = found.end;
    }
    let mut out = out?;
    out.extend_from_slice(text.get(done..).unwrap_or_default());
    Some(out)
}

/// The next `http://..@..`.
fn next_link(text: &[u8], from: usize) -> Option<Range<usize>> {
    const REACH: usize = 255;
    memchr::memmem::find_iter(text.get(from..)?, b"://").find_map(|at| {
        let at = from + at;
        let scheme = |name: &[u8]| {
            let start = at.checked_sub(name.len()).filter(|&start| start >= from)?;
            starts_with(text.get(start..)?, name).then_some(start)
        };
        let start = scheme(b"https").or_else(|| scheme(b"http"))?;
        let behind = at + 3;
        let word = text.get(behind..)?;
        let length = word.iter().position(|&byte| is_blank(byte)).unwrap_or(word.len());
        let word = word.get(..length)?;
        let sign = (0..word.len().min(REACH + 1)).rev().find_map(|index| {
            let rest = word.get(index..)?;
            match rest {
                [b'@', ..] => Some(index + 1),
                [b'%', b'4', b'0', ..] => Some(index + 3),
                _ => None,
            }
        })?;
        let bracket = start > from && text.get(start - 1) == Some(&b'<');
        Some(start - usize::from(bracket)..behind + (sign + REACH).min(length))
    })
}

/// The next `address>` or `address wrote:`.
fn next_quoted(text: &[u8], from: usize, boundaries: &Boundaries) -> Option<Range<usize>> {
    let is_link = |start: usize| {
        start
            .checked_sub(7)
            .is_some_and(|before| starts_with(text.get(before..).unwrap_or_default(), b"mailto:"))
    };
    let mut at = from;
    loop {
        let sign = at + memchr::memchr(b'@', text.get(at..)?)?;
        at = sign + 1;
        let Some(start) = starts(text, from, sign).find(|&start| !is_link(start)) else { continue };
        let Some(end) = end_of_domain(text, sign, boundaries) else { continue };
        let Some(end) = end_of_quote(text, end) else { continue };
        let bracket = start > from && text.get(start - 1) == Some(&b'<');
        return Some(start - usize::from(bracket)..end);
    }
}

/// Behind the `>` or the ` wrote:` that an address ends before.
fn end_of_quote(text: &[u8], end: usize) -> Option<usize> {
    const CONTACTS: [&[u8]; 6] = [b"fax", b"facsi", b"tel", b"phone", b"mail", b"email"];
    let rest = text.get(end..)?;
    if rest.first() == Some(&b'>') {
        return Some(end + 1);
    }
    let blanks = rest.iter().position(|&byte| !is_blank(byte))?;
    let word = rest.get(blanks..)?;
    let length = word.iter().position(|byte| !byte.is_ascii_alphabetic())?;
    let is_quote = (1..=10).contains(&blanks)
        && (2..=11).contains(&length)
        && word.get(length) == Some(&b':')
        && !CONTACTS.iter().any(|contact| starts_with(word, contact));
    is_quote.then_some(end + blanks + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<&str> {
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some(range) = next_address(text.as_bytes(), at, &Boundaries::default(), |_| true) {
            at = range.end;
            found.push(&text[range]);
        }
        found
    }

    fn stripped_text(text: &str) -> Option<String> {
        stripped(text.as_bytes(), &Boundaries::default()).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn addresses_are_found_in_text() {
        assert_eq!(addresses("a.b@x.com, c@y.co.uk."), ["a.b@x.com", "c@y.co.uk"]);
        assert_eq!(addresses("a..b@x.com .c@x.com (d@x.com)"), ["b@x.com", "c@x.com", "d@x.com"]);
        assert_eq!(addresses("a@x a@x.nosuchtld a@-x.com a@x-.com @x.com a@x..com"), [""; 0]);
        assert_eq!(addresses("a@1.2.3.4.com a@0.1.2.3.4.com"), ["a@1.2.3.4.com"]);
        assert_eq!(addresses(&format!("{}@x.com", "a".repeat(65))), [""; 0]);
        let long = format!("{}.b@x.com", "a".repeat(64));
        assert_eq!(addresses(&long), ["b@x.com"]);
    }

    #[test]
    fn quoted_addresses_and_links_with_one_are_taken_out() {
        assert_eq!(stripped_text("see <http://x.com/a@b.com?y> now").as_deref(), Some("see   now"));
        assert_eq!(stripped_text("http://x.com/a%40b z").as_deref(), Some("  z"));
        assert_eq!(stripped_text("A <a@x.com> wrote").as_deref(), Some("A   wrote"));
        assert_eq!(stripped_text("a@x.com wrote: hi").as_deref(), Some("  hi"));
        assert_eq!(stripped_text("a@x.com Fax: 1, b@x.com phone: 2"), None);
        assert_eq!(stripped_text("mailto:a@x.com> and http://x.com/"), None);
        assert_eq!(stripped_text("mailto:a.b@x.com>").as_deref(), Some("mailto:a. "));
    }

    #[test]
    fn roles_are_nobody() {
        for address in ["info@x.com", "undisclosed-recipients@x.com", "a=b=c@x.com", "bounce-@x.com"] {
            assert!(is_role(address), "{address}");
        }
        assert!(is_role("0123abcd-0123-0123-0123-0123456789ab@x.com") && is_role("0123abcd.0123abcd@x.com"));
        assert!(!is_role("information@x.com") && !is_role("a=b@x.com") && !is_role("bounce-1@x.com"));
    }

    #[test]
    fn bulk_senders_are_known_by_their_names() {
        for sender in ["owner-list@x.com", "list-bounces@x.com", "do_no_reply@x.com", "a=b@x.com"] {
            assert!(is_bulk(sender.as_bytes()), "{sender}");
        }
        assert!(!is_bulk(b"anne@x.com") && !is_bulk(b"my-postmaster@x.com") && !is_bulk(b"no-reply@x.com"));
    }
}
