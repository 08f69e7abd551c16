//! MTAs that speak the milter protocol: their packets come in here.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    time::{interval_at, timeout},
};

use super::{
    Shared,
    whole::{self, Unanswered},
};
use crate::{
    profile::Caller,
    wire::milter::{
        Command, Error, Limits, Reply, Session, Step, codec,
        session::{self, Mail},
    },
};

/// An MTA keeps the connection while its SMTP client thinks; longer than this none does.
const IDLE: Duration = Duration::from_secs(3600);
/// The MTA gives up a milter that is silent for long; it hears of us so often.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the MTA left")]
    Left,
    #[error(transparent)]
    Protocol(#[from] Error),
    #[error("the rest of a packet did not come in time")]
    Stalled,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Serves one MTA until it leaves.
pub(super) async fn serve(
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin,
    caller: Caller,
    shared: Arc<Shared>,
) {
    let limits = Limits { message: shared.options.limits.message, ..Limits::default() };
    let session = Session::new(limits.clone());
    let mut milter = Milter { input: BufReader::new(input), output, caller, shared, session, limits };
    match milter.run().await {
        Ok(()) | Err(End::Left) => {}
        // The MTA does what it was configured to do without a milter: put the mail off.
        Err(end) => tracing::warn!("a milter connection ends: {end}"),
    }
}

struct Milter<R, W> {
    input: BufReader<R>,
    output: W,
    caller: Caller,
    shared: Arc<Shared>,
    session: Session,
    limits: Limits,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Milter<R, W> {
    async fn run(&mut self) -> Result<(), End> {
        let mut packet = Vec::new();
        loop {
            self.read(&mut packet).await?;
            let started = Instant::now();
            match self.session.command(Command::decode(&packet)?)? {
                Step::None => {}
                Step::Continue => self.say(&Reply::Continue).await?,
                Step::Negotiate { actions, steps } => self.say(&Reply::Negotiate { actions, steps }).await?,
                Step::Scan(mail) => self.judge(*mail, started).await?,
                Step::Close => return Ok(()),
            }
        }
    }

    async fn read(&mut self, packet: &mut Vec<u8>) -> Result<(), End> {
        match timeout(IDLE, self.input.fill_buf()).await {
            Ok(Ok(bytes)) if !bytes.is_empty() => {}
            _ => return Err(End::Left),
        }
        let patience = self.shared.options.frame_timeout;
        timeout(patience, self.packet(packet)).await.map_err(|_| End::Stalled)?
    }

    async fn packet(&mut self, packet: &mut Vec<u8>) -> Result<(), End> {
        let mut head = [0; 4];
        self.input.read_exact(&mut head).await?;
        if let crate::wire::frame::Decoded::Done(length) = codec::length(&head, self.limits.packet)? {
            packet.clear();
            packet.resize(length, 0);
            self.input.read_exact(packet).await?;
        }
        Ok(())
    }

    async fn judge(&mut self, mail: Mail, started: Instant) -> Result<(), End> {
        let _unanswered = Unanswered::new(&self.shared);
        let (shared, caller) = (Arc::clone(&self.shared), self.caller.clone());
        let Mail { envelope, raw } = mail;
        let judging = whole::judge(&shared, &caller, envelope, raw, started);
        tokio::pin!(judging);
        let mut alive = interval_at(tokio::time::Instant::now() + SIGN_OF_LIFE, SIGN_OF_LIFE);
        let verdict = loop {
            tokio::select! {
                verdict = &mut judging => break verdict,
                _ = alive.tick() => self.say(&Reply::Progress).await?,
            }
        };
        let mut out = Vec::new();
        match verdict {
            Ok(verdict) => self.session.answer(&verdict, &mut out),
            Err(_) => session::temporary(&mut out),
        }
        self.write(&out).await
    }

    async fn say(&mut self, reply: &Reply<'_>) -> Result<(), End> {
        let mut out = Vec::new();
        reply.encode(&mut out);
        self.write(&out).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        let patience = self.shared.options.frame_timeout;
        match timeout(patience, self.output.write_all(bytes)).await {
            Ok(written) => Ok(written?),
            Err(_) => Err(End::Stalled),
        }
    }
}
