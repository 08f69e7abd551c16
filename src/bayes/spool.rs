//! The feedback spool: mail that users sorted, kept until the next training takes it in.
//!
//! ```text
//! DIR/spam/HASH   one message a file; HASH is xxh3-128 of its bytes, so that no message is there twice
//! DIR/ham/HASH
//! DIR/tmp/        what is being written
//! ```
//! A message is in the spool once its bytes and its name are on the disk. Any number of processes may write
//! and one may take out at the same time.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use xxhash_rust::xxh3::xxh3_128;

/// What a user says a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    Spam,
    Ham,
}

impl Class {
    /// Both, spam first.
    pub const ALL: [Class; 2] = [Class::Spam, Class::Ham];

    /// Its name in requests, and of its folder.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Spam => "spam",
            Class::Ham => "ham",
        }
    }

    const fn other(self) -> Class {
        match self {
            Class::Spam => Class::Ham,
            Class::Ham => Class::Spam,
        }
    }
}

impl std::str::FromStr for Class {
    type Err = String;

    fn from_str(text: &str) -> Result<Class, String> {
        let found = Class::ALL.into_iter().find(|class| class.name() == text);
        found.ok_or_else(|| format!("`{text}` is no class: say spam or ham"))
    }
}

/// Why a message did not get into the spool.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    #[error("feedback spool {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the feedback spool {} is full ({limit} bytes): train with it, or make it larger", path.display())]
    Full { path: PathBuf, limit: u64 },
    #[error("an empty message teaches nothing")]
    Empty,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// It waits for the next training.
    Spooled,
    /// It waits already.
    Known,
}

/// A directory of messages to learn from.
#[derive(Debug)]
pub struct Spool {
    directory: PathBuf,
    limit: u64,
    /// Bytes that were there when it was last counted, and what was added since.
    used: AtomicU64,
}

/// Tells apart what is written at the same time.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The smallest room that a file takes on a disk: ten million empty ones are not nothing.
const BLOCK: u64 = 4096;
/// What was left in `tmp` for so long has no writer any more.
const STALE: std::time::Duration = std::time::Duration::from_secs(3600);

impl Spool {
    /// Opens the spool at `directory`, which is made if it is not there. `limit` is the room on disk, in
    /// bytes, that its messages may take.
    ///
    /// # Errors
    /// The directory cannot be made or read.
    pub fn open(directory: &Path, limit: u64) -> Result<Spool, SpoolError> {
        let spool = Spool { directory: directory.into(), limit, used: AtomicU64::new(0) };
        for folder in ["spam", "ham", "tmp"] {
            let path = directory.join(folder);
            fs::create_dir_all(&path).map_err(|source| SpoolError::Io { path, source })?;
        }
        spool.sweep();
        spool.count()?;
        Ok(spool)
    }

    /// Puts a message in; when this returns it survives a power cut. Feedback for the other class that waits
    /// for the same message is taken back: the last word counts.
    ///
    /// # Errors
    /// The spool is full or cannot be written; the message is not in it then.
    pub fn put(&self, class: Class, message: &[u8]) -> Result<Learned, SpoolError> {
        if message.is_empty() {
            return Err(SpoolError::Empty);
        }
        let name = format!("{:032x}", xxh3_128(message));
        let path = self.folder(class).join(&name);
        if path.exists() {
            return Ok(Learned::Known);
        }
        let size = room(message.len() as u64);
        // Training may have emptied it since it was counted.
        if self.used.load(Ordering::Relaxed) + size > self.limit && self.count()? + size > self.limit {
            return Err(SpoolError::Full { path: self.directory.clone(), limit: self.limit });
        }
        self.write(&path, message).map_err(|source| SpoolError::Io { path, source })?;
        self.used.fetch_add(size, Ordering::Relaxed);
        // Most often there is none.
        let _ = fs::remove_file(self.folder(class.other()).join(&name));
        Ok(Learned::Spooled)
    }

