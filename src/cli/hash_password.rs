//! `criba hash-password`: what goes into the configuration in place of a password.

use std::io::{IsTerminal, stdin};

use argon2::{Argon2, PasswordHasher, password_hash::SaltString};
use rustix::rand::{GetRandomFlags, getrandom};

use super::failure::Failure;

/// Options of `criba hash-password`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads one line from standard input. The hash (Argon2id) goes into controller_password of the configuration; clients send \
the password itself in the Password header.")]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// There is no password on standard input.
pub fn run(_: Args) -> Result<(), Failure> {
    if stdin().is_terminal() {
        eprintln!("The password, and Enter:");
    }
    let mut line = String::new();
    stdin().read_line(&mut line).map_err(Failure::no_input)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::no_input("there is no password on standard input"));
    }
    let mut bytes = [0; 16];
    getrandom(&mut bytes, GetRandomFlags::empty()).map_err(Failure::software)?;
    let salt = SaltString::encode_b64(&bytes).map_err(Failure::software)?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(Failure::software)?;
    println!("{hash}");
    Ok(())
}
