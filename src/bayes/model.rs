//! The model file: a header and a table of weights, checked once and then read where it lies.
//!
//! All numbers are little-endian.
//! ```text
//! 0   8  "cribaBM\n"
//! 8   4  version of this format
//! 12  4  version of the tokens: fingerprints of another version mean nothing here
//! 16  8  length of the file
//! 24  8  xxh3 of all that follows
//! 32  8  spam messages it was trained with    40  8  ham messages
//! 48  4  entries                              52  4  buckets
//! 56  4  f32: a weight of 1 in the table      60  4  f32: bias
//! 64  4  f32: slope of the calibration        68  4  f32: its offset
//! 72  4  f32: the least doubt                 76 52  zero
//! 128 .. buckets of 64 bytes: 10 tags (u32, 0 is free), 10 weights (i16), 4 bytes zero
//! ```
//! A fingerprint's upper half picks the bucket and its lower half is the tag: a lookup is one cache line.

use std::{
    fmt,
    fs::{self, File},
    hint,
    io::{self, Write},
    path::Path,
};

use memmap2::Mmap;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    Corpus, Error, Tokens,
    hash::{VIEWS, view_of},
    map_ffi, tokens,
};
use crate::verdict::BayesOpinion;

const MAGIC: &[u8; 8] = b"cribaBM\n";
const VERSION: u32 = 1;
const HEADER: usize = 128;
const CHECKED_FROM: usize = 32;
const BUCKET: usize = 64;
const SLOTS: usize = 10;
/// Out of a hundred slots this many are used: seldom is a bucket full, then the next one is looked at.
const FILL: usize = 70;

/// With fewer messages of either class a model abstains.
pub const MIN_MESSAGES: u64 = 20;
/// A message of which the model knows fewer tokens is one that it can't judge.
pub(super) const MIN_KNOWN: usize = 5;

/// A trained model: immutable, memory-mapped, shared by all workers and processes.
pub struct Model {
    bytes: Bytes,
    header: Header,
}

enum Bytes {
    Static(&'static [u8]),
    Mapped(Mmap),
    Owned(Vec<u8>),
}

/// What the learner found, to be written or used.
#[derive(Clone, Debug, Default)]
pub(super) struct Learned {
    pub spam: u64,
    pub ham: u64,
    pub bias: f32,
    pub calibration: Calibration,
    /// Fingerprint and weight.
    pub weights: Vec<(u64, f32)>,
}

/// Makes a probability of a score, in log-odds: `slope * score + offset`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Calibration {
    pub slope: f32,
    pub offset: f32,
    /// No probability comes nearer to 0 or 1 than this.
    pub doubt: f32,
}

impl Calibration {
    /// Strictly rising in `score`, so that ranks survive, and never nearer to 0 or 1 than the training
    /// corpus can support.
    pub(super) fn probability(self, score: f64) -> f64 {
        let odds = (f64::from(self.slope) * score + f64::from(self.offset)).clamp(-36.0, 36.0);
        let doubt = f64::from(self.doubt);
        doubt + (1.0 - 2.0 * doubt) / (1.0 + (-odds).exp())
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Header {
    spam: u64,
    ham: u64,
    entries: u32,
    buckets: u32,
    unit: f32,
    bias: f32,
    calibration: Calibration,
}

impl Model {
    /// Maps the model at `path` and checks it.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or is no model that this version understands.
    pub fn open(path: &Path) -> Result<Model, Error> {
        let file = File::open(path)?;
        // An empty file cannot be mapped.
        match file.metadata()?.len() {
            0 => Model::new(Bytes::Static(&[])),
            _ => Model::new(Bytes::Mapped(map_ffi::map(&file)?)),
        }
    }

    /// A model that is part of the program.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn from_static(bytes: &'static [u8]) -> Result<Model, Error> {
        Model::new(Bytes::Static(bytes))
    }

    /// A model in memory.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Model, Error> {
        Model::new(Bytes::Owned(bytes))
    }

    fn new(bytes: Bytes) -> Result<Model, Error> {
        let header = Header::read(bytes.as_slice())?;
        Ok(Model { bytes, header })
    }

    /// The probability that a message with these tokens is spam; `None` where the model abstains: it was
    /// trained with too little, or it knows next to nothing of this message.
    pub fn judge(&self, tokens: &Tokens) -> Option<BayesOpinion> {
        self.opinion(tokens.fingerprints())
    }

    /// As [`Model::judge`], for a message of a corpus.
    pub fn judge_row(&self, corpus: &Corpus, index: usize) -> Option<f64> {
        self.opinion(corpus.fingerprints(index)).map(|opinion| opinion.probability)
    }

    pub(super) fn opinion(&self, fingerprints: impl Iterator<Item = u64> + Clone) -> Option<BayesOpinion> {
        let (score, known) = self.score(fingerprints);
        let abstains = known < MIN_KNOWN || self.header.spam.min(self.header.ham) < MIN_MESSAGES;
        (!abstains)
            .then(|| BayesOpinion { probability: self.header.calibration.probability(score), tokens: known })
    }

