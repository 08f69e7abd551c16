//! rspamd's protocols: HTTP as `rspamc`, Haraka and OpenSMTPD's filter speak it, and the older text variant of Exim.

pub mod reply;
pub mod request;

#[cfg(test)]
mod tests;

pub use request::{Error, Framing, Head, Target};
