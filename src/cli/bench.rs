//! `criba bench`: load from one client, latency from the intended send time.

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
