//! The command line: one file a command.

pub mod failure;

pub mod inputs;

/// Runs the command that the arguments name. Exit codes follow sysexits(3).
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
