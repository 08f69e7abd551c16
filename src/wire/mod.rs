//! What was asked, and how is it answered? Bytes to requests and verdicts to bytes; no sockets here.

pub mod frame;

pub mod headers;

pub mod milter;

pub mod opensmtpd;

pub mod qmqp;

pub mod request;

pub mod rspamd;
pub mod smtp;
pub mod spamd;
