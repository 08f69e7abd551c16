//! About the dates of the message.

use super::{Function, get, number, truth};
use crate::rules::{Subject, language::Argument};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("check_for_shifted_date", check_for_shifted_date),
    ("check_outlook_message_id", check_outlook_message_id),
    ("received_within_months", received_within_months),
];

/// Date minus the date of the Received line that is nearest to it, in seconds.
fn shift(subject: &Subject<'_, '_>) -> i64 {
    *subject.facts.shift.get_or_init(|| look_for_shift(subject))
}

fn look_for_shift(subject: &Subject<'_, '_>) -> i64 {
    let Some(date) = date_header(subject) else { return 0 };
    let mut shifts: Vec<i64> = received(subject).into_iter().map(|received| date - received).collect();
    // the host of the author, with the same clock
    if shifts.len() > 1 && shifts.last() == Some(&0) {
        shifts.pop();
    }
    shifts.into_iter().min_by_key(|shift| shift.abs()).unwrap_or_default()
}

/// Date is from so many hours (least, most or `undef`) later than the message arrived.
fn check_for_shifted_date(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let shift = shift(subject) as f64;
    let least = number(arguments, 0).is_none_or(|least| shift >= 3600.0 * least);
    truth(least && number(arguments, 1).is_none_or(|most| shift < 3600.0 * most))
}

/// The message arrived that many months (least, most or `undef`) before now, by the median of what it says.
fn received_within_months(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    const MONTH: f64 = 31_556_952.0 / 12.0;
    let date = date_header(subject);
    let received = received(subject).first().copied();
    let mut dates: Vec<i64> = date.into_iter().chain(received).collect();
    if let (Some(date), Some(_)) = (date, received) {
        dates.push(date - shift(subject));
    }
    dates.sort_unstable_by(|a, b| b.cmp(a));
    let arrived = dates.get(dates.len().saturating_sub(1) / 2).copied().unwrap_or_default();
    #[allow(clippy::disallowed_methods, reason = "the time of day is meant")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let age = now.map_or(0.0, |now| now.as_secs_f64()) - arrived as f64;
    let least = number(arguments, 0).is_none_or(|least| age >= least * MONTH);
    truth(least && number(arguments, 1).is_none_or(|most| age < most * MONTH))
}

/// A message id as Outlook makes it, whose clock is neither that of Date nor that of Received.
fn check_outlook_message_id(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    const FUDGE: i64 = 250;
    let ids = get(subject, "MESSAGEID");
    let Some(ticks) = outlook_ticks(&ids) else { return 0 };
    let differs = |date: i64| {
        // 100 nanoseconds since 1601, its upper bits
        let expected = (date as f64 * 0.002_328_306_436_538_7 + 27_111_902.832_984_9) as i64;
        (ticks - expected).abs() >= FUDGE
    };
    let date = |header| parse(&String::from_utf8_lossy(&get(subject, header))).unwrap_or_default();
    truth(differs(date("Date")) && differs(date("Received")))
}

/// The clock in `<000101c2a1b2$0a00000a$...`
fn outlook_ticks(id: &[u8]) -> Option<i64> {
    let id = id.strip_prefix(b"<")?;
    let is_hex = |text: &[u8]| text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let [numbers @ .., b'@'] = id.get(..31)? else { return None };
    let parts: Vec<&[u8]> = numbers.split(|&byte| byte == b'$').collect();
    let [first, second, third] = parts.as_slice() else { return None };
    let fits =
        first.len() == 12 && second.len() == 8 && third.len() == 8 && parts.iter().all(|part| is_hex(part));
    let ticks = std::str::from_utf8(first.get(4..)?).ok()?;
    fits.then(|| i64::from_str_radix(ticks, 16).ok()).flatten()
}

/// The time of Resent-Date, else of Date: of the first that is one.
fn date_header(subject: &Subject<'_, '_>) -> Option<i64> {
    let message = subject.message;
    let dates = message.headers("resent-date").chain(message.headers("date"));
    dates.map(|header| header.value(message.arena())).find_map(parse)
}

/// The times of the Received lines, newest first, without those of fetchmail and its delivery.
fn received(subject: &Subject<'_, '_>) -> Vec<i64> {
    let message = subject.message;
    let lines: Vec<&str> = message
        .headers("received")
        .map(|header| header.value(message.arena()))
        .filter(|line| !line.trim().is_empty())
        .collect();
    let local = lines.first().is_some_and(|line| is_local(line));
    let fetched = lines.get(usize::from(local)).is_some_and(|line| is_fetchmails(line));
    let skipped = if fetched { 1 + usize::from(local) } else { 0 };
    lines.iter().skip(skipped).filter_map(|line| parse(stamp(line)?)).collect()
}

