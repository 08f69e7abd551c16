//! Who is calling, is there room and time?
//!
//! A small runtime moves frames and never parses mail: [`listener`] accepts, [`connection`] reads requests,
//! [`admission`] says whether there is room and [`forecast`] whether there is time, [`outbox`] writes replies. The messages wait in two
//! [`lane`]s for the threads of [`worker`]. Every request has a [`slot`] that holds the verdict that
//! stands; the [`clock`] sends it when the time is up. [`milter`], [`spamd`],
//! [`rspamd`] and [`qmqp`] serve their clients the same way. [`lifecycle`] starts, reloads and drains.

#[allow(unsafe_code)]
mod activation_ffi;
mod admission;
mod certificates;
mod clock;
mod connection;
mod control;
mod exchange;
mod forecast;
mod lane;
mod lifecycle;
mod listener;
mod milter;
mod outbox;
mod qmqp;
mod rspamd;
mod slot;
mod spamd;
mod stats;
mod swap;
mod sync;
mod systemd;
mod whole;
mod worker;

#[cfg(all(test, feature = "model"))]
mod model;
#[cfg(all(test, not(feature = "model")))]
mod tests;

use std::{
    fmt,
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use serde::Serialize;

use admission::{Admission, Crowd, Room};
use certificates::Certificates;
use clock::Clock;
use control::Control;
use forecast::Forecast;
use lane::{Lane, Takes};
use listener::Listener;
use slot::Slot;
use stats::Stats;
use swap::Swap;
use worker::{Job, MediaJob};

use crate::{
    budget::Why,
    config::{Listen, ServerSettings},
    engine::Engine,
    pipeline::{Pending, Publish},
    precedence_ffi::{self, Precedence},
    wire::frame,
};

pub use lifecycle::probe;

/// Makes the engine that follows the one given, or says why that one has to go on.
pub type Reload = Box<dyn Fn(&Engine) -> Result<Engine, String> + Send + Sync>;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{0} is in use: another program answers there")]
    InUse(Listen),
    #[error("cannot listen on {listen}: {source}")]
    Listen { listen: Listen, source: std::io::Error },
    #[error("{0}")]
    Tls(crate::tls::Error),
    #[error("cannot start: {0}")]
    Start(#[from] std::io::Error),
    #[error("cannot use the socket {name:?} that the service manager handed over: {source}")]
    Handed { name: String, source: std::io::Error },
}

/// A socket that the service manager opened for this process.
#[derive(Debug)]
pub struct Handed {
    descriptor: OwnedFd,
    /// `FileDescriptorName=` of the unit file.
    name: String,
}

/// The sockets that the service manager opened for this process: to be asked for once, and before other
/// processes are started.
pub fn handed_over() -> Vec<Handed> {
    activation_ffi::take().into_iter().map(|(descriptor, name)| Handed { descriptor, name }).collect()
}

/// How many threads and how much patience a server has.
#[derive(Clone, Debug)]
struct Options {
    fast: usize,
    /// Threads for text mail that is slow.
    slow: usize,
    heavy: usize,
    limits: frame::Limits,
    max_connections: usize,
    frame_timeout: Duration,
    drain: Duration,
}

/// What connections and threads share.
struct Shared {
    options: Options,
    engine: Swap<Engine>,
    reload: Reload,
    certificates: Certificates,
    admission: Arc<Admission>,
    crowd: Crowd,
    control: Control,
    fast: Lane<Job>,
    heavy: Lane<MediaJob>,
    text_costs: Forecast,
    media_costs: Forecast,
    clock: Clock,
    stats: Arc<Stats>,
    /// Requests whose reply has not left.
    pending: Arc<AtomicUsize>,
    draining: AtomicBool,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("options", &self.options).finish_non_exhaustive()
    }
}

/// An engine on its sockets.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    listeners: Vec<Listener>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Server {
    /// Starts the threads and opens the sockets: those of `handed`, or where there are none those of the
    /// configuration. From here on clients are answered, once [`Server::run`] is polled. Has to be called
    /// inside of a tokio runtime.
    ///
    /// # Errors
    /// An address is taken or cannot be used, or there are no more threads to be had.
    pub fn start(
        engine: Engine,
        settings: &ServerSettings,
        media_threads: usize,
        reload: Reload,
        handed: Vec<Handed>,
    ) -> Result<Server, Error> {
        let cores = thread::available_parallelism().map_or(1, Into::into);
        let or_cores = |threads: usize| if threads == 0 { cores } else { threads };
        let fast = or_cores(settings.workers);
        let options = Options {
            fast,
            slow: fast.saturating_sub(1).max(1),
            heavy: or_cores(media_threads),
            limits: frame::Limits { message: settings.max_message_bytes, ..frame::Limits::default() },
            max_connections: settings.max_connections,
            frame_timeout: settings.frame_timeout,
            drain: settings.drain,
        };
        let per_connection = settings.max_requests_per_connection;
        let shared = Arc::new(Shared {
            engine: Swap::new(engine),
            reload,
            certificates: Certificates::default(),
            admission: Arc::new(Admission::new(settings.max_in_flight_bytes, per_connection)),
            crowd: Crowd::new(settings.max_connections_per_peer),
            control: Control::new(settings.controller_password.clone()),
            fast: Lane::new(options.fast, options.slow),
            heavy: Lane::new(options.heavy, 0),
            text_costs: Forecast::new(),
            media_costs: Forecast::new(),
            clock: Clock::new(),
            stats: Arc::new(Stats::new()),
            pending: Arc::new(AtomicUsize::new(0)),
            draining: AtomicBool::new(false),
            options,
        });
        let mut server = Server { shared, listeners: Vec::new(), threads: Vec::new() };
        server.threads()?;
        // The sockets come last: whoever finds one finds an engine that is ready.
        let certificates = &server.shared.certificates;
        if handed.is_empty() {
            for endpoint in &settings.listen {
                server.listeners.push(Listener::bind(endpoint, settings.socket_mode, certificates)?);
            }
        }
        for socket in handed {
            server.listeners.push(Listener::inherit(socket, &settings.listen, certificates)?);
        }
        Ok(server)
    }

    fn threads(&mut self) -> Result<(), Error> {
        self.thread("clock", |shared| {
            precedence_ffi::take(Precedence::Prompt);
            shared.clock.run();
        })?;
        for number in 0..self.shared.options.fast {
            self.thread(&format!("scan-{number}"), |shared| worker::fast(shared, Takes::Anything))?;
            self.thread(&format!("spare-{number}"), |shared| worker::fast(shared, Takes::Spare))?;
        }
        for number in 0..self.shared.options.slow {
            self.thread(&format!("slow-{number}"), |shared| worker::fast(shared, Takes::Slow))?;
        }
        for number in 0..self.shared.options.heavy {
            self.thread(&format!("media-{number}"), |shared| worker::heavy(shared, Takes::Anything))?;
        }
        self.thread("scan-reserved", |shared| worker::fast(shared, Takes::Reserved))?;
        self.thread("media-reserved", |shared| worker::heavy(shared, Takes::Reserved))
    }

    fn thread(&mut self, name: &str, work: fn(&Shared)) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name(name.into()).spawn(move || work(&shared))?;
        self.threads.push(thread);
        Ok(())
    }

    /// Where the server listens; a TCP port that was 0 is the one that was given.
    pub fn addresses(&self) -> Vec<Listen> {
        self.listeners.iter().map(Listener::address).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.fast.close();
        self.shared.heavy.close();
        self.shared.clock.close();
    }
}

