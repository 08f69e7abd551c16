//! Character references of HTML, decoded as SpamAssassin's HTML parser does: the HTML 4 names, those of
//! Latin-1 also without a semicolon, and numbers as code points (no Windows-1252 for 128 to 159).

use memchr::memchr;

/// Where the reference stands: in text the longest name that the letters start with is taken
/// (`&copy2002` is a copyright sign and the year), in an attribute only a whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Text,
    Attribute,
}

/// Appends `raw` to `out` with its character references decoded.
pub fn decode(raw: &str, place: Place, out: &mut String) {
    let mut rest = raw;
    // A high surrogate that was just written as the replacement character, and where.
    let mut high: Option<(u32, usize)> = None;
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if !before.is_empty() {
            high = None;
        }
        let Some((code, len)) = reference(from, place) else {
            high = None;
            out.push('&');
            rest = from.get(1..).unwrap_or("");
            continue;
        };
        match (high.take(), code) {
            (Some((first, start)), 0xdc00..=0xdfff) => {
                out.truncate(start);
                let code = 0x10000 + ((first - 0xd800) << 10) + (code - 0xdc00);
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            (_, 0xd800..=0xdbff) => {
                high = Some((code, out.len()));
                out.push(char::REPLACEMENT_CHARACTER);
            }
            _ => out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)),
        }
        rest = from.get(len..).unwrap_or("");
    }
    out.push_str(rest);
}

/// The code point of the reference that `text` starts with, and its length.
fn reference(text: &str, place: Place) -> Option<(u32, usize)> {
    let bytes = text.as_bytes();
    let (code, len) = match bytes.get(1)? {
        b'#' => number(bytes)?,
        _ => name(text, place)?,
    };
    Some((code, len + usize::from(bytes.get(len) == Some(&b';'))))
}

fn number(bytes: &[u8]) -> Option<(u32, usize)> {
    let (radix, from) = match bytes.get(2)? {
        b'x' | b'X' => (16, 3),
        _ => (10, 2),
    };
    let mut code: u32 = 0;
    let mut len = from;
    for &digit in bytes.get(from..)? {
        let Some(value) = char::from(digit).to_digit(radix) else { break };
        code = code * radix + value;
        if code > 0x10ffff {
            return None;
        }
        len += 1;
    }
    (code != 0 && code != 0xfffe && code != 0xffff).then_some((code, len))
}

fn name(text: &str, place: Place) -> Option<(u32, usize)> {
    let rest = text.get(1..)?;
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let len = rest.as_bytes().iter().take(LONGEST + 1).take_while(|byte| is_word(byte)).count();
    let name = rest.get(..len)?;
    let next = rest.as_bytes().get(len);
    let is_whole = !next.is_some_and(is_word);
    if is_whole {
        let strict = || (next == Some(&b';')).then(|| look_up(&STRICT, name)).flatten();
        if let Some(code) = look_up(&LEGACY, name).or_else(strict) {
            return Some((code, 1 + len));
        }
    }
    if place == Place::Attribute {
        return None;
    }
    let longest = if is_whole { len.saturating_sub(1) } else { len };
    (1..=longest).rev().find_map(|len| Some((look_up(&LEGACY, rest.get(..len)?)?, 1 + len)))
}

fn look_up(table: &[(&str, char)], name: &str) -> Option<u32> {
    let at = table.binary_search_by_key(&name, |(name, _)| *name).ok()?;
    table.get(at).map(|&(_, decoded)| u32::from(decoded))
}

/// Bytes of the longest name in the tables.
const LONGEST: usize = 8;

