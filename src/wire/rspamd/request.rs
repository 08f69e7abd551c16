//! What a client asks: a request line, header lines, an empty line, and mostly a message.

use std::str::FromStr;

use crate::wire::request::{Envelope, Tls};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `/checkv2`: what is this message?
    Check,
    Ping,
    LearnSpam,
    LearnHam,
    /// What was done so far.
    Stat,
    /// The rules and their scores.
    Symbols,
    /// The actions and their thresholds.
    Actions,
}

impl Target {
    fn at(path: &str) -> Option<Target> {
        let path = path.split('?').next().unwrap_or_default();
        Some(match path.trim_end_matches('/') {
            "/checkv2" | "/check" | "/symbols_check" => Target::Check,
            "/ping" => Target::Ping,
            "/learnspam" => Target::LearnSpam,
            "/learnham" => Target::LearnHam,
            "/stat" => Target::Stat,
            "/symbols" => Target::Symbols,
            "/actions" => Target::Actions,
            _ => return None,
        })
    }

    /// Whether a message comes with it.
    pub fn has_message(self) -> bool {
        matches!(self, Target::Check | Target::LearnSpam | Target::LearnHam)
    }

    /// Whether it is for those who run the engine, and not for every front end.
    pub fn is_control(self) -> bool {
        !matches!(self, Target::Check | Target::Ping)
    }
}

/// Why a request cannot be answered as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("this is no HTTP request: {0}")]
    Http(String),
    #[error("the head of the request is over {0} bytes or 256 lines")]
    HeadTooLong(usize),
    #[error("there is nothing at {0}")]
    NotFound(String),
    #[error("a message of {size} bytes is over the limit of {limit}")]
    TooLarge { size: usize, limit: usize },
    #[error("a message needs a Content-Length or chunks")]
    NoLength,
}

impl Error {
    /// The HTTP status (RFC 9110, 15.5).
    pub fn status(&self) -> u16 {
        match self {
            Error::Http(_) => 400,
            Error::NotFound(_) => 404,
            Error::NoLength => 411,
            Error::TooLarge { .. } => 413,
            Error::HeadTooLong(_) => 431,
        }
    }
}

/// How the end of the message is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes.
    Length(usize),
    /// Chunk by chunk (RFC 9112, 7.1).
    Chunked,
}

/// A request without its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub target: Target,
    pub framing: Framing,
    /// The text variant: `CHECK RSPAMC/1.3`.
    pub is_text: bool,
    /// Whether more requests may follow on the connection.
    pub keeps_alive: bool,
    /// Whether the client waits for `100 Continue` before it sends the message (RFC 9110, 10.1.1).
    pub waits: bool,
    pub password: Option<String>,
    /// rspamd's word for a profile.
    pub settings: Option<String>,
    pub envelope: Envelope,
}

impl Head {
    /// A longer head is refused.
    pub const MAX: usize = 64 << 10;