impl Shared {
    /// The engine for the next message.
    fn engine(&self) -> Arc<Engine> {
        self.engine.get()
    }

    /// Room for the message of `slot`, on a connection that has `in_flight` requests; `None` where there is
    /// none, or no time: a message that is shed now can be tried elsewhere, one that waits in vain cannot.
    fn admit(&self, slot: &Slot, in_flight: usize) -> Option<Room> {
        let request = &slot.request;
        let cost = self.text_costs.cost(request.size);
        let wait = self.fast.wait(request.profile.reserved, self.is_slow(request.size));
        // With nobody before it, it gets what time there is.
        if !wait.is_zero() && wait + cost > request.budget.left() {
            return None;
        }
        self.admission.enter(request.size, in_flight)
    }

    /// Whether the text of a message is for the threads of slow ones: it is large, or such were slow.
    fn is_slow(&self, size: usize) -> bool {
        const LARGE: usize = 256 << 10;
        size >= LARGE || self.text_costs.is_slow(size)
    }

    fn queue_text(&self, job: Job) {
        let cost = self.text_costs.cost(job.raw.len());
        let order = job.order(cost, self.is_slow(job.raw.len()));
        self.fast.push(order, job);
    }

    /// Queues the second half of a scan, unless its turn would come too late: then what is known has to do.
    fn queue_media(&self, job: Job, pending: Pending) {
        let (wait, cost) =
            (self.heavy.wait(job.slot.request.profile.reserved, false), self.media_costs.cost(job.raw.len()));
        let profile = &job.slot.request.profile;
        // With others waiting, a page that cannot change the action is not worth their time.
        if !wait.is_zero() && pending.is_decided(&job.engine, profile) {
            return job.slot.finish(pending.verdict(profile, Why::Decided));
        }
        if !wait.is_zero() && wait + cost > job.slot.budget().left() {
            return job.slot.finish(pending.verdict(profile, Why::Overload));
        }
        job.slot.publish(pending.verdict(profile, Why::Deadline));
        let order = job.order(cost, false);
        self.heavy.push(order, MediaJob { job, pending });
    }

    /// Loads anew what is configured, and the certificates, both or neither; messages in flight end with the
    /// engine they began with. Takes as long as compiling rules does.
    fn reload(&self) -> Result<(), String> {
        self.engine.replace(|current| {
            let certificates = self.certificates.renewed().map_err(|error| error.to_string())?;
            let next = (self.reload)(current)?;
            certificates.put_in_place();
            Ok::<_, String>(next)
        })?;
        self.stats.reloaded();
        Ok(())
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// The body of the reply to a STATUS.
    fn status(&self) -> Status {
        Status {
            version: env!("CARGO_PKG_VERSION"),
            state: if self.is_draining() { "draining" } else { "running" },
            loaded: self.engine().loaded(),
            workers: Lanes { fast: self.options.fast, heavy: self.options.heavy },
            queued: Lanes { fast: self.fast.len(), heavy: self.heavy.len() },
            in_flight: InFlight {
                requests: self.pending.load(Ordering::Acquire),
                bytes: self.admission.bytes(),
            },
            ocr: self.engine().ocr.counts(),
            memory: self.engine().memory.counts(),
            counters: self.stats.report(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Status {
    version: &'static str,
    state: &'static str,
    loaded: crate::engine::Loaded,
    workers: Lanes,
    queued: Lanes,
    in_flight: InFlight,
    ocr: crate::ocr::Counts,
    /// What attachments said before.
    memory: crate::media::MemoryCounts,
    #[serde(flatten)]
    counters: stats::Report,
}

#[derive(Debug, Serialize)]
struct Lanes {
    fast: usize,
    heavy: usize,
}

#[derive(Debug, Serialize)]
struct InFlight {
    requests: usize,
    bytes: usize,
}
