//! Lists of numbers in blocks: in memory up to a bound, what is more in files without a name that are mapped, so that
//! the kernel can drop their pages whenever it needs the room.

use std::{
    fmt,
    fs::File,
    io::{self, Write},
    marker::PhantomData,
    ops::Range,
    path::PathBuf,
    sync::Arc,
};

use bytemuck::Pod;
use memmap2::Mmap;

use super::map_ffi;

/// How much of a corpus may lie in memory, and where the rest goes.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Bytes of tokens that may be held; a row of 32 bytes a message comes on top.
    pub bytes: usize,
    /// A directory on a disk with room for the rest.
    pub directory: PathBuf,
}

impl Default for Memory {
    /// No bound.
    fn default() -> Memory {
        Memory { bytes: usize::MAX, directory: std::env::temp_dir() }
    }
}

/// Where a list lies in its [`Store`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    block: u32,
    start: u32,
    length: u32,
}

impl Place {
    pub(super) fn len(self) -> usize {
        self.length as usize
    }

    /// A part of the list.
    pub(super) fn part(self, range: Range<usize>) -> Place {
        Place { start: self.start + range.start as u32, length: range.len() as u32, ..self }
    }
}

/// Lists of numbers that are written once and read often. A copy shares the blocks.
pub(super) struct Store<T> {
    /// None of them changes any more.
    blocks: Vec<Arc<Block<T>>>,
    /// The block that grows.
    open: Vec<T>,
    /// Numbers in blocks that lie in memory.
    held: usize,
}

enum Block<T> {
    Held(Vec<T>),
    /// A part of a file, in bytes.
    Spilled(Arc<Mmap>, Range<usize>, PhantomData<T>),
}

/// Numbers of the first block and of the largest.
const SMALLEST: usize = 1 << 14;
const LARGEST: usize = 1 << 22;

impl<T> Default for Store<T> {
    fn default() -> Store<T> {
        Store { blocks: Vec::new(), open: Vec::new(), held: 0 }
    }
}

impl<T: Clone> Clone for Store<T> {
    fn clone(&self) -> Store<T> {
        Store { blocks: self.blocks.clone(), open: self.open.clone(), held: self.held }
    }
}

impl<T> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (blocks, held) = (self.blocks.len(), self.held);
        f.debug_struct("Store").field("blocks", &blocks).field("held", &held).finish_non_exhaustive()
    }
}

impl<T: Pod> Store<T> {
    /// Adds a list.
    pub(super) fn push(&mut self, list: &[T]) -> Place {
        self.push_both(list, &[])
    }

    /// Adds a list that is given in two pieces.
    pub(super) fn push_both(&mut self, list: &[T], more: &[T]) -> Place {
        let length = list.len() + more.len();
        if self.open.capacity() - self.open.len() < length {
            let size = (2 * self.open.capacity()).clamp(SMALLEST, LARGEST);
            self.close();
            self.open.reserve_exact(size.max(length));
        }
        let start = self.open.len();
        self.open.extend_from_slice(list);
        self.open.extend_from_slice(more);
        Place { block: self.blocks.len() as u32, start: start as u32, length: length as u32 }
    }

    /// Adds a long list without copying it.
    pub(super) fn adopt(&mut self, list: Vec<T>) -> Place {
        self.close();
        let place = Place { block: self.blocks.len() as u32, start: 0, length: list.len() as u32 };
        self.held += list.len();
        self.blocks.push(Arc::new(Block::Held(list)));
        place
    }

    /// A list that was added; empty if it never was.
    #[inline]
    pub(super) fn get(&self, place: Place) -> &[T] {
        let block = match self.blocks.get(place.block as usize) {
            Some(block) => block.numbers(),
            None => self.open.as_slice(),
        };
        let start = place.start as usize;
        block.get(start..start + place.len()).unwrap_or_default()
    }

    /// Takes over all lists of another store. Returns how places move: the number of their block grows by this.
    pub(super) fn append(&mut self, mut other: Store<T>) -> u32 {
        self.close();
        other.close();
        let shift = self.blocks.len() as u32;
        self.blocks.append(&mut other.blocks);
        self.held += other.held;
        shift
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.held += self.open.len();
            self.blocks.push(Arc::new(Block::Held(std::mem::take(&mut self.open))));
        }
    }

    /// Moves what lies in memory to a file, if it is more than the bound.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn relieve(&mut self, memory: &Memory) -> io::Result<()> {
        if (self.held + self.open.len()).saturating_mul(size_of::<T>()) <= memory.bytes {
            return Ok(());
        }
        self.close();
        // A mapping keeps the file, whose name is gone already.
        let mut file = tempfile::tempfile_in(&memory.directory)?;
        let mut ranges = Vec::new();
        let mut written = 0;
        for (number, block) in self.blocks.iter().enumerate() {
            if let Block::Held(numbers) = &**block {
                let bytes: &[u8] = bytemuck::cast_slice(numbers);
                file.write_all(bytes)?;
                ranges.push((number, written..written + bytes.len()));
                written += bytes.len();
            }
        }
        let map = Arc::new(map(&file)?);
        for (number, range) in ranges {
            if let Some(block) = self.blocks.get_mut(number) {
                *block = Arc::new(Block::Spilled(Arc::clone(&map), range, PhantomData));
            }
        }
        self.held = 0;
        Ok(())
    }

    /// Whether anything lies in a file.
    #[cfg(test)]
    pub(super) fn has_spilled(&self) -> bool {
        self.blocks.iter().any(|block| matches!(**block, Block::Spilled(..)))
    }
}

fn map(file: &File) -> io::Result<Mmap> {
    map_ffi::map(file)
}

impl Place {
    /// The same list after [`Store::append`].
    pub(super) fn moved(self, shift: u32) -> Place {
        Place { block: self.block + shift, ..self }
    }
}

impl<T: Pod> Block<T> {
    #[inline]
    fn numbers(&self) -> &[T] {
        match self {
            Block::Held(numbers) => numbers,
            // Blocks of one file are whole numbers of one type, and a mapping starts at a page: it never fails.
            Block::Spilled(map, range, _) => map
                .get(range.clone())
                .and_then(|bytes| bytemuck::try_cast_slice(bytes).ok())
                .unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_back_from_memory_and_from_files() {
        let directory = tempfile::tempdir().unwrap();
        let memory = Memory { bytes: 100_000, directory: directory.path().to_owned() };
        let list = |number: u64| (0..number % 700).map(|n| number * 1000 + n).collect::<Vec<_>>();
        let mut store = Store::default();
        let mut places = Vec::new();
        for number in 0..500 {
            places.push(store.push(&list(number)));
            store.relieve(&memory).unwrap();
        }
        let mut other = Store::default();
        let more: Vec<Place> = (500..900).map(|number| other.push(&list(number))).collect();
        let shift = store.append(other);
        places.extend(more.into_iter().map(|place| place.moved(shift)));
        assert!(store.has_spilled());
        let copy = store.clone();
        for (number, &place) in places.iter().enumerate() {
            assert_eq!(copy.get(place), list(number as u64));
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "the files have no names");
    }
}