    /// Where the head ends, once all of it is there.
    pub fn end(bytes: &[u8]) -> Option<usize> {
        let crlf = memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4);
        let lf = memchr::memmem::find(bytes, b"\n\n").map(|at| at + 2);
        crlf.into_iter().chain(lf).min()
    }

    /// Reads a head; a message may have `limit` bytes.
    ///
    /// # Errors
    /// It is not HTTP, asks for what is not there, or announces too much.
    pub fn parse(head: &[u8], limit: usize) -> Result<Head, Error> {
        let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        let is_text = text.rsplit(' ').next().is_some_and(|version| version.starts_with("RSPAMC/"));
        let target = match is_text {
            true => text_command(text),
            false => request_line(head)?,
        };
        let target = target.ok_or_else(|| Error::NotFound(text.chars().take(100).collect()))?;
        let mut headers = [httparse::EMPTY_HEADER; 256];
        let after = head.get((line.len() + 1).min(head.len())..).unwrap_or_default();
        let headers = match httparse::parse_headers(after, &mut headers) {
            Ok(httparse::Status::Complete((_, headers))) => headers,
            Ok(httparse::Status::Partial) => return Err(Error::Http("the head breaks off".into())),
            Err(httparse::Error::TooManyHeaders) => return Err(Error::HeadTooLong(Head::MAX)),
            Err(error) => return Err(Error::Http(error.to_string())),
        };
        let mut parsed = Head {
            target,
            framing: Framing::Length(0),
            is_text,
            keeps_alive: !is_text && !text.ends_with("HTTP/1.0"),
            waits: false,
            password: None,
            settings: None,
            envelope: Envelope::default(),
        };
        let mut length = None;
        for header in headers.iter() {
            let value = String::from_utf8_lossy(header.value);
            parsed.header(header.name, value.trim(), &mut length)?;
        }
        if let Framing::Length(announced) = &mut parsed.framing {
            *announced = match length {
                Some(length) => length,
                None if target.has_message() => return Err(Error::NoLength),
                None => 0,
            };
            if *announced > limit {
                return Err(Error::TooLarge { size: *announced, limit });
            }
        }
        Ok(parsed)
    }

    fn header(&mut self, name: &str, value: &str, length: &mut Option<usize>) -> Result<(), Error> {
        let envelope = &mut self.envelope;
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let announced =
                    value.parse().map_err(|_| Error::Http(format!("Content-Length is {value}")))?;
                if length.replace(announced).is_some_and(|before| before != announced) {
                    // RFC 9112, 6.3: where two lengths are told, somebody tries to smuggle.
                    return Err(Error::Http("Content-Length is given twice".into()));
                }
            }
            "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => self.framing = Framing::Chunked,
            "transfer-encoding" => return Err(Error::Http(format!("Transfer-Encoding is {value}"))),
            "connection" if value.eq_ignore_ascii_case("close") => self.keeps_alive = false,
            "connection" if value.eq_ignore_ascii_case("keep-alive") => self.keeps_alive = !self.is_text,
            "expect" => self.waits = value.eq_ignore_ascii_case("100-continue"),
            "password" => self.password = Some(value.to_owned()),
            "settings-id" => self.settings = Some(value.to_owned()),
            "ip" => envelope.client_ip = value.trim_matches(['[', ']']).parse().ok(),
            "helo" => envelope.helo = value.to_owned(),
            "hostname" if value != "unknown" => envelope.client_name = value.to_owned(),
            "from" => envelope.mail_from = Some(address(value)),
            "rcpt" => envelope.rcpt_to.push(address(value)),
            "user" if !value.is_empty() => envelope.user = Some(value.to_owned()),
            "queue-id" => envelope.queue_id = value.to_owned(),
            "mta-name" => envelope.hostname = value.to_owned(),
            "tls-version" => envelope.tls.get_or_insert_with(Tls::default).version = value.to_owned(),
            "tls-cipher" => envelope.tls.get_or_insert_with(Tls::default).cipher = value.to_owned(),
            _ => {}
        }
        Ok(())
    }
}

/// Without the angle brackets that some clients leave around it.
fn address(value: &str) -> String {
    value.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')).unwrap_or(value).to_owned()
}

fn text_command(line: &str) -> Option<Target> {
    match line.split(' ').next()? {
        "CHECK" | "SYMBOLS" | "REPORT" | "PROCESS" => Some(Target::Check),
        "PING" => Some(Target::Ping),
        _ => None,
    }
}

fn request_line(head: &[u8]) -> Result<Option<Target>, Error> {
    let mut none = [];
    let mut request = httparse::Request::new(&mut none);
    match request.parse(head) {
        // There is no room for the header lines here; the request line comes before them.
        Ok(_) | Err(httparse::Error::TooManyHeaders) => {}
        Err(error) => return Err(Error::Http(error.to_string())),
    }
    let path = request.path.ok_or_else(|| Error::Http("there is no request line".into()))?;
    Ok(Target::at(path))
}

/// One chunk of a message: its size, or the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Bytes that follow; 0 ends the message.
    pub size: usize,
}

impl FromStr for Chunk {
    type Err = Error;

    /// The line before a chunk: a hexadecimal number, and extensions that nobody uses (RFC 9112, 7.1.1).
    fn from_str(line: &str) -> Result<Chunk, Error> {
        let number = line.split(';').next().unwrap_or_default().trim();
        let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = is_plain.then(|| usize::from_str_radix(number, 16).ok()).flatten();
        size.map(|size| Chunk { size })
            .ok_or_else(|| Error::Http(format!("`{number}` is no size of a chunk")))
    }
}
