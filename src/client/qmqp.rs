//! Handing a message to a server that queues it, over QMQP; blocking.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::wire::{
    frame::Decoded,
    qmqp::{Reply, Request},
};

const CONNECT: Duration = Duration::from_secs(10);
/// A server may sync its queue to a slow disk.
const REPLY: Duration = Duration::from_secs(120);

/// Hands a message over with `header` in front of it; the reply says who has it now. While nobody said that the
/// server has it, the reply is that it is still here.
pub fn send(server: SocketAddr, request: &Request<'_>, header: &[u8]) -> Reply {
    exchange(server, &request.encode(header))
        .unwrap_or_else(|error| Reply::later(format!("{server}: {error}")))
}

fn exchange(server: SocketAddr, request: &[u8]) -> std::io::Result<Reply> {
    let mut stream = TcpStream::connect_timeout(&server, CONNECT)?;
    stream.set_read_timeout(Some(REPLY))?;
    stream.set_write_timeout(Some(REPLY))?;
    // A server that says no before it read everything is heard, too.
    let sent = stream.write_all(request);
    let mut bytes = Vec::new();
    loop {
        match Reply::decode(&bytes).map_err(std::io::Error::other)? {
            Decoded::Done(reply) => return Ok(reply),
            Decoded::More => {}
        }
        let mut some = [0; 512];
        match stream.read(&mut some)? {
            0 => return sent.and(Err(std::io::ErrorKind::UnexpectedEof.into())),
            got => bytes.extend_from_slice(&some[..got]),
        }
    }
}
