//! Addresses as they stand in Received lines.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where the address that starts at `at` ends: IPv4 as a word of its own, or IPv6, perhaps behind `IPv6:`
/// and with its last 32 bits in dots.
pub fn end(text: &[u8], at: usize) -> Option<usize> {
    let before = at.checked_sub(1).and_then(|before| text.get(before)).copied().unwrap_or(b' ');
    let rest = text.get(at..)?;
    if !is_word(before)
        && before != b':'
        && let Some(length) = dotted(rest)
        && !rest.get(length).copied().is_some_and(is_word)
    {
        return Some(at + length);
    }
    let tagged = rest.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case(b"IPv6:"));
    if tagged && let Some(length) = colons(&rest[5..]) {
        return Some(at + 5 + length);
    }
    match is_hex(before) {
        true => None,
        false => Some(at + colons(rest)?),
    }
}

/// The first address in `text`.
pub fn find(text: &[u8]) -> Option<&[u8]> {
    (0..text.len()).find_map(|at| text.get(at..end(text, at)?))
}

/// Whether `text` is an IPv4 address and nothing else.
pub fn is_v4(text: &str) -> bool {
    dotted(text.as_bytes()) == Some(text.len())
}

/// Whether the address belongs to no public network: private use, this host, its link, or carrier NAT.
pub fn is_private(text: &str) -> bool {
    let octets: Vec<&str> = text.splitn(3, '.').collect();
    if let [first, second, _] = octets.as_slice() {
        let within = |from: u8, to: u8| {
            !second.starts_with('0') && second.parse().is_ok_and(|octet: u8| (from..=to).contains(&octet))
        };
        return match *first {
            "10" | "127" => true,
            "169" => within(254, 254),
            "172" => within(16, 31),
            "192" => within(168, 168),
            "100" => within(64, 127),
            _ => false,
        };
    }
    if let [first, _] = octets.as_slice() {
        return matches!(*first, "10" | "127");
    }
    match without_tag(text).parse::<Ipv6Addr>() {
        Ok(ip) => ip.is_loopback() || ip.is_unicast_link_local(),
        Err(_) => false,
    }
}

/// Where the name or address of the local host that starts at `at` ends.
pub fn localhost_end(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let starts = |name: &str| rest.get(..name.len()).is_some_and(|s| s.eq_ignore_ascii_case(name.as_bytes()));
    for name in ["localhost.localdomain", "localhost"] {
        if starts(name) {
            return Some(at + name.len());
        }
    }
    let end = end(text, at)?;
    let ip = std::str::from_utf8(text.get(at..end)?).ok()?;
    let local = match without_tag(ip).parse().ok()? {
        IpAddr::V4(ip) => ip == Ipv4Addr::LOCALHOST,
        IpAddr::V6(ip) => ip.is_loopback() || ip.to_ipv4_mapped() == Some(Ipv4Addr::LOCALHOST),
    };
    local.then_some(end)
}

/// The address without `IPv6:`, brackets, zone and the prefix of mapped IPv4 addresses.
pub fn plain(text: &str) -> &str {
    let text = without_tag(text);
    let text = text.strip_prefix('[').unwrap_or(text);
    let text = text.strip_suffix(']').unwrap_or(text);
    let text = text.split_once('%').map_or(text, |(ip, _)| ip);
    match text.rsplit_once(':') {
        Some((prefix, v4)) if v4.contains('.') && is_mapping(prefix) => v4,
        _ => text,
    }
}

/// Whether it is `::ffff` in one of its spellings.
fn is_mapping(prefix: &str) -> bool {
    let Some(zeros) = prefix.get(..prefix.len().saturating_sub(4)) else { return false };
    prefix[zeros.len()..].eq_ignore_ascii_case("ffff")
        && zeros.matches(':').count() >= 2
        && zeros.ends_with(':')
        && zeros.bytes().all(|byte| matches!(byte, b'0' | b':'))
}

/// The address without `IPv6:`.
pub fn without_tag(text: &str) -> &str {
    match text.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => &text[5..],
        _ => text,
    }
}

/// The length of four octets without leading zeros. More digits may follow.
fn dotted(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for octet in 0..4 {
        let digits = text.get(at..)?.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        let number = text.get(at..at + digits)?;
        let value = number.iter().fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        if digits == 0 || digits > 3 || value > 255 || (digits > 1 && number[0] == b'0') {
            return None;
        }
        at += digits;
        if octet < 3 {
            if text.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
    }
    Some(at)
}

/// The length of an IPv6 address that no further digit or colon follows.
fn colons(text: &[u8]) -> Option<usize> {
    let run = text.iter().take(50).take_while(|byte| is_hex(**byte)).count();
    let digits = text.get(..run)?;
    let colon = memchr::memrchr(b':', digits)?;
    if text.get(run) == Some(&b'.')
        && let Some(length) = dotted(&text[colon + 1..])
        && !text.get(colon + 1 + length).copied().is_some_and(is_hex)
        && groups(&digits[..=colon], 6)
    {
        return Some(colon + 1 + length);
    }
    groups(digits, 8).then_some(run)
}

/// Whether the text is that many groups of one to four hexadecimal digits, or fewer around one `::`.
/// Where six are wanted, a colon follows the last.
fn groups(text: &[u8], wanted: usize) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let text =
        if wanted == 6 && !text.ends_with("::") { text.strip_suffix(':').unwrap_or(text) } else { text };
    let count = |part: &str| match part {
        "" => Some(0),
        part => {
            let fits = part.split(':').all(|group| matches!(group.len(), 1..=4));
            fits.then(|| part.split(':').count())
        }
    };
    match text.split_once("::") {
        Some((front, back)) => {
            count(front).zip(count(back)).is_some_and(|(front, back)| front + back < wanted)
        }
        None => count(text) == Some(wanted),
    }
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || byte == b':'
}

pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
