//! The command line: one file a command.

use std::process::ExitCode;

use clap::{Parser, Subcommand, error::ErrorKind};

use failure::Failure;

pub mod failure;

pub mod inputs;

mod bench;

mod count;

mod eval;

mod hash_password;

mod learn;

mod ocr;

mod opensmtpd_filter;

mod parallel;

mod qmail_queue;

mod report;

mod rules;

mod scan;

mod serve;

mod settings;

mod train;

/// What is this message? A spam and OCR analysis engine with a latency budget.
#[derive(Debug, Parser)]
#[command(name = "criba", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the engine and answer front ends over its sockets
    Serve(serve::Args),
    /// Judge messages, in this process or by an engine that runs
    Scan(scan::Args),
    /// Read pictures, animated GIFs and PDFs
    Ocr(ocr::Args),
    /// Make a Bayes model from sorted mail
    Train(train::Args),
    /// Hand over mail that users sorted, for the next training
    Learn(learn::Args),
    /// Measure how well a Bayes model tells spam from ham
    Eval(eval::Args),
    /// Put an engine under load and measure its answers
    Bench(bench::Args),
    /// Check rule files, and see which rules hit
    Rules(rules::Args),
    /// Stand in for qmail-queue: ask an engine, then hand the mail over
    QmailQueue(qmail_queue::Args),
    /// Be a filter of OpenSMTPD, started by smtpd
    #[command(name = "opensmtpd-filter")]
    OpensmtpdFilter(opensmtpd_filter::Args),
    /// Make the hash that the configuration holds in place of the controller's password
    HashPassword(hash_password::Args),
    /// Read grey pages handed over by an engine; the engine starts this itself
    #[command(hide = true)]
    OcrWorker(ocr::WorkerArgs),
}

/// Runs the command that the arguments name. Exit codes follow sysexits(3).
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to tell anyone when printing help fails.
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return ExitCode::from(if asked { 0 } else { 64 });
        }
    };
    match run(cli.command) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("criba: {failure}");
            ExitCode::from(failure.code)
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::QmailQueue(args) => return qmail_queue::run(&args),
        Command::Serve(args) => serve::run(args),
        Command::Scan(args) => scan::run(args),
        Command::Ocr(args) => ocr::run(args),
        Command::Train(args) => train::run(args),
        Command::Learn(args) => learn::run(&args),
        Command::Eval(args) => eval::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Rules(args) => rules::run(args),
        Command::OpensmtpdFilter(args) => opensmtpd_filter::run(&args),
        Command::HashPassword(args) => hash_password::run(args),
        Command::OcrWorker(args) => ocr::run_worker(args),
    }?;
    Ok(ExitCode::SUCCESS)
}
