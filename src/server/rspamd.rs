//! Clients of rspamd's protocols: HTTP, one request after the other, and the text variant, one a connection.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    time::timeout,
};

use super::{
    Shared,
    exchange::{End, PATIENCE, conclude, patience},
    whole::{self, Unanswered},
};
use crate::{
    bayes::{Class, Spooled as Learned},
    mime,
    profile::Caller,
    verdict::Action,
    wire::rspamd::{
        Error, Framing, Head, Target,
        reply::{self, JSON, json},
        request::Chunk,
    },
};

/// How long a connection may be idle between requests.
const IDLE: Duration = Duration::from_secs(60);
/// Serves one client until it leaves.
pub(super) async fn serve(
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin,
    caller: Caller,
    shared: Arc<Shared>,
) {
    let mut client = Client { input: BufReader::new(input), output, caller, shared };
    while client.request().await.is_ok_and(|goes_on| goes_on) {}
}

struct Client<R, W> {
    input: BufReader<R>,
    output: W,
    caller: Caller,
    shared: Arc<Shared>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Client<R, W> {
    /// Answers one request, and says whether another may follow.
    async fn request(&mut self) -> io::Result<bool> {
        match timeout(IDLE, self.input.fill_buf()).await {
            Ok(Ok([])) | Err(_) => return Ok(false),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error),
        }
        let _unanswered = Unanswered::new(&self.shared);
        let started = Instant::now();
        let limit = self.shared.options.limits.message;
        let (reply, goes_on) = match timeout(patience(limit), self.read(limit)).await {
            Ok(Ok((head, message))) => {
                let goes_on = head.keeps_alive && !self.shared.is_draining();
                (self.answer(&head, message, started).await, goes_on)
            }
            Ok(Err(End::Refused(error))) => {
                tracing::warn!("an rspamd request is refused: {error}");
                (reply::refusal(&error), false)
            }
            Ok(Err(End::Lost)) | Err(_) => return Ok(false),
        };
        if !goes_on {
            conclude(&mut self.input, &mut self.output, &reply).await;
            return Ok(false);
        }
        match timeout(PATIENCE, self.output.write_all(&reply)).await {
            Ok(sent) => sent.map(|()| true),
            Err(_) => Ok(false),
        }
    }

    async fn read(&mut self, limit: usize) -> Result<(Head, Vec<u8>), End<Error>> {
        let mut bytes = Vec::new();
        while Head::end(&bytes).is_none() {
            let room = Head::MAX.saturating_sub(bytes.len()) as u64;
            if (&mut self.input).take(room).read_until(b'\n', &mut bytes).await? == 0 {
                return Err(if room == 0 { Error::HeadTooLong(Head::MAX).into() } else { End::Lost });
            }
        }
        let head = Head::parse(&bytes, limit)?;
        if head.waits {
            self.output.write_all(reply::CONTINUE).await?;
        }
        let mut message = Vec::new();
        match head.framing {
            Framing::Length(length) => self.take(length, &mut message).await?,
            Framing::Chunked => self.chunks(limit, &mut message).await?,
        }
        Ok((head, message))
    }

    /// Reads `length` bytes more; memory grows with what comes, not with what is announced.
    async fn take(&mut self, length: usize, message: &mut Vec<u8>) -> Result<(), End<Error>> {
        let got = (&mut self.input).take(length as u64).read_to_end(message).await?;
        if got < length { Err(End::Lost) } else { Ok(()) }
    }

    async fn chunks(&mut self, limit: usize, message: &mut Vec<u8>) -> Result<(), End<Error>> {
        loop {
            let Chunk { size } = self.line().await?.trim_end().parse()?;
            if size == 0 {
                // What may trail is of no use here.
                while !self.line().await?.trim_end().is_empty() {}
                return Ok(());
            }
            let whole = message.len().saturating_add(size);
            if whole > limit {
                return Err(Error::TooLarge { size: whole, limit }.into());
            }
            self.take(size, message).await?;
            self.line().await?;
        }
    }

    async fn line(&mut self) -> Result<String, End<Error>> {
        const LONGEST: u64 = 4096;
        let mut line = Vec::new();
        (&mut self.input).take(LONGEST).read_until(b'\n', &mut line).await?;
        match line.ends_with(b"\n") {
            true => Ok(String::from_utf8_lossy(&line).into_owned()),
            false => Err(End::Lost),
        }
    }

