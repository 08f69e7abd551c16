//! QMQP, the Quick Mail Queueing Protocol: how nodes without a queue hand mail to one that has.
//!
//! The protocol is D. J. Bernstein's (<https://cr.yp.to/proto/qmqp.html>): one netstring that holds those of
//! message, sender and recipients; the answer is one netstring that begins with `K`, `Z` or `D`. No sockets here.

mod netstring;

mod reply;

mod request;

#[cfg(test)]
mod tests;

pub use netstring::{Length, length};
pub use reply::{Outcome, Reply};
pub use request::Request;

/// Why bytes are no QMQP, or more of it than is taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("this is no netstring")]
    Netstring,
    #[error("a message of {size} bytes is over the limit of {limit}")]
    TooLarge { size: usize, limit: usize },
    #[error("there are more than {0} recipients")]
    Recipients(usize),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("the reply begins with none of K, Z and D")]
    Outcome,
}
