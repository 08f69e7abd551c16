//! What the dialects have in common that bring a whole message in one request: why there may be none, and how the
//! answer leaves.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use crate::wire::{qmqp, rspamd, spamd};

/// How long a client may take over its whole request on top of a second a MiB, and over taking in the reply.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// A client that was refused may still be sending; it should get to read why.
const LINGER: Duration = Duration::from_secs(2);

/// Why there is nothing to answer as asked.
pub(super) enum End<E> {
    /// The client left, or cannot be understood any further.
    Lost,
    Refused(E),
}

impl<E> From<io::Error> for End<E> {
    fn from(_: io::Error) -> End<E> {
        End::Lost
    }
}

macro_rules! refused {
    ($($dialect:ident),*) => {
        $(impl From<$dialect::Error> for End<$dialect::Error> {
            fn from(error: $dialect::Error) -> Self {
                End::Refused(error)
            }
        })*
    };
}

refused!(qmqp, rspamd, spamd);

/// Time for a request whose message may have `limit` bytes.
pub(super) fn patience(limit: usize) -> Duration {
    PATIENCE + Duration::from_secs(limit as u64 >> 20)
}

/// Sends the last reply of a connection.
pub(super) async fn conclude(
    input: &mut (impl AsyncRead + Unpin),
    output: &mut (impl AsyncWrite + Unpin),
    reply: &[u8],
) {
    let sent = timeout(PATIENCE, async {
        output.write_all(reply).await?;
        output.shutdown().await
    });
    if matches!(sent.await, Ok(Ok(()))) {
        // A socket that is closed with bytes unread resets the connection, and the reply is lost.
        let _ = timeout(LINGER, tokio::io::copy(input, &mut tokio::io::sink())).await;
    }
}
