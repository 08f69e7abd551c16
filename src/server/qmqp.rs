//! QMQP clients: one message a connection, judged and handed on to the next server. Nothing is kept here: the client
//! hears `K` only after the next server said it.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    Shared,
    exchange::{End, conclude, patience},
    whole::{self, Unanswered},
};
use crate::{
    profile::Caller,
    verdict::Action,
    wire::{
        frame::Decoded,
        headers::{Marked, Summary},
        qmqp::{Error, Length, Reply, Request, length},
    },
};

/// A next server that is not there in this time is not there.
const CONNECT: Duration = Duration::from_secs(10);
/// A next server may sync its queue to a slow disk.
const REPLY: Duration = Duration::from_secs(120);

/// Takes one message, and answers what became of it.
pub(super) async fn serve(
    mut input: impl AsyncRead + Unpin,
    mut output: impl AsyncWrite + Unpin,
    caller: Caller,
    next: &[SocketAddr],
    shared: Arc<Shared>,
) {
    let limit = shared.options.limits.message;
    let _unanswered = Unanswered::new(&shared);
    let reply = match timeout(patience(limit), content(&mut input, limit)).await {
        Ok(Ok(content)) => match Request::decode(&content, limit) {
            Ok(request) => pass_on(&shared, &caller, &request, next).await,
            Err(error) => refusal(&error),
        },
        Ok(Err(End::Refused(error))) => refusal(&error),
        Ok(Err(End::Lost)) | Err(_) => return,
    };
    conclude(&mut input, &mut output, &reply.encode()).await;
}

#[cold]
fn refusal(error: &Error) -> Reply {
    tracing::warn!("a QMQP request is refused: {error}");
    Reply::refusal(error)
}

/// What the outer netstring holds; memory grows with what comes, not with what is announced.
async fn content(input: &mut (impl AsyncRead + Unpin), limit: usize) -> Result<Vec<u8>, End<Error>> {
    let mut bytes = Vec::new();
    let most = limit.saturating_add(Request::ENVELOPE);
    let Length { head, content } = loop {
        match length(&bytes, most) {
            Ok(Decoded::Done(length)) => break length,
            Ok(Decoded::More) => {}
            Err(Error::TooLarge { size, .. }) => return Err(Error::TooLarge { size, limit }.into()),
            Err(error) => return Err(error.into()),
        }
        if input.read_buf(&mut bytes).await? == 0 {
            return Err(End::Lost);
        }
    };
    let whole = head + content + 1;
    let left = whole.saturating_sub(bytes.len()) as u64;
    input.take(left).read_to_end(&mut bytes).await?;
    match bytes.get(whole - 1) {
        // Half a request: its client is gone, and nobody shall hear of it.
        None => Err(End::Lost),
        Some(b',') => {
            bytes.truncate(whole - 1);
            bytes.drain(..head);
            Ok(bytes)
        }
        Some(_) => Err(Error::Netstring.into()),
    }
}

async fn pass_on(shared: &Shared, caller: &Caller, request: &Request<'_>, next: &[SocketAddr]) -> Reply {
    let envelope = request.envelope();
    let verdict = match whole::judge(shared, caller, envelope, request.message.to_vec(), Instant::now()).await
    {
        Ok(verdict) => verdict,
        Err(error) => return Reply::later(error),
    };
    match verdict.action {
        Action::Reject => Reply::spam(),
        Action::SoftReject | Action::Greylist => Reply::later("this message could not be checked now"),
        Action::NoAction | Action::AddHeader | Action::RewriteSubject => {
            let Marked { header, body } = Marked::new(request.message, &Summary::from(&verdict), &[]);
            let bytes = Request { message: body, ..request.clone() }.encode(&header);
            relay(next, &bytes).await
        }
    }
}

/// Hands a message to the first of the next servers that is there; after that it is between the two.
async fn relay(next: &[SocketAddr], request: &[u8]) -> Reply {
    for address in next {
        let mut stream = match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::warn!("the next QMQP server {address}: {error}");
                continue;
            }
            Err(_) => continue,
        };
        let reply = timeout(REPLY + patience(request.len()), exchange(&mut stream, request)).await;
        return match reply {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => {
                tracing::warn!("the next QMQP server {address}: {error}");
                Reply::later("the next server broke off")
            }
            Err(_) => Reply::later("the next server does not answer"),
        };
    }
    Reply::later("no next server is there")
}

async fn exchange(stream: &mut TcpStream, request: &[u8]) -> io::Result<Reply> {
    // A server that says no before it read everything is heard, too.
    let sent = stream.write_all(request).await;
    let mut bytes = Vec::new();
    loop {
        match Reply::decode(&bytes) {
            Ok(Decoded::Done(reply)) => return Ok(reply),
            Ok(Decoded::More) => {}
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return sent.and(Err(io::ErrorKind::UnexpectedEof.into()));
        }
    }
}
