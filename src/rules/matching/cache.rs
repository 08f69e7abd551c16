//! Compiled databases on disk, by the hash of all that they are made of.
//!
//! A file that is damaged, of another version or of another processor is as good as none: it is
//! compiled again and replaced. Files are written whole and renamed, so readers never see half of one.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
};

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::{
    analysis::{self, Analysis},
    compile::{Entry, Wanted},
    hyperscan_ffi::{Database, platform},
    view::How,
};

/// Changes whenever the way from patterns to analyses and databases does.
const VERSION: &[u8] = b"criba rules 11\n";
const VERSION_OF_PROGRAM: &str = env!("CARGO_PKG_VERSION");
/// No cache file is larger; a compiled set of all stock rules takes some 20 MB.
const MAX_FILE: u64 = 1 << 30;

/// What became of a pattern, and which part of its text Hyperscan has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub how: How,
    pub start: u32,
    pub end: u32,
}

impl Choice {
    /// Whether the pattern has a database for texts in which its strings say nothing.
    pub fn is_fallback(&self) -> bool {
        self.how == How::Squeezed && self.end > self.start
    }
}

/// A set of patterns, compiled.
#[derive(Debug)]
pub struct Compiled {
    /// One a pattern.
    pub choices: Vec<Choice>,
    /// For all patterns that share one; `None` where there is none.
    pub database: Option<Database>,
    /// For all patterns whose strings are found in squeezed text.
    pub squeezed: Option<Database>,
    /// Databases of single patterns, by the index of the pattern.
    pub lone: Vec<(u32, Database)>,
}

/// What is known of each pattern of a set.
pub type Analyses = Vec<Result<Analysis, String>>;

/// A directory for compiled databases.
#[derive(Clone, Debug)]
pub struct Cache {
    directory: PathBuf,
}

impl Cache {
    /// The directory is made when something is stored.
    pub fn new(directory: &Path) -> Cache {
        Cache { directory: directory.to_owned() }
    }

    /// The hash of all that a compiled bundle depends on.
    pub fn key(&self, sets: &[Vec<Entry>]) -> String {
        let mut hash = Xxh3::new();
        let mut text = |text: &str| {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        text(VERSION_OF_PROGRAM);
        text(&platform());
        for set in sets {
            text(&format!("{} patterns", set.len()));
            for entry in set {
                match &entry.wanted {
                    Wanted::Fuzzy(fuzzy) => text(&format!("{fuzzy:?}")),
                    Wanted::Pattern(regex) => {
                        [&regex.exact, &regex.scan, &regex.plain].iter().for_each(|part| text(part));
                        text(&format!("{:?} {} {}", regex.flags, regex.loosened, regex.linear));
                    }
                }
            }
        }
        format!("{:032x}", hash.digest128())
    }

    /// What is kept under `key`, if it is whole and fits `sets`.
    pub fn load(&self, key: &str, sets: &[Vec<Entry>]) -> Option<Vec<(Analyses, Compiled)>> {
        let path = self.path(key);
        if fs::metadata(&path).ok()?.len() > MAX_FILE {
            return None;
        }
        let bytes = fs::read(path).ok()?;
        let kept = parse(&bytes)?;
        let fits = kept.len() == sets.len()
            && kept.iter().zip(sets).all(|((analyses, compiled), set)| {
                let Compiled { choices, database, squeezed, lone } = compiled;
                let needed = choices.iter().any(|choice| choice.how != How::Alone);
                analyses.len() == set.len()
                    && choices.len() == analyses.iter().filter(|analysis| analysis.is_ok()).count()
                    && needed == (database.is_some() || squeezed.is_some() || !lone.is_empty())
            });
        fits.then_some(kept)
    }

    /// Keeps `compiled` under `key`. The cache is a convenience: what cannot be written is not kept.
    pub fn store(&self, key: &str, analyses: &[Analyses], compiled: &[Compiled]) {
        if let Err(error) = self.try_store(key, analyses, compiled) {
            tracing::warn!("compiled rules are not kept in {}: {error}", self.directory.display());
        }
    }

    fn try_store(&self, key: &str, analyses: &[Analyses], compiled: &[Compiled]) -> io::Result<()> {
        let bytes = encode(analyses, compiled).map_err(io::Error::other)?;
        fs::create_dir_all(&self.directory)?;
        let unfinished = self.directory.join(format!(".{key}.{}", process::id()));
        fs::write(&unfinished, bytes)?;
        fs::rename(&unfinished, self.path(key)).inspect_err(|_| drop(fs::remove_file(&unfinished)))
    }

    fn path(&self, key: &str) -> PathBuf {
        self.directory.join(format!("{key}.hsdb"))
    }
}

fn code(how: How) -> u8 {
    match how {
        How::Exact => 0,
        How::Prefilter => 1,
        How::Piece => 2,
        How::Alone => 3,
        How::Fuzzy => 4,
        How::Literals => 5,
        How::Squeezed => 6,
    }
}

fn how(code: u8) -> Option<How> {
    [How::Exact, How::Prefilter, How::Piece, How::Alone, How::Fuzzy, How::Literals, How::Squeezed]
        .get(usize::from(code))
        .copied()
}

// VERSION, the hash of the rest, then for each set: analyses (count, then each), choices (count, then 9 bytes each), the common
// database (length, bytes; empty for none) and that for squeezed text, lone ones (count, then pattern, length, bytes each). Integers
// are little-endian.
fn encode(analyses: &[Analyses], compiled: &[Compiled]) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    for (analyses, Compiled { choices, database, squeezed, lone }) in analyses.iter().zip(compiled) {
        body.extend((analyses.len() as u32).to_le_bytes());
        analyses.iter().for_each(|analysis| analysis::encode(analysis, &mut body));
        body.extend((choices.len() as u32).to_le_bytes());
        for choice in choices {
            body.push(code(choice.how));
            body.extend(choice.start.to_le_bytes());
            body.extend(choice.end.to_le_bytes());
        }
        put(database.as_ref(), &mut body)?;
        put(squeezed.as_ref(), &mut body)?;
        body.extend((lone.len() as u32).to_le_bytes());
        for (pattern, database) in lone {
            body.extend(pattern.to_le_bytes());
            put(Some(database), &mut body)?;
        }
    }
    Ok([VERSION, &xxh3_128(&body).to_le_bytes(), &body].concat())
}

