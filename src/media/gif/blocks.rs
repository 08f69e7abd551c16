//! The blocks of a GIF file (GIF89a), read as browsers read them: what comes before the damage counts.

use weezl::{BitOrder, LzwStatus, decode::Decoder};

/// Pixels decompressed between two looks at the clock.
const PIXELS_A_LOOK: usize = 1 << 16;

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
    data: Vec<u8>,
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

    // What is left of a sub-block that breaks off is a sub-block too.
    fn sub_block(&mut self) -> Option<&'a [u8]> {
        match usize::from(self.byte()?) {
            0 => None,
            length => self.cut(length.min(self.rest.len())).filter(|block| !block.is_empty()),
        }
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
        let mut data = Vec::new();
        while let Some(block) = self.sub_block() {
            data.extend_from_slice(block);
        }
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

impl Frame<'_> {
    /// Decompresses the first `pixels.len()` pixels, in the order of the data. Returns how many there were.
    pub fn decompress(&self, pixels: &mut [u8], late: &dyn Fn() -> bool) -> (usize, Option<Cut>) {
        if !(1..=11).contains(&self.code_size) {
            return (0, Some(Cut::Short));
        }
        let mut decoder = Decoder::new(BitOrder::Lsb, self.code_size);
        let (mut input, mut filled, mut look_at) = (&self.data[..], 0, PIXELS_A_LOOK);
        while filled < pixels.len() {
            let end = pixels.len().min(look_at);
            let step = decoder.decode_bytes(input, &mut pixels[filled..end]);
            input = input.get(step.consumed_in..).unwrap_or_default();
            filled += step.consumed_out;
            let stuck = step.consumed_in == 0 && step.consumed_out == 0;
            match step.status {
                Ok(LzwStatus::Ok | LzwStatus::NoProgress) if !stuck => {}
                _ => break,
            }
            if filled == look_at {
                if filled < pixels.len() && late() {
                    return (filled, Some(Cut::Late));
                }
                look_at += PIXELS_A_LOOK;
            }
        }
        (filled, (filled < pixels.len()).then_some(Cut::Short))
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
        let mut pixels = [9; 4];
        assert_eq!(frame.decompress(&mut pixels, &|| false), (4, None));
        let whole = pixels;
        frame.data.truncate(1);
        let (count, cut) = frame.decompress(&mut pixels, &|| false);
        assert!(count < 4 && cut == Some(Cut::Short));
        assert_eq!(pixels[..count], whole[..count]);
        frame.code_size = 12;
        assert_eq!(frame.decompress(&mut pixels, &|| false), (0, Some(Cut::Short)));
    }
}