    /// The raw score, and how many of the fingerprints are known.
    fn score(&self, fingerprints: impl Iterator<Item = u64> + Clone) -> (f64, usize) {
        let mut views = [(0i64, 0usize); VIEWS as usize];
        let (buckets, _) = self.bytes.as_slice().get(HEADER..).unwrap_or_default().as_chunks::<BUCKET>();
        // First all buckets are fetched: none has to wait for the one before to come from memory.
        let home = |fingerprint| buckets.get(home(fingerprint, buckets.len()));
        let homes = fingerprints.clone().filter_map(home);
        hint::black_box(homes.fold(0, |all, bucket| all ^ bucket[0]));
        for fingerprint in fingerprints {
            if let Some(weight) = weight(buckets, fingerprint) {
                let (sum, known) = &mut views[view_of(fingerprint) as usize];
                *sum += i64::from(weight);
                *known += 1;
            }
        }
        let score: f64 = views.iter().map(|&(sum, known)| sum as f64 * length_factor(known)).sum();
        let known = views.iter().map(|(_, known)| known).sum();
        (score * f64::from(self.header.unit) + f64::from(self.header.bias), known)
    }

    /// How many messages it was trained with: spam, ham.
    pub fn messages(&self) -> (u64, u64) {
        (self.header.spam, self.header.ham)
    }

    /// How many tokens it knows.
    pub fn entries(&self) -> usize {
        self.header.entries as usize
    }

    /// The file's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Writes the model so that whoever opens `path` sees the old file or the new one, whole.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        replace(path, self.as_bytes())
    }
}

/// Writes `bytes` under another name, then renames.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, |file| file.write_all(bytes))
}

/// Has a file written under another name, then renames it.
pub(super) fn replace_with(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = path.with_file_name(name);
    let written = File::create(&fresh).and_then(|mut file| {
        write(&mut file)?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    });
    if written.is_err() {
        // The error is what counts; the leftover may not even be there.
        let _ = fs::remove_file(&fresh);
    }
    written
}

impl Learned {
    /// Lays the model out as a file.
    pub(super) fn model(self) -> Result<Model, Error> {
        let entries = u32::try_from(self.weights.len()).map_err(|_| Error::TooManyTokens)?;
        let buckets = (self.weights.len() * 100).div_ceil(SLOTS * FILL).max(1) as u32;
        let largest = self.weights.iter().fold(f32::MIN_POSITIVE, |most, (_, weight)| most.max(weight.abs()));
        let unit = largest / f32::from(i16::MAX);
        let header = Header {
            spam: self.spam,
            ham: self.ham,
            entries,
            buckets,
            unit,
            bias: self.bias,
            calibration: self.calibration,
        };
        let mut bytes = header.write();
        bytes.resize(HEADER + buckets as usize * BUCKET, 0);
        let table = &mut bytes[HEADER..];
        let mut used = vec![0u8; buckets as usize];
        for (fingerprint, weight) in sorted(&self.weights, buckets as usize) {
            place(table, &mut used, fingerprint, (weight / unit).round() as i16);
        }
        let length = bytes.len() as u64;
        bytes[16..24].copy_from_slice(&length.to_le_bytes());
        let sum = xxh3_64(&bytes[CHECKED_FROM..]);
        bytes[24..32].copy_from_slice(&sum.to_le_bytes());
        Model::from_bytes(bytes)
    }
}

#[inline]
fn weight(buckets: &[[u8; BUCKET]], fingerprint: u64) -> Option<i16> {
    let tag = tag(fingerprint).to_le_bytes();
    let mut at = home(fingerprint, buckets.len());
    // The table is never full, but a file may claim to be: no more steps than buckets.
    for _ in 0..buckets.len() {
        let (numbers, _) = buckets.get(at)?.as_chunks::<4>();
        let (tags, _) = numbers.split_first_chunk::<SLOTS>()?;
        // All of them, as which one it is can't be foretold.
        let found = (0..SLOTS).fold(0u32, |found, slot| found | u32::from(tags[slot] == tag) << slot);
        if found != 0 {
            let (weights, _) = buckets.get(at)?.get(4 * SLOTS..)?.as_chunks::<2>();
            return weights.get(found.trailing_zeros() as usize).map(|&weight| i16::from_le_bytes(weight));
        }
        // Slots fill from the front: a free last one means that nothing went on to the next bucket.
        if tags[SLOTS - 1] == [0; 4] {
            return None;
        }
        at = (at + 1) % buckets.len();
    }
    None
}

