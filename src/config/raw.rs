//! The configuration as it is written: every key optional, unknown keys refused by the parser.
//!
//! Values that need more than their type to be right carry the place where they stand.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;
use toml::Spanned;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub listener: Vec<Listener>,
    pub rules: Rules,
    pub bayes: Bayes,
    pub ocr: Ocr,
    pub limits: Limits,
    pub profile: BTreeMap<String, Profile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    pub listen: Option<Vec<Spanned<String>>>,
    pub socket_mode: Option<Spanned<String>>,
    pub workers: Option<usize>,
    pub max_message_bytes: Option<Spanned<u64>>,
    pub max_in_flight_bytes: Option<Spanned<u64>>,
    pub max_connections: Option<Spanned<usize>>,
    pub max_connections_per_peer: Option<Spanned<usize>>,
    pub max_requests_per_connection: Option<Spanned<usize>>,
    pub frame_timeout_ms: Option<Spanned<u64>>,
    pub drain_seconds: Option<u64>,
    pub controller_password: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    pub address: Spanned<String>,
    pub profile: Option<Spanned<String>>,
    pub allow: Option<Vec<Spanned<String>>>,
    pub socket_mode: Option<Spanned<String>>,
    pub owner: Option<Spanned<String>>,
    pub group: Option<Spanned<String>>,
    pub next: Option<Spanned<Vec<String>>>,
    pub tls: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    pub default: Option<bool>,
    pub directories: Option<Vec<PathBuf>>,
    pub cache: Option<PathBuf>,
    pub captures: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bayes {
    pub enabled: Option<bool>,
    pub model: Option<PathBuf>,
    pub spool: Option<PathBuf>,
    pub spool_bytes: Option<Spanned<u64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ocr {
    pub workers: Option<usize>,
    pub backend: Option<Spanned<String>>,
    pub models: Option<PathBuf>,
    pub languages: Option<Spanned<Vec<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub mime_depth: Option<Spanned<usize>>,
    pub mime_parts: Option<Spanned<usize>>,
    pub picture_pixels: Option<Spanned<u64>>,
    pub picture_memory_bytes: Option<Spanned<u64>>,
    pub gif_frames: Option<Spanned<usize>>,
    pub pdf_pages: Option<Spanned<usize>>,
    pub ocr_pages: Option<Spanned<usize>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    pub budget_ms: Option<Spanned<u64>>,
    pub reserved: Option<bool>,
    pub read_decided: Option<bool>,
    pub required: Option<Spanned<f64>>,
    pub actions: Actions,
    pub stages: BTreeMap<Spanned<String>, bool>,
    pub on_partial: Option<Spanned<String>>,
    pub on_overload: Option<Spanned<String>>,
    pub authenticated: Option<bool>,
    pub peers: Option<Vec<Spanned<String>>>,
    pub clients: Option<Vec<Spanned<String>>>,
}

/// `false` switches an action off, a number is the score from which it is taken.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a score, or false for never")]
pub enum Threshold {
    Never(bool),
    From(f64),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Actions {
    pub greylist: Option<Spanned<Threshold>>,
    #[serde(rename = "add header")]
    pub add_header: Option<Spanned<Threshold>>,
    #[serde(rename = "rewrite subject")]
    pub rewrite_subject: Option<Spanned<Threshold>>,
    pub reject: Option<Spanned<Threshold>>,
}
