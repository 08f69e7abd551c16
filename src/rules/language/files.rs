//! The files that the rules come from, in loading order.

use std::{
    fs, io,
    io::Read,
    path::{Path, PathBuf},
};

use crate::rules::{Error, Source};

/// No rule file is larger than this; SpamAssassin's own are below 1 MB.
pub const MAX_FILE: u64 = 16 << 20;

/// One file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    Embedded { name: &'static str, text: &'static str },
    Path(PathBuf),
}

impl File {
    /// The name in remarks.
    pub fn name(&self) -> String {
        match self {
            File::Embedded { name, .. } => (*name).to_owned(),
            File::Path(path) => path.display().to_string(),
        }
    }

    fn has_extension(&self, wanted: &str) -> bool {
        let name = match self {
            File::Embedded { name, .. } => Path::new(name),
            File::Path(path) => path,
        };
        name.extension().is_some_and(|extension| extension == wanted)
    }
}

/// All .pre files, then all others: first by source, then by name.
///
/// # Errors
/// A source is not there or cannot be listed.
pub fn in_order(sources: &[Source]) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    for source in sources {
        match source {
            Source::Embedded { name, text } => files.push(File::Embedded { name, text }),
            Source::Path(path) => {
                let error = |source| Error::Read { path: path.clone(), source };
                files.extend(listed(path).map_err(error)?);
            }
        }
    }
    // the sort is stable: within both halves the order stays
    files.sort_by_key(|file| !file.has_extension("pre"));
    Ok(files)
}

fn listed(path: &Path) -> io::Result<Vec<File>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![File::Path(path.to_owned())]);
    }
    let mut files: Vec<File> = fs::read_dir(path)?
        .map(|entry| entry.map(|entry| File::Path(entry.path())))
        .collect::<io::Result<_>>()?;
    files.retain(|file| file.has_extension("pre") || file.has_extension("cf"));
    files.sort_by_key(File::name);
    Ok(files)
}

/// The bytes of a file; what is larger than [`MAX_FILE`] is refused before it is read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MAX_FILE {
        true => Err(io::Error::other(format!("larger than {} MB", MAX_FILE >> 20))),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pre_files_of_all_sources_come_first() {
        let root = tempfile::tempdir().unwrap();
        for (directory, name) in
            [("a", "b.cf"), ("a", "a.cf"), ("a", "z.pre"), ("b", "1.cf"), ("b", "2.pre"), ("b", "x")]
        {
            fs::create_dir_all(root.path().join(directory)).unwrap();
            fs::write(root.path().join(directory).join(name), "").unwrap();
        }
        let sources = ["a", "b"].map(|directory| Source::Path(root.path().join(directory)));
        let files = in_order(&sources).unwrap();
        let names: Vec<_> =
            files.iter().map(|file| file.name().rsplit('/').next().unwrap().to_owned()).collect();
        assert_eq!(names, ["z.pre", "2.pre", "a.cf", "b.cf", "1.cf"]);
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let error = in_order(&[Source::Path("/no/such/rules".into())]).unwrap_err();
        assert!(error.to_string().contains("/no/such/rules"));
    }
}
