//! What a front end tells about a message beside its bytes.

use serde::Deserialize;

/// The TLS session that the message came over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Tls {
    pub version: String,
    pub cipher: String,
}

/// The metadata of a request, all of it optional; unknown keys are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Envelope {
    /// The profile asked for; the listener's own where there is none.
    pub profile: Option<String>,
    pub queue_id: String,
    pub client_ip: Option<std::net::IpAddr>,
    pub client_name: String,
    pub helo: String,
    /// MAIL FROM without angle brackets; `Some("")` is the null sender, `None` is not known.
    pub mail_from: Option<String>,
    pub rcpt_to: Vec<String>,
    /// The authenticated user.
    pub user: Option<String>,
    pub tls: Option<Tls>,
    /// The name of the receiving host.
    pub hostname: String,
    /// `spam` or `ham`, for LEARN.
    pub class: Option<String>,
}
