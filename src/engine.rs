//! Everything that was loaded, immutable, swapped whole on reload.

use std::sync::Arc;

use include_dir::{Dir, include_dir};
use serde::Serialize;

use crate::{
    bayes::{self, Class, Model, Spool, SpoolError, Spooled, Tokens},
    config::Settings,
    media,
    mime::{self, Arena},
    ocr::Pool,
    pipeline::Scratch,
    profile::{Caller, Members, Profile},
    rules::{self, Remark, RuleSet, Source},
    wire::request::Envelope,
};

static DEFAULT_RULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/models/rules");
static DEFAULT_MODEL: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/bayes/default.model"));

/// Rules, model, profiles and OCR workers: what a scan begins with it ends with.
#[derive(Debug)]
pub struct Engine {
    pub(crate) rules: RuleSet,
    pub(crate) model: Option<Model>,
    pub(crate) ocr: Arc<Pool>,
    pub(crate) mime: mime::Limits,
    pub(crate) media: media::Limits,
    /// Begins anew with each engine: other limits or languages read other text.
    pub(crate) memory: media::Memory,
    spool: Option<Spool>,
    profiles: Vec<Profile>,
    loaded: Loaded,
}

/// What an engine was made of, for people who ask.
#[derive(Clone, Debug, Serialize)]
pub struct Loaded {
    pub rules: LoadedRules,
    /// `None` where Bayes is off.
    pub model: Option<LoadedModel>,
    pub profiles: Vec<String>,
}

/// The rules of an engine.
#[derive(Clone, Debug, Serialize)]
pub struct LoadedRules {
    /// Where they came from, in loading order.
    pub sources: Vec<String>,
    /// How many have a score.
    pub scored: usize,
    /// How many are there for others only.
    pub subrules: usize,
}

/// The Bayes model of an engine.
#[derive(Clone, Debug, Serialize)]
pub struct LoadedModel {
    pub source: String,
    pub entries: usize,
    /// Messages it was trained on.
    pub spam: u64,
    pub ham: u64,
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    Rules(#[from] rules::Error),
    #[error("Bayes model {path}: {source}")]
    Model { path: String, source: bayes::Error },
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl Engine {
    /// Loads what `settings` name; `ocr` goes on from the engine before, or is new.
    /// The remarks tell what in the rule files was dropped or ignored.
    ///
    /// # Errors
    /// Rules or model cannot be read; an engine that is already there can go on.
    pub fn load(settings: &Settings, ocr: Arc<Pool>) -> Result<(Engine, Vec<Remark>), Error> {
        let model = settings.bayes.enabled.then(|| open_model(settings)).transpose()?;
        let mut sources = if settings.rules.default { default_rules() } else { Vec::new() };
        sources.extend(settings.rules.directories.iter().cloned().map(Source::Path));
        let options = rules::Options {
            cache: settings.rules.cache.clone(),
            bayes: model.is_some(),
            no_captures: !settings.rules.captures,
        };
        let (rules, report) = RuleSet::load(&sources, &options)?;
        let loaded = loaded(settings, &rules, model.as_ref());
        let bayes = &settings.bayes;
        let spool = bayes.spool.as_ref().map(|path| Spool::open(path, bayes.spool_bytes)).transpose()?;
        let engine = Engine {
            rules,
            model,
            ocr,
            mime: settings.mime.clone(),
            media: settings.media.clone(),
            memory: media::Memory::default(),
            spool,
            profiles: settings.profiles.clone(),
            loaded,
        };
        Ok((engine, report.remarks))
    }

    /// Puts a message that a user sorted where the next training finds it; `None` where this engine takes no
    /// feedback.
    ///
    /// # Errors
    /// The spool is full or cannot be written.
    pub fn learn(&self, class: Class, raw: &[u8]) -> Option<Result<Spooled, SpoolError>> {
        self.spool.as_ref().map(|spool| spool.put(class, raw))
    }

    /// Whether it takes feedback.
    pub fn learns(&self) -> bool {
        self.spool.is_some()
    }

    /// Its OCR workers, for an engine that follows.
    pub fn pool(&self) -> Arc<Pool> {
        Arc::clone(&self.ocr)
    }

    /// Starts the OCR workers ahead of the first picture.
    pub fn warm(&self) {
        self.ocr.warm();
    }

    /// What it was made of.
    pub fn loaded(&self) -> Loaded {
        self.loaded.clone()
    }

    /// Scratch space for one worker thread.
    pub fn scratch(&self) -> Scratch {
        Scratch { arena: Arena::new(), rules: self.rules.scratch(), tokens: Tokens::default() }
    }

    /// The profile of that name; `None` asks for the default, `external`.
    pub fn profile(&self, name: Option<&str>) -> Option<&Profile> {
        let name = name.unwrap_or("external");
        self.profiles.iter().find(|profile| profile.name == name)
    }

    /// The profile for a message that `caller` brings: the one that it asks for; else that of users who logged in, of
    /// the SMTP client, of the front end or of the listener, in this order; else `external`. `None` where the one
    /// that was asked for is not there.
    pub fn profile_for(&self, envelope: &Envelope, caller: &Caller) -> Option<&Profile> {
        if envelope.profile.is_some() {
            return self.profile(envelope.profile.as_deref());
        }
        let whose = |is_member: &dyn Fn(&Members) -> bool| {
            self.profiles.iter().find(|profile| is_member(&profile.members))
        };
        let user = || whose(&|members| members.authenticated && envelope.user.is_some());
        user()
            .or_else(|| whose(&|members| members.has_client(envelope.client_ip)))
            .or_else(|| whose(&|members| members.has_peer(caller)))
            .or_else(|| self.profile(caller.profile.as_deref()))
            .or_else(|| self.profile(None))
    }
}

/// criba's own rule set, as it was when the program was built.
pub fn default_rules() -> Vec<Source> {
    let mut files: Vec<Source> = DEFAULT_RULES
        .files()
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "cf"))
        .filter_map(|file| {
            Some(Source::Embedded { name: file.path().to_str()?, text: file.contents_utf8()? })
        })
        .collect();
    files.sort_by_key(|source| match source {
        Source::Embedded { name, .. } => *name,
        Source::Path(_) => "",
    });
    files
}

fn loaded(settings: &Settings, rules: &RuleSet, model: Option<&Model>) -> Loaded {
    let own = settings.rules.default.then(|| "default".to_owned());
    let directories = settings.rules.directories.iter().map(|path| path.display().to_string());
    let kinds = rules.summary().kinds;
    let model = model.map(|model| {
        let (spam, ham) = model.messages();
        let path = settings.bayes.model.as_ref();
        let source = path.map_or_else(|| "default".to_owned(), |path| path.display().to_string());
        LoadedModel { source, entries: model.entries(), spam, ham }
    });
    Loaded {
        rules: LoadedRules {
            sources: own.into_iter().chain(directories).collect(),
            scored: kinds.values().map(|(scored, _)| scored).sum(),
            subrules: kinds.values().map(|(_, sub)| sub).sum(),
        },
        model,
        profiles: settings.profiles.iter().map(|profile| profile.name.clone()).collect(),
    }
}

/// The model that comes with criba.
///
/// # Errors
/// It was made by another version of criba.
pub fn default_model() -> Result<Model, bayes::Error> {
    Model::from_static(DEFAULT_MODEL)
}

fn open_model(settings: &Settings) -> Result<Model, Error> {
    let (path, model) = match &settings.bayes.model {
        Some(path) => (path.display().to_string(), Model::open(path)),
        None => ("that comes with criba".into(), default_model()),
    };
    model.map_err(|source| Error::Model { path, source })
}
