//! What of the text is there to be seen: the stack of text styles, as SpamAssassin keeps it.

use super::{
    color::{Color, without_important},
    elements::Tag,
    renderer::MANY,
    tokenizer::Attribute,
    value,
};

/// How text of the current style is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    Visible,
    /// In the colour of what is behind it, or nearly.
    LowContrast,
    /// Mail programs differ in what they make of such a colour.
    InvalidColor,
    /// Too small, not displayed or hidden.
    Hidden,
}

#[derive(Clone, Copy, Debug)]
struct Style {
    tag: Option<Tag>,
    front: Color,
    back: Color,
    size: i64,
    is_undisplayed: bool,
    is_hidden: bool,
}

/// The styles of the elements that are open.
#[derive(Debug)]
pub struct Styles {
    /// The innermost one; what stands before it is on the stack.
    current: Style,
    stack: Vec<Style>,
    /// How often each element is open, so that closing what never opened costs nothing.
    open: [u32; Tag::ALL.len()],
    base_size: i64,
    /// The largest and the smallest size that was asked for.
    pub max_size: i64,
    pub min_size: i64,
}

/// The size of text that nothing was said about.
const NORMAL: i64 = 3;

impl Default for Styles {
    fn default() -> Styles {
        let (front, back) = (Color::BLACK, Color::WHITE);
        let current = Style { tag: None, front, back, size: NORMAL, is_undisplayed: false, is_hidden: false };
        Styles {
            current,
            stack: Vec::new(),
            open: [0; Tag::ALL.len()],
            base_size: NORMAL,
            max_size: NORMAL,
            min_size: NORMAL,
        }
    }
}

impl Styles {
    /// How text is seen now.
    pub fn sight(&self) -> Sight {
        let style = &self.current;
        if style.front.is_lost_on(style.back) {
            Sight::LowContrast
        } else if style.front == Color::Invalid || style.back == Color::Invalid {
            Sight::InvalidColor
        } else if style.size <= 1 || style.is_undisplayed || style.is_hidden {
            Sight::Hidden
        } else {
            Sight::Visible
        }
    }

