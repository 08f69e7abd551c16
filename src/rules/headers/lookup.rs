//! `From:addr`, `Subject:raw`, `ALL-EXTERNAL`: which header, and what of it.

use std::fmt;

use crate::relays::Zone;

/// Headers that are made of several, or of none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pseudo {
    All,
    /// `ALL` cut where trust begins or ends.
    AllOf(Zone),
    Relays(Zone),
    /// The domain of the envelope's sender, unless a header has that name.
    SenderDomain,
    /// The domains of the authors, unless a header has that name.
    AuthorDomain,
    ToCc,
    MessageId,
    EnvelopeFrom,
    /// Headers of SpamAssassin that criba does not make.
    Unknown,
}

impl Pseudo {
    /// The headers that it is put together of, if it is.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Pseudo::ToCc => &["to", "cc"],
            Pseudo::MessageId => {
                &["x-message-id", "resent-message-id", "x-original-message-id", "message-id"]
            }
            _ => &[],
        }
    }
}

/// The part of a value that a rule wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Piece {
    #[default]
    Whole,
    Address,
    Name,
    Host,
    Domain,
    Ip,
    ReversedIp,
}

/// Which of several headers of the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Which {
    #[default]
    All,
    First,
    Last,
}

/// Where values come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A header by its lower-case name.
    Physical(String),
    Pseudo(Pseudo),
}

/// What a header rule looks up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lookup {
    source: Source,
    pub raw: bool,
    pub piece: Piece,
    /// `:addr:host` and `:addr:domain` look behind the last `@` only.
    pub of_address: bool,
    pub which: Which,
}

impl Lookup {
    /// Reads what stands before `=~` or behind `exists:`.
    ///
    /// # Errors
    /// The modifier that is none.
    pub fn parse(text: &str) -> Result<Lookup, String> {
        let mut words = text.split(':');
        let name = words.next().unwrap_or_default();
        let mut lookup = Lookup {
            source: source(name),
            raw: false,
            piece: Piece::Whole,
            of_address: false,
            which: Which::All,
        };
        for word in words {
            match word {
                "raw" => lookup.raw = true,
                "first" => lookup.which = Which::First,
                "last" => lookup.which = Which::Last,
                "name" => lookup.piece = Piece::Name,
                "addr" => {
                    lookup.of_address = true;
                    if lookup.piece == Piece::Whole {
                        lookup.piece = Piece::Address;
                    }
                }
                "host" => lookup.piece = Piece::Host,
                "domain" => lookup.piece = Piece::Domain,
                "ip" => lookup.piece = Piece::Ip,
                "revip" => lookup.piece = Piece::ReversedIp,
                _ => return Err(format!("`:{word}` is nothing that a header has")),
            }
        }
        Ok(lookup)
    }

    /// Where the values come from.
    pub fn source(&self) -> &Source {
        &self.source
    }
}

fn source(name: &str) -> Source {
    match name {
        "ALL" => return Source::Pseudo(Pseudo::All),
        "MESSAGEID" => return Source::Pseudo(Pseudo::MessageId),
        _ => {}
    }
    if let Some(zone) =
        name.strip_prefix("ALL-").and_then(|name| zone(name, &ZONES.map(str::to_ascii_uppercase)))
    {
        return Source::Pseudo(Pseudo::AllOf(zone));
    }
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "tocc" => Source::Pseudo(Pseudo::ToCc),
        "envelopefrom" => Source::Pseudo(Pseudo::EnvelopeFrom),
        "x-senderdomain" => Source::Pseudo(Pseudo::SenderDomain),
        "x-authordomain" => Source::Pseudo(Pseudo::AuthorDomain),
        // X-Spam headers of the message itself are never looked at
        spam if spam.starts_with("x-spam-") => {
            let zone = spam.strip_prefix("x-spam-relays-").and_then(|name| zone(name, &ZONES));
            Source::Pseudo(zone.map_or(Pseudo::Unknown, Pseudo::Relays))
        }
        _ => Source::Physical(name),
    }
}

const ZONES: [&str; 4] = ["trusted", "untrusted", "internal", "external"];

fn zone(name: &str, names: &[impl AsRef<str>; 4]) -> Option<Zone> {
    let at = names.iter().position(|known| known.as_ref() == name)?;
    [Zone::Trusted, Zone::Untrusted, Zone::Internal, Zone::External].get(at).copied()
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Physical(name) => f.write_str(name)?,
            Source::Pseudo(pseudo) => write!(f, "{pseudo:?}")?,
        }
        if self.raw {
            f.write_str(":raw")?;
        }
        match self.piece {
            Piece::Whole => Ok(()),
            piece => write!(f, ":{piece:?}"),
        }
    }
}