/// Names that need no semicolon.
#[rustfmt::skip]
const LEGACY: [(&str, char); 101] = [
    ("AElig", '\u{c6}'), ("Aacute", '\u{c1}'), ("Acirc", '\u{c2}'), ("Agrave", '\u{c0}'),
    ("Aring", '\u{c5}'), ("Atilde", '\u{c3}'), ("Auml", '\u{c4}'), ("Ccedil", '\u{c7}'), ("ETH", '\u{d0}'),
    ("Eacute", '\u{c9}'), ("Ecirc", '\u{ca}'), ("Egrave", '\u{c8}'), ("Euml", '\u{cb}'),
    ("Iacute", '\u{cd}'), ("Icirc", '\u{ce}'), ("Igrave", '\u{cc}'), ("Iuml", '\u{cf}'),
    ("Ntilde", '\u{d1}'), ("Oacute", '\u{d3}'), ("Ocirc", '\u{d4}'), ("Ograve", '\u{d2}'),
    ("Oslash", '\u{d8}'), ("Otilde", '\u{d5}'), ("Ouml", '\u{d6}'), ("THORN", '\u{de}'),
    ("Uacute", '\u{da}'), ("Ucirc", '\u{db}'), ("Ugrave", '\u{d9}'), ("Uuml", '\u{dc}'),
    ("Yacute", '\u{dd}'), ("aacute", '\u{e1}'), ("acirc", '\u{e2}'), ("acute", '\u{b4}'),
    ("aelig", '\u{e6}'), ("agrave", '\u{e0}'), ("amp", '\u{26}'), ("apos", '\u{27}'), ("aring", '\u{e5}'),
    ("atilde", '\u{e3}'), ("auml", '\u{e4}'), ("brvbar", '\u{a6}'), ("ccedil", '\u{e7}'),
    ("cedil", '\u{b8}'), ("cent", '\u{a2}'), ("copy", '\u{a9}'), ("curren", '\u{a4}'), ("deg", '\u{b0}'),
    ("divide", '\u{f7}'), ("eacute", '\u{e9}'), ("ecirc", '\u{ea}'), ("egrave", '\u{e8}'),
    ("eth", '\u{f0}'), ("euml", '\u{eb}'), ("frac12", '\u{bd}'), ("frac14", '\u{bc}'), ("frac34", '\u{be}'),
    ("gt", '\u{3e}'), ("iacute", '\u{ed}'), ("icirc", '\u{ee}'), ("iexcl", '\u{a1}'), ("igrave", '\u{ec}'),
    ("iquest", '\u{bf}'), ("iuml", '\u{ef}'), ("laquo", '\u{ab}'), ("lt", '\u{3c}'), ("macr", '\u{af}'),
    ("micro", '\u{b5}'), ("middot", '\u{b7}'), ("nbsp", '\u{a0}'), ("not", '\u{ac}'), ("ntilde", '\u{f1}'),
    ("oacute", '\u{f3}'), ("ocirc", '\u{f4}'), ("ograve", '\u{f2}'), ("ordf", '\u{aa}'), ("ordm", '\u{ba}'),
    ("oslash", '\u{f8}'), ("otilde", '\u{f5}'), ("ouml", '\u{f6}'), ("para", '\u{b6}'),
    ("plusmn", '\u{b1}'), ("pound", '\u{a3}'), ("quot", '\u{22}'), ("raquo", '\u{bb}'), ("reg", '\u{ae}'),
    ("sect", '\u{a7}'), ("shy", '\u{ad}'), ("sup1", '\u{b9}'), ("sup2", '\u{b2}'), ("sup3", '\u{b3}'),
    ("szlig", '\u{df}'), ("thorn", '\u{fe}'), ("times", '\u{d7}'), ("uacute", '\u{fa}'),
    ("ucirc", '\u{fb}'), ("ugrave", '\u{f9}'), ("uml", '\u{a8}'), ("uuml", '\u{fc}'), ("yacute", '\u{fd}'),
    ("yen", '\u{a5}'), ("yuml", '\u{ff}'),
];