    async fn answer(&self, head: &Head, message: Vec<u8>, started: Instant) -> Vec<u8> {
        let ok = |body: &[u8]| reply::http(200, JSON, body, head.keeps_alive);
        let control = &self.shared.control;
        if head.target.is_control() && !control.admits(&self.caller, head.password.as_deref()).await {
            let what = "this needs the controller's password in a Password header, or a Unix socket";
            return reply::failure(403, what, head.is_text);
        }
        match head.target {
            Target::Ping if head.is_text => reply::PONG.to_vec(),
            Target::Ping => reply::http(200, "text/plain", b"pong\r\n", head.keeps_alive),
            Target::Check => self.check(head, message, started).await,
            Target::LearnSpam => self.learn(head, Class::Spam, message).await,
            Target::LearnHam => self.learn(head, Class::Ham, message).await,
            Target::Stat => ok(&json(&self.stat())),
            Target::Symbols => ok(&json(&self.symbols())),
            Target::Actions => ok(&json(&self.actions())),
        }
    }

    async fn check(&self, head: &Head, mut message: Vec<u8>, started: Instant) -> Vec<u8> {
        let mut envelope = head.envelope.clone();
        // A name that is unknown here is a matter of the client's other servers.
        envelope.profile =
            head.settings.clone().filter(|name| self.shared.engine().profile(Some(name)).is_some());
        // Exim hands over an mbox.
        if message.starts_with(b"From ") {
            let end = memchr::memchr(b'\n', &message).map_or(message.len(), |at| at + 1);
            message.drain(..end);
        }
        let subject = if head.is_text { String::new() } else { subject(&message) };
        match whole::judge(&self.shared, &self.caller, envelope, message, started).await {
            Ok(verdict) if head.is_text => reply::text(&verdict),
            Ok(verdict) => {
                let body = json(&reply::Check::new(&verdict, &subject));
                reply::http(200, JSON, &body, head.keeps_alive)
            }
            Err(error) => reply::failure(503, &error.to_string(), head.is_text),
        }
    }

    async fn learn(&self, head: &Head, class: Class, message: Vec<u8>) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body {
            success: bool,
        }
        match whole::learn(&self.shared, class, message).await {
            Ok(Learned::Spooled) => reply::http(200, JSON, &json(&Body { success: true }), head.keeps_alive),
            // rspamc takes it as it is meant: nothing is left to do.
            Ok(Learned::Known) => reply::failure(208, "the message is learned as this already", head.is_text),
            Err(error) => reply::failure(503, &error, head.is_text),
        }
    }

    fn stat(&self) -> Stat {
        let report = self.shared.stats.report();
        let count = |action: Action| report.actions.get(action.name()).copied().unwrap_or(0);
        let spam = count(Action::Reject) + count(Action::AddHeader) + count(Action::RewriteSubject);
        let scanned = report.actions.values().sum();
        Stat {
            version: env!("CARGO_PKG_VERSION"),
            uptime: report.uptime_s,
            read_only: true,
            scanned,
            learned: 0,
            spam_count: spam,
            ham_count: scanned - spam,
            connections: report.connections.accepted,
            control_connections: 0,
            actions: Action::ALL.map(|action| (action.name(), count(action))).into_iter().collect(),
        }
    }

    fn symbols(&self) -> Vec<Group> {
        let engine = self.shared.engine();
        let mut rules: Vec<Rule> = engine
            .rules
            .scored()
            .map(|(name, weight, description)| Rule {
                symbol: name.to_owned(),
                weight,
                description: description.to_owned(),
            })
            .collect();
        rules.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        vec![Group { group: "criba", rules }]
    }

    fn actions(&self) -> Vec<Threshold> {
        let engine = self.shared.engine();
        let thresholds = engine.profile(None).map(|profile| profile.thresholds);
        let named = |action: Action, value: Option<f64>| Threshold { action: action.name(), value };
        thresholds.map_or_else(Vec::new, |of| {
            vec![
                named(Action::Reject, of.reject),
                named(Action::RewriteSubject, of.rewrite_subject),
                named(Action::AddHeader, of.add_header),
                named(Action::Greylist, of.greylist),
            ]
        })
    }
}

/// The decoded subject, for a client that rewrites it.
fn subject(message: &[u8]) -> String {
    let arena = mime::Arena::new();
    let limits = mime::Limits { parts: 1, ..mime::Limits::default() };
    mime::Message::parse(message, &arena, &limits).header("Subject").unwrap_or_default().trim().to_owned()
}

#[derive(Debug, Serialize)]
struct Stat {
    version: &'static str,
    uptime: u64,
    read_only: bool,
    scanned: u64,
    learned: u64,
    spam_count: u64,
    ham_count: u64,
    connections: u64,
    control_connections: u64,
    actions: std::collections::BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize)]
struct Group {
    group: &'static str,
    rules: Vec<Rule>,
}

#[derive(Debug, Serialize)]
struct Rule {
    symbol: String,
    weight: f64,
    description: String,
}

#[derive(Debug, Serialize)]
struct Threshold {
    action: &'static str,
    value: Option<f64>,
}
