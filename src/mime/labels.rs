//! Which charset a label means. Perl knows other names than the Encoding Standard; what it does not know is
//! not decoded, and rules see it so.

use encoding_rs::{Encoding, KOI8_R, KOI8_U, MACINTOSH, UTF_8, WINDOWS_1252};

use super::{code_page::CodePage, double_byte::DoubleByte};

/// How the bytes of a charset are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Charset {
    Encoding(&'static Encoding),
    /// As the encoding, with control characters where Windows has letters.
    Iso(&'static Encoding),
    DoubleByte(DoubleByte),
    /// Of these two kinds as the Encoding Standard has them: EUC-JP, and what Microsoft made of Shift_JIS.
    EucJp,
    WindowsJapanese,
    /// ISO-2022-JP.
    Jis,
    /// ISO-2022-KR.
    Korean,
    CodePage(CodePage),
}

/// The charset of a label, if it is known.
pub fn charset(label: &str) -> Option<Charset> {
    let name = label.trim().to_ascii_lowercase();
    // `iso 8859-1`
    let parts = name.split_once(|sign: char| sign.is_ascii_whitespace() || sign == '_');
    let joined = parts.map(|(start, end)| format!("{start}-{}", end.trim_start_matches(['_', ' ', '\t'])));
    named(&name).or_else(|| joined.as_deref().and_then(named))
}

fn named(name: &str) -> Option<Charset> {
    let ends = |ends: &[&str]| ends.iter().any(|end| ends_with_word(name, end));
    Some(match name {
        "utf8" => Charset::Encoding(UTF_8),
        "iso-8859-1" | "iso8859-1" | "windows-1252" | "cp1252" => Charset::Encoding(WINDOWS_1252),
        "iso-2022-jp" | "iso-2022-jp-1" | "7bit-jis" => Charset::Jis,
        "iso-2022-kr" => Charset::Korean,
        "gbk" | "cp936" => Charset::DoubleByte(DoubleByte::Gbk),
        "macintosh" => Charset::Encoding(MACINTOSH),
        _ if name.starts_with("gb18030") || name.starts_with("gb-18030") => {
            Charset::DoubleByte(DoubleByte::Gbk)
        }
        _ if ends(&["utf-8"]) || name.contains("cp65001") => Charset::Encoding(UTF_8),
        _ if ends(&["big5", "big-5", "big5-et", "big5-eten"]) => Charset::DoubleByte(DoubleByte::Big5),
        _ if ends(&["big5-hk", "big5-hkscs", "big5hkscs"]) => Charset::Encoding(encoding_rs::BIG5),
        _ if name.ends_with("uhc") || name.ends_with("windows-949") || ends(&["ks_c_5601-1987"]) => {
            Charset::Encoding(encoding_rs::EUC_KR)
        }
        _ if is_euc(name, "kr") => Charset::DoubleByte(DoubleByte::EucKr),
        _ if ends(&["windows-31j"]) => Charset::WindowsJapanese,
        _ if ends(&["sjis"])
            || name
                .find("shift")
                .is_some_and(|at| name.get(at..).is_some_and(|rest| rest.ends_with("jis"))) =>
        {
            Charset::DoubleByte(DoubleByte::ShiftJis)
        }
        _ if ends(&["ujis"]) || is_euc(name, "jp") => Charset::EucJp,
        _ if ends(&["jis"]) => Charset::Jis,
        _ if is_gb2312(name) || is_euc(name, "cn") => Charset::DoubleByte(DoubleByte::Gb2312),
        _ if let Some(rest) = behind_word(name, "koi8") => match rest.trim_start_matches(['-', '_', ' ']) {
            "r" => Charset::Encoding(KOI8_R),
            "u" => Charset::Encoding(KOI8_U),
            _ => return None,
        },
        _ if behind_word(name, "tis-620").or_else(|| behind_word(name, "tis620")).is_some() => iso("11")?,
        "cyrillic" => iso("5")?,
        "arabic" => iso("6")?,
        "greek" => iso("7")?,
        "hebrew" => iso("8")?,
        "thai" => iso("11")?,
        _ => return by_number(name),
    })
}

/// `cp1251`, `windows-1251`, `ibm866`; `latin2`, `iso8859-2`.
fn by_number(name: &str) -> Option<Charset> {
    /// Parts of ISO-8859 by the number of their Latin alphabet.
    const LATIN: [&str; 11] = ["", "1", "2", "3", "4", "9", "10", "13", "14", "15", "16"];
    let start = name.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let number = name.get(start.len()..).filter(|number| !number.is_empty())?;
    let kind = start.trim_end_matches(['-', '_', ' ']);
    let is = |kinds: &[&str]| kinds.iter().any(|end| ends_with_word(kind, end));
    if is(&["cp", "ibm", "ms", "windows"]) {
        return match number {
            "932" => Some(Charset::WindowsJapanese),
            "936" => Some(Charset::DoubleByte(DoubleByte::Gbk)),
            "949" => Some(Charset::Encoding(encoding_rs::EUC_KR)),
            "950" => Some(Charset::DoubleByte(DoubleByte::Big5)),
            "874" => by_standard("windows-874"),
            _ if number.len() == 4 => by_standard(&format!("windows-{number}")),
            _ => None,
        }
        .or_else(|| by_standard(&format!("ibm{number}")))
        .or_else(|| CodePage::numbered(number).map(Charset::CodePage));
    }
    if is(&["latin"]) {
        return iso(LATIN.get(number.parse::<usize>().ok()?).filter(|part| !part.is_empty())?);
    }
    match is(&["iso8859", "iso-8859", "iso_8859"]) || kind.is_empty() && name.starts_with("8859") {
        true => iso(number),
        false => None,
    }
    .or_else(|| name.strip_prefix("iso8859").filter(|part| !part.starts_with('-')).and_then(iso))
}

/// A part of ISO-8859.
fn iso(part: &str) -> Option<Charset> {
    let encoding = Encoding::for_label(format!("iso-8859-{part}").as_bytes())?;
    Some(Charset::Iso(encoding))
}

fn by_standard(label: &str) -> Option<Charset> {
    Encoding::for_label(label.as_bytes()).map(Charset::Encoding)
}

/// What stands behind `word`, which begins the name or a part of it.
fn behind_word<'n>(name: &'n str, word: &str) -> Option<&'n str> {
    name.match_indices(word).find_map(|(at, _)| is_boundary(name, at).then(|| name.get(at + word.len()..))?)
}

