//! `criba rules`: checks rule files, shows which rules hit, and explains why. One file a subcommand.

use super::failure::Failure;

mod check;

mod hits;

mod explain;

mod diff;

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Compile rules and report what they are, how they are matched, and what was dropped
    Check(check::Args),
    /// Print for each message which rules hit, with SpamAssassin's names
    Hits(hits::Args),
    /// Show one rule resolved: where it stands, its pattern, how it is matched, its scores, what it depends on
    Explain(explain::Args),
    /// Show which messages change their verdict from one set of rules to another, and by which rules
    Diff(diff::Args),
}

/// Runs the command.
///
/// # Errors
/// `check`: something was dropped. `explain`: there is no such rule. `hits`, `diff`: a message cannot be read.
pub fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Check(args) => check::run(&args),
        Command::Hits(args) => hits::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Diff(args) => diff::run(&args),
    }
}
