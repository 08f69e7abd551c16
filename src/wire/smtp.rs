//! The replies by which an SMTP client hears what became of its mail (RFC 5321, RFC 3463).

/// The mail is spam.
pub const SPAM: &str = "550 5.7.1 This message was refused as spam";

/// There is no verdict: the client keeps the mail and tries again.
pub const LATER: &str = "451 4.7.1 This message could not be checked now, try again later";

/// The mail is longer than is kept in memory.
pub const TOO_LARGE: &str = "552 5.3.4 This message is too large";
