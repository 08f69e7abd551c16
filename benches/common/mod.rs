//! The samples, sorted by what the benches want of them.

#![allow(dead_code)] // each bench uses a part of this

use std::{fs, path::PathBuf, sync::Arc};

use criba::{
    config::Settings,
    engine::Engine,
    media::{self, Kind},
    mime::{Arena, Limits, Message},
    ocr::Pool,
};

/// All sample mails, spam and ham, by name.
pub fn mails() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpora/samples");
    let mut paths: Vec<_> = ["ham", "spam"]
        .into_iter()
        .flat_map(|class| fs::read_dir(folder.join(class)).expect("corpora/samples"))
        .map(|entry| entry.expect("a sample").path())
        .collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).expect("a sample")).collect()
}

/// The mails that hold nothing but text.
pub fn text_mails() -> Vec<Vec<u8>> {
    mails().into_iter().filter(|mail| attachments_of(mail).is_empty()).collect()
}

/// Pictures and documents of all samples, decoded from their transfer encoding.
pub fn attachments() -> Vec<(Kind, Vec<u8>)> {
    mails().iter().flat_map(|mail| attachments_of(mail)).collect()
}

fn attachments_of(mail: &[u8]) -> Vec<(Kind, Vec<u8>)> {
    let arena = Arena::new();
    let message = Message::parse(mail, &arena, &Limits::default());
    let found = message.leaves().filter_map(|(_, part)| {
        let bytes = part.decoded(&message);
        media::sniff(bytes).map(|kind| (kind, bytes.to_vec()))
    });
    found.collect()
}

pub fn bytes(mails: &[Vec<u8>]) -> u64 {
    mails.iter().map(|mail| mail.len() as u64).sum()
}

pub fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.rules.cache = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("rules"));
    settings.ocr.program = Some(env!("CARGO_BIN_EXE_criba").into());
    settings
}

/// The default engine.
pub fn engine() -> Engine {
    let settings = settings();
    let pool = Arc::new(Pool::start(&settings.ocr));
    Engine::load(&settings, pool).expect("the default engine loads").0
}
