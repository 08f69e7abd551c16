//! Colours as SpamAssassin reads them from attributes and styles.

/// A colour of text or of what is behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    Rgb([u8; 3]),
    /// A `#` without digits.
    Empty,
    /// Not a colour: how it is shown depends on the mail program.
    Invalid,
}

impl Color {
    pub const BLACK: Color = Color::Rgb([0, 0, 0]);
    pub const WHITE: Color = Color::Rgb([255, 255, 255]);

    /// A colour by its CSS name, as `#rgb` or `#rrggbb` with what browsers forgive, or as `rgb(r, g, b)`.
    pub fn read(value: &str) -> Color {
        let value = value.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
        if let Some(color) = plain_hex(value) {
            return color;
        }
        if value.len() > LONGEST_READ {
            return Color::Invalid;
        }
        let value = value.to_ascii_lowercase();
        if let Ok(at) = NAMES.binary_search_by_key(&value.as_str(), |(name, _)| *name) {
            return NAMES.get(at).map_or(Color::Invalid, |&(_, rgb)| Color::packed(rgb));
        }
        if let Some(hex) = value.find("rgb(").and_then(|at| function(value.get(at + 4..)?)) {
            return from_digits(&hex);
        }
        match value.strip_prefix('#') {
            Some(digits) if digits.bytes().all(|b| b == b'#' || b.is_ascii_hexdigit()) => from_digits(digits),
            _ => Color::Invalid,
        }
    }

    /// The value of a CSS `color` property; `None` where it says nothing, as `inherit` does.
    pub fn read_style(value: &str) -> Option<Color> {
        if let Some(color) = plain_hex(value) {
            return Some(color);
        }
        if value.len() > LONGEST_READ {
            return Some(Color::Invalid);
        }
        let value = value.to_ascii_lowercase();
        let value = without_important(&value);
        if value.contains("rgb") {
            let digits: String = value.chars().filter(|c| c.is_ascii_digit() || *c == ',').collect();
            let mut parts = digits.split(',').map(|part| match part.parse::<u64>() {
                Ok(number) => u8::try_from(number).unwrap_or(255),
                Err(_) if part.is_empty() => 0,
                Err(_) => 255,
            });
            let mut next = || parts.next().unwrap_or(0);
            return Some(Color::Rgb([next(), next(), next()]));
        }
        (value != "inherit").then(|| Color::read(value))
    }

    fn packed(rgb: u32) -> Color {
        let [_, r, g, b] = rgb.to_be_bytes();
        Color::Rgb([r, g, b])
    }

    /// Whether text of this colour is next to invisible on `behind`.
    pub fn is_lost_on(self, behind: Color) -> bool {
        if self == behind {
            return true;
        }
        let (Color::Rgb(front), Color::Rgb(back)) = (self, behind) else { return false };
        // The distance of the two, weighted by how bright the eye sees each component, under 12.
        let weights = [0.2126, 0.7152, 0.0722];
        let squares = front.iter().zip(back).zip(weights).map(|((&front, back), weight)| {
            let part = weight * (f64::from(front) - f64::from(back));
            part * part
        });
        squares.sum::<f64>().sqrt() < 12.0
    }
}

/// Longer than any colour; what is longer is none.
const LONGEST_READ: usize = 256;

/// A CSS value without `!important` at its end.
pub fn without_important(value: &str) -> &str {
    let stripped = value.strip_suffix("important").and_then(|rest| rest.trim_end().strip_suffix('!'));
    stripped.map_or(value, str::trim_end)
}

/// The commonest spelling, `#rrggbb`, without a detour.
fn plain_hex(value: &str) -> Option<Color> {
    let digits = value.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok().map(Color::packed)
}

/// The hexadecimal digits of `r, g, b)` or `r%, g%, b%)`, as many as there are.
fn function(arguments: &str) -> Option<String> {
    let (arguments, _) = arguments.split_once(')')?;
    let mut parts = arguments.split(',');
    let mut hex = String::new();
    let percent = arguments.contains('%');
    for index in 0..3 {
        let part = parts.next()?;
        let part = if index == 0 { part } else { part.trim_start() };
        let part = if index == 2 { part.trim_end() } else { part };
        let part = if percent { part.strip_suffix('%')? } else { part };
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = part.parse::<u64>().unwrap_or(u64::MAX);
        let number = if percent { (number as f64 / 100.0 * 255.0) as u64 } else { number };
        hex.push_str(&format!("{number:02x}"));
    }
    parts.next().is_none().then_some(hex)
}

