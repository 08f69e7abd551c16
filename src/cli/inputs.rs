//! Messages named on the command line: files, directories, maildirs, mbox files, each plain, `.gz` or `.zst`; standard
//! input.

use std::{
    fs, io,
    io::Read,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use flate2::read::MultiGzDecoder;
use memchr::memmem;
use rustix::{buffer::spare_capacity, io::Errno};
use ruzstd::decoding::StreamingDecoder;

use super::failure::Failure;

/// One message to read; nothing but mbox files is in memory before [`Input::read`].
#[derive(Clone, Debug)]
pub enum Input {
    File(PathBuf),
    /// A message inside an mbox file: its place in order (from 1) and its bytes.
    Mbox {
        path: PathBuf,
        number: usize,
        data: Arc<Vec<u8>>,
        range: Range<usize>,
    },
    Stdin(Arc<Vec<u8>>),
}

impl Input {
    /// The name in output: the path; `path#number` inside an mbox; `-` for standard input.
    pub fn name(&self) -> String {
        match self {
            Input::File(path) => path.display().to_string(),
            Input::Mbox { path, number, .. } => format!("{}#{number}", path.display()),
            Input::Stdin(_) => "-".into(),
        }
    }

    /// Reads the raw message into a buffer that is reused. `false` where it is a file of several messages, which
    /// [`Input::messages`] takes apart.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read_one(&self, buffer: &mut Vec<u8>) -> io::Result<bool> {
        match self {
            Input::File(path) => {
                read_into(path, buffer)?;
                Ok(!buffer.starts_with(b"From ") || mbox_starts(buffer).len() < 2)
            }
            Input::Mbox { data, range, .. } => {
                buffer.clear();
                buffer.extend_from_slice(data.get(range.clone()).unwrap_or_default());
                Ok(true)
            }
            Input::Stdin(data) => {
                buffer.clear();
                buffer.extend_from_slice(data);
                Ok(true)
            }
        }
    }

    /// What [`files`] found, taken apart where it is an mbox.
    pub fn messages(&self) -> Vec<Input> {
        let mut found = Vec::new();
        match self {
            Input::File(path) if is_mbox(path) => match read(path) {
                Ok(data) => split(path, data, &mut found),
                // It is told when it is to be read.
                Err(_) => found.push(self.clone()),
            },
            _ => found.push(self.clone()),
        }
        found
    }

    /// As [`Input::messages`], of what [`Input::read_one`] read.
    pub fn taken_apart(&self, data: Vec<u8>) -> Vec<Input> {
        let mut found = Vec::new();
        match self {
            Input::File(path) => split(path, data, &mut found),
            _ => found.push(self.clone()),
        }
        found
    }

    /// The raw message.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        match self {
            Input::File(path) => read(path),
            Input::Mbox { data, range, .. } => Ok(data[range.clone()].to_vec()),
            Input::Stdin(data) => Ok(data.to_vec()),
        }
    }
}

/// All messages below `paths`, directories walked in order of names. A maildir is a directory with
/// `cur` and `new`: its `tmp` and its other files are no messages. Hidden files are left out.
///
/// # Errors
/// A path that is not there or cannot be listed.
pub fn messages(paths: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    Ok(files(paths)?.iter().flat_map(Input::messages).collect())
}

/// As [`messages`], without a look into files: what turns out to be an mbox is left to [`Input::messages`].
///
/// # Errors
/// As [`messages`].
pub fn files(paths: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut data = Vec::new();
            io::stdin()
                .lock()
                .read_to_end(&mut data)
                .map_err(|e| Failure::io(format!("standard input: {e}")))?;
            split(Path::new("-"), data, &mut found);
        } else {
            let told = |e: io::Error| Failure::no_input(format!("{}: {e}", path.display()));
            let is_folder = fs::metadata(path).map_err(told)?.is_dir();
            walk(path.clone(), is_folder, &mut found).map_err(told)?;
        }
    }
    Ok(found)
}

fn walk(path: PathBuf, is_folder: bool, found: &mut Vec<Input>) -> io::Result<()> {
    if !is_folder {
        found.push(Input::File(path));
        return Ok(());
    }
    let folders = [path.join("cur"), path.join("new")];
    if folders.iter().all(|folder| folder.is_dir()) {
        return folders.into_iter().try_for_each(|folder| walk(folder, true, found));
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(&path)? {
        let entry = entry?;
        let name = entry.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            entries.push((name, entry.file_type().ok()));
        }
    }
    entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    for (name, kind) in entries {
        let path = path.join(name);
        // The directory knows it, but for links.
        let is_folder = match kind {
            Some(kind) if !kind.is_symlink() => kind.is_dir(),
            _ => path.is_dir(),
        };
        // What cannot be looked into is told when it is to be read, and does not stop the rest.
        if !is_folder || walk(path.clone(), true, found).is_err() {
            found.push(Input::File(path));
        }
    }
    Ok(())
}

/// Only a file that begins as an mbox may hold a second message.
fn is_mbox(path: &Path) -> bool {
    let mut start = Vec::new();
    // What cannot be unpacked is told when it is to be read.
    let peeked = unpacked(path).and_then(|file| file.take(5).read_to_end(&mut start));
    peeked.is_ok() && start == b"From "
}

/// What a packed file may unpack to: a small one could fill the memory.
const UNPACKED: u64 = 4 << 30;

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    read_into(path, &mut data)?;
    // a benchmark keeps thousands of mails, and the room for reading is many times theirs
    data.shrink_to_fit();
    Ok(data)
}

fn read_into(path: &Path, data: &mut Vec<u8>) -> io::Result<()> {
    data.clear();
    if !is_packed(path) {
        return read_whole(&fs::File::open(path)?, data);
    }
    if unpacked(path)?.take(UNPACKED).read_to_end(data)? as u64 == UNPACKED {
        return Err(io::Error::other(format!("it unpacks to more than {UNPACKED} bytes")));
    }
    Ok(())
}