    fn write(&self, path: &Path, message: &[u8]) -> io::Result<()> {
        let name = format!("{}.{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let fresh = self.directory.join("tmp").join(name);
        let written = File::create_new(&fresh).and_then(|mut file| {
            file.write_all(message)?;
            file.sync_all()?;
            fs::rename(&fresh, path)?;
            // The name is on the disk when its directory is.
            path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        });
        if written.is_err() {
            // The error is what counts; the leftover may not even be there.
            let _ = fs::remove_file(&fresh);
        }
        written
    }

    /// The messages of a class that wait now, in order of their names.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn waiting(&self, class: Class) -> Result<Vec<PathBuf>, SpoolError> {
        let path = self.folder(class);
        let list = || fs::read_dir(&path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
        let mut found = list().map_err(|source| SpoolError::Io { path: path.clone(), source })?;
        found.sort_unstable();
        Ok(found)
    }

    /// Drops messages that were learned from.
    ///
    /// # Errors
    /// One cannot be removed; the others are all the same.
    pub fn remove(&self, messages: &[PathBuf]) -> Result<(), SpoolError> {
        let mut failed = Ok(());
        for path in messages {
            match fs::remove_file(path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => failed = Err(SpoolError::Io { path: path.clone(), source }),
            }
        }
        self.count()?;
        failed
    }

    fn folder(&self, class: Class) -> PathBuf {
        self.directory.join(class.name())
    }

    /// Counts what is there: others may have written or taken out.
    fn count(&self) -> Result<u64, SpoolError> {
        let mut used = 0;
        for class in Class::ALL {
            // One that was taken out meanwhile takes no room.
            let sizes = self.waiting(class)?.into_iter().filter_map(|path| fs::metadata(path).ok());
            used += sizes.map(|file| room(file.len())).sum::<u64>();
        }
        self.used.store(used, Ordering::Relaxed);
        Ok(used)
    }

    /// Removes what writers left that died.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(self.directory.join("tmp")) else { return };
        for entry in entries.flatten() {
            let age = entry.metadata().and_then(|file| file.modified()).ok();
            if age.and_then(|time| time.elapsed().ok()).is_some_and(|age| age > STALE) {
                // Another process may have been quicker.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn room(length: u64) -> u64 {
    length.max(1).next_multiple_of(BLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(limit: u64) -> (tempfile::TempDir, Spool) {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::open(&root.path().join("spool"), limit).unwrap();
        (root, spool)
    }

    fn waiting(spool: &Spool) -> (usize, usize) {
        (spool.waiting(Class::Spam).unwrap().len(), spool.waiting(Class::Ham).unwrap().len())
    }

    #[test]
    fn a_message_waits_once_until_it_is_taken_out() {
        let (_root, spool) = spool(1 << 20);
        assert_eq!(spool.put(Class::Spam, b"buy\n").unwrap(), Learned::Spooled);
        assert_eq!(spool.put(Class::Spam, b"buy\n").unwrap(), Learned::Known);
        assert_eq!(spool.put(Class::Ham, b"hello\n").unwrap(), Learned::Spooled);
        assert_eq!(waiting(&spool), (1, 1));
        let spam = spool.waiting(Class::Spam).unwrap();
        assert_eq!(fs::read(&spam[0]).unwrap(), b"buy\n");
        spool.remove(&spam).unwrap();
        spool.remove(&spam).unwrap();
        assert_eq!(waiting(&spool), (0, 1));
    }

    #[test]
    fn the_last_word_about_a_message_counts() {
        let (_root, spool) = spool(1 << 20);
        spool.put(Class::Spam, b"news\n").unwrap();
        spool.put(Class::Ham, b"news\n").unwrap();
        assert_eq!(waiting(&spool), (0, 1));
    }

    #[test]
    fn a_full_spool_refuses_and_takes_again_when_it_was_emptied() {
        let (root, spool) = spool(2 * BLOCK);
        spool.put(Class::Spam, b"1").unwrap();
        spool.put(Class::Spam, b"2").unwrap();
        assert!(matches!(spool.put(Class::Spam, b"3"), Err(SpoolError::Full { .. })));
        // By another process.
        let other = Spool::open(&root.path().join("spool"), 2 * BLOCK).unwrap();
        other.remove(&other.waiting(Class::Spam).unwrap()).unwrap();
        assert_eq!(spool.put(Class::Spam, b"3").unwrap(), Learned::Spooled);
        assert!(matches!(spool.put(Class::Spam, &[b'x'; 9000]), Err(SpoolError::Full { .. })));
        assert_eq!(waiting(&spool), (1, 0));
        assert_eq!(fs::read_dir(root.path().join("spool/tmp")).unwrap().count(), 0);
    }

    #[test]
    fn writers_at_the_same_time_lose_nothing() {
        let (_root, spool) = spool(1 << 24);
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let spool = &spool;
                scope.spawn(move || {
                    for number in 0..20 {
                        // Half of them are the same for all.
                        let from = if number % 2 == 0 { 9 } else { writer };
                        spool.put(Class::Spam, format!("{from} {number}").as_bytes()).unwrap();
                    }
                });
            }
        });
        assert_eq!(waiting(&spool), (10 + 4 * 10, 0));
    }

    #[test]
    fn a_spool_that_cannot_be_made_says_where() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        let error = Spool::open(&root.path().join("file/spool"), 1).unwrap_err();
        assert!(error.to_string().contains("file/spool"), "{error}");
        let (_root, spool) = spool(1 << 20);
        assert!(matches!(spool.put(Class::Ham, b""), Err(SpoolError::Empty)));
    }
}
