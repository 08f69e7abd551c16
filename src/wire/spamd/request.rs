//! What a client asks: a command line, header lines, an empty line, a message.

use std::{io::Read, str};

use flate2::read::ZlibDecoder;

/// What to do with the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Is it spam?
    Check,
    /// And which rules hit?
    Symbols,
    /// And what do they mean?
    Report,
    /// A report only if it is spam.
    ReportIfSpam,
    /// The message with header fields added.
    Process,
    /// Only its header, with fields added.
    Headers,
    /// Learn from it.
    Tell,
    Ping,
    /// Never mind.
    Skip,
}

impl Command {
    fn named(name: &str) -> Option<Command> {
        Some(match name {
            "CHECK" => Command::Check,
            "SYMBOLS" => Command::Symbols,
            "REPORT" => Command::Report,
            "REPORT_IFSPAM" => Command::ReportIfSpam,
            "PROCESS" => Command::Process,
            "HEADERS" => Command::Headers,
            "TELL" => Command::Tell,
            "PING" => Command::Ping,
            "SKIP" => Command::Skip,
            _ => return None,
        })
    }

    /// Whether a message follows.
    pub fn has_message(self) -> bool {
        !matches!(self, Command::Ping | Command::Skip)
    }
}

/// Why a request cannot be answered as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("Bad header line: {0}")]
    Line(String),
    #[error("the head of the request is over {0} bytes")]
    HeadTooLong(usize),
    #[error("a message of {size} bytes is over the limit of {limit}")]
    TooLarge { size: usize, limit: usize },
    #[error("Content-length is {announced}, but {got} bytes came")]
    Length { announced: usize, got: usize },
    #[error("the message is not what zlib makes, or unpacks to more than the limit")]
    Compression,
}

impl Error {
    /// The code of the reply, from sysexits(3).
    pub fn code(&self) -> u8 {
        match self {
            // EX_PROTOCOL
            Error::Line(_) | Error::HeadTooLong(_) | Error::Length { .. } => 76,
            // EX_DATAERR
            Error::TooLarge { .. } | Error::Compression => 65,
        }
    }
}

/// Everything before the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub command: Command,
    /// The client's version, for example `(1, 5)`; `(1, 0)` where it named none.
    pub version: (u32, u32),
    pub user: Option<String>,
    /// Bytes of the message; `None` for all until the client closes its side.
    pub length: Option<usize>,
    pub is_compressed: bool,
    /// What a TELL says the message is: `spam` or `ham`.
    pub class: Option<String>,
    /// Whether a TELL wants it learned, and whether it wants it forgotten as the other class.
    pub sets: bool,
    pub removes: bool,
}

impl Head {
    /// The most bytes that a head may have.
    pub const MAX: usize = 16 << 10;

    /// Where the head ends in `bytes`, its empty line included; `None` if it does not end there yet.
    pub fn end(bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(line) = memchr::memchr(b'\n', &bytes[at..]) {
            let text = &bytes[at..at + line];
            at += line + 1;
            if text.is_empty() || text == b"\r" {
                return Some(at);
            }
        }
        None
    }

    /// Reads a head.
    ///
    /// # Errors
    /// A line is not as the protocol has it, or the message would be larger than `limit`.
    pub fn parse(bytes: &[u8], limit: usize) -> Result<Head, Error> {
        let mut lines =
            bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let first = lines.next().unwrap_or_default();
        let (command, version) = command(first).ok_or_else(|| bad(first))?;
        let mut head = Head {
            command,
            version,
            user: None,
            length: None,
            is_compressed: false,
            class: None,
            sets: false,
            removes: false,
        };
        for line in lines.take_while(|line| !line.is_empty()) {
            let (name, value) = field(line).ok_or_else(|| bad(line))?;
            match name.to_ascii_lowercase().as_str() {
                "content-length" => {
                    let size = value.parse().map_err(|_| bad(line))?;
                    if size > limit {
                        return Err(Error::TooLarge { size, limit });
                    }
                    head.length = Some(size);
                }
                "user" => head.user = Some(value.to_owned()).filter(|user| !user.is_empty()),
                "compress" => match value.eq_ignore_ascii_case("zlib") {
                    true => head.is_compressed = true,
                    false => return Err(bad(line)),
                },
                "message-class" => head.class = Some(value.to_ascii_lowercase()),
                // `local`, `remote` or both; remote databases are none of ours.
                "set" => head.sets = value.contains("local"),
                "remove" => head.removes = value.contains("local"),
                // Whatever a later client says.
                _ => {}
            }
        }
        Ok(head)
    }

    /// Whether the client knows replies that have a Content-length beside the verdict.
    pub fn knows_length(&self) -> bool {
        self.version >= (1, 3)
    }
}

/// The bytes of a message as they come in.
#[derive(Clone, Debug, Default)]
pub struct Body(pub Vec<u8>);

impl Body {
    /// The message, unpacked.
    ///
    /// # Errors
    /// It is shorter than was announced, or cannot be unpacked within `limit` bytes.
    pub fn into_message(self, head: &Head, limit: usize) -> Result<Vec<u8>, Error> {
        let got = self.0.len();
        if let Some(announced) = head.length.filter(|&announced| announced != got) {
            return Err(Error::Length { announced, got });
        }
        if !head.is_compressed {
            return Ok(self.0);
        }
        let mut message = Vec::new();
        let unpacked = ZlibDecoder::new(self.0.as_slice()).take(limit as u64 + 1).read_to_end(&mut message);
        match unpacked {
            Ok(size) if size <= limit => Ok(message),
            _ => Err(Error::Compression),
        }
    }
}

// CHECK SPAMC/1.5; very old clients left the version out.
fn command(line: &[u8]) -> Option<(Command, (u32, u32))> {
    let line = str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace();
    let command = Command::named(words.next()?)?;
    let version = match words.next() {
        None => (1, 0),
        Some(word) => {
            let (major, minor) = word.strip_prefix("SPAMC/")?.split_once('.')?;
            (major.parse().ok()?, minor.parse().ok()?)
        }
    };
    words.next().is_none().then_some((command, version))
}

fn field(line: &[u8]) -> Option<(&str, &str)> {
    let (name, value) = str::from_utf8(line).ok()?.split_once(':')?;
    Some((name.trim(), value.trim()))
}

#[cold]
fn bad(line: &[u8]) -> Error {
    const SHOWN: usize = 80;
    Error::Line(String::from_utf8_lossy(&line[..line.len().min(SHOWN)]).into_owned())
}
