//! `criba qmail-queue`: stands where qmail expects its qmail-queue, asks an engine, then hands over.
//!
//! qmail-queue(8) reads a message on descriptor 0 and an envelope on descriptor 1, and answers with its
//! exit code. qmail calls it without arguments, so what it needs comes from the environment. Nothing
//! is written to disk: the OK leaves only after the next program said OK.

use std::{
    env,
    fs::File,
    io::{self, Read, Write},
    os::fd::AsFd,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

use super::failure::Failure;
use crate::{
    client::{Client, qmqp},
    config::Listen,
    verdict::Action,
    wire::{
        headers::{Marked, Summary},
        qmqp::{Outcome, Request},
        request::Envelope,
    },
};

/// Exit codes of qmail-queue(8).
mod code {
    /// Refused for good.
    pub const REFUSED: u8 = 31;
    pub const CANNOT_READ: u8 = 54;
    /// Refused for now.
    pub const TRY_LATER: u8 = 71;
    pub const INTERNAL: u8 = 81;
    pub const ENVELOPE: u8 = 91;
}

/// Options of `criba qmail-queue`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "qmail passes no arguments: set CRIBA_SERVER, CRIBA_NEXT and CRIBA_BUDGET in the environment \
                        instead. TCPREMOTEIP, TCPREMOTEHOST, RELAYCLIENT and SMTPAUTHUSER tell the \
                        engine who the client is; with one of the last two the profile is internal."
)]
pub struct Args {
    /// The engine to ask (unix:/path, host:port or tls://host:port/folder) [default: $CRIBA_SERVER, else unix:/run/criba/criba.sock]
    #[arg(long, value_name = "ADDR")]
    server: Option<String>,
    /// The program that takes the message on, or qmqp:host:port for a QMQP server [default: $CRIBA_NEXT, else
    /// /var/qmail/bin/qmail-queue]
    #[arg(long, value_name = "PROGRAM")]
    next: Option<PathBuf>,
    /// Time for the verdict [default: $CRIBA_BUDGET, else the profile's]
    #[arg(long, value_name = "MS")]
    budget: Option<u32>,
}

/// Runs the command; its exit code is for qmail.
///
/// # Errors
/// None that are not an exit code: qmail knows no others.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    Ok(ExitCode::from(queue(args).unwrap_or_else(|code| code)))
}

/// A message with its envelope, as qmail hands it over.
#[derive(Debug)]
struct Mail {
    message: Vec<u8>,
    /// `F sender NUL (T recipient NUL)* NUL`, passed on as it is.
    envelope: Vec<u8>,
}

fn queue(args: &Args) -> Result<u8, u8> {
    let mail =
        read().map_err(|error| complain(code::CANNOT_READ, format!("cannot read the message: {error}")))?;
    let envelope = parse(&mail.envelope)
        .ok_or_else(|| complain(code::ENVELOPE, "the envelope is not as qmail-queue(8) says".into()))?;
    let summary = ask(args, &mail, &with_client(envelope))?;
    match summary.action {
        Action::Reject => Ok(code::REFUSED),
        Action::SoftReject | Action::Greylist => Ok(code::TRY_LATER),
        _ => hand_over(args, &mail, &summary),
    }
}

#[cold]
fn complain(code: u8, what: String) -> u8 {
    // qmail-smtpd's log takes stderr.
    eprintln!("criba qmail-queue: {what}");
    code
}

fn read() -> io::Result<Mail> {
    let mut mail = Mail { message: Vec::new(), envelope: Vec::new() };
    io::stdin().lock().read_to_end(&mut mail.message)?;
    File::from(io::stdout().as_fd().try_clone_to_owned()?).read_to_end(&mut mail.envelope)?;
    Ok(mail)
}

/// Sender and recipients.
fn addresses(envelope: &[u8]) -> Option<(&[u8], Vec<&[u8]>)> {
    let mut strings = envelope.strip_suffix(b"\0\0")?.split(|&byte| byte == 0);
    let sender = strings.next()?.strip_prefix(b"F")?;
    let recipients = strings.map(|string| string.strip_prefix(b"T")).collect::<Option<_>>()?;
    Some((sender, recipients))
}

fn parse(bytes: &[u8]) -> Option<Envelope> {
    let (sender, recipients) = addresses(bytes)?;
    let text = |address: &[u8]| String::from_utf8_lossy(address).into_owned();
    let rcpt_to = recipients.into_iter().map(text).collect();
    Some(Envelope { mail_from: Some(text(sender)), rcpt_to, ..Envelope::default() })
}

