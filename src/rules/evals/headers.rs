//! About the headers of the message.

use super::{Function, count, mime::has_two_cases, number, text, truth};
use crate::rules::{Subject, headers::Lookup, language::Argument};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("check_equal_from_domains", check_equal_from_domains),
    ("check_for_matching_env_and_hdr_from", check_for_matching_env_and_hdr_from),
    ("check_for_missing_to_header", check_for_missing_to_header),
    ("check_for_to_in_subject", check_for_to_in_subject),
    ("check_header_count_range", check_header_count_range),
    ("check_illegal_chars", check_illegal_chars),
    ("check_ratware_envelope_from", check_ratware_envelope_from),
    ("check_ratware_name_id", check_ratware_name_id),
    ("check_unresolved_template", check_unresolved_template),
    ("similar_recipients", similar_recipients),
    ("sorted_recipients", sorted_recipients),
    ("subject_is_all_caps", subject_is_all_caps),
];

/// What a header rule would see; empty where it is not there.
pub fn get(subject: &Subject<'_, '_>, lookup: &str) -> Vec<u8> {
    let mut value = Vec::new();
    if let Ok(lookup) = Lookup::parse(lookup) {
        subject.values.look_up(&lookup, &mut value);
    }
    value
}

/// The first address of a header.
pub fn first_address(subject: &Subject<'_, '_>, header: &str) -> Vec<u8> {
    let value = get(subject, &format!("{header}:addr"));
    value.split(|&byte| byte == b'\n').next().unwrap_or_default().to_vec()
}

/// Sender of the envelope and author are the same, also where both are not known.
fn check_for_matching_env_and_hdr_from(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(first_address(subject, "EnvelopeFrom").eq_ignore_ascii_case(&first_address(subject, "From")))
}

/// Sender of the envelope and author have different domains, by their last two labels.
fn check_equal_from_domains(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let domain = |header| {
        let address = first_address(subject, header);
        let host = address.rsplit(|&byte| byte == b'@').next().filter(|host| host.len() < address.len());
        let mut labels = host.unwrap_or_default().rsplitn(3, |&byte| byte == b'.');
        let (last, next) = (labels.next().unwrap_or_default(), labels.next());
        let domain = next.map_or(last.to_vec(), |next| [next, b".", last].concat());
        domain.to_ascii_lowercase()
    };
    let (author, envelope) = (domain("From"), domain("EnvelopeFrom"));
    truth(!author.is_empty() && !envelope.is_empty() && author != envelope)
}

/// Neither To nor Apparently-To says anything.
fn check_for_missing_to_header(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(get(subject, "To").is_empty() && get(subject, "Apparently-To").is_empty())
}

/// Whether there are so many different headers of a name: name, least, most.
fn check_header_count_range(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(name), Some(least), Some(most)) =
        (text(arguments, 0), number(arguments, 1), number(arguments, 2))
    else {
        return 0;
    };
    let arena = subject.message.arena();
    let mut values: Vec<&str> = subject.message.headers(name).map(|header| header.value(arena)).collect();
    values.sort_unstable();
    values.dedup();
    truth(values.len() as f64 >= least && values.len() as f64 <= most)
}

/// A subject of several words and ten characters without a small letter, reply marks left out.
fn subject_is_all_caps(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    const MARKS: [&str; 10] = ["re", "fwd", "fw", "aw", "antwort", "wg", "sv", "vb", "vs", "vl"];
    let value = get(subject, "Subject");
    let value = String::from_utf8_lossy(&value);
    let mut title = value.trim_matches(is_blank);
    while let Some((mark, rest)) = title.split_once(':') {
        if !MARKS.iter().any(|known| mark.eq_ignore_ascii_case(known)) {
            break;
        }
        title = rest.trim_start_matches(is_blank);
    }
    let mut letters = title.bytes().filter(u8::is_ascii_alphabetic).peekable();
    truth(
        title.contains(is_blank)
            && title.len() >= 10
            && letters.peek().is_some()
            && letters.all(|byte| byte.is_ascii_uppercase())
            && !has_letters_without_case(&get(subject, "Subject:raw")),
    )
}

fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t'..='\r')
}

