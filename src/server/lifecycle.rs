//! Running, reloading, and stopping without losing what is in flight.

use std::{
    future::Future,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{Error, Server, Shared, listener, systemd};
use crate::config::Listen;

/// Whether `listen` can be had: to find out before the engine is loaded, which may take long.
///
/// # Errors
/// Somebody answers there, or the address cannot be used.
pub fn probe(listen: &Listen) -> Result<(), Error> {
    let free = match listen {
        Listen::Unix(path) => listener::vacant(path),
        Listen::Tcp(address) => std::net::TcpListener::bind(address).map(drop),
    };
    free.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => Error::InUse(listen.clone()),
        _ => Error::Listen { listen: listen.clone(), source },
    })
}

impl Server {
    /// Serves until SIGTERM or SIGINT, then drains; SIGHUP reloads.
    ///
    /// # Errors
    /// The signals cannot be caught.
    pub async fn run_until_signalled(self) -> Result<(), Error> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                let shared = Arc::clone(&shared);
                // What went wrong is in the log.
                tokio::task::spawn_blocking(move || shared.reload_logged().is_ok());
            }
        });
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        self.run(stop).await;
        Ok(())
    }

    /// Serves until `stop` comes, then drains: no new connections, no new requests on the old ones, and
    /// those in flight get their replies, as long as the configuration allows.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut accepting = JoinSet::new();
        for listener in self.listeners.drain(..) {
            let shared = Arc::clone(&self.shared);
            accepting.spawn(async move { listener.accept(&shared).await });
        }
        systemd::notify("READY=1");
        tokio::spawn(watchdog(Arc::clone(&self.shared)));
        stop.await;
        systemd::notify("STOPPING=1");
        self.shared.draining.store(true, Ordering::Release);
        // The sockets and their names go first, so that clients turn to another engine.
        accepting.shutdown().await;
        tracing::info!("stopping: {} requests in flight", self.shared.pending.load(Ordering::Acquire));
        let until = Instant::now() + self.shared.options.drain;
        while self.shared.pending.load(Ordering::Acquire) > 0 && Instant::now() < until {
            sleep(Duration::from_millis(5)).await;
        }
        match self.shared.pending.load(Ordering::Acquire) {
            0 => tracing::info!("stopped"),
            left => tracing::warn!("stopped with {left} requests unanswered: the time to drain was up"),
        }
    }
}

/// Tells the service manager that all is well, while it is: this runtime turns, and threads take work.
async fn watchdog(shared: Arc<Shared>) {
    const STUCK: Duration = Duration::from_secs(10);
    let Some(every) = systemd::watchdog() else { return };
    loop {
        if !shared.fast.is_stuck(STUCK) && !shared.heavy.is_stuck(STUCK) {
            systemd::notify("WATCHDOG=1");
        }
        sleep(every).await;
    }
}

impl Shared {
    /// [`Shared::reload`], with the outcome in the log.
    pub(super) fn reload_logged(&self) -> Result<(), String> {
        systemd::notify_reloading();
        let outcome = self.reload();
        // Also after a reload that failed: the engine is as ready as before.
        systemd::notify("READY=1");
        match &outcome {
            Ok(()) => tracing::info!("reloaded"),
            Err(error) => tracing::error!("not reloaded, going on with what is loaded: {error}"),
        }
        outcome
    }
}
