//! The milter protocol, version 6, as Postfix and Sendmail speak it.
//!
//! [`codec`] turns bytes into [`Command`]s and [`Reply`]s into bytes; [`Session`] collects what the MTA
//! tells about each message until there is one to judge. No sockets here.

pub mod codec;

pub mod session;

#[cfg(test)]
mod tests;

pub use codec::{Command, Error, Reply};
pub use session::{Limits, Session, Step};