/// By fingerprints, and so in the order of their buckets: the bytes don't depend on the order they came in.
fn sorted(weights: &[(u64, f32)], buckets: usize) -> Vec<(u64, f32)> {
    // Dealt to their buckets first, they are nearly sorted.
    let mut starts = vec![0u32; buckets + 1];
    weights.iter().for_each(|&(fingerprint, _)| starts[home(fingerprint, buckets) + 1] += 1);
    let mut start = 0;
    for next in &mut starts {
        start += *next;
        *next = start;
    }
    let mut sorted = vec![(0, 0.0); weights.len()];
    for &entry in weights {
        let at = &mut starts[home(entry.0, buckets)];
        sorted[*at as usize] = entry;
        *at += 1;
    }
    let mut start = 0;
    for end in starts {
        sorted[start..end as usize].sort_unstable_by_key(|&(fingerprint, _)| fingerprint);
        start = end as usize;
    }
    sorted
}

/// Puts an entry into the table, of which so many slots of each bucket are used.
fn place(table: &mut [u8], used: &mut [u8], fingerprint: u64, weight: i16) {
    let mut bucket = home(fingerprint, used.len());
    while usize::from(used[bucket]) == SLOTS {
        bucket = (bucket + 1) % used.len();
    }
    let slot = usize::from(used[bucket]);
    used[bucket] += 1;
    let slots = &mut table[bucket * BUCKET..(bucket + 1) * BUCKET];
    slots[4 * slot..4 * slot + 4].copy_from_slice(&tag(fingerprint).to_le_bytes());
    slots[4 * SLOTS + 2 * slot..4 * SLOTS + 2 * slot + 2].copy_from_slice(&weight.to_le_bytes());
}

/// The bucket where a fingerprint belongs.
#[inline]
fn home(fingerprint: u64, buckets: usize) -> usize {
    (((fingerprint >> 32) * buckets as u64) >> 32) as usize
}

#[inline]
fn tag(fingerprint: u64) -> u32 {
    (fingerprint as u32).max(1)
}

/// Long messages have more tokens, not as much more certainty: the sum of a view's weights is divided by the
/// root of their number.
#[inline]
pub(super) fn length_factor(known: usize) -> f64 {
    1.0 / (known.max(1) as f64).sqrt()
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Header, Error> {
        if !bytes.starts_with(MAGIC) {
            return Err(Error::Foreign);
        }
        let u32_at = |at: usize| field(bytes, at).map(u32::from_le_bytes);
        let u64_at = |at: usize| field(bytes, at).map(u64::from_le_bytes);
        let f32_at = |at: usize| field(bytes, at).map(f32::from_le_bytes);
        let version = u32_at(8)?;
        if version != VERSION {
            return Err(Error::Version { found: version, known: VERSION });
        }
        let tokens = u32_at(12)?;
        if tokens != tokens::VERSION {
            return Err(Error::Tokens { found: tokens, known: tokens::VERSION });
        }
        let length = u64_at(16)?;
        if length != bytes.len() as u64 {
            return Err(Error::Length { said: length, found: bytes.len() as u64 });
        }
        let checked = bytes.get(CHECKED_FROM..).ok_or(Error::Damaged("it ends inside its header"))?;
        if xxh3_64(checked) != u64_at(24)? {
            return Err(Error::Damaged("its checksum is wrong"));
        }
        let header = Header {
            spam: u64_at(32)?,
            ham: u64_at(40)?,
            entries: u32_at(48)?,
            buckets: u32_at(52)?,
            unit: f32_at(56)?,
            bias: f32_at(60)?,
            calibration: Calibration { slope: f32_at(64)?, offset: f32_at(68)?, doubt: f32_at(72)? },
        };
        let Calibration { slope, offset, doubt } = header.calibration;
        let sane = [header.unit, header.bias, slope, offset].iter().all(|number| number.is_finite())
            && (0.0..0.5).contains(&doubt)
            && header.buckets > 0
            && header.entries as usize <= header.buckets as usize * SLOTS
            && bytes.len() == HEADER + header.buckets as usize * BUCKET;
        if sane { Ok(header) } else { Err(Error::Damaged("its header contradicts itself")) }
    }

    fn write(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&tokens::VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 16]); // length and checksum, when they are known
        bytes.extend_from_slice(&self.spam.to_le_bytes());
        bytes.extend_from_slice(&self.ham.to_le_bytes());
        bytes.extend_from_slice(&self.entries.to_le_bytes());
        bytes.extend_from_slice(&self.buckets.to_le_bytes());
        let Calibration { slope, offset, doubt } = self.calibration;
        for number in [self.unit, self.bias, slope, offset, doubt] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.resize(HEADER, 0);
        bytes
    }
}

/// The `N` bytes at `at`.
fn field<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Error> {
    let rest = bytes.get(at..).and_then(|rest| rest.first_chunk::<N>());
    rest.copied().ok_or(Error::Damaged("it ends inside its header"))
}

impl Bytes {
    #[inline]
    fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Static(bytes) => bytes,
            Bytes::Mapped(map) => map,
            Bytes::Owned(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("header", &self.header).finish_non_exhaustive()
    }
}
