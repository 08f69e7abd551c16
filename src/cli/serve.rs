//! `criba serve`: the engine on its sockets.

use std::sync::Mutex;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{
    failure::Failure,
    settings::{EngineArgs, load_engine},
};
use crate::{
    config::{Endpoint, Settings},
    engine::Engine,
    log,
    ocr::{self, Pool},
    precedence_ffi::{self, Precedence},
    server::{self, Server},
};

/// Options of `criba serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
SIGHUP loads configuration, rules and model anew; SIGTERM answers what is in flight and stops. Under systemd, the \
sockets of a .socket unit are used instead of the addresses, each as the [[listener]] with its address says \
(or with FileDescriptorName=milter, spamd or rspamd for those dialects), and \
Type=notify with a watchdog is understood. RUST_LOG=warn leaves out the line that is logged for each message.")]
pub struct Args {
    #[command(flatten)]
    engine: EngineArgs,
    /// Listen here (unix:/path or host:port, milter:, spamd: or rspamd: before it for other dialects) and nowhere else, whatever the configuration says; a `[[listener]]` with this address still says who gets in. May be given several times
    #[arg(long, value_name = "ADDR", value_parser = address)]
    listen: Vec<Endpoint>,
    /// Threads that scan; 0 is one a core
    #[arg(long, value_name = "N")]
    workers: Option<u16>,
}

fn address(text: &str) -> Result<Endpoint, String> {
    text.parse()
}

impl Args {
    fn settings(&self) -> Result<Settings, Failure> {
        let mut settings = self.engine.settings()?;
        if !self.listen.is_empty() {
            let configured = std::mem::take(&mut settings.server.listen);
            // What was said of a socket stays true: one with `tls` or `allow` is not opened to everybody.
            let known = |asked: &Endpoint| {
                let is_it =
                    |there: &&Endpoint| there.listen == asked.listen && there.dialect == asked.dialect;
                configured.iter().find(is_it).unwrap_or(asked).clone()
            };
            settings.server.listen = self.listen.iter().map(known).collect();
        }
        if let Some(workers) = self.workers {
            settings.server.workers = workers.into();
        }
        Ok(settings)
    }
}

/// Runs the command.
///
/// # Errors
/// The engine cannot be loaded, or cannot listen where it shall.
pub fn run(args: Args) -> Result<(), Failure> {
    let _log = log::start();
    let settings = args.settings()?;
    let handed = server::handed_over();
    if handed.is_empty() {
        let listen = &settings.server.listen;
        if listen.is_empty() {
            let what = "there is no address to listen on: give --listen, or [server] listen";
            return Err(Failure::config(what));
        }
        listen.iter().try_for_each(|endpoint| server::probe(&endpoint.listen)).map_err(failure)?;
    }
    more_descriptors();
    let engine = load_engine(&settings)?;
    engine.warm();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .thread_name("io")
        .enable_all()
        .build()
        .map_err(Failure::software)?;
    runtime.block_on(async {
        let ocr = settings.ocr.clone();
        let reload = Box::new(reload(args, ocr.clone()));
        let server = Server::start(engine, &settings.server, ocr.workers, reload, handed).map_err(failure)?;
        for address in server.addresses() {
            tracing::info!("listening on {address}");
        }
        // This thread reads and writes all there is. What it starts from here on has no part in it.
        if !precedence_ffi::take(Precedence::Prompt) {
            tracing::info!(
                "not in real time (CAP_SYS_NICE or LimitRTPRIO=1 permit that): replies may wait for a core"
            );
        }
        server.run_until_signalled().await.map_err(failure)
    })
}

/// Loads anew what the command line and the configuration name now. The OCR workers stay, unless
/// their options are others. Certificates are renewed by the server; what else concerns sockets, and threads, waits
/// for a restart.
fn reload(args: Args, ocr: ocr::Options) -> impl Fn(&Engine) -> Result<Engine, String> + Send + Sync {
    let running = Mutex::new(ocr);
    move |engine| {
        let settings = args.settings().map_err(|failure| failure.to_string())?;
        let mut running = running.lock().map_err(|_| "an earlier reload failed badly: restart")?;
        let pool = match *running == settings.ocr {
            true => engine.pool(),
            false => Pool::start(&settings.ocr).into(),
        };
        let (next, remarks) = Engine::load(&settings, pool).map_err(|error| error.to_string())?;
        for remark in remarks {
            tracing::warn!("{}:{}: {}", remark.file, remark.line, remark.what);
        }
        *running = settings.ocr;
        Ok(next)
    }
}

fn failure(error: server::Error) -> Failure {
    match error {
        server::Error::InUse(_) => Failure::unavailable(error),
        server::Error::Listen { .. } | server::Error::Handed { .. } => Failure::cannot_create(error),
        server::Error::Tls(_) => Failure::config(error),
        server::Error::Start(_) => Failure::software(error),
    }
}

/// A connection is a descriptor: as many as the system lets us have.
fn more_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!("cannot raise the limit on open files: {error}");
    }
}
