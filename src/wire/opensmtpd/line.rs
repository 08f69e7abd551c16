//! Lines of smtpd: fields between bars, of which only the last may hold bars itself.

use std::net::{IpAddr, SocketAddr};

/// Why a line is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("this is no line of smtpd-filters(7): {0}")]
    Line(String),
    #[error("smtpd speaks version {0} of the filter protocol, at least 0.5 is needed")]
    Version(String),
}

/// A version of the protocol, for example `(0, 7)`.
pub type Version = (u32, u32);

/// What smtpd says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A key of its configuration.
    Config,
    /// It has told all of its configuration.
    Ready,
    /// Something happened in a session.
    Report { session: &'a [u8], event: Event<'a> },
    /// Something has to be decided in a session; the token comes back with the answer.
    Filter { session: &'a [u8], token: &'a [u8], phase: Phase<'a> },
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    Connect {
        name: &'a [u8],
        source: &'a [u8],
    },
    Greeting(&'a [u8]),
    Identify(&'a [u8]),
    /// Version, cipher and strength, with colons between.
    Tls(&'a [u8]),
    /// Somebody logged in.
    Authenticated(&'a [u8]),
    Disconnect,
    /// A message begins; its id.
    Begin(&'a [u8]),
    Mail(&'a [u8]),
    Rcpt(&'a [u8]),
    Reset,
    /// A failed attempt, or what a later version reports.
    Other,
}

/// What has to be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase<'a> {
    /// What shall be in the place of this line; a line that is a dot ends the message.
    DataLine(&'a [u8]),
    /// Whether the message is taken.
    Commit,
    /// A phase that was not asked for.
    Other,
}

impl<'a> Line<'a> {
    /// Reads a line without its end.
    ///
    /// # Errors
    /// It is not as the protocol has it.
    pub fn parse(line: &'a [u8]) -> Result<Line<'a>, Error> {
        let mut fields = Fields(Some(line));
        match fields.next() {
            b"config" if fields.0 == Some(b"ready") => Ok(Line::Ready),
            b"config" => Ok(Line::Config),
            b"report" => {
                let (version, event, session) = head(&mut fields).ok_or_else(|| bad(line))??;
                Ok(Line::Report { session, event: Event::parse(version, event, fields) })
            }
            b"filter" => {
                let (_, phase, session) = head(&mut fields).ok_or_else(|| bad(line))??;
                let token = fields.some().ok_or_else(|| bad(line))?;
                let phase = match phase {
                    b"data-line" => Phase::DataLine(fields.0.ok_or_else(|| bad(line))?),
                    b"commit" => Phase::Commit,
                    _ => Phase::Other,
                };
                Ok(Line::Filter { session, token, phase })
            }
            _ => Err(bad(line)),
        }
    }
}

impl<'a> Event<'a> {
    fn parse(version: Version, name: &[u8], mut fields: Fields<'a>) -> Event<'a> {
        match name {
            b"link-connect" => {
                let (name, _forward_confirmed) = (fields.next(), fields.next());
                Event::Connect { name, source: fields.next() }
            }
            b"link-greeting" => Event::Greeting(fields.rest()),
            b"link-identify" => {
                let _method = fields.next();
                Event::Identify(fields.rest())
            }
            b"link-tls" => Event::Tls(fields.rest()),
            b"link-auth" => match fields.with_result(version >= (0, 7)) {
                (user, b"pass") => Event::Authenticated(user),
                _ => Event::Other,
            },
            b"link-disconnect" => Event::Disconnect,
            b"tx-begin" => Event::Begin(fields.next()),
            b"tx-mail" | b"tx-rcpt" => {
                let _message = fields.next();
                match fields.with_result(version >= (0, 6)) {
                    (address, b"ok") if name == b"tx-mail" => Event::Mail(address),
                    (address, b"ok") => Event::Rcpt(address),
                    _ => Event::Other,
                }
            }
            b"tx-reset" => Event::Reset,
            _ => Event::Other,
        }
    }
}

/// `192.0.2.1:25` or `[2001:db8::1]:25`; a Unix socket has no address.
pub(super) fn ip(source: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(source).ok()?;
    Some(text.parse::<SocketAddr>().ok()?.ip())
}

/// The fields that are left of a line.
struct Fields<'a>(Option<&'a [u8]>);

impl<'a> Fields<'a> {
    fn some(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.take()?;
        let Some(bar) = memchr::memchr(b'|', rest) else { return Some(rest) };
        self.0 = Some(&rest[bar + 1..]);
        Some(&rest[..bar])
    }

    fn next(&mut self) -> &'a [u8] {
        self.some().unwrap_or_default()
    }

    fn rest(&mut self) -> &'a [u8] {
        self.0.take().unwrap_or_default()
    }

    /// A value that may hold bars, and a result: which comes first changed between versions.
    fn with_result(&mut self, result_first: bool) -> (&'a [u8], &'a [u8]) {
        if result_first {
            let result = self.next();
            return (self.rest(), result);
        }
        let rest = self.rest();
        match memchr::memrchr(b'|', rest) {
            Some(bar) => (&rest[..bar], &rest[bar + 1..]),
            None => (rest, b""),
        }
    }
}

/// Version, event or phase, and session: what reports and requests begin with.
type Head<'a> = (Version, &'a [u8], &'a [u8]);

fn head<'a>(fields: &mut Fields<'a>) -> Option<Result<Head<'a>, Error>> {
    let text = str::from_utf8(fields.some()?).ok()?;
    let (major, minor) = text.split_once('.')?;
    let version = (major.parse().ok()?, minor.parse().ok()?);
    // Before 0.5 the token stood before the session.
    if version < (0, 5) {
        return Some(Err(Error::Version(text.into())));
    }
    let (_time, subsystem) = (fields.some()?, fields.some()?);
    let (what, session) = (fields.some()?, fields.some()?);
    (subsystem == b"smtp-in" && !session.is_empty()).then_some(Ok((version, what, session)))
}

#[cold]
fn bad(line: &[u8]) -> Error {
    const SHOWN: usize = 80;
    Error::Line(String::from_utf8_lossy(&line[..line.len().min(SHOWN)]).into_owned())
}