/// Whether an encoded word names a charset whose letters would pass for capitals.
fn has_letters_without_case(raw: &[u8]) -> bool {
    let raw = String::from_utf8_lossy(raw);
    raw.match_indices("=?").any(|(at, mark)| {
        let rest = &raw[at + mark.len()..];
        let name = rest.split('?').next().unwrap_or_default();
        name.len() < rest.len() && !has_two_cases(name)
    })
}

/// `<ABC...28 capitals.user@host>` as message id, and the same address as author.
fn check_ratware_name_id(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    const CAPITALS: usize = 28;
    let id = String::from_utf8_lossy(&get(subject, "MESSAGEID")).into_owned();
    let from = String::from_utf8_lossy(&get(subject, "From")).into_owned();
    let address = id.match_indices('<').find_map(|(at, _)| {
        let rest = &id[at + 1..];
        let capitals = rest.bytes().take_while(u8::is_ascii_uppercase).count();
        let rest = rest.get(capitals..)?.strip_prefix('.').filter(|_| capitals == CAPITALS)?;
        rest.split_once('>').map(|(address, _)| address).filter(|address| !address.is_empty())
    });
    let Some(address) = address else { return 0 };
    // `"name" <address>`
    let named = from.match_indices(&format!("<{address}>")).any(|(at, _)| {
        let front = from[..at].trim_end_matches(is_blank).strip_suffix('"');
        front
            .and_then(|front| front.rfind('"').map(|quote| front.len() - quote))
            .is_some_and(|length| length > 1)
    });
    truth(named)
}

/// A sender like `host.user@...`, made of the recipient `user@host`.
fn check_ratware_envelope_from(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let to = String::from_utf8_lossy(&first_address(subject, "To")).to_ascii_lowercase();
    let from = String::from_utf8_lossy(&first_address(subject, "EnvelopeFrom")).to_ascii_lowercase();
    let rewritten = matches!(from.as_bytes(), [b's', b'r', b's', b'0'..=b'9', b'=' | b'+' | b'-', ..]);
    let Some((user, host)) = to.split_once('@').filter(|(user, _)| !user.is_empty() && !rewritten) else {
        return 0;
    };
    let boundaries = &subject.rules.settings.links.boundaries;
    let domain = boundaries.registrable(host);
    if !boundaries.has_tld(domain) {
        return 0;
    }
    let behind = |at: usize| {
        let mut rest = from[at + domain.len()..].chars();
        rest.next().is_some() && rest.as_str().strip_prefix(user).is_some_and(|rest| rest.starts_with('@'))
    };
    let starts = |at: usize| !from[..at].ends_with(|char: char| char.is_ascii_alphanumeric() || char == '_');
    truth(from.match_indices(domain).any(|(at, _)| starts(at) && behind(at)))
}

/// Control characters and bytes above ASCII in a header that is no UTF-8: header, share, number.
fn check_illegal_chars(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(name), Some(share), Some(least)) =
        (text(arguments, 0), number(arguments, 1), number(arguments, 2))
    else {
        return 0;
    };
    let raw = get(subject, &format!("{}:raw", name.trim_end_matches(":raw")));
    if raw.trim_ascii().is_empty() {
        return 0;
    }
    let control = |byte: u8| (byte < b' ') & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
    let controls = count(&raw, control);
    if controls == 0 && !raw.is_ascii() && std::str::from_utf8(&raw).is_ok() {
        return 0;
    }
    let mut illegal = controls + count(&raw, |byte| byte >= 0x7f);
    // a lone pound, registered or cent sign in a subject is forgiven
    if name.eq_ignore_ascii_case("subject") && count(&raw, |byte| matches!(byte, 0xa2 | 0xa3 | 0xae)) == 1 {
        illegal -= 1;
    }
    truth(illegal as f64 / raw.len() as f64 >= share && illegal as f64 >= least)
}

/// `%NAME` of a mailing program that was not filled in.
fn check_unresolved_template(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    const EXEMPT: [&str; 13] = [
        "x-vms-to",
        "x-uidl",
        "x-face",
        "to",
        "cc",
        "from",
        "subject",
        "references",
        "in-reply-to",
        "message-id",
        "resent-message-id",
        "x-message-id",
        "x-original-message-id",
    ];
    let arena = subject.message.arena();
    let found = subject.values.physical().any(|header| {
        let is_exempt = || EXEMPT.iter().any(|name| header.is(name));
        has_template(header.value(arena).as_bytes()) && !is_exempt()
    });
    truth(found)
}

