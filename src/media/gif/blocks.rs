//! The blocks of a GIF file (GIF89a), read as browsers read them: what comes before the damage counts.

use weezl::{BitOrder, LzwStatus, decode::Decoder};

/// Pixels decompressed between two looks at the clock.
const PIXELS_A_LOOK: usize = 1 << 16;
/// Pixels handed on at a time: no frame is ever held as a whole, whatever size it claims.
const PIECE: usize = 1 << 13;
/// Pixels that a byte of compressed data can stand for: a code of 12 bits for a string of 4,096.
const MOST_A_BYTE: usize = 2731;

/// What happens to a frame's rectangle before the next frame is painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposal {
    Keep,
    Background,
    Previous,
}

/// A frame as it stands in the file, its pixels still compressed.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
    pub interlaced: bool,
    /// Its own colours, or else those of the file; three bytes each.
    pub palette: &'a [u8],
    /// In units of 10 ms.
    pub delay: u16,
    pub disposal: Disposal,
    pub transparent: Option<u8>,
    code_size: u8,
    /// The sub-blocks as they stand in the file, each behind its length.
    data: &'a [u8],
}

/// Why a frame has fewer pixels than its size says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The data ends, properly or not; frames may follow.
    Short,
    /// Time was up.
    Late,
}

/// The frames of a file, one after the other.
#[derive(Debug)]
pub struct Blocks<'a> {
    rest: &'a [u8],
    global: &'a [u8],
    control: (u16, Disposal, Option<u8>),
    /// Size of the logical screen.
    pub width: usize,
    pub height: usize,
    /// Whether the animation runs without end; known once the frames were read.
    pub endless: bool,
}

const NO_CONTROL: (u16, Disposal, Option<u8>) = (0, Disposal::Keep, None);

impl<'a> Blocks<'a> {
    /// Reads the header; `None` where there is none.
    pub fn new(bytes: &'a [u8]) -> Option<Blocks<'a>> {
        let mut blocks =
            Blocks { rest: bytes, global: &[], control: NO_CONTROL, width: 0, height: 0, endless: false };
        if !matches!(blocks.cut(6)?, b"GIF87a" | b"GIF89a") {
            return None;
        }
        let &[w0, w1, h0, h1, flags, _, _] = blocks.cut(7)? else { return None };
        (blocks.width, blocks.height) =
            (u16::from_le_bytes([w0, w1]).into(), u16::from_le_bytes([h0, h1]).into());
        blocks.global = blocks.table(flags)?;
        Some(blocks)
    }

    fn cut(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.cut(1)?.first().copied()
    }

    // A colour table follows a descriptor whose flags say so and how large it is.
    fn table(&mut self, flags: u8) -> Option<&'a [u8]> {
        if flags & 0x80 == 0 { Some(&[]) } else { self.cut(3 << ((flags & 7) + 1)) }
    }

    fn sub_block(&mut self) -> Option<&'a [u8]> {
        let (block, rest) = sub_block(self.rest);
        self.rest = rest;
        block
    }

    fn extension(&mut self) -> Option<()> {
        let label = self.byte()?;
        let first = self.sub_block();
        match (label, first) {
            (0xf9, Some(&[flags, d0, d1, transparent, ..])) => {
                let disposal = match flags >> 2 & 7 {
                    2 => Disposal::Background,
                    3 | 4 => Disposal::Previous, // some programs wrote 4, and browsers go along
                    _ => Disposal::Keep,
                };
                let transparent = (flags & 1 == 1).then_some(transparent);
                self.control = (u16::from_le_bytes([d0, d1]), disposal, transparent);
            }
            (0xff, Some(b"NETSCAPE2.0" | b"ANIMEXTS1.0")) => {
                if let Some([1, loops @ ..]) = self.sub_block() {
                    // A few loops end, but nobody watches a mail for a hundred.
                    self.endless = !matches!(loops, [1..=9, 0, ..]);
                }
            }
            (_, None) => return Some(()),
            _ => {}
        }
        while self.sub_block().is_some() {}
        Some(())
    }

    fn frame(&mut self) -> Option<Frame<'a>> {
        let &[l0, l1, t0, t1, w0, w1, h0, h1, flags] = self.cut(9)? else { return None };
        let [left, top, width, height] =
            [[l0, l1], [t0, t1], [w0, w1], [h0, h1]].map(|pair| usize::from(u16::from_le_bytes(pair)));
        let local = self.table(flags)?;
        let palette = if local.is_empty() { self.global } else { local };
        let (delay, disposal, transparent) = std::mem::replace(&mut self.control, NO_CONTROL);
        let code_size = self.byte()?;
        let data = self.rest;
        while self.sub_block().is_some() {}
        let data = &data[..data.len() - self.rest.len()];
        let interlaced = flags & 0x40 != 0;
        Some(Frame {
            left,
            top,
            width,
            height,
            interlaced,
            palette,
            delay,
            disposal,
            transparent,
            code_size,
            data,
        })
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Frame<'a>;

    // Anything but a known block ends the file, as if it had been its trailer.
    fn next(&mut self) -> Option<Frame<'a>> {
        loop {
            match self.byte()? {
                0 => {} // one terminator too many
                b'!' => self.extension()?,
                b',' => return self.frame(),
                _ => return None,
            }
        }
    }
}