    /// An element starts that changes style.
    pub fn open(&mut self, tag: Tag, attributes: &[Attribute<'_>]) {
        let tag = if tag == Tag::Th { Tag::Td } else { tag };
        if tag == Tag::Basefont
            && let Some(size) = value(attributes, "size").and_then(|size| leading_number(size.trim_start()))
        {
            self.base_size = size;
            return;
        }
        if tag == Tag::Td || tag == Tag::Tr {
            self.close_cells(tag);
        }
        let outer = self.current;
        let mut style = Style { tag: Some(tag), ..outer };
        match tag {
            Tag::Big => style.size = style.size.saturating_add(1),
            Tag::Small => style.size = style.size.saturating_sub(1),
            _ => {
                for (index, attribute) in attributes.iter().enumerate() {
                    let is_first = || {
                        let before = attributes.get(..index).unwrap_or_default();
                        !before.iter().any(|other| other.name.eq_ignore_ascii_case(attribute.name))
                    };
                    if is_heeded(tag, attribute.name) && is_first() {
                        self.apply(attribute, &mut style, &outer);
                    }
                }
            }
        }
        self.push(style);
    }

    fn apply(&mut self, attribute: &Attribute<'_>, style: &mut Style, outer: &Style) {
        let name = attribute.name;
        let value = attribute.decoded();
        if name.eq_ignore_ascii_case("color") || name.eq_ignore_ascii_case("text") {
            style.front = Color::read(&value);
        } else if name.eq_ignore_ascii_case("size") {
            let value = value.trim_start();
            if let Some(digits) = value.strip_prefix(['+', '-']) {
                if let Some(step) = leading_number(digits) {
                    let step = if value.starts_with('-') { -step } else { step };
                    style.size = self.base_size.saturating_add(step);
                }
            } else if let Some(size) = leading_number(value) {
                style.size = size;
            }
        } else if name.eq_ignore_ascii_case("style") {
            style.read(&value, outer);
        }
        if style.size > self.max_size {
            self.max_size = style.size;
        } else if style.size < self.min_size {
            self.min_size = style.size;
        }
    }

    /// An element ends that changes style. Text after the end of the body is shown as before.
    pub fn close(&mut self, tag: Tag) {
        let tag = if tag == Tag::Th { Tag::Td } else { tag };
        if tag == Tag::Body || self.count(tag) == 0 {
            return;
        }
        while let Some(closed) = self.pop() {
            if closed == tag {
                break;
            }
        }
    }

    /// A cell or a row starts: end the one that stands open before it.
    fn close_cells(&mut self, tag: Tag) {
        if self.count(tag) == 0 {
            return;
        }
        while let Some(top) = self.current.tag {
            match top {
                Tag::Font | Tag::Td => {}
                Tag::Tr if tag == Tag::Tr => {}
                _ => break,
            }
            self.pop();
        }
    }

    fn count(&self, tag: Tag) -> u32 {
        self.open.get(tag as usize).copied().unwrap_or(0)
    }

    fn push(&mut self, style: Style) {
        let Some(tag) = style.tag.filter(|_| self.stack.len() < MANY) else { return };
        if let Some(count) = self.open.get_mut(tag as usize) {
            *count += 1;
        }
        self.stack.push(self.current);
        self.current = style;
    }

    fn pop(&mut self) -> Option<Tag> {
        let closed = self.current.tag?;
        if let Some(count) = self.open.get_mut(closed as usize) {
            *count = count.saturating_sub(1);
        }
        self.current = self.stack.pop()?;
        Some(closed)
    }
}

impl Style {
    /// Reads a `style` attribute.
    fn read(&mut self, text: &str, outer: &Style) {
        let (mut front_is_clear, mut back_is_clear) = (false, false);
        for property in text.split(';') {
            let property = property.trim_start_matches(is_blank);
            let Some((name, value)) = property.split_once(':') else { continue };
            let trimmed = value.trim_matches(is_blank);
            if trimmed.contains('\n') {
                continue;
            }
            if name.eq_ignore_ascii_case("color") || name.eq_ignore_ascii_case("background-color") {
                // A blank where a colour should be is a colour that does not exist.
                if trimmed.is_empty() && !value.contains([' ', '\t']) {
                    continue;
                }
                let is_front = name.len() == "color".len();
                let (color, is_clear) = match is_front {
                    true => (&mut self.front, &mut front_is_clear),
                    false => (&mut self.back, &mut back_is_clear),
                };
                if is_transparent(trimmed) {
                    *is_clear = true;
                } else if let Some(read) = Color::read_style(trimmed) {
                    *is_clear = false;
                    *color = read;
                }
            } else if name == "background" {
                if let Some(read) = background(trimmed) {
                    self.back = read;
                    back_is_clear = false;
                }
            } else if !trimmed.is_empty() {
                match name.trim_end_matches(is_blank) {
                    "display" => self.is_undisplayed = trimmed.eq_ignore_ascii_case("none"),
                    "visibility" => self.is_hidden = trimmed.eq_ignore_ascii_case("hidden"),
                    _ => {}
                }
            }
        }
        if back_is_clear {
            self.back = outer.back;
        }
        if front_is_clear {
            self.front = self.back;
        }
    }
}

fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\x0b'
}

fn is_transparent(value: &str) -> bool {
    value.get(..11).is_some_and(|start| start.eq_ignore_ascii_case("transparent"))
        && without_important(&value.to_ascii_lowercase()) == "transparent"
}

/// Whether the attribute changes the style of the element.
fn is_heeded(tag: Tag, name: &str) -> bool {
    let heeded: &[&str] = match tag {
        Tag::Font | Tag::Basefont => &["color", "face", "size"],
        Tag::Body => &["text", "bgcolor", "link", "alink", "vlink", "background"],
        Tag::Table | Tag::Td | Tag::Tr => &["bgcolor", "style"],
        Tag::Span | Tag::P | Tag::Div | Tag::A => &["style"],
        _ => &[],
    };
    heeded.iter().any(|heeded| name.eq_ignore_ascii_case(heeded))
}

/// The number that the text starts with.
fn leading_number(text: &str) -> Option<i64> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let digits = text.get(..end).filter(|digits| !digits.is_empty())?;
    Some(digits.parse().unwrap_or(i64::MAX))
}

