//! Where the server listens, what is spoken there, and who is let in.

use std::{
    fmt,
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
};

use crate::network::Network;

/// Where the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

impl Listen {
    /// Whether a socket at `other` is the one that is meant; `[::]` takes in what comes to `0.0.0.0`.
    pub fn is(&self, other: &Listen) -> bool {
        match (self, other) {
            (Listen::Tcp(one), Listen::Tcp(other)) => {
                let same = one.ip() == other.ip() || one.ip().is_unspecified() && other.ip().is_unspecified();
                same && one.port() == other.port()
            }
            _ => self == other,
        }
    }
}

impl std::str::FromStr for Listen {
    type Err = String;

    /// `unix:/path`, `/path`, `tcp:host:port` or `host:port`.
    fn from_str(text: &str) -> Result<Listen, String> {
        if let Some(path) = text.strip_prefix("unix:").or_else(|| text.starts_with('/').then_some(text)) {
            return match path.starts_with('/') {
                true => Ok(Listen::Unix(path.into())),
                false => Err(format!(
                    "`{text}`: a Unix socket needs an absolute path, as in unix:/run/criba/criba.sock"
                )),
            };
        }
        let address = text.strip_prefix("tcp:").unwrap_or(text);
        let found = address.to_socket_addrs().ok().and_then(|mut all| all.next());
        found.map(Listen::Tcp).ok_or_else(|| {
            format!(
                "`{text}` is not an address: write unix:/path, or tcp:host:port as in tcp:127.0.0.1:11330"
            )
        })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Unix(path) => write!(f, "unix:{}", path.display()),
            Listen::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

/// What is spoken at a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// The native RPC.
    #[default]
    Native,
    /// The milter protocol of Postfix and Sendmail.
    Milter,
    /// SpamAssassin's spamd protocol: `spamc`, Exim, Haraka.
    Spamd,
    /// rspamd's HTTP and Exim's text variant of it: `rspamc`, Exim, Haraka, OpenSMTPD's filter.
    Rspamd,
    /// QMQP: nodes that hand mail over to be judged and passed on.
    Qmqp,
}

impl Dialect {
    /// What stands before an address for another dialect than the native one.
    const PREFIXES: [(&str, Dialect); 4] = [
        ("milter:", Dialect::Milter),
        ("spamd:", Dialect::Spamd),
        ("rspamd:", Dialect::Rspamd),
        ("qmqp:", Dialect::Qmqp),
    ];

    /// The dialect of a name: `milter`, `spamd`, `rspamd` or `qmqp`.
    pub fn named(name: &str) -> Option<Dialect> {
        Dialect::PREFIXES
            .iter()
            .find(|(prefix, _)| prefix.strip_suffix(':') == Some(name))
            .map(|found| found.1)
    }
}

/// Who gets in at a socket, and as what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The profile of messages that come in here and do not name one.
    pub profile: Option<String>,
    /// Who may connect to a TCP socket; `None` is everybody.
    pub allow: Option<Vec<Network>>,
    /// Permission bits of a Unix socket; `None` are those of the server.
    pub mode: Option<u32>,
    /// User and group id that a Unix socket is given.
    pub owner: Option<u32>,
    pub group: Option<u32>,
}

/// A socket to open: where, what is spoken there, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub dialect: Dialect,
    pub listen: Listen,
    pub access: Access,
    /// Where messages that come over QMQP go on; asked in turn until one is there.
    pub next: Vec<SocketAddr>,
    /// The folder of the certificates, where clients have to prove who they are.
    pub tls: Option<PathBuf>,
}

impl Endpoint {
    /// An address as [`Listen`] reads it, for the native RPC; `milter:`, `spamd:`, `rspamd:` or `qmqp:` before
    /// it for another dialect.
    ///
    /// # Errors
    /// The address makes no sense.
    pub(super) fn at(text: &str) -> Result<Endpoint, String> {
        let mut prefixes = Dialect::PREFIXES.iter();
        let found = prefixes.find_map(|(name, dialect)| Some((*dialect, text.strip_prefix(name)?)));
        let (dialect, address) = found.unwrap_or((Dialect::Native, text));
        Ok(Endpoint { dialect, ..address.parse::<Listen>()?.into() })
    }

    /// Whether strangers could have their mail handed on.
    pub fn is_open_relay(&self) -> bool {
        let is_guarded = self.access.allow.is_some() || self.tls.is_some();
        self.dialect == Dialect::Qmqp && matches!(self.listen, Listen::Tcp(_)) && !is_guarded
    }
}

impl From<Listen> for Endpoint {
    fn from(listen: Listen) -> Endpoint {
        Endpoint { dialect: Dialect::Native, listen, access: Access::default(), next: Vec::new(), tls: None }
    }
}

impl std::str::FromStr for Endpoint {
    type Err = String;

    /// An address that says all there is to say of a socket.
    fn from_str(text: &str) -> Result<Endpoint, String> {
        let endpoint = Endpoint::at(text)?;
        match endpoint.dialect {
            Dialect::Qmqp => {
                Err(format!("`{text}` goes on to another server: write a [[listener]] with next = [...]"))
            }
            _ => Ok(endpoint),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Dialect::PREFIXES.iter().find(|(_, dialect)| *dialect == self.dialect);
        write!(f, "{}{}", found.map_or("", |(prefix, _)| prefix), self.listen)
    }
}
