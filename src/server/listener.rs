//! The sockets that clients come to.

use std::{
    fmt, fs, io,
    net::{IpAddr, SocketAddr},
    os::{
        fd::{AsFd, OwnedFd},
        unix::{
            fs::{FileTypeExt, MetadataExt, PermissionsExt, chown},
            net as unix,
        },
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::{AddressFamily, getsockname, sockopt::socket_acceptconn},
};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt, ReadHalf},
    net::{TcpListener, TcpStream, UnixListener, UnixStream, tcp, unix as tokio_unix},
    time::{sleep, timeout},
};
use tokio_rustls::server::TlsStream;

use super::{
    Error, Handed, Shared,
    certificates::{Certificate, Certificates},
    connection::{self, Input},
    milter, qmqp, rspamd, spamd,
};
use crate::{
    config::{Access, Dialect, Endpoint, Listen},
    network::Network,
    profile::Caller,
    wire::frame::{self, Refused},
};

/// A socket that accepts connections, and what is spoken there.
pub(super) struct Listener {
    dialect: Dialect,
    socket: Socket,
    /// Who may connect to a TCP socket; `None` is everybody.
    allow: Option<Vec<Network>>,
    /// The profile of what comes in here.
    profile: Option<Arc<str>>,
    /// Where messages that come over QMQP go on.
    next: Arc<[SocketAddr]>,
    /// Where clients have to prove who they are.
    tls: Option<Arc<Certificate>>,
}

#[derive(Debug)]
enum Socket {
    Unix {
        socket: UnixListener,
        path: PathBuf,
        /// None for a socket that was handed over: its name is not ours.
        _file: Option<SocketFile>,
    },
    Tcp(TcpListener),
}

impl Socket {
    fn address(&self) -> Listen {
        match self {
            Socket::Unix { path, .. } => Listen::Unix(path.clone()),
            Socket::Tcp(socket) => Listen::Tcp(socket.local_addr().unwrap_or(([0, 0, 0, 0], 0).into())),
        }
    }
}

/// The name of a Unix socket in the file system, removed in the end.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode: the name may be another engine's by then.
    identity: (u64, u64),
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}", self.dialect, self.address())
    }
}

