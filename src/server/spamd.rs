//! Clients of the spamd protocol: one request a connection.

use std::{sync::Arc, time::Instant};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    time::timeout,
};

use super::{
    Shared,
    exchange::{End, conclude, patience},
    whole::{self, Unanswered},
};
use crate::{
    bayes::{Class, Spooled as Learned},
    profile::Caller,
    wire::{
        request::Envelope,
        spamd::{Body, Command, Error, Head, reply},
    },
};

/// Answers one request.
pub(super) async fn serve(
    mut input: impl AsyncRead + Unpin,
    mut output: impl AsyncWrite + Unpin,
    caller: Caller,
    shared: Arc<Shared>,
) {
    let limit = shared.options.limits.message;
    let _unanswered = Unanswered::new(&shared);
    let answer = match timeout(patience(limit), request(&mut input, limit)).await {
        Ok(Ok((head, message))) => answer(&shared, &caller, &head, message).await,
        Ok(Err(End::Refused(error))) => {
            tracing::warn!("a spamd request is refused: {error}");
            reply::refusal(&error)
        }
        Ok(Err(End::Lost)) | Err(_) => return,
    };
    conclude(&mut input, &mut output, &answer).await;
}

async fn answer(shared: &Arc<Shared>, caller: &Caller, head: &Head, message: Vec<u8>) -> Vec<u8> {
    match head.command {
        Command::Ping => reply::PONG.to_vec(),
        Command::Skip => Vec::new(),
        Command::Tell => tell(shared, caller, head, message).await,
        _ => {
            // The user is whose preferences to use, not somebody who logged in to send mail.
            match whole::judge(shared, caller, Envelope::default(), message.clone(), Instant::now()).await {
                Ok(verdict) => reply::verdict(head, &verdict, &message),
                Err(error) => reply::failure(75, &error.to_string()),
            }
        }
    }
}

/// Learns a message. What fails is EX_UNAVAILABLE or EX_NOPERM: `spamc -L` tells its user.
async fn tell(shared: &Arc<Shared>, caller: &Caller, head: &Head, message: Vec<u8>) -> Vec<u8> {
    if !caller.is_local() {
        return reply::failure(77, "this engine learns from programs on its own machine only");
    }
    let class = head.class.as_deref().unwrap_or_default().parse::<Class>();
    let class = match class {
        Ok(class) if head.sets => class,
        Ok(_) | Err(_) if head.removes && !head.sets => {
            return reply::failure(69, "what was learned is forgotten by `criba train --forget`");
        }
        Ok(_) => return reply::failure(76, "TELL needs Set: local"),
        Err(error) => return reply::failure(76, &error),
    };
    match whole::learn(shared, class, message).await {
        // The last word counts: the spool takes it out of the other class.
        Ok(Learned::Spooled) => reply::told(true, head.removes),
        Ok(Learned::Known) => reply::told(false, false),
        Err(error) => reply::failure(69, &error),
    }
}

async fn request(input: &mut (impl AsyncRead + Unpin), limit: usize) -> Result<(Head, Vec<u8>), End<Error>> {
    let mut bytes = Vec::new();
    let (end, is_whole) = loop {
        if let Some(end) = Head::end(&bytes) {
            break (end, true);
        }
        if bytes.len() > Head::MAX {
            return Err(Error::HeadTooLong(Head::MAX).into());
        }
        if input.read_buf(&mut bytes).await? == 0 {
            break (bytes.len(), false);
        }
    };
    if bytes.is_empty() {
        return Err(End::Lost);
    }
    let head = Head::parse(&bytes[..end], limit)?;
    if !head.command.has_message() {
        return Ok((head, Vec::new()));
    }
    // PING and SKIP come without an empty line from some clients; the others broke off.
    if !is_whole {
        return Err(End::Lost);
    }
    let body = bytes.split_off(end);
    let body = body_of(input, body, &head, limit).await?;
    let message = body.into_message(&head, limit)?;
    Ok((head, message))
}

/// The announced number of bytes, or all until the client closes its side.
async fn body_of(
    input: &mut (impl AsyncRead + Unpin),
    mut body: Vec<u8>,
    head: &Head,
    limit: usize,
) -> Result<Body, End<Error>> {
    // One byte more than is allowed tells a body that is too long.
    let most = head.length.unwrap_or(limit + 1);
    let left = most.saturating_sub(body.len()) as u64;
    input.take(left).read_to_end(&mut body).await?;
    if body.len() > limit {
        return Err(Error::TooLarge { size: body.len(), limit }.into());
    }
    Ok(Body(body))
}