fn has_template(value: &[u8]) -> bool {
    memchr::memchr_iter(b'%', value)
        .any(|at| matches!(value.get(at + 1..at + 3), Some([b'A'..=b'Z', b'A'..=b'Z' | b'_' | b'-'])))
}

/// The part before the `@` of the recipient's address as a salutation in the subject.
fn check_for_to_in_subject(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let to = first_address(subject, "To");
    let user = to.split(|&byte| byte == b'@').next().unwrap_or_default();
    let title = subject.rendered.subject;
    if user.is_empty() {
        return 0;
    }
    if text(arguments, 0) == Some("address") {
        let (to, title) = (to.to_ascii_lowercase(), title.to_ascii_lowercase());
        return truth(memchr::memmem::find(title.as_bytes(), &to).is_some());
    }
    let title = title.as_bytes();
    let sign = |byte: &u8| matches!(byte, b',' | b':' | b';' | b'!' | b'?' | b'-');
    let whole = |text: &[u8]| text.eq_ignore_ascii_case(user);
    // `user`, `re: user`, `re: hello user`
    let unmarked = match title.get(..3) {
        Some(mark) if mark.eq_ignore_ascii_case(b"re:") || mark.eq_ignore_ascii_case(b"fw:") => {
            title[3..].trim_ascii_start()
        }
        _ => title,
    };
    let behind_word =
        unmarked.iter().position(u8::is_ascii_whitespace).map(|at| unmarked[at..].trim_ascii_start());
    let marked = unmarked.len() < title.len() && (whole(unmarked) || behind_word.is_some_and(whole));
    // `user, ...` in the same letters
    let named = title.strip_prefix(user).is_some_and(|rest| {
        let rest = rest.trim_ascii_start();
        rest.first().is_some_and(sign) && rest.get(1).is_none_or(u8::is_ascii_whitespace)
    });
    // `, user!`
    let last = title.strip_prefix(b",").is_some_and(|rest| {
        rest.split_last().is_some_and(|(end, rest)| sign(end) && whole(rest.trim_ascii_start()))
    });
    truth(whole(title) || marked || named || last)
}

/// Recipients that are looked at, and how many are needed for an opinion.
const RECIPIENTS: usize = 256;
const SIMILAR: usize = 5;
const SORTED: usize = 7;
/// Characters of a recipient that are compared.
const START: usize = 2;

fn recipients<'s>(subject: &'s Subject<'_, '_>) -> &'s [Vec<u8>] {
    subject.facts.named.get_or_init(|| look_for_recipients(subject))
}

fn look_for_recipients(subject: &Subject<'_, '_>) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    let mut count = 0;
    for lookup in ["ToCc:addr", "Bcc:addr"] {
        for address in get(subject, lookup).split(|&byte| byte == b'\n').filter(|address| !address.is_empty())
        {
            count += 1;
            let repeated = all.last().is_some_and(|last| last.eq_ignore_ascii_case(address));
            if !repeated && all.len() < RECIPIENTS {
                all.push(address.to_vec());
            }
        }
        if count >= SIMILAR {
            break;
        }
    }
    all
}

/// Share of pairs of recipients that begin alike: least, most (excluded) or `undef`.
fn similar_recipients(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let all = recipients(subject);
    let mut share = 0.0;
    if all.len() >= SIMILAR {
        fn start(text: &[u8]) -> &[u8] {
            text.get(..START).unwrap_or(text)
        }
        let host = |address: &Vec<u8>| memchr::memchr(b'@', address).map_or(0..0, |at| at + 1..address.len());
        let hosts: Vec<&[u8]> =
            all.iter().map(|address| address.get(host(address)).unwrap_or_default()).collect();
        let (mut hits, mut pairs) = (0u32, 0u32);
        for i in 0..all.len() {
            for j in i + 1..all.len() {
                hits += truth(start(&all[i]) == start(&all[j]));
                hits += truth(start(hosts[i]) == start(hosts[j]) && hosts[i] != hosts[j]);
                pairs += 1;
            }
        }
        share = f64::from(hits) / f64::from(pairs);
    }
    let least = number(arguments, 0).is_none_or(|least| share >= least);
    truth(least && number(arguments, 1).is_none_or(|most| share < most))
}

/// Recipients in alphabetical order.
fn sorted_recipients(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let all = recipients(subject);
    truth(all.len() >= SORTED && all.is_sorted())
}
