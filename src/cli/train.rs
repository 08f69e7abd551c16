//! `criba train`: a Bayes model from sorted mail.

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
