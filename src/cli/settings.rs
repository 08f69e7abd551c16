//! The options by which a command says what the engine shall load.

use std::path::PathBuf;

use super::failure::Failure;
use crate::{
    config::{self, Settings},
    engine::{self, Engine},
    ocr::Pool,
    rules::Remark,
};

/// Options of every command that loads an engine in its own process.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct EngineArgs {
    /// Configuration file; without it the defaults
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Load the SpamAssassin rules of this directory (or file) too; may be given several times
    #[arg(long, value_name = "DIR")]
    pub rules: Vec<PathBuf>,
    /// Leave out the rules that come with criba
    #[arg(long)]
    pub no_default_rules: bool,
    /// Bayes model to use instead of the one that comes with criba
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
}

impl EngineArgs {
    /// The configuration with what the command line says on top.
    ///
    /// # Errors
    /// The configuration file cannot be read or is wrong.
    pub fn settings(&self) -> Result<Settings, Failure> {
        let mut settings = match &self.config {
            Some(path) => Settings::load(path).map_err(|error| match error {
                config::Error::Read { .. } => Failure::no_input(error),
                config::Error::Invalid { .. } => Failure::config(error),
            })?,
            None => Settings::default(),
        };
        settings.rules.directories.extend(self.rules.iter().cloned());
        settings.rules.default &= !self.no_default_rules;
        if let Some(model) = &self.model {
            settings.bayes.model = Some(model.clone());
        }
        Ok(settings)
    }
}

/// Loads an engine; what was dropped from rule files goes to stderr, a line each.
///
/// # Errors
/// Rules or model cannot be read.
pub fn load_engine(settings: &Settings) -> Result<Engine, Failure> {
    let pool = Pool::start(&settings.ocr).into();
    let (engine, remarks) = Engine::load(settings, pool).map_err(|error| match error {
        engine::Error::Rules(_) => Failure::no_input(error),
        engine::Error::Model { .. } => Failure::data(error),
        engine::Error::Spool(_) => Failure::cannot_create(error),
    })?;
    print_remarks(&remarks);
    Ok(engine)
}

// A directory of old rules may bring thousands of remarks: `criba rules check` is the place to read them all.
fn print_remarks(remarks: &[Remark]) {
    const SHOWN: usize = 10;
    for remark in remarks.iter().take(SHOWN) {
        eprintln!("criba: {}:{}: {}", remark.file, remark.line, remark.what);
    }
    if let Some(more) = remarks.len().checked_sub(SHOWN).filter(|&more| more > 0) {
        eprintln!("criba: ... and {more} more remarks on the rules; see them with `criba rules check`");
    }
}