/// Delivery on the host itself.
fn is_local(line: &str) -> bool {
    let from = line.match_indices("from ").any(|(at, _)| {
        let behind = &line[at + 5..];
        let is_start = !line[..at].ends_with(|char: char| char.is_ascii_alphanumeric() || char == '_');
        let mut words = behind.split(' ');
        let first = words.next().unwrap_or_default();
        let near = words.take(2).any(|word| {
            word.split(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '.' | '_')))
                .any(|part| part.ends_with("127.0.0.1") || part.starts_with("127.0.0.1"))
        });
        is_start && ((first == "localhost" && behind.len() > first.len()) || (!first.is_empty() && near))
    });
    let qmail = line.match_indices("qmail ").any(|(at, _)| {
        let behind = line[at + 6..].trim_start_matches(|char: char| char.is_ascii_digit());
        behind.len() < line.len() - at - 6
            && behind
                .strip_prefix(" invoked by uid ")
                .is_some_and(|uid| uid.starts_with(|c: char| c.is_ascii_digit()))
    });
    from || qmail
}

fn is_fetchmails(line: &str) -> bool {
    line.split_once("by localhost with ").is_some_and(|(_, rest)| {
        rest.split_once(" (fetchmail-").is_some_and(|(protocol, _)| !protocol.contains(' '))
    })
}

/// The first text like ` 7 Aug 2006 17:48:07 +0200` in a line, weekday left out.
pub fn stamp(line: &str) -> Option<&str> {
    let bytes = line.as_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| byte.is_ascii_whitespace()).find_map(|(at, _)| {
        let digits = |at: usize| bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        // one more character may stand before the day
        let mut end = match bytes.get(at + 1) {
            Some(byte) if byte.is_ascii_digit() => at + 1,
            Some(_) => at + 2,
            None => return None,
        };
        let number = |before: u8, end: &mut usize| -> Option<()> {
            if before != 0 {
                (bytes.get(*end) == Some(&before)).then_some(())?;
                *end += 1;
            }
            let count = digits((*end).min(bytes.len()));
            *end += count;
            (count > 0).then_some(())
        };
        number(0, &mut end)?;
        let month = bytes.get(end..end + 4)?;
        (month[0] == b' ' && !month[1..].iter().any(u8::is_ascii_whitespace)).then_some(())?;
        end += 4;
        for before in *b"  ::" {
            number(before, &mut end)?;
        }
        (bytes.get(end) == Some(&b' ')).then_some(())?;
        let zone = bytes[end + 1..].iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
        (zone > 0).then(|| line.get(at..end + 1 + zone)).flatten()
    })
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Seconds since 1970 of a date as mail has it, read as SpamAssassin reads it: day, month and year anywhere
/// in the text, then a time, then a zone; wrong numbers are put right.
pub fn parse(date: &str) -> Option<i64> {
    let spaced = date.replace(',', " ");
    let mut words: Vec<&str> = spaced.split_ascii_whitespace().collect();
    let month = |word: &str| MONTHS.iter().position(|month| month.eq_ignore_ascii_case(word));
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let find = |words: &[&str], years: std::ops::RangeInclusive<usize>| {
        words.windows(3).position(|window| {
            digits(window[0])
                && month(window[1]).is_some()
                && digits(window[2])
                && years.contains(&window[2].len())
        })
    };
    // Aug 7 17:48:07 2006
    let unix = |words: &[&str]| {
        words.windows(4).position(|window| {
            month(window[0]).is_some()
                && digits(window[1])
                && window[2].split(':').count() == 3
                && window[2].split(':').all(digits)
                && digits(window[3])
                && window[3].len() == 4
        })
    };
    let (day, name, year) = if let Some(at) = find(&words, 4..=4) {
        let mut found = words.drain(at..at + 3);
        (found.next()?, found.next()?, found.next()?)
    } else if let Some(at) = unix(&words) {
        let found: Vec<&str> = words.drain(at..at + 4).collect();
        (found[1], found[0], found[3])
    } else {
        let at = find(&words, 2..=3)?;
        let mut found = words.drain(at..at + 3);
        (found.next()?, found.next()?, found.next()?)
    };
    let mut month = month(name)? as i64 + 1;
    let mut year = match (year.len(), year.parse::<i64>().ok()?) {
        (2, year) if year < 50 => year + 2000,
        (4, year) => year,
        (_, year) => year + 1900,
    };
    let time = words.iter().position(|word| is_time(word)).map(|at| words.remove(at));
    let mut clock = time.unwrap_or("0:0").split(':').map(|number| number.parse::<i64>().unwrap_or_default());
    let hour = clock.next().unwrap_or_default().min(23);
    let minute = clock.next().unwrap_or_default().min(59);
    let second = clock.next().unwrap_or_default().min(59);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let most = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 31,
    };
    let mut day = day.parse().unwrap_or(i64::MAX);
    if day > most {
        day = 1;
        month += 1;
        if month > 12 {
            (month, year) = (1, year + 1);
        }
    }
    if day == 0 {
        return None;
    }
    let time = days(year.clamp(1970, 2037), month, day) * 86400 + hour * 3600 + minute * 60 + second;
    let offset = zone(&words);
    Some(if offset > 0 { (time - offset).max(0) } else { time - offset })
}

