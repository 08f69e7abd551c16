//! Where an engine is, and the connection to it.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    path::Path,
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};

use super::Error;
use crate::{config::Listen, tls};

/// Where an engine is, and how to prove to it who asks.
#[derive(Clone, Debug)]
pub enum Address {
    Plain(Listen),
    /// The addresses that the host's name has are tried in turn.
    Tls {
        sockets: Vec<SocketAddr>,
        name: ServerName<'static>,
        config: Arc<ClientConfig>,
    },
}

impl FromStr for Address {
    type Err = Error;

    /// What [`Listen`] reads, or `tls://host:port`, with the folder of the certificates behind it where that is not
    /// [`tls::FOLDER`]. The engine has to prove that it is `host`.
    fn from_str(text: &str) -> Result<Address, Error> {
        let Some(rest) = text.strip_prefix("tls://") else {
            return text.parse().map(Address::Plain).map_err(Error::Address);
        };
        let (place, folder) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let wrong = || Error::Address(format!("`{text}`: write tls://host:port or tls://host:port/folder"));
        let host = place.rsplit_once(':').ok_or_else(wrong)?.0.trim_matches(['[', ']']);
        let sockets: Vec<_> = place.to_socket_addrs().map_err(|_| wrong())?.collect();
        let folder = Path::new(if folder.is_empty() { tls::FOLDER } else { folder });
        Ok(Address::Tls {
            sockets,
            name: ServerName::try_from(host.to_owned()).map_err(|_| wrong())?,
            config: tls::client(folder).map_err(|error| Error::Address(error.to_string()))?,
        })
    }
}

#[derive(Debug)]
pub(super) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    /// Connects within `timeout`, proofs of identity included.
    pub fn connect(address: &Address, timeout: Duration) -> Result<Stream, Error> {
        let tcp = |address: &SocketAddr| {
            let stream = TcpStream::connect_timeout(address, timeout).map_err(Error::Connect)?;
            stream.set_nodelay(true)?;
            Ok::<_, Error>(stream)
        };
        match address {
            Address::Plain(Listen::Unix(path)) => {
                UnixStream::connect(path).map(Stream::Unix).map_err(Error::Connect)
            }
            Address::Plain(Listen::Tcp(address)) => tcp(address).map(Stream::Tcp),
            Address::Tls { sockets, name, config } => {
                let mut stream = first(sockets, tcp)?;
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))?;
                let connection = ClientConnection::new(Arc::clone(config), name.clone());
                let mut connection = connection.map_err(|error| Error::Connect(io::Error::other(error)))?;
                while connection.is_handshaking() {
                    connection.complete_io(&mut stream).map_err(Error::Connect)?;
                }
                Ok(Stream::Tls(Box::new(StreamOwned::new(connection, stream))))
            }
        }
    }

    pub fn set_timeout(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Stream::Unix(stream) => {
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))
            }
            Stream::Tcp(stream) => tcp_timeout(stream, timeout),
            Stream::Tls(stream) => tcp_timeout(&stream.sock, timeout),
        }
    }

    pub fn try_clone(&self) -> io::Result<Stream> {
        match self {
            Stream::Unix(stream) => stream.try_clone().map(Stream::Unix),
            Stream::Tcp(stream) => stream.try_clone().map(Stream::Tcp),
            // The keys of both directions are one state.
            Stream::Tls(_) => {
                Err(io::Error::new(io::ErrorKind::Unsupported, "a TLS connection has one handle"))
            }
        }
    }
}

/// The first connection that can be had, or why the last could not.
fn first<T>(sockets: &[SocketAddr], connect: impl Fn(&SocketAddr) -> Result<T, Error>) -> Result<T, Error> {
    let mut failed = Error::Address("the host has no address".into());
    for socket in sockets {
        match connect(socket) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn tcp_timeout(stream: &TcpStream, timeout: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Unix(stream) => stream.as_fd(),
            Stream::Tcp(stream) => stream.as_fd(),
            Stream::Tls(stream) => stream.sock.as_fd(),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.read(buffer),
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.write(buffer),
            Stream::Tcp(stream) => stream.write(buffer),
            Stream::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Unix(_) | Stream::Tcp(_) => Ok(()),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}