// What is left of a sub-block that breaks off is a sub-block too. The terminator is none, but is passed.
fn sub_block(bytes: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let Some((&length, rest)) = bytes.split_first() else { return (None, bytes) };
    let (block, rest) = rest.split_at(usize::from(length).min(rest.len()));
    ((!block.is_empty()).then_some(block), rest)
}

impl Frame<'_> {
    /// The most pixels that the data can hold, of those that the frame says it has.
    pub fn most_pixels(&self) -> usize {
        (self.width * self.height).min(self.data.len().saturating_mul(MOST_A_BYTE))
    }

    /// Decompresses the first `wanted` pixels and hands them to `take` piece by piece, in the order of the data.
    /// Says why where there were fewer.
    pub fn decompress(
        &self,
        wanted: usize,
        late: &dyn Fn() -> bool,
        mut take: impl FnMut(&[u8]),
    ) -> Option<Cut> {
        if !(1..=11).contains(&self.code_size) {
            return (wanted > 0).then_some(Cut::Short);
        }
        let mut decoder = Decoder::new(BitOrder::Lsb, self.code_size);
        let mut piece = [0; PIECE];
        let (mut left, mut unseen, mut data) = (wanted, 0, self.data);
        let mut input: &[u8] = &[];
        while left > 0 {
            let step = decoder.decode_bytes(input, &mut piece[..left.min(PIECE)]);
            input = input.get(step.consumed_in..).unwrap_or_default();
            take(&piece[..step.consumed_out]);
            left -= step.consumed_out;
            unseen += step.consumed_out;
            match step.status {
                Ok(LzwStatus::Ok | LzwStatus::NoProgress) => {}
                _ => break,
            }
            // Codes wait inside the decoder until a call makes no progress.
            if step.consumed_in == 0 && step.consumed_out == 0 {
                let (Some(block), rest) = sub_block(data) else { break };
                if !input.is_empty() {
                    break;
                }
                (input, data) = (block, rest);
            }
            if unseen >= PIXELS_A_LOOK && left > 0 {
                if late() {
                    return Some(Cut::Late);
                }
                unseen = 0;
            }
        }
        (left > 0).then_some(Cut::Short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"GIF89a\x02\0\x02\0\x80\0\0\0\0\0\xff\xff\xff";
    const IMAGE: &[u8] = b",\0\0\0\0\x02\0\x02\0\0\x02\x03\x44\x74\x05\0";

    fn count(parts: &[&[u8]]) -> Option<usize> {
        Some(Blocks::new(&parts.concat())?.count())
    }

    #[test]
    fn stray_terminators_and_unknown_blocks_do_not_lose_what_came_before() {
        assert_eq!(count(&[HEADER, IMAGE, b";"]), Some(1));
        assert_eq!(count(&[HEADER, b"\0\0", IMAGE, b"\0", IMAGE, b";"]), Some(2));
        assert_eq!(count(&[HEADER, IMAGE, b"\x77", IMAGE]), Some(1));
        assert_eq!(count(&[HEADER, b"!\xfe\x03abc\0!\xfe\0", IMAGE]), Some(1));
        assert_eq!(count(&[HEADER, &IMAGE[..12]]), Some(1));
        assert_eq!(count(&[HEADER, &IMAGE[..9]]), Some(0));
        assert_eq!(count(&[b"GIF88a"]), None);
    }

    #[test]
    fn a_control_block_counts_for_one_frame() {
        let bytes = [HEADER, b"!\xf9\x04\x09\x2c\x01\x07\0", IMAGE, IMAGE].concat();
        let frames: Vec<_> = Blocks::new(&bytes).unwrap().collect();
        let controls: Vec<_> =
            frames.iter().map(|frame| (frame.delay, frame.disposal, frame.transparent)).collect();
        assert_eq!(controls, [(300, Disposal::Background, Some(7)), NO_CONTROL]);
    }

    #[test]
    fn compressed_data_that_breaks_off_gives_the_pixels_before() {
        let bytes = [HEADER, IMAGE].concat();
        let mut frame = Blocks::new(&bytes).unwrap().next().unwrap();
        let pixels = |frame: &Frame<'_>| {
            let mut pixels = Vec::new();
            let cut = frame.decompress(4, &|| false, |piece| pixels.extend_from_slice(piece));
            (pixels, cut)
        };
        let (whole, cut) = pixels(&frame);
        assert_eq!((whole.len(), cut), (4, None));
        frame.data = &frame.data[..2];
        let (some, cut) = pixels(&frame);
        assert!(some.len() < 4 && cut == Some(Cut::Short));
        assert_eq!(some, whole[..some.len()]);
        frame.code_size = 12;
        assert_eq!(pixels(&frame), (Vec::new(), Some(Cut::Short)));
    }
}