impl Listener {
    /// Opens the socket of `endpoint`; a Unix socket gets the permission bits `mode` where it has none of its own.
    pub fn bind(endpoint: &Endpoint, mode: u32, certificates: &Certificates) -> Result<Listener, Error> {
        let Endpoint { listen, access, .. } = endpoint;
        let bound = match listen {
            Listen::Unix(path) => bind_unix(path, access.mode.unwrap_or(mode), access),
            Listen::Tcp(address) => std::net::TcpListener::bind(address).and_then(|socket| {
                socket.set_nonblocking(true)?;
                Ok(Socket::Tcp(TcpListener::from_std(socket)?))
            }),
        };
        let socket = bound.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => Error::InUse(listen.clone()),
            _ => Error::Listen { listen: listen.clone(), source },
        })?;
        Listener::new(socket, endpoint, certificates)
    }

    /// Takes over a socket that the service manager opened. It is for whom and for what the `configured` endpoint of its
    /// address is; one that the manager calls `milter`, `spamd`, `rspamd` or `qmqp` speaks that.
    pub fn inherit(
        handed: Handed,
        configured: &[Endpoint],
        certificates: &Certificates,
    ) -> Result<Listener, Error> {
        let Handed { descriptor, name } = handed;
        let wrong = |source| Error::Handed { name: name.clone(), source };
        let socket = inherited(descriptor).map_err(wrong)?;
        let listen = socket.address();
        let found = configured.iter().find(|endpoint| endpoint.listen.is(&listen));
        let mut endpoint = found.cloned().unwrap_or_else(|| listen.into());
        endpoint.dialect = Dialect::named(&name).unwrap_or(endpoint.dialect);
        if endpoint.dialect == Dialect::Qmqp && (endpoint.next.is_empty() || endpoint.is_open_relay()) {
            let what =
                "QMQP needs a [[listener]] with this address that says who may send, and what comes next";
            return Err(wrong(io::Error::other(what)));
        }
        Listener::new(socket, &endpoint, certificates)
    }

    fn new(socket: Socket, endpoint: &Endpoint, certificates: &Certificates) -> Result<Listener, Error> {
        let Endpoint { dialect, access, next, tls, .. } = endpoint;
        Ok(Listener {
            dialect: *dialect,
            socket,
            allow: access.allow.clone(),
            profile: access.profile.as_deref().map(Arc::from),
            next: next.as_slice().into(),
            tls: tls.as_ref().map(|folder| certificates.open(folder)).transpose().map_err(Error::Tls)?,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> Listen {
        self.socket.address()
    }

    fn lets_in(&self, ip: IpAddr) -> bool {
        self.allow.as_ref().is_none_or(|allow| allow.iter().any(|network| network.contains(ip)))
    }

    /// Serves all who come, each in a task of its own.
    pub async fn accept(&self, shared: &Arc<Shared>) {
        loop {
            let shared = Arc::clone(shared);
            let service =
                Service { dialect: self.dialect, next: Arc::clone(&self.next), tls: self.tls.clone() };
            let profile = self.profile.clone();
            let accepted = match &self.socket {
                Socket::Unix { socket, .. } => socket.accept().await.map(|(stream, _)| {
                    let uid = stream.peer_cred().ok().map(|peer| peer.uid());
                    let caller = Caller { ip: None, uid, profile };
                    tokio::spawn(admit(service, Stream::Unix(stream), caller, shared));
                }),
                Socket::Tcp(socket) => socket.accept().await.map(|(stream, from)| {
                    let ip = from.ip().to_canonical();
                    if !self.lets_in(ip) {
                        return tracing::warn!("{}: {ip} is not allowed to connect", self.address());
                    }
                    // Without it a reply may wait 40 ms for the acknowledgement of the one before.
                    let _ = stream.set_nodelay(true);
                    let caller = Caller { ip: Some(ip), uid: None, profile };
                    tokio::spawn(admit(service, Stream::Tcp(stream), caller, shared));
                }),
            };
            if let Err(error) = accepted {
                // Out of descriptors, or the client left before it was let in: the next may do better.
                tracing::warn!("{}: cannot accept a connection: {error}", self.address());
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// What a client gets at a socket.
struct Service {
    dialect: Dialect,
    next: Arc<[SocketAddr]>,
    tls: Option<Arc<Certificate>>,
}

/// A connection that was accepted.
enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// Lets a client in if there is room for it.
async fn admit(service: Service, stream: Stream, caller: Caller, shared: Arc<Shared>) {
    let (stats, crowd) = (Arc::clone(&shared.stats), Arc::clone(&shared));
    let room = crowd.crowd.enter(caller.ip).zip(stats.accept(shared.options.max_connections));
    let Some(_open) = room else {
        let refused = Refused { kind: 0, id: 0, error: frame::Error::Crowded };
        stats.replied(refused.error.status());
        // The other dialects have no word for a crowd: their clients know what to do when we hang up.
        if service.dialect == Dialect::Native && service.tls.is_none() {
            let _ = timeout(Duration::from_secs(1), stream.write_all(&frame::refusal(&refused))).await;
        }
        return;
    };
    match (stream, &service.tls) {
        (Stream::Unix(stream), _) => {
            let (input, output) = stream.into_split();
            service.serve(input, output, caller, shared).await;
        }
        (Stream::Tcp(stream), None) => {
            let (input, output) = stream.into_split();
            service.serve(input, output, caller, shared).await;
        }
        (Stream::Tcp(stream), Some(certificate)) => {
            match timeout(shared.options.frame_timeout, certificate.acceptor().accept(stream)).await {
                Ok(Ok(stream)) => {
                    let (input, output) = tokio::io::split(stream);
                    service.serve(input, output, caller, shared).await;
                }
                Ok(Err(error)) => tracing::warn!("{:?}: no TLS connection: {error}", caller.ip),
                Err(_) => tracing::warn!("{:?}: no TLS connection in time", caller.ip),
            }
        }
    }
}

impl Stream {
    async fn write_all(self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Unix(mut stream) => stream.write_all(bytes).await,
            Stream::Tcp(mut stream) => stream.write_all(bytes).await,
        }
    }
}

impl Service {
    async fn serve(
        &self,
        input: impl Input,
        output: impl AsyncWrite + Unpin + Send + 'static,
        caller: Caller,
        shared: Arc<Shared>,
    ) {
        match self.dialect {
            Dialect::Milter => milter::serve(input, output, caller, shared).await,
            Dialect::Spamd => spamd::serve(input, output, caller, shared).await,
            Dialect::Rspamd => rspamd::serve(input, output, caller, shared).await,
            Dialect::Qmqp => qmqp::serve(input, output, caller, &self.next, shared).await,
            Dialect::Native => connection::serve(input, output, caller, shared).await,
        }
    }
}

impl Input for ReadHalf<TlsStream<TcpStream>> {
    /// A client that closed is known by the first reply to it.
    fn is_hung_up(&self) -> bool {
        false
    }
}

impl Input for tokio_unix::OwnedReadHalf {
    fn is_hung_up(&self) -> bool {
        hung_up(self.as_ref())
    }
}

impl Input for tcp::OwnedReadHalf {
    fn is_hung_up(&self) -> bool {
        hung_up(self.as_ref())
    }
}

// TCP tells only half closes apart from resets: a client that closed is known by the first reply to it.
fn hung_up(socket: &impl AsFd) -> bool {
    let mut polled = [PollFd::new(socket, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&now)).is_ok() && polled[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

// The socket gets its mode under another name and then moves into place: nobody sees it with a mode that
// is not meant, and a stale file is replaced in one step.
fn bind_unix(path: &Path, mode: u32, access: &Access) -> io::Result<Socket> {
    vacant(path)?;
    let mut early = path.as_os_str().to_owned();
    early.push(".new");
    let early = PathBuf::from(early);
    match fs::remove_file(&early) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = unix::UnixListener::bind(&early)?;
    // The owner last: who gave it away may not change it any more, without another capability than CAP_CHOWN.
    fs::set_permissions(&early, fs::Permissions::from_mode(mode))?;
    if access.owner.or(access.group).is_some() {
        chown(&early, access.owner, access.group)?;
    }
    fs::rename(&early, path)?;
    let metadata = fs::symlink_metadata(path)?;
    let file = SocketFile { path: path.to_owned(), identity: (metadata.dev(), metadata.ino()) };
    socket.set_nonblocking(true)?;
    Ok(Socket::Unix { socket: UnixListener::from_std(socket)?, path: path.to_owned(), _file: Some(file) })
}

fn inherited(descriptor: OwnedFd) -> io::Result<Socket> {
    if !socket_acceptconn(&descriptor)? {
        return Err(io::Error::other("it does not listen: a socket of type stream is needed"));
    }
    let family = getsockname(&descriptor)?.address_family();
    if family == AddressFamily::UNIX {
        let socket = unix::UnixListener::from(descriptor);
        socket.set_nonblocking(true)?;
        let path = socket.local_addr()?.as_pathname().unwrap_or(Path::new("")).to_owned();
        Ok(Socket::Unix { socket: UnixListener::from_std(socket)?, path, _file: None })
    } else {
        let socket = std::net::TcpListener::from(descriptor);
        socket.set_nonblocking(true)?;
        Ok(Socket::Tcp(TcpListener::from_std(socket)?))
    }
}

/// Whether `path` can be taken: nothing is there, or a socket that nobody answers at.
pub(super) fn vacant(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::other("there is a file of that name, and it is no socket: remove it"));
        }
        Ok(_) => {}
    }
    match unix::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(_) | Err(_) => Err(io::ErrorKind::AddrInUse.into()),
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.identity);
        if ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}
