//! SpamAssassin's spamd protocol, versions 1.2 to 1.5: what `spamc`, Exim, Haraka and others speak.
//!
//! The protocol is described in `spamd/PROTOCOL` of SpamAssassin; where clients depend on differences
//! between its versions, the comments here say which. No sockets here.

pub mod reply;

pub mod request;

#[cfg(test)]
mod tests;

pub use request::{Body, Command, Error, Head};
