//! The elements that SpamAssassin's renderer knows, with what each does to text, style and links.

/// White space that an element puts into the text, at its start and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    No,
    Line,
    Space,
    Paragraph,
}

impl Gap {
    pub fn text(self) -> &'static str {
        match self {
            Gap::No => "",
            Gap::Line => "\n",
            Gap::Space => " ",
            Gap::Paragraph => "\n\n",
        }
    }
}

/// Which attribute of an element holds a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    No,
    Background,
    Href,
    Src,
    Action,
    Base,
    Refresh,
}

macro_rules! elements {
    ($($tag:ident $name:literal $gap:ident $link:ident $style:ident $valid:ident;)*) => {
        /// An element of HTML 4.01 or XHTML 1.0, or one of the few others that are rendered.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Tag { $($tag),* }

        impl Tag {
            /// All of them, by their number.
            pub const ALL: &[Tag] = &[$(Tag::$tag),*];

            /// The element of this name in lower case.
            pub fn of(name: &[u8]) -> Option<Tag> {
                match name {
                    $($name => Some(Tag::$tag),)*
                    _ => None,
                }
            }

            pub fn name(self) -> &'static str {
                match self {
                    $(Tag::$tag => const { from_ascii($name) },)*
                }
            }

            pub fn gap(self) -> Gap {
                match self {
                    $(Tag::$tag => Gap::$gap,)*
                }
            }

            pub fn link(self) -> Link {
                match self {
                    $(Tag::$tag => Link::$link,)*
                }
            }

            /// Whether it changes the style of its text.
            pub fn styles(self) -> bool {
                match self {
                    $(Tag::$tag => styles!($style),)*
                }
            }

            /// Whether it counts as a valid element.
            pub fn is_valid(self) -> bool {
                match self {
                    $(Tag::$tag => valid!($valid),)*
                }
            }
        }
    };
}

macro_rules! styles {
    (styles) => {
        true
    };
    (plain) => {
        false
    };
}

macro_rules! valid {
    (element) => {
        true
    };
    (trick) => {
        false
    };
}

const fn from_ascii(name: &'static [u8]) -> &'static str {
    match std::str::from_utf8(name) {
        Ok(name) => name,
        Err(_) => panic!("element names are ASCII"),
    }
}

elements! {
    A b"a" No Href styles element;
    Abbr b"abbr" No No plain element;
    Acronym b"acronym" No No plain element;
    Address b"address" No No plain element;
    Applet b"applet" No No plain element;
    Area b"area" No Href plain element;
    B b"b" No No plain element;
    Base b"base" No Base plain element;
    Basefont b"basefont" No No styles element;
    Bdo b"bdo" No No plain element;
    Bgsound b"bgsound" No Src plain trick;
    Big b"big" No No styles element;
    Blockquote b"blockquote" Paragraph No plain element;
    Body b"body" No Background styles element;
    Br b"br" Line No plain element;
    Button b"button" No No plain element;
    Caption b"caption" No No plain element;
    Center b"center" No No plain element;
    Cite b"cite" No No plain element;
    Code b"code" No No plain element;
    Col b"col" No No plain element;
    Colgroup b"colgroup" No No plain element;
    Dd b"dd" Space No plain element;
    Del b"del" No No plain element;
    Dfn b"dfn" No No plain element;
    Dir b"dir" No No plain element;
    Div b"div" Line No styles element;
    Dl b"dl" No No plain element;
    Dt b"dt" Space No plain element;
    Em b"em" No No plain element;
    Embed b"embed" Space Src plain trick;
    Fieldset b"fieldset" No No plain element;
    Font b"font" No No styles element;
    Form b"form" No Action plain element;
    Frame b"frame" No Src plain element;
    Frameset b"frameset" No No plain element;
    H1 b"h1" Space No plain element;
    H2 b"h2" Space No plain element;
    H3 b"h3" Space No plain element;
    H4 b"h4" Space No plain element;
    H5 b"h5" Space No plain element;
    H6 b"h6" Space No plain element;
    Head b"head" No No plain element;
    Hr b"hr" Paragraph No plain element;
    Html b"html" No No plain element;
    I b"i" No No plain element;
    Iframe b"iframe" No Src plain element;
    Img b"img" No Src plain element;
    Input b"input" No No plain element;
    Ins b"ins" No No plain element;
    Isindex b"isindex" No No plain element;
    Kbd b"kbd" No No plain element;
    Label b"label" No No plain element;
    Legend b"legend" No No plain element;
    Li b"li" Space No plain element;
    Link b"link" No Href plain element;
    Listing b"listing" Paragraph No plain trick;
    Map b"map" No No plain element;
    Menu b"menu" No No plain element;
    Meta b"meta" No Refresh plain element;
    Nobr b"nobr" No No plain element;
    Noframes b"noframes" No No plain element;
    Noscript b"noscript" No No plain element;
    Object b"object" No No plain element;
    Ol b"ol" No No plain element;
    Optgroup b"optgroup" No No plain element;
    Option b"option" No No plain element;
    P b"p" Paragraph No styles element;
    Param b"param" No No plain element;
    Plaintext b"plaintext" Paragraph No plain trick;
    Pre b"pre" Paragraph No plain element;
    Q b"q" No No plain element;
    S b"s" No No plain element;
    Samp b"samp" No No plain element;
    Script b"script" No Src plain element;
    Select b"select" No No plain element;
    Small b"small" No No styles element;
    Span b"span" No No styles element;
    Strike b"strike" No No plain element;
    Strong b"strong" No No plain element;
    Style b"style" No No plain element;
    Sub b"sub" No No plain element;
    Sup b"sup" No No plain element;
    Table b"table" No Background styles element;
    Tbody b"tbody" No No plain element;
    Td b"td" Space Background styles element;
    Textarea b"textarea" No No plain element;
    Tfoot b"tfoot" No No plain element;
    Th b"th" Space No styles element;
    Thead b"thead" No No plain element;
    Title b"title" Paragraph No plain element;
    Tr b"tr" No Background styles element;
    Tt b"tt" No No plain element;
    U b"u" No No plain element;
    Ul b"ul" No No plain element;
    Var b"var" No No plain element;
    XSigsep b"x-sigsep" No No plain element;
    XTab b"x-tab" No No plain element;
    Xmp b"xmp" Paragraph No plain trick;
}

impl Tag {
    /// Bytes of the longest name.
    pub const LONGEST: usize = 10;

    /// The element of this name in any case.
    pub fn read(name: &str) -> Option<Tag> {
        let mut lower = [0; Tag::LONGEST];
        let lower = lower.get_mut(..name.len())?;
        lower.copy_from_slice(name.as_bytes());
        lower.make_ascii_lowercase();
        Tag::of(lower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_is_found_by_its_name() {
        for &tag in Tag::ALL {
            assert_eq!(Tag::read(tag.name()), Some(tag));
            assert_eq!(Tag::read(&tag.name().to_uppercase()), Some(tag));
        }
        assert_eq!(Tag::ALL.iter().map(|tag| tag.name().len()).max(), Some(Tag::LONGEST));
        assert_eq!(Tag::read("blockquotes"), None);
        assert_eq!(Tag::read("marquee"), None);
        assert_eq!(Tag::read(""), None);
    }
}