fn put(database: Option<&Database>, body: &mut Vec<u8>) -> Result<(), String> {
    let bytes = database.map(Database::serialize).transpose().map_err(|error| error.to_string())?;
    let bytes = bytes.unwrap_or_default();
    body.extend((bytes.len() as u64).to_le_bytes());
    body.extend(bytes);
    Ok(())
}

fn parse(bytes: &[u8]) -> Option<Vec<(Analyses, Compiled)>> {
    let (sum, mut body) = bytes.strip_prefix(VERSION)?.split_first_chunk::<16>()?;
    if xxh3_128(body).to_le_bytes() != *sum {
        return None;
    }
    let mut compiled = Vec::new();
    while !body.is_empty() {
        let count = u32::from_le_bytes(*take(&mut body)?);
        let analyses = (0..count).map(|_| analysis::decode(&mut body)).collect::<Option<Analyses>>()?;
        let mut choices = Vec::new();
        for _ in 0..u32::from_le_bytes(*take(&mut body)?) {
            let [code] = *take(&mut body)?;
            let (start, end) = (u32::from_le_bytes(*take(&mut body)?), u32::from_le_bytes(*take(&mut body)?));
            choices.push(Choice { how: how(code)?, start, end });
        }
        let (database, squeezed) = (get(&mut body)?, get(&mut body)?);
        let mut lone = Vec::new();
        for _ in 0..u32::from_le_bytes(*take(&mut body)?) {
            let pattern = u32::from_le_bytes(*take(&mut body)?);
            lone.push((pattern, get(&mut body)??));
        }
        compiled.push((analyses, Compiled { choices, database, squeezed, lone }));
    }
    Some(compiled)
}

/// A database, or `None` in its place; `None` alone where the bytes are no such thing.
fn get(body: &mut &[u8]) -> Option<Option<Database>> {
    let length = usize::try_from(u64::from_le_bytes(*take(body)?)).ok()?;
    let (bytes, rest) = body.split_at_checked(length)?;
    *body = rest;
    match bytes {
        [] => Some(None),
        bytes => Some(Some(Database::deserialize(bytes).ok()?)),
    }
}

fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(first)
}
