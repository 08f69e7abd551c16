//! How often are strings met in mail? Roughly: enough to choose between them.

/// Roughly how often strings of the set begin at a byte of mail. A set with an empty string is everywhere.
pub fn frequency<'t>(set: impl IntoIterator<Item = &'t Vec<u8>>) -> f64 {
    set.into_iter().map(|text| one(text)).sum()
}

/// The words of a string are taken for independent.
fn one(text: &[u8]) -> f64 {
    if text.is_empty() {
        return 1.0;
    }
    const IN_LINKS: [&str; 7] =
        ["http://www.", "https://www.", ".com/", ".net/", ".org/", ".html\"", "mailto:"];
    if IN_LINKS.iter().any(|common| memchr::memmem::find(common.as_bytes(), text).is_some()) {
        return 0.01;
    }
    let words = text.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: f64 = words.map(word).product();
    let others: f64 =
        text.iter().filter(|byte| !byte.is_ascii_alphanumeric()).map(|&byte| sign(byte)).product();
    words * others
}

/// A word or the piece of one. Letters are likelier where they stand in words than by themselves.
fn word(word: &[u8]) -> f64 {
    const IN_WORDS: f64 = 8.0;
    let letters: f64 = word.iter().map(|&byte| letter(byte)).product();
    let is_common = memchr::memmem::find(COMMON.as_bytes(), word).is_some();
    match word.len() {
        0..=3 if is_common => letters.max(0.005),
        4 if is_common => letters.max(0.001),
        _ if is_common => letters.max(0.0002),
        _ => (letters * IN_WORDS).min(1.0),
    }
}

/// Roughly how often a byte is met.
pub fn byte(byte: u8) -> f64 {
    match byte {
        b'a'..=b'z' | b'0'..=b'9' => letter(byte),
        b'A'..=b'Z' => letter(byte.to_ascii_lowercase()) / 4.0,
        // in English
        0x80.. => 0.0001,
        b' ' => 0.15,
        b'.' | b'/' | b'-' | b',' | b'\n' | b':' | b'=' => 0.01,
        _ => 0.002,
    }
}

fn letter(byte: u8) -> f64 {
    match byte {
        b'e' => 0.1,
        b'a' | b'i' | b'n' | b'o' | b'r' | b's' | b't' => 0.07,
        b'c' | b'd' | b'h' | b'l' | b'm' | b'u' | b'p' => 0.035,
        b'b' | b'f' | b'g' | b'v' | b'w' | b'y' | b'0' | b'1' | b'2' => 0.02,
        b'3'..=b'9' => 0.01,
        _ => 0.004,
    }
}

/// What is neither letter nor digit. Blanks come with words, so they say little.
fn sign(byte: u8) -> f64 {
    match byte {
        b' ' => 0.5,
        b'.' | b'/' | b'-' | b',' | b'\n' | b':' | b'=' | b'<' | b'>' | b'"' | b'\'' => 0.3,
        0x80.. => 0.3,
        _ => 0.05,
    }
}

/// Words that are in most mails: no pattern is rare because of them.
const COMMON: &str = "\
    about account address after again also amount another available back because been before best \
    between business call change charset check click com company complete contact content could cuenta \
    customer date days details discussion does down edu email even every find first following free \
    friend from full further getting good great group have help here home html http https images \
    information interest international internet into just know large last life like line link list local \
    long look made mailing mailto make many message million mime money month more most much name need \
    net never newsletter next nothing number office online only open order org other over page para part \
    people phone place plain please point price problem product program question read really receive \
    remove reply report right said same security send server service should since site small some \
    something special start state still subject subscribe such support sure system take team text than \
    thank that the their them then there these they thing think this those through time today type under \
    until update user using very view want week well were what when where which while will with without \
    word work world would wrote www year your";