fn ends_with_word(name: &str, word: &str) -> bool {
    name.ends_with(word) && is_boundary(name, name.len() - word.len())
}

/// Whether no letter, digit or `_` stands before `at`.
fn is_boundary(name: &str, at: usize) -> bool {
    let before = name.get(..at).and_then(|before| before.chars().next_back());
    before.is_none_or(|sign| !(sign.is_alphanumeric() || sign == '_'))
}

/// `euc-kr`, `kr-euc`, and with anything between.
fn is_euc(name: &str, land: &str) -> bool {
    let pair = |first: &str, last: &str| {
        name.ends_with(last) && behind_word(name, first).is_some_and(|rest| rest.len() >= last.len())
    };
    pair("euc", land) || pair(land, "euc")
}

/// `gb2312`, with anything before and behind it but `raw`.
fn is_gb2312(name: &str) -> bool {
    ["gb2312", "gb-2312", "gb_2312", "gb 2312"]
        .iter()
        .any(|gb| behind_word(name, gb).is_some_and(|rest| !rest.trim_start_matches('-').starts_with("raw")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_mean_what_perl_takes_them_for() {
        for (label, name) in [
            ("GB_2312-80", Charset::DoubleByte(DoubleByte::Gb2312)),
            ("hz-gb-2312", Charset::DoubleByte(DoubleByte::Gb2312)),
            ("gb2312_CHARSET", Charset::DoubleByte(DoubleByte::Gb2312)),
            ("x-x-big5", Charset::DoubleByte(DoubleByte::Big5)),
            ("ks_c_5601-1987", Charset::Encoding(encoding_rs::EUC_KR)),
            ("EUC-KR", Charset::DoubleByte(DoubleByte::EucKr)),
            ("x-euc-jp", Charset::EucJp),
            ("Shift_JIS", Charset::DoubleByte(DoubleByte::ShiftJis)),
            ("cp932", Charset::WindowsJapanese),
            ("windows-1251", Charset::Encoding(encoding_rs::WINDOWS_1251)),
            ("koi8r", Charset::Encoding(KOI8_R)),
            ("iso8859-15", Charset::Iso(encoding_rs::ISO_8859_15)),
            ("iso 8859-2", Charset::Iso(encoding_rs::ISO_8859_2)),
            ("latin2", Charset::Iso(encoding_rs::ISO_8859_2)),
            ("tis-620", Charset::Iso(encoding_rs::WINDOWS_874)),
            ("windows-874", Charset::Encoding(encoding_rs::WINDOWS_874)),
            ("ibm866", Charset::Encoding(encoding_rs::IBM866)),
            ("IBM-437", Charset::CodePage(CodePage::numbered("437").unwrap())),
            ("x-cp850", Charset::CodePage(CodePage::numbered("850").unwrap())),
            ("utf8", Charset::Encoding(UTF_8)),
        ] {
            assert_eq!(charset(label), Some(name), "{label}");
        }
        for label in
            ["x-gbk", "ksc5601", "ms_kanji", "iso-2022-jp-ms", "iso-8859-8-i", "win-1251", "x-unknown", "us"]
        {
            assert_eq!(charset(label), None, "{label}");
        }
    }
}