/// Forgiving hexadecimal: six digits of more, three of four or five, filled up with zeros.
fn from_digits(text: &str) -> Color {
    let mut digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).filter_map(|digit| u8::try_from(digit).ok()).collect();
    match digits.len() {
        0 => return Color::Empty,
        1..=3 => digits.resize(3, 0),
        4..=5 => digits.truncate(3),
        _ => digits.truncate(6),
    }
    match *digits.as_slice() {
        [r, g, b] => Color::Rgb([r * 17, g * 17, b * 17]),
        [r, s, g, h, b, c] => Color::Rgb([r * 16 + s, g * 16 + h, b * 16 + c]),
        _ => Color::Invalid,
    }
}

/// The names of CSS 3.
#[rustfmt::skip]
const NAMES: [(&str, u32); 147] = [
    ("aliceblue", 0xf0f8ff), ("antiquewhite", 0xfaebd7), ("aqua", 0x00ffff), ("aquamarine", 0x7fffd4),
    ("azure", 0xf0ffff), ("beige", 0xf5f5dc), ("bisque", 0xffe4c4), ("black", 0x000000),
    ("blanchedalmond", 0xffebcd), ("blue", 0x0000ff), ("blueviolet", 0x8a2be2), ("brown", 0xa52a2a),
    ("burlywood", 0xdeb887), ("cadetblue", 0x5f9ea0), ("chartreuse", 0x7fff00), ("chocolate", 0xd2691e),
    ("coral", 0xff7f50), ("cornflowerblue", 0x6495ed), ("cornsilk", 0xfff8dc), ("crimson", 0xdc143c),
    ("cyan", 0x00ffff), ("darkblue", 0x00008b), ("darkcyan", 0x008b8b), ("darkgoldenrod", 0xb8860b),
    ("darkgray", 0xa9a9a9), ("darkgreen", 0x006400), ("darkgrey", 0xa9a9a9), ("darkkhaki", 0xbdb76b),
    ("darkmagenta", 0x8b008b), ("darkolivegreen", 0x556b2f), ("darkorange", 0xff8c00),
    ("darkorchid", 0x9932cc), ("darkred", 0x8b0000), ("darksalmon", 0xe9967a), ("darkseagreen", 0x8fbc8f),
    ("darkslateblue", 0x483d8b), ("darkslategray", 0x2f4f4f), ("darkslategrey", 0x2f4f4f),
    ("darkturquoise", 0x00ced1), ("darkviolet", 0x9400d3), ("deeppink", 0xff1493),
    ("deepskyblue", 0x00bfff), ("dimgray", 0x696969), ("dimgrey", 0x696969), ("dodgerblue", 0x1e90ff),
    ("firebrick", 0xb22222), ("floralwhite", 0xfffaf0), ("forestgreen", 0x228b22), ("fuchsia", 0xff00ff),
    ("gainsboro", 0xdcdcdc), ("ghostwhite", 0xf8f8ff), ("gold", 0xffd700), ("goldenrod", 0xdaa520),
    ("gray", 0x808080), ("green", 0x008000), ("greenyellow", 0xadff2f), ("grey", 0x808080),
    ("honeydew", 0xf0fff0), ("hotpink", 0xff69b4), ("indianred", 0xcd5c5c), ("indigo", 0x4b0082),
    ("ivory", 0xfffff0), ("khaki", 0xf0e68c), ("lavender", 0xe6e6fa), ("lavenderblush", 0xfff0f5),
    ("lawngreen", 0x7cfc00), ("lemonchiffon", 0xfffacd), ("lightblue", 0xadd8e6), ("lightcoral", 0xf08080),
    ("lightcyan", 0xe0ffff), ("lightgoldenrodyellow", 0xfafad2), ("lightgray", 0xd3d3d3),
    ("lightgreen", 0x90ee90), ("lightgrey", 0xd3d3d3), ("lightpink", 0xffb6c1), ("lightsalmon", 0xffa07a),
    ("lightseagreen", 0x20b2aa), ("lightskyblue", 0x87cefa), ("lightslategray", 0x778899),
    ("lightslategrey", 0x778899), ("lightsteelblue", 0xb0c4de), ("lightyellow", 0xffffe0),
    ("lime", 0x00ff00), ("limegreen", 0x32cd32), ("linen", 0xfaf0e6), ("magenta", 0xff00ff),
    ("maroon", 0x800000), ("mediumaquamarine", 0x66cdaa), ("mediumblue", 0x0000cd),
    ("mediumorchid", 0xba55d3), ("mediumpurple", 0x9370db), ("mediumseagreen", 0x3cb371),
    ("mediumslateblue", 0x7b68ee), ("mediumspringgreen", 0x00fa9a), ("mediumturquoise", 0x48d1cc),
    ("mediumvioletred", 0xc71585), ("midnightblue", 0x191970), ("mintcream", 0xf5fffa),
    ("mistyrose", 0xffe4e1), ("moccasin", 0xffe4b5), ("navajowhite", 0xffdead), ("navy", 0x000080),
    ("oldlace", 0xfdf5e6), ("olive", 0x808000), ("olivedrab", 0x6b8e23), ("orange", 0xffa500),
    ("orangered", 0xff4500), ("orchid", 0xda70d6), ("palegoldenrod", 0xeee8aa), ("palegreen", 0x98fb98),
    ("paleturquoise", 0xafeeee), ("palevioletred", 0xdb7093), ("papayawhip", 0xffefd5),
    ("peachpuff", 0xffdab9), ("peru", 0xcd853f), ("pink", 0xffc0cb), ("plum", 0xdda0dd),
    ("powderblue", 0xb0e0e6), ("purple", 0x800080), ("red", 0xff0000), ("rosybrown", 0xbc8f8f),
    ("royalblue", 0x4169e1), ("saddlebrown", 0x8b4513), ("salmon", 0xfa8072), ("sandybrown", 0xf4a460),
    ("seagreen", 0x2e8b57), ("seashell", 0xfff5ee), ("sienna", 0xa0522d), ("silver", 0xc0c0c0),
    ("skyblue", 0x87ceeb), ("slateblue", 0x6a5acd), ("slategray", 0x708090), ("slategrey", 0x708090),
    ("snow", 0xfffafa), ("springgreen", 0x00ff7f), ("steelblue", 0x4682b4), ("tan", 0xd2b48c),
    ("teal", 0x008080), ("thistle", 0xd8bfd8), ("tomato", 0xff6347), ("turquoise", 0x40e0d0),
    ("violet", 0xee82ee), ("wheat", 0xf5deb3), ("white", 0xffffff), ("whitesmoke", 0xf5f5f5),
    ("yellow", 0xffff00), ("yellowgreen", 0x9acd32),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        assert!(NAMES.is_sorted_by_key(|(name, _)| *name));
    }

    #[test]
    fn reads_attributes() {
        for (value, expected) in [
            ("white", Color::WHITE),
            (" White ", Color::WHITE),
            ("#fff", Color::WHITE),
            ("#FFFFFF", Color::WHITE),
            ("#ffffff00", Color::WHITE),
            ("#ffff", Color::WHITE),
            ("#f", Color::Rgb([255, 0, 0])),
            ("#", Color::Empty),
            ("ffffff", Color::Invalid),
            ("", Color::Invalid),
            ("nocolor", Color::Invalid),
            ("#ggg", Color::Invalid),
            ("rgb(255, 0,16)", Color::Rgb([255, 0, 16])),
            ("rgb(100%,0%,50%)", Color::Rgb([255, 0, 127])),
            ("rgb(1,2)", Color::Invalid),
        ] {
            assert_eq!(Color::read(value), expected, "{value:?}");
        }
    }

    #[test]
    fn reads_style_values() {
        for (value, expected) in [
            ("inherit", None),
            ("RED !important", Some(Color::Rgb([255, 0, 0]))),
            ("rgba(1, 300, 3, 0.5)", Some(Color::Rgb([1, 255, 3]))),
            ("rgb(7)", Some(Color::Rgb([7, 0, 0]))),
            ("windowtext", Some(Color::Invalid)),
        ] {
            assert_eq!(Color::read_style(value), expected, "{value:?}");
        }
    }

    #[test]
    fn near_colours_are_lost() {
        assert!(Color::WHITE.is_lost_on(Color::WHITE));
        assert!(Color::Rgb([250, 250, 250]).is_lost_on(Color::WHITE));
        assert!(!Color::Rgb([200, 200, 200]).is_lost_on(Color::WHITE));
        assert!(Color::Rgb([255, 255, 100]).is_lost_on(Color::WHITE));
        assert!(!Color::Rgb([255, 255, 80]).is_lost_on(Color::WHITE));
    }
}