/// Names that need one.
#[rustfmt::skip]
const STRICT: [(&str, char); 152] = [
    ("Alpha", '\u{391}'), ("Beta", '\u{392}'), ("Chi", '\u{3a7}'), ("Dagger", '\u{2021}'),
    ("Delta", '\u{394}'), ("Epsilon", '\u{395}'), ("Eta", '\u{397}'), ("Gamma", '\u{393}'),
    ("Iota", '\u{399}'), ("Kappa", '\u{39a}'), ("Lambda", '\u{39b}'), ("Mu", '\u{39c}'), ("Nu", '\u{39d}'),
    ("OElig", '\u{152}'), ("Omega", '\u{3a9}'), ("Omicron", '\u{39f}'), ("Phi", '\u{3a6}'),
    ("Pi", '\u{3a0}'), ("Prime", '\u{2033}'), ("Psi", '\u{3a8}'), ("Rho", '\u{3a1}'), ("Scaron", '\u{160}'),
    ("Sigma", '\u{3a3}'), ("Tau", '\u{3a4}'), ("Theta", '\u{398}'), ("Upsilon", '\u{3a5}'),
    ("Xi", '\u{39e}'), ("Yuml", '\u{178}'), ("Zeta", '\u{396}'), ("alefsym", '\u{2135}'),
    ("alpha", '\u{3b1}'), ("and", '\u{2227}'), ("ang", '\u{2220}'), ("asymp", '\u{2248}'),
    ("bdquo", '\u{201e}'), ("beta", '\u{3b2}'), ("bull", '\u{2022}'), ("cap", '\u{2229}'),
    ("chi", '\u{3c7}'), ("circ", '\u{2c6}'), ("clubs", '\u{2663}'), ("cong", '\u{2245}'),
    ("crarr", '\u{21b5}'), ("cup", '\u{222a}'), ("dArr", '\u{21d3}'), ("dagger", '\u{2020}'),
    ("darr", '\u{2193}'), ("delta", '\u{3b4}'), ("diams", '\u{2666}'), ("empty", '\u{2205}'),
    ("emsp", '\u{2003}'), ("ensp", '\u{2002}'), ("epsilon", '\u{3b5}'), ("equiv", '\u{2261}'),
    ("eta", '\u{3b7}'), ("euro", '\u{20ac}'), ("exist", '\u{2203}'), ("fnof", '\u{192}'),
    ("forall", '\u{2200}'), ("frasl", '\u{2044}'), ("gamma", '\u{3b3}'), ("ge", '\u{2265}'),
    ("hArr", '\u{21d4}'), ("harr", '\u{2194}'), ("hearts", '\u{2665}'), ("hellip", '\u{2026}'),
    ("image", '\u{2111}'), ("infin", '\u{221e}'), ("int", '\u{222b}'), ("iota", '\u{3b9}'),
    ("isin", '\u{2208}'), ("kappa", '\u{3ba}'), ("lArr", '\u{21d0}'), ("lambda", '\u{3bb}'),
    ("lang", '\u{2329}'), ("larr", '\u{2190}'), ("lceil", '\u{2308}'), ("ldquo", '\u{201c}'),
    ("le", '\u{2264}'), ("lfloor", '\u{230a}'), ("lowast", '\u{2217}'), ("loz", '\u{25ca}'),
    ("lrm", '\u{200e}'), ("lsaquo", '\u{2039}'), ("lsquo", '\u{2018}'), ("mdash", '\u{2014}'),
    ("minus", '\u{2212}'), ("mu", '\u{3bc}'), ("nabla", '\u{2207}'), ("ndash", '\u{2013}'),
    ("ne", '\u{2260}'), ("ni", '\u{220b}'), ("notin", '\u{2209}'), ("nsub", '\u{2284}'), ("nu", '\u{3bd}'),
    ("oelig", '\u{153}'), ("oline", '\u{203e}'), ("omega", '\u{3c9}'), ("omicron", '\u{3bf}'),
    ("oplus", '\u{2295}'), ("or", '\u{2228}'), ("otimes", '\u{2297}'), ("part", '\u{2202}'),
    ("permil", '\u{2030}'), ("perp", '\u{22a5}'), ("phi", '\u{3c6}'), ("pi", '\u{3c0}'), ("piv", '\u{3d6}'),
    ("prime", '\u{2032}'), ("prod", '\u{220f}'), ("prop", '\u{221d}'), ("psi", '\u{3c8}'),
    ("rArr", '\u{21d2}'), ("radic", '\u{221a}'), ("rang", '\u{232a}'), ("rarr", '\u{2192}'),
    ("rceil", '\u{2309}'), ("rdquo", '\u{201d}'), ("real", '\u{211c}'), ("rfloor", '\u{230b}'),
    ("rho", '\u{3c1}'), ("rlm", '\u{200f}'), ("rsaquo", '\u{203a}'), ("rsquo", '\u{2019}'),
    ("sbquo", '\u{201a}'), ("scaron", '\u{161}'), ("sdot", '\u{22c5}'), ("sigma", '\u{3c3}'),
    ("sigmaf", '\u{3c2}'), ("sim", '\u{223c}'), ("spades", '\u{2660}'), ("sub", '\u{2282}'),
    ("sube", '\u{2286}'), ("sum", '\u{2211}'), ("sup", '\u{2283}'), ("supe", '\u{2287}'),
    ("tau", '\u{3c4}'), ("there4", '\u{2234}'), ("theta", '\u{3b8}'), ("thetasym", '\u{3d1}'),
    ("thinsp", '\u{2009}'), ("tilde", '\u{2dc}'), ("trade", '\u{2122}'), ("uArr", '\u{21d1}'),
    ("uarr", '\u{2191}'), ("upsih", '\u{3d2}'), ("upsilon", '\u{3c5}'), ("weierp", '\u{2118}'),
    ("xi", '\u{3be}'), ("zeta", '\u{3b6}'), ("zwj", '\u{200d}'), ("zwnj", '\u{200c}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(raw: &str, place: Place) -> String {
        let mut out = String::new();
        decode(raw, place, &mut out);
        out
    }

    #[test]
    fn tables_are_sorted_and_within_the_longest_name() {
        for table in [&LEGACY[..], &STRICT[..]] {
            assert!(table.is_sorted_by_key(|(name, _)| *name));
            assert!(table.iter().all(|(name, _)| name.len() <= LONGEST));
        }
    }

    #[test]
    fn decodes_text_as_html_parser_does() {
        for (raw, expected) in [
            ("x &eacute; &Eacute &eacutex &eacutexy; &notit;", "x \u{e9} \u{c9} \u{e9}x \u{e9}xy; \u{ac}it;"),
            ("&OElig; &OElig &OEligx", "\u{152} &OElig &OEligx"),
            ("&#160;|&#x41 &#65|&#150;", "\u{a0}|A A|\u{96}"),
            ("&#0; &#xD800; &#55357;&#56832;", "&#0; \u{fffd} \u{1f600}"),
            ("&#55357; &#56832;", "\u{fffd} \u{fffd}"),
            ("&#1114112; &#99999999999; &#xFFFE; &#x; &#;", "&#1114112; &#99999999999; &#xFFFE; &#x; &#;"),
            ("&#38;amp; &amp;nbsp &am", "&amp; &nbsp &am"),
            ("&&&&amp;&&", "&&&&&&"),
            ("&copy2002 &ampamp &ltfoo_bar", "\u{a9}2002 &amp <foo_bar"),
            ("&thetasym; &thetasymbol; &thetasym", "\u{3d1} &thetasymbol; &thetasym"),
        ] {
            assert_eq!(decoded(raw, Place::Text), expected, "{raw}");
        }
    }

    #[test]
    fn takes_whole_names_only_in_attributes() {
        assert_eq!(decoded("a&copy=1&amp;b&ltx&lt;&#65", Place::Attribute), "a\u{a9}=1&b&ltx<A");
        assert_eq!(decoded("&eacutex &notit;", Place::Attribute), "&eacutex &notit;");
    }
}
