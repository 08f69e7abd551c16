//! `criba ocr`: reads pictures, animated GIFs and PDFs.

use super::failure::Failure;

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// To come.
pub fn run(_args: Args) -> Result<(), Failure> {
    unimplemented!()
}

/// Options of the worker process.
#[derive(Debug, clap::Args)]
pub struct WorkerArgs {}

/// Runs a worker process until its pipe closes.
///
/// # Errors
/// To come.
pub fn run_worker(_args: WorkerArgs) -> Result<(), Failure> {
    unimplemented!()
}
