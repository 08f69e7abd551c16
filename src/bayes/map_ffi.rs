//! Maps a model file into memory: the one unsafe call of this folder.

use std::{fs::File, io};

use memmap2::{Mmap, MmapOptions};

/// The whole of `file`, read-only.
#[allow(unsafe_code)]
pub(super) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: a mapping is undefined behaviour only if the file changes below it. Models are immutable: they
    // are written under another name and renamed into place (`Model::write`), so a mapped file keeps its
    // bytes for as long as it is mapped. Reads are plain bytes through slices, checked for their length, so
    // even someone who overwrites a model in place gets wrong weights and no invalid value; a file that is
    // cut short in place costs the process a SIGBUS, as with every mapped file.
    unsafe { MmapOptions::new().map(file) }
}
