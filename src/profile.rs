//! A client class: which stages run, how long they may take, and what the score means.

use std::{net::IpAddr, sync::Arc, time::Duration};

use crate::{budget::Stage, network::Network};

/// What a reply that is not complete asks the front end to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Ask the sender to come back later (`soft reject`).
    Tempfail,
    /// Act on what is known so far.
    Accept,
    /// Act on what is known, but mark the message as not fully scanned (`add header`).
    Tag,
}

/// The scores from which an action is taken; `None` never takes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    pub greylist: Option<f64>,
    pub add_header: Option<f64>,
    pub rewrite_subject: Option<f64>,
    pub reject: Option<f64>,
}

/// Which stages of the pipeline run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stages(u16);

impl Stages {
    /// Every stage.
    pub const ALL: Stages = Stages(u16::MAX);

    /// Whether `stage` runs.
    pub fn has(self, stage: Stage) -> bool {
        self.0 & (1 << stage as u16) != 0
    }

    /// The same stages with `stage` switched on or off.
    #[must_use]
    pub fn with(self, stage: Stage, on: bool) -> Stages {
        let bit = 1 << stage as u16;
        Stages(if on { self.0 | bit } else { self.0 & !bit })
    }
}

/// Who is connected, as far as the socket tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// `None` at a Unix socket.
    pub ip: Option<IpAddr>,
    /// The user that the program at a Unix socket runs as.
    pub uid: Option<u32>,
    /// The profile of the listener.
    pub profile: Option<Arc<str>>,
}

impl Caller {
    /// Whether it is a program on this machine.
    pub fn is_local(&self) -> bool {
        self.ip.is_none_or(|ip| ip.to_canonical().is_loopback())
    }
}

/// A front end that a profile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Network(Network),
    User(u32),
}

/// Whose messages a profile is for, where the request does not name one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Those of users who logged in.
    pub authenticated: bool,
    /// Those that these front ends bring.
    pub peers: Vec<Peer>,
    /// Those of SMTP clients in these networks.
    pub clients: Vec<Network>,
}

impl Members {
    /// Whether the front end `caller` is among the peers.
    pub fn has_peer(&self, caller: &Caller) -> bool {
        self.peers.iter().any(|peer| match peer {
            Peer::Network(network) => caller.ip.is_some_and(|ip| network.contains(ip)),
            Peer::User(uid) => caller.uid == Some(*uid),
        })
    }

    /// Whether the SMTP client at `ip` is among the clients.
    pub fn has_client(&self, ip: Option<IpAddr>) -> bool {
        ip.is_some_and(|ip| self.clients.iter().any(|network| network.contains(ip)))
    }
}

/// One client class, checked and typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pub name: String,
    pub members: Members,
    /// The time a message may take when its request does not say.
    pub budget: Duration,
    pub stages: Stages,
    /// Whether a part of the threads is kept for this class, so that it never waits for the others.
    pub reserved: bool,
    /// Whether pictures and documents are read under load even when nothing in them could change the action.
    pub read_decided: bool,
    /// The score from which a message is called spam.
    pub required: f64,
    pub thresholds: Thresholds,
    /// What a verdict means that time or load cut short.
    pub on_partial: Policy,
    /// What a message that could not be scanned at all is answered.
    pub on_overload: Policy,
}

impl Profile {
    /// Mail from other people's servers: everything runs; what could not be scanned comes back later.
    pub fn external() -> Profile {
        Profile {
            name: "external".into(),
            members: Members::default(),
            budget: Duration::from_millis(500),
            stages: Stages::ALL,
            reserved: false,
            read_decided: false,
            required: 5.0,
            thresholds: Thresholds {
                greylist: None,
                add_header: Some(5.0),
                rewrite_subject: None,
                reject: Some(15.0),
            },
            on_partial: Policy::Tempfail,
            on_overload: Policy::Tempfail,
        }
    }

    /// Mail of our own, authenticated users: quick answers come first, and their mail is never put off.
    pub fn internal() -> Profile {
        Profile {
            name: "internal".into(),
            members: Members { authenticated: true, ..Members::default() },
            budget: Duration::from_millis(200),
            reserved: true,
            on_partial: Policy::Accept,
            on_overload: Policy::Accept,
            ..Profile::external()
        }
    }
}