/// Reads to the end without a look at the length, which takes as long as a read: most mail is one.
fn read_whole(file: &fs::File, data: &mut Vec<u8>) -> io::Result<()> {
    loop {
        data.reserve(64 << 10);
        let (room, start) = (data.capacity() - data.len(), data.len() as u64);
        match rustix::io::pread(file, spare_capacity(data), start) {
            // What has places to read from has its end where it gives less than was asked for.
            Ok(count) if count < room => return Ok(()),
            Ok(_) | Err(Errno::INTR) => {}
            // A pipe has none.
            Err(Errno::SPIPE) => return (&mut &*file).read_to_end(data).map(|_| ()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "gz" || ending == "zst")
}

/// The bytes of a file, unpacked by what its name ends in.
fn unpacked(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = fs::File::open(path)?;
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => Ok(Box::new(MultiGzDecoder::new(io::BufReader::new(file)))),
        Some("zst") => {
            let decoder = StreamingDecoder::new(io::BufReader::new(file));
            Ok(Box::new(decoder.map_err(io::Error::other)?))
        }
        _ => Ok(Box::new(file)),
    }
}

fn split(path: &Path, data: Vec<u8>, found: &mut Vec<Input>) {
    let starts = if data.starts_with(b"From ") { mbox_starts(&data) } else { vec![0] };
    if starts.len() < 2 {
        found.push(match path.as_os_str() == "-" {
            true => Input::Stdin(Arc::new(data)),
            false => Input::File(path.to_owned()),
        });
        return;
    }
    let data = Arc::new(data);
    for (index, &start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(data.len());
        let (path, number) = (path.to_owned(), index + 1);
        found.push(Input::Mbox { path, number, data: Arc::clone(&data), range: start..end });
    }
}

// A message starts at `From ` after an empty line, when the line ends like a date does (RFC 4155):
// prose that begins a paragraph with "From " does not split a message.
fn mbox_starts(data: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    for at in memmem::find_iter(data, b"\nFrom ") {
        let blank = data[..at].ends_with(b"\n") || data[..at].ends_with(b"\n\r");
        let line = data[at + 1..].split(|&byte| byte == b'\n').next().unwrap_or_default();
        let year = line.trim_ascii_end().iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let clock = line.iter().filter(|&&byte| byte == b':').count() >= 2;
        if blank && clock && year == 4 {
            starts.push(at + 1);
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_that_begins_with_from_does_not_split_an_mbox() {
        let data = b"From a@b Mon Jan  1 00:00:00 2024\nSubject: x\n\nhello\n\nFrom here on it is prose\n\n\
                     From c@d Tue Jan  2 00:00:00 2024\nSubject: y\n\nbye\n";
        let mut found = Vec::new();
        split(Path::new("box"), data.to_vec(), &mut found);
        let names: Vec<_> = found.iter().map(Input::name).collect();
        assert_eq!(names, ["box#1", "box#2"]);
        assert!(found[1].read().unwrap().ends_with(b"bye\n"));
    }

    #[test]
    fn packed_messages_and_mbox_files_are_unpacked() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        let gz = |text: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            io::Write::write_all(&mut encoder, text).unwrap();
            encoder.finish().unwrap()
        };
        let mbox = b"From a@b Mon Jan  1 00:00:00 2024\nSubject: x\n\nhello\n\n\
                     From c@d Tue Jan  2 00:00:00 2024\nSubject: y\n\nbye\n";
        fs::write(path("1.gz"), gz(b"Subject: x\n\nhello\n")).unwrap();
        fs::write(path("2.gz"), gz(mbox)).unwrap();
        fs::write(path("3.gz"), b"no such thing").unwrap();
        let zst = ruzstd::encoding::compress_to_vec(
            &b"Subject: z\n\nhello\n"[..],
            ruzstd::encoding::CompressionLevel::Fastest,
        );
        fs::write(path("4.zst"), &zst).unwrap();
        fs::write(path("5.zst"), &zst[..3]).unwrap();
        let found = messages(&[root.path().to_owned()]).unwrap();
        let read: Vec<Option<Vec<u8>>> = found.iter().map(|input| input.read().ok()).collect();
        assert_eq!(read.len(), 6);
        assert_eq!(read[0].as_deref(), Some(&b"Subject: x\n\nhello\n"[..]));
        assert!(read[2].as_ref().unwrap().ends_with(b"bye\n"));
        assert_eq!(read[4].as_deref(), Some(&b"Subject: z\n\nhello\n"[..]));
        assert_eq!((&read[3], &read[5]), (&None, &None), "they are not what they say");
    }

    #[test]
    fn a_maildir_is_its_cur_and_new() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["cur", "new", "tmp"] {
            fs::create_dir(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join("1"), "Subject: x\n\n").unwrap();
        }
        assert_eq!(messages(&[root.path().to_owned()]).unwrap().len(), 2);
    }

    #[test]
    fn a_link_to_nowhere_does_not_hide_the_other_mail() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", root.path().join("1")).unwrap();
        fs::write(root.path().join("2"), "Subject: x\n\n").unwrap();
        let found = messages(&[root.path().to_owned()]).unwrap();
        let read: Vec<bool> = found.iter().map(|input| input.read().is_ok()).collect();
        assert_eq!(read, [false, true]);
    }

    #[test]
    fn a_path_that_is_not_there_is_named() {
        let failure = messages(&[PathBuf::from("/no/such/mail")]).unwrap_err();
        assert_eq!(failure.code, 66);
        assert!(failure.message.contains("/no/such/mail"));
    }
}