/// `17:48` or `17:48:07`
fn is_time(word: &str) -> bool {
    let parts: Vec<usize> = word.split(':').map(str::len).collect();
    matches!(parts.as_slice(), [1..=2, 2] | [1..=2, 2, 2])
        && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
}

/// Seconds east of Greenwich.
fn zone(words: &[&str]) -> i64 {
    let seconds = |text: &str| {
        let number: i64 = text[1..].parse().unwrap_or_default();
        let seconds = (number / 100 * 60 + number % 100) * 60;
        if text.starts_with('-') { -seconds } else { seconds }
    };
    let is_offset = |word: &&&str| {
        word.len() == 5 && word.starts_with(['+', '-']) && word[1..].bytes().all(|byte| byte.is_ascii_digit())
    };
    if let Some(offset) = words.iter().find(is_offset) {
        return seconds(offset);
    }
    let name = words
        .iter()
        .flat_map(|word| word.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_')))
        .find(|name| (2..=4).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_uppercase()));
    let known = name.and_then(|name| ZONES.iter().find(|(known, _)| *known == name));
    known.map_or(0, |(_, offset)| seconds(offset))
}

/// Zones that have names in mail.
#[rustfmt::skip]
const ZONES: [(&str, &str); 49] = [
    ("UT", "+0000"), ("UTC", "+0000"), ("NDT", "-0230"), ("AST", "-0400"), ("ADT", "-0300"), ("NST", "-0330"),
    ("EST", "-0500"), ("EDT", "-0400"), ("CST", "-0600"), ("CDT", "-0500"), ("MST", "-0700"), ("MDT", "-0600"),
    ("PST", "-0800"), ("PDT", "-0700"), ("HST", "-1000"), ("AKST", "-0900"), ("AKDT", "-0800"),
    ("HADT", "-0900"), ("HAST", "-1000"), ("GMT", "+0000"), ("BST", "+0100"), ("IST", "+0100"),
    ("WET", "+0000"), ("WEST", "+0100"), ("CET", "+0100"), ("CEST", "+0200"), ("EET", "+0200"),
    ("EEST", "+0300"), ("MSK", "+0300"), ("MSD", "+0400"), ("MET", "+0100"), ("MEZ", "+0100"),
    ("MEST", "+0200"), ("MESZ", "+0200"), ("BRST", "-0200"), ("BRT", "-0300"), ("AEST", "+1000"),
    ("AEDT", "+1100"), ("ACST", "+0930"), ("ACDT", "+1030"), ("AWST", "+0800"), ("NZST", "+1200"),
    ("NZDT", "+1300"), ("JST", "+0900"), ("KST", "+0900"), ("HKT", "+0800"), ("SGT", "+0800"),
    ("PHT", "+0800"), ("IDT", "+0300"),
];

/// Days from 1970-01-01 to a day of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let since_march = (153 * month + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + since_march - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_mail() {
        let new_year = 1_704_067_200;
        for (text, seconds) in [
            ("Mon, 01 Jan 2024 00:00:00 +0000", new_year),
            ("1 Jan 24 01:00 CET", new_year),
            ("Mon Jan  1 00:00:00 2024", new_year),
            ("Sun, 31 Dec 2023 18:30:00 -0530 (x)", new_year),
            ("Mon,1 Jan 2024 00:00:99 GMT", new_year + 59),
            ("29 Feb 2000 00:00:00", 951_782_400),
            // no such day, no such hour
            ("31 Feb 2024 25:00:00 +0000", new_year + (31 + 29) * 86400 + 23 * 3600),
            ("1 Jan 1960 00:00:00 +0000", 0),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
        assert_eq!((parse(""), parse("soon"), parse("0 Jan 2024")), (None, None, None));
    }

    #[test]
    fn the_stamp_of_a_line() {
        let line = "by x with SMTP id 5 a; Tue,  5 Nov 2024 10:00:00 +0100 (CET)";
        assert_eq!(stamp(line), Some("  5 Nov 2024 10:00:00 +0100"));
        assert_eq!(stamp("by x; Tue, 5 Nov 2024 10:00 +0100"), None);
        assert_eq!(stamp(""), None);
    }
}