/// What tcpserver and qmail-smtpd tell about the client.
fn with_client(mut envelope: Envelope) -> Envelope {
    let var = |name| env::var(name).ok().filter(|value| !value.is_empty());
    envelope.client_ip = var("TCPREMOTEIP").and_then(|ip| ip.parse().ok());
    envelope.client_name = var("TCPREMOTEHOST").unwrap_or_default();
    envelope.user = var("SMTPAUTHUSER");
    if env::var_os("RELAYCLIENT").is_some() || envelope.user.is_some() {
        envelope.profile = Some("internal".into());
    }
    envelope
}

fn ask(args: &Args, mail: &Mail, envelope: &Envelope) -> Result<Summary, u8> {
    let server = args.server.clone().or_else(|| env::var("CRIBA_SERVER").ok());
    let server = server.unwrap_or_else(|| "unix:/run/criba/criba.sock".into());
    let budget = match (args.budget, env::var("CRIBA_BUDGET")) {
        (Some(budget), _) => budget,
        (None, Ok(text)) => text.parse().map_err(|_| {
            complain(code::INTERNAL, format!("CRIBA_BUDGET = `{text}`: milliseconds are a number"))
        })?,
        (None, Err(_)) => 0,
    };
    let later = |what: &dyn std::fmt::Display| complain(code::TRY_LATER, format!("{server}: {what}"));
    let mut client = Client::connect(&server).map_err(|error| later(&error))?;
    let reply = client.scan(&mail.message, envelope, budget).map_err(|error| later(&error))?;
    if !reply.is_verdict() {
        return Err(later(&reply.json));
    }
    Summary::parse(&mut reply.json.into_bytes()).map_err(|error| later(&error))
}

/// Gives the message, marked with our header fields, to the next program or server; its answer is ours.
fn hand_over(args: &Args, mail: &Mail, summary: &Summary) -> Result<u8, u8> {
    let next = args.next.clone().or_else(|| env::var_os("CRIBA_NEXT").map(PathBuf::from));
    let next = next.unwrap_or_else(|| "/var/qmail/bin/qmail-queue".into());
    let marked = Marked::new(&mail.message, summary, &[]);
    if let Some(server) = next.to_str().and_then(|next| next.strip_prefix("qmqp:")) {
        return send(server, mail, &marked);
    }
    let broken = |error: io::Error| complain(code::INTERNAL, format!("{}: {error}", next.display()));
    let (envelope, mut to_envelope) = io::pipe().map_err(broken)?;
    let mut child = Command::new(&next).stdin(Stdio::piped()).stdout(envelope).spawn().map_err(broken)?;
    // A program that does not read to the end says why by its exit code, so that a broken pipe is no error here.
    if let Some(mut message) = child.stdin.take() {
        let _ = message.write_all(&marked.header).and_then(|()| message.write_all(marked.body));
    }
    let _ = to_envelope.write_all(&mail.envelope);
    drop(to_envelope);
    let status = child.wait().map_err(broken)?;
    // Killed by a signal: nobody knows what became of the mail, so that its sender has to keep it.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(code::INTERNAL))
}

/// Hands the message to a QMQP server, with the exit codes of qmail-qmqpc(8).
fn send(server: &str, mail: &Mail, marked: &Marked<'_>) -> Result<u8, u8> {
    let address = match server.parse() {
        Ok(Listen::Tcp(address)) => address,
        Ok(Listen::Unix(_)) | Err(_) => {
            return Err(complain(
                code::INTERNAL,
                format!("CRIBA_NEXT = qmqp:{server}: that is no host:port"),
            ));
        }
    };
    let (sender, recipients) = addresses(&mail.envelope).ok_or(code::ENVELOPE)?;
    let request = Request { message: marked.body, sender, recipients };
    let reply = qmqp::send(address, &request, &marked.header);
    match reply.outcome {
        Outcome::Accepted => Ok(0),
        Outcome::Later => Err(complain(code::TRY_LATER, reply.text)),
        Outcome::Refused => Err(complain(code::REFUSED, reply.text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_of_qmail_is_read() {
        let envelope = parse(b"Fa@b.example\0Tc@d.example\0Te@f.example\0\0").unwrap();
        assert_eq!(envelope.mail_from.as_deref(), Some("a@b.example"));
        assert_eq!(envelope.rcpt_to, ["c@d.example", "e@f.example"]);
        assert_eq!(parse(b"F\0Tc@d.example\0\0").unwrap().mail_from.as_deref(), Some(""));
    }

    #[test]
    fn half_an_envelope_is_none() {
        let whole = b"Fa@b.example\0Tc@d.example\0\0";
        for end in 0..whole.len() {
            assert!(parse(&whole[..end]).is_none(), "{end}");
        }
        assert!(parse(b"Tc@d.example\0Fa@b.example\0\0").is_none());
        assert!(parse(b"Fa\0X\0\0").is_none());
    }
}
