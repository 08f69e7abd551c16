//! `criba learn`: mail that users sorted, into the spool of the next training.

use std::path::PathBuf;

use super::{failure::Failure, inputs};
use crate::{
    bayes::{Class, Spool, SpoolError, Spooled},
    client::{self, Client},
    config::Settings,
};

/// Options of `criba learn`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The mail waits in the spool until `criba train --spool DIR` takes it in. A message that was learned as the other class \
changes over: the last word counts.")]
pub struct Args {
    #[command(flatten)]
    class: Sorted,
    #[command(flatten)]
    place: Place,
    /// Messages, directories, maildirs, mbox files, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Sorted {
    /// The messages are spam
    #[arg(long)]
    spam: bool,
    /// The messages are ham
    #[arg(long)]
    ham: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// The spool's directory
    #[arg(long, value_name = "DIR")]
    spool: Option<PathBuf>,
    /// The configuration file that names the spool
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// An engine on this machine that has a spool (unix:/path or host:port)
    #[arg(long, value_name = "ADDR")]
    server: Option<String>,
}

/// Where the messages go.
enum Target {
    Spool(Spool),
    Server(Client),
}

/// Runs the command.
///
/// # Errors
/// There is no spool, or it cannot take all of the messages.
pub fn run(args: &Args) -> Result<(), Failure> {
    let class = if args.class.spam { Class::Spam } else { Class::Ham };
    let mut target = args.place.open()?;
    let (mut learned, mut known, mut unreadable) = (0, 0, 0);
    for input in inputs::messages(&args.paths)? {
        let raw = match input.read() {
            Ok(raw) if !raw.is_empty() => raw,
            Ok(_) => {
                eprintln!("criba: {}: it is empty", input.name());
                unreadable += 1;
                continue;
            }
            Err(error) => {
                eprintln!("criba: {}: {error}", input.name());
                unreadable += 1;
                continue;
            }
        };
        match target.put(class, &raw).map_err(|failure| failure.about(&input.name()))? {
            Spooled::Spooled => learned += 1,
            Spooled::Known => known += 1,
        }
    }
    let class = class.name();
    eprintln!("{learned} {class} spooled, {known} waited already, {unreadable} unreadable");
    Ok(())
}

impl Place {
    fn open(&self) -> Result<Target, Failure> {
        if let Some(address) = &self.server {
            let client = Client::connect(address);
            return Ok(Target::Server(client.map_err(|error| Failure::unavailable(error).about(address))?));
        }
        let mut settings = Settings::default();
        if let Some(path) = &self.config {
            settings = Settings::load(path).map_err(Failure::config)?;
        }
        let bayes = settings.bayes;
        let Some(directory) = self.spool.as_ref().or(bayes.spool.as_ref()) else {
            return Err(Failure::config(
                "the configuration names no spool: set [bayes] spool, or give --spool",
            ));
        };
        Ok(Target::Spool(Spool::open(directory, bayes.spool_bytes).map_err(spool_failure)?))
    }
}

impl Target {
    fn put(&mut self, class: Class, raw: &[u8]) -> Result<Spooled, Failure> {
        match self {
            Target::Spool(spool) => spool.put(class, raw).map_err(spool_failure),
            Target::Server(client) => {
                let reply = client.learn(raw, class.name()).map_err(|error| match error {
                    client::Error::TooLarge => Failure::data(error),
                    _ => Failure::temporary(error),
                })?;
                match reply.status {
                    0 if reply.json.contains("\"learned\":true") => Ok(Spooled::Spooled),
                    0 => Ok(Spooled::Known),
                    _ => Err(Failure::unavailable(format!("the engine refuses: {}", reply.json))),
                }
            }
        }
    }
}

/// The sysexits(3) of a spool that does not do.
pub(super) fn spool_failure(error: SpoolError) -> Failure {
    match error {
        SpoolError::Full { .. } => Failure::temporary(error),
        SpoolError::Empty => Failure::data(error),
        SpoolError::Io { .. } => Failure::cannot_create(error),
    }
}
