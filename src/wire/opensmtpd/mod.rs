//! The protocol of OpenSMTPD's filters, smtpd-filters(7), versions 0.5 to 0.7.
//!
//! smtpd starts a filter and writes lines to its standard input: reports about sessions, and requests to decide
//! something. [`mod@line`] reads them, [`Filter`] knows what was told of each session. No sockets here.

mod filter;

pub mod line;

#[cfg(test)]
mod tests;

pub use filter::{Filter, Limits, Scan};
pub use line::Error;

/// What the filter says when smtpd has told its configuration.
pub const REGISTER: &[u8] = b"register|report|smtp-in|link-connect
register|report|smtp-in|link-greeting
register|report|smtp-in|link-identify
register|report|smtp-in|link-tls
register|report|smtp-in|link-auth
register|report|smtp-in|link-disconnect
register|report|smtp-in|tx-begin
register|report|smtp-in|tx-mail
register|report|smtp-in|tx-rcpt
register|report|smtp-in|tx-reset
register|filter|smtp-in|data-line
register|filter|smtp-in|commit
register|ready
";
