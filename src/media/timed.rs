//! Bytes that are there as long as there is time, so that a decoder ends which knows nothing of clocks.

use std::{
    io::{self, BufRead, Cursor, Read, Seek, SeekFrom},
    time::Instant,
};

/// Bytes that a decoder gets at once: no more than a few milliseconds of work, as well compressed as they may be.
const STRETCH: usize = 8 << 10;

/// A file in memory that breaks off when the time is up.
#[derive(Debug)]
pub(super) struct Timed<'b> {
    bytes: Cursor<&'b [u8]>,
    until: Option<Instant>,
}

impl<'b> Timed<'b> {
    pub fn new(bytes: &'b [u8], until: Option<Instant>) -> Timed<'b> {
        Timed { bytes: Cursor::new(bytes), until }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let have = self.fill_buf()?;
        let length = have.len().min(buffer.len());
        buffer[..length].copy_from_slice(&have[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Timed<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let rest = self.bytes.fill_buf()?;
        Ok(rest.get(..STRETCH).unwrap_or(rest))
    }

    fn consume(&mut self, amount: usize) {
        self.bytes.consume(amount);
    }
}

impl Seek for Timed<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_are_read_and_none_once_the_time_is_up() {
        let bytes: Vec<u8> = (0..100_000u32).map(|at| at as u8).collect();
        let mut read = Vec::new();
        Timed::new(&bytes, None).read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
        let late = Timed::new(&bytes, Some(Instant::now())).read_to_end(&mut read);
        assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