/// The first valid colour in the bottom layer of a CSS `background`.
fn background(value: &str) -> Option<Color> {
    let value = value.to_ascii_lowercase();
    let mut color = None;
    let mut layer_is_new = false;
    for token in (Background { rest: &value }) {
        match token {
            Piece::Comma => layer_is_new = true,
            Piece::Value(text) => {
                if layer_is_new {
                    color = None;
                    layer_is_new = false;
                }
                if color.is_none() {
                    color = Some(Color::read(text)).filter(|color| *color != Color::Invalid);
                }
            }
        }
    }
    color
}

/// Splits a CSS `background` at blanks and commas outside of brackets and quotes.
struct Background<'a> {
    rest: &'a str,
}

enum Piece<'a> {
    Comma,
    Value(&'a str),
}

impl<'a> Iterator for Background<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        self.rest = self.rest.trim_start_matches(' ');
        if let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = rest;
            return Some(Piece::Comma);
        }
        let (mut quote, mut in_brackets) = (None, false);
        let mut end = self.rest.len();
        for (at, c) in self.rest.char_indices() {
            match (quote, c) {
                (Some(open), _) => quote = Some(open).filter(|_| open != c),
                (None, '"' | '\'') => quote = Some(c),
                (None, ')') if in_brackets => {
                    end = at + 1;
                    break;
                }
                (None, '(') => in_brackets = true,
                (None, ' ' | ',') if !in_brackets => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        let (value, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!value.is_empty()).then_some(Piece::Value(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight_in(style: &str) -> Sight {
        let mut styles = Styles::default();
        styles.open(Tag::Div, &[Attribute { name: "style", value: Some(style) }]);
        styles.sight()
    }

    #[test]
    fn sees_what_a_style_hides() {
        for (style, expected) in [
            ("", Sight::Visible),
            ("color:#ffffff", Sight::LowContrast),
            ("color: white; background-color: black", Sight::Visible),
            ("color:#fefefe;background:#fff url(x.png) no-repeat", Sight::LowContrast),
            ("color:#fefefe;background:url('a,b c') #000", Sight::Visible),
            ("color:white;background:#000, #fff", Sight::LowContrast),
            ("color:windowtext", Sight::InvalidColor),
            ("color: ", Sight::InvalidColor),
            ("color:", Sight::Visible),
            ("color:transparent", Sight::LowContrast),
            ("background-color:transparent", Sight::Visible),
            ("display:none", Sight::Hidden),
            ("display : NONE", Sight::Hidden),
            ("Display:none", Sight::Visible),
            ("display:none !important", Sight::Visible),
            ("visibility:hidden", Sight::Hidden),
            ("font-size:0px", Sight::Visible),
        ] {
            assert_eq!(sight_in(style), expected, "{style:?}");
        }
    }

    #[test]
    fn styles_end_with_their_element() {
        let mut styles = Styles::default();
        let white = [Attribute { name: "COLOR", value: Some("white") }];
        styles.open(Tag::Table, &[]);
        styles.open(Tag::Tr, &[]);
        styles.open(Tag::Td, &[]);
        styles.open(Tag::Font, &white);
        assert_eq!(styles.sight(), Sight::LowContrast);
        styles.open(Tag::Td, &[]);
        assert_eq!(styles.sight(), Sight::Visible);
        styles.open(Tag::Font, &white);
        styles.close(Tag::P);
        assert_eq!(styles.sight(), Sight::LowContrast);
        styles.close(Tag::Table);
        assert_eq!(styles.sight(), Sight::Visible);
        assert_eq!(styles.stack.len(), 0);
    }

    #[test]
    fn sizes_add_up() {
        let mut styles = Styles::default();
        let size = |value| [Attribute { name: "size", value: Some(value) }];
        styles.open(Tag::Font, &size("+4"));
        styles.open(Tag::Font, &size("-2"));
        assert_eq!((styles.min_size, styles.max_size, styles.sight()), (1, 7, Sight::Hidden));
        styles.open(Tag::Big, &[]);
        assert_eq!(styles.sight(), Sight::Visible);
        styles.open(Tag::Basefont, &size("6"));
        styles.open(Tag::Font, &size("+99999999999999999999"));
        assert_eq!(styles.max_size, i64::MAX);
    }
}
