//! What was asked, and how is it answered? Bytes to requests and verdicts to bytes; no sockets here.

pub mod frame;

pub mod headers;

pub mod milter;

pub mod request;

pub mod rspamd;
pub mod spamd;
