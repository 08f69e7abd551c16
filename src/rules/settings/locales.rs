//! `ok_locales`: which charsets the languages expected here are written in.

use super::Settings;

/// Charsets of languages, in capitals and without punctuation.
const CHARSETS: [(&[&str], &[&str]); 5] = [
    (
        &["ja"],
        &[
            "EUCJP",
            "JISX020119760",
            "JISX020819830",
            "JISX020819900",
            "JISX020819970",
            "JISX021219900",
            "JISX021320001",
            "JISX021320002",
            "SHIFT_JIS",
            "SHIFTJIS",
            "ISO2022JP",
            "SJIS",
            "JIS7",
            "JISX0201",
            "JISX0208",
            "JISX0212",
        ],
    ),
    (&["ko"], &["EUCKR", "KSC56011987"]),
    (
        &["ru", "ka", "tg", "be", "uk", "bg"],
        &["KOI8R", "KOI8U", "KOI8T", "ISOIR111", "CP1251", "GEORGIANPS", "PT154", "CP866"],
    ),
    (&["th"], &["TIS620"]),
    (
        &["zh"],
        &["GB1988", "GB2312", "GB231219800", "GB18030", "GBK", "BIG5HKSCS", "BIG5", "EUCTW", "ISO2022CN"],
    ),
];

/// Charsets that everybody reads, by their beginning and by their whole name.
const COMMON: [&str; 7] = ["ISO8859", "ISO10646", "UTF", "UCS", "CP125", "WINDOWS", "UNICODE11UTF"];
const COMMON_WHOLE: [&str; 5] = ["USASCII", "ASCII", "IBM852", "XUNKNOWN", "ISO"];

impl Settings {
    /// Whether all charsets are expected.
    pub fn expects_all(&self) -> bool {
        self.locales.is_empty()
    }

    /// Whether mail in `charset` is expected, by its name as a mail declares it.
    pub fn expects(&self, charset: &str) -> bool {
        let first = charset.split(':').next().unwrap_or_default();
        let bare = first.bytes().filter(u8::is_ascii_alphanumeric);
        let bare: String = bare.map(|byte| char::from(byte.to_ascii_uppercase())).collect();
        // what quoted-printable leaves of `=`
        let bare = bare.strip_prefix("3D").unwrap_or(&bare);
        let of_language = |locale: &String| {
            let language = locale.get(..2).unwrap_or(locale);
            CHARSETS
                .iter()
                .any(|(languages, charsets)| languages.contains(&language) && charsets.contains(&bare))
        };
        self.expects_all()
            || COMMON_WHOLE.contains(&bare)
            || COMMON.iter().any(|start| bare.starts_with(start))
            || self.locales.iter().any(of_language)
    }
}
