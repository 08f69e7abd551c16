//! What a command that went wrong leaves behind: a message for people and a sysexits(3) code.

use std::fmt;

/// An error that ends the program.
#[derive(Debug)]
pub struct Failure {
    /// The exit code, from sysexits(3).
    pub code: u8,
    /// What, where and what to do.
    pub message: String,
}

impl Failure {
    /// The same failure, with what it is about before it.
    #[must_use]
    pub fn about(self, what: &str) -> Failure {
        Failure { message: format!("{what}: {}", self.message), ..self }
    }

    fn new(code: u8, message: impl fmt::Display) -> Failure {
        Failure { code, message: message.to_string() }
    }

    /// EX_USAGE: the command line makes no sense.
    pub fn usage(message: impl fmt::Display) -> Failure {
        Failure::new(64, message)
    }

    /// EX_DATAERR: the input is not what it should be.
    pub fn data(message: impl fmt::Display) -> Failure {
        Failure::new(65, message)
    }

    /// EX_NOINPUT: an input cannot be opened.
    pub fn no_input(message: impl fmt::Display) -> Failure {
        Failure::new(66, message)
    }

    /// EX_UNAVAILABLE: a server or a worker is not there.
    pub fn unavailable(message: impl fmt::Display) -> Failure {
        Failure::new(69, message)
    }

    /// EX_SOFTWARE: our own fault.
    pub fn software(message: impl fmt::Display) -> Failure {
        Failure::new(70, message)
    }

    /// EX_CANTCREAT: an output cannot be made.
    pub fn cannot_create(message: impl fmt::Display) -> Failure {
        Failure::new(73, message)
    }

    /// EX_IOERR: reading or writing failed midway.
    pub fn io(message: impl fmt::Display) -> Failure {
        Failure::new(74, message)
    }

    /// EX_TEMPFAIL: try again later.
    pub fn temporary(message: impl fmt::Display) -> Failure {
        Failure::new(75, message)
    }

    /// EX_CONFIG: the configuration is wrong.
    pub fn config(message: impl fmt::Display) -> Failure {
        Failure::new(78, message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
