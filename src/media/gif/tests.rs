//! Composition against a plain reference, damaged files, bombs, and which pictures are taken.

use std::time::{Duration, Instant};

use gif::{DisposalMethod, Encoder, Frame, Repeat};

use super::{
    Animation, CANVAS_PIXELS, Limits, MOST_COMPOSED, Plan, compose::Area, compose::Canvas, play, read,
};
use crate::media::raster::luma;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u16) -> u16 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(end.max(1))) as u16
    }
}

const GLOBAL: [u8; 12] = [10, 20, 30, 200, 0, 0, 0, 200, 0, 0, 0, 200];

fn random_frame(numbers: &mut Numbers, width: u16, height: u16) -> Frame<'static> {
    // Some reach over the edge of the canvas, and some lie beyond it.
    let mut frame = Frame {
        left: numbers.below(width + 2),
        top: numbers.below(height + 2),
        width: 1 + numbers.below(width),
        height: 1 + numbers.below(height),
        delay: numbers.below(40),
        interlaced: numbers.below(2) == 0,
        ..Frame::default()
    };
    frame.dispose = match numbers.below(4) {
        0 => DisposalMethod::Any,
        1 => DisposalMethod::Keep,
        2 => DisposalMethod::Background,
        _ => DisposalMethod::Previous,
    };
    frame.transparent = (numbers.below(2) == 0).then(|| numbers.below(4) as u8);
    if numbers.below(3) == 0 {
        frame.palette = Some((0..12).map(|_| numbers.below(256) as u8).collect());
    }
    let pixels = usize::from(frame.width) * usize::from(frame.height);
    frame.buffer = (0..pixels).map(|_| numbers.below(4) as u8).collect::<Vec<u8>>().into();
    frame
}

// The encoder writes rows in the order they are given: an interlaced frame has to be handed over shuffled.
fn encode(width: u16, height: u16, frames: &[Frame<'_>], repeat: Repeat) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height, &GLOBAL).unwrap();
    encoder.set_repeat(repeat).unwrap();
    for frame in frames {
        let mut frame = frame.clone();
        if frame.interlaced {
            let rows: Vec<&[u8]> = frame.buffer.chunks(usize::from(frame.width)).collect();
            let order = [(0, 8), (4, 8), (2, 4), (1, 2)];
            let shuffled = order.iter().flat_map(|&(first, step)| rows.iter().skip(first).step_by(step));
            frame.buffer = shuffled.flat_map(|row| row.to_vec()).collect::<Vec<u8>>().into();
        }
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    bytes
}

/// What a browser shows after each frame, written as plainly as it can be: a whole canvas a step.
fn reference(width: usize, height: usize, frames: &[Frame<'_>]) -> Vec<Vec<[u8; 3]>> {
    let mut canvas = vec![vec![None; width]; height];
    let mut shown = Vec::new();
    for frame in frames {
        let before = canvas.clone();
        let palette = frame.palette.as_deref().unwrap_or(&GLOBAL);
        let covers = |x: usize, y: usize| {
            let (left, top) = (usize::from(frame.left), usize::from(frame.top));
            let inside = x >= left && y >= top;
            (inside && x - left < usize::from(frame.width) && y - top < usize::from(frame.height))
                .then(|| (y - top) * usize::from(frame.width) + x - left)
        };
        for (y, row) in canvas.iter_mut().enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                if let Some(at) = covers(x, y)
                    && Some(frame.buffer[at]) != frame.transparent
                {
                    let entry = usize::from(frame.buffer[at]) * 3;
                    *pixel = Some([palette[entry], palette[entry + 1], palette[entry + 2]]);
                }
            }
        }
        shown.push(canvas.iter().flatten().map(|pixel| pixel.unwrap_or([255; 3])).collect());
        match frame.dispose {
            DisposalMethod::Any | DisposalMethod::Keep => {}
            DisposalMethod::Previous => canvas = before,
            DisposalMethod::Background => {
                for (y, row) in canvas.iter_mut().enumerate() {
                    for (x, pixel) in row.iter_mut().enumerate() {
                        if covers(x, y).is_some() {
                            *pixel = None;
                        }
                    }
                }
            }
        }
    }
    shown
}

fn watch(bytes: &[u8], mut look: impl FnMut(&Canvas, Area)) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let plan = Plan::of(bytes, &Limits::default()).unwrap();
    play(
        bytes,
        &plan,
        deadline,
        |_| true,
        |step| {
            look(step.canvas, step.area);
            true
        },
    );
}

#[test]
fn composition_is_a_browsers() {
    let mut numbers = Numbers(7);
    for case in 0..400 {
        let (mut width, mut height) = (1 + numbers.below(20), 1 + numbers.below(20));
        let count = 1 + numbers.below(6);
        let frames: Vec<_> = (0..count).map(|_| random_frame(&mut numbers, width, height)).collect();
        let bytes = encode(width, height, &frames, Repeat::Infinite);
        // The canvas grows to the first frame, as in browsers.
        width = width.max(frames[0].left + frames[0].width);
        height = height.max(frames[0].top + frames[0].height);
        let expected = reference(width.into(), height.into(), &frames);

        let mut steps = 0;
        watch(&bytes, |canvas, _| {
            assert_eq!((canvas.width, canvas.height), (width.into(), height.into()));
            assert!(canvas.pixels == expected[steps], "case {case}, frame {steps}: {frames:?}");
            assert!(canvas.shades.iter().zip(&canvas.pixels).all(|(&shade, &pixel)| shade == luma(pixel)));
            steps += 1;
        });
        assert_eq!(steps, frames.len());
    }
}

#[test]
fn pictures_are_taken_of_what_was_composed() {
    let mut numbers = Numbers(11);
    let mut taken = 0;
    for case in 0..400 {
        let (width, height) = (30 + numbers.below(20), 30 + numbers.below(20));
        let count = 2 + numbers.below(8);
        let random = |_| {
            let mut frame = random_frame(&mut numbers, width, height);
            // Many hide what was before, wholly or but for their transparent pixels.
            if numbers.below(2) == 0 {
                (frame.left, frame.top, frame.width, frame.height) = (0, 0, width, height);
                let pixels = usize::from(width) * usize::from(height);
                frame.buffer = (0..pixels).map(|_| numbers.below(4) as u8).collect::<Vec<u8>>().into();
            }
            frame
        };
        let mut frames: Vec<_> = (0..count).map(random).collect();
        (frames[0].left, frames[0].top) = (0, 0);
        let expected = reference(width.into(), height.into(), &frames);
        for still in look(&encode(width, height, &frames, Repeat::Infinite)).stills {
            let Some(number) = still.label.strip_prefix("frame ") else { continue };
            let number: usize = number.parse().unwrap();
            assert!(still.raster.pixels == expected[number - 1], "case {case}, frame {number}: {frames:?}");
            taken += usize::from(number > 1);
        }
    }
    assert!(taken > 100, "{taken}");
}

#[test]
fn what_a_frame_changed_lies_in_the_area_it_names() {
    let mut numbers = Numbers(11);
    for _ in 0..200 {
        let frames: Vec<_> = (0..5).map(|_| random_frame(&mut numbers, 16, 16)).collect();
        let bytes = encode(16, 16, &frames, Repeat::Infinite);
        let mut before: Option<Vec<[u8; 3]>> = None;
        watch(&bytes, |canvas, area| {
            for (at, (old, new)) in before.iter().flatten().zip(&canvas.pixels).enumerate() {
                let (x, y) = (at % canvas.width, at / canvas.width);
                let inside = (area.left..area.right).contains(&x) && (area.top..area.bottom).contains(&y);
                assert!(inside || old == new);
            }
            before = Some(canvas.pixels.clone());
        });
    }
}

/// A frame of the whole canvas: white, with a text-like pattern of strokes in each of the rows.
fn strokes(side: u16, rows: &[u16], delay: u16) -> Frame<'static> {
    let mut buffer = vec![1; usize::from(side) * usize::from(side)];
    for &row in rows {
        for y in row..row + 6 {
            for x in (0..side).filter(|x| x % 4 < 2) {
                buffer[usize::from(y) * usize::from(side) + usize::from(x)] = 0;
            }
        }
    }
    let palette = Some(vec![0, 0, 0, 255, 255, 255]);
    Frame { width: side, height: side, delay, palette, buffer: buffer.into(), ..Frame::default() }
}

fn look(bytes: &[u8]) -> Animation {
    // The clock is not what these tests are about.
    read(bytes, &Limits::default(), Instant::now() + Duration::from_secs(60)).unwrap()
}

fn labels(bytes: &[u8]) -> Vec<String> {
    look(bytes).stills.into_iter().map(|still| still.label).collect()
}

#[test]
fn a_payload_between_blanks_is_found() {
    let frames = [strokes(64, &[], 300), strokes(64, &[8, 24, 40], 20), strokes(64, &[], 300)];
    assert_eq!(labels(&encode(64, 64, &frames, Repeat::Infinite)), ["frame 2"]);
}

#[test]
fn a_strip_a_frame_is_read_when_it_is_whole() {
    let frames: Vec<_> =
        [&[8][..], &[8, 24], &[8, 24, 40]].into_iter().map(|rows| strokes(64, rows, 30)).collect();
    assert_eq!(labels(&encode(64, 64, &frames, Repeat::Finite(1))), ["frame 3"]);
}

#[test]
fn text_split_over_flickering_frames_is_put_together() {
    let frames = [strokes(64, &[8, 40], 5), strokes(64, &[24], 5)];
    let animation = look(&encode(64, 64, &frames, Repeat::Infinite));
    assert_eq!(animation.stills[0].label, "darkest of 2 frames");
    let whole = reference(64, 64, &[strokes(64, &[8, 24, 40], 5)]);
    assert_eq!(animation.stills[0].raster.pixels, whole[0]);
}

#[test]
fn light_text_that_flickers_is_put_together_from_the_lightest_pixels() {
    let invert = |frame: Frame<'static>| Frame { palette: Some(vec![255, 255, 255, 0, 0, 0]), ..frame };
    let frames = [invert(strokes(64, &[8, 40], 5)), invert(strokes(64, &[24], 5))];
    let animation = look(&encode(64, 64, &frames, Repeat::Infinite));
    assert_eq!(animation.stills[0].label, "lightest of 2 frames");
    let light = animation.stills[0].raster.pixels.iter().filter(|&&pixel| luma(pixel) > 128).count();
    assert_eq!(light, 3 * 6 * 32);
}

#[test]
fn a_single_frame_needs_no_label() {
    assert_eq!(labels(&encode(64, 64, &[strokes(64, &[8], 0)], Repeat::Infinite)), [""]);
}

#[test]
fn letters_as_bright_as_their_ground_are_seen() {
    let (red, green) = ([255, 0, 0], [0, 130, 0]);
    assert_eq!(luma(red), luma(green));
    let frame = Frame { palette: Some([red, green].concat()), ..strokes(64, &[8, 24], 0) };
    assert_eq!(labels(&encode(64, 64, &[frame], Repeat::Infinite)), [""]);
    assert!(labels(&encode(64, 64, &[strokes(64, &[], 0)], Repeat::Infinite)).is_empty());
}

#[test]
fn a_file_without_its_end_gives_the_frames_until_then() {
    let frames = [strokes(64, &[8], 30), strokes(64, &[8, 24], 30), strokes(64, &[8, 24, 40], 30)];
    let bytes = encode(64, 64, &frames, Repeat::Infinite);
    // Without the trailer, with garbage behind it, and with garbage instead of it.
    let whole = &bytes[..bytes.len() - 1];
    assert_eq!(look(whole).frames, 3);
    assert_eq!(look(&[&bytes, &b"garbage"[..]].concat()).frames, 3);
    assert_eq!(look(&[whole, &[0x77; 40][..]].concat()).frames, 3);
    // At every length that has a first frame: what is there, and no panic.
    let mut seen = 0;
    for end in 0..whole.len() {
        match read(&whole[..end], &Limits::default(), Instant::now() + Duration::from_secs(60)) {
            Ok(animation) => {
                assert!(animation.frames >= seen);
                seen = animation.frames;
            }
            Err(_) => assert_eq!(seen, 0),
        }
    }
    assert_eq!(seen, 3);
}

#[test]
fn bad_compressed_data_at_the_end_keeps_the_frames_before() {
    let frames = [strokes(64, &[8], 30), strokes(64, &[8, 24, 40], 30)];
    let mut bytes = encode(64, 64, &frames, Repeat::Infinite);
    let end = bytes.len();
    bytes[end - 30..end - 4].fill(0xee);
    let animation = look(&bytes);
    assert_eq!(animation.frames, 2);
    assert!(!animation.stills.is_empty());
}

#[test]
fn a_huge_screen_with_a_tiny_frame_is_cut() {
    let bytes = encode(65_535, 65_535, &[strokes(64, &[8, 24], 10)], Repeat::Infinite);
    let animation = look(&bytes);
    let raster = &animation.stills[0].raster;
    assert!(raster.pixels.len() <= CANVAS_PIXELS);
    assert_eq!(raster.pixels[8 * raster.width as usize], [0; 3]);
}

#[test]
fn frames_are_capped_in_number() {
    let frames: Vec<_> = (0..50).map(|_| strokes(16, &[4], 10)).collect();
    let bytes = encode(16, 16, &frames, Repeat::Infinite);
    let limits = Limits { frames: 7, ..Limits::default() };
    assert_eq!(read(&bytes, &limits, Instant::now() + Duration::from_secs(60)).unwrap().frames, 7);
}

#[test]
fn an_animation_of_many_large_frames_is_seen_to_its_end() {
    // Eight million pixels used to be the end of it, after 16 of these frames.
    let rows: Vec<u16> = (0..60).map(|row| 8 * row).collect();
    let frames: Vec<_> = (1..=60).map(|count| strokes(500, &rows[..count], 30)).collect();
    let bytes = encode(500, 500, &frames, Repeat::Finite(1));
    let animation = look(&bytes);
    assert_eq!((animation.frames, &animation.stills[0].label[..]), (60, "frame 60"));
    assert_eq!(animation.stills[0].raster.pixels, *reference(500, 500, &frames[59..]).last().unwrap());
}

#[test]
fn of_an_animation_that_makes_too_much_work_frames_are_taken_evenly() {
    // A bomb: hundreds of frames of a canvas, a few hundred bytes each.
    let mut frames = vec![strokes(700, &[], 10); 320];
    frames[319] = strokes(700, &[8, 40, 80], 10);
    let bytes = encode(700, 700, &frames, Repeat::Infinite);
    let plan = Plan::of(&bytes, &Limits::default()).unwrap();
    let (mut numbers, mut time) = (Vec::new(), 0);
    let deadline = Instant::now() + Duration::from_secs(60);
    play(
        &bytes,
        &plan,
        deadline,
        |_| true,
        |step| {
            numbers.push(step.number);
            time += step.visible;
            true
        },
    );
    assert!(numbers.len() <= MOST_COMPOSED && numbers.len() * 700 * 700 <= plan.work + 2 * 700 * 700);
    assert_eq!((numbers[0], *numbers.last().unwrap(), time), (1, 320, 320 * 100));
    assert!(numbers[1..].windows(2).all(|pair| pair[1] - pair[0] == plan.step));
    assert_eq!(labels(&bytes), ["frame 320"]);
}

#[test]
fn a_frame_of_no_size_shows_nothing() {
    let empty = Frame { width: 0, height: 0, palette: Some(vec![0; 6]), ..Frame::default() };
    let bytes = encode(32, 32, &[empty.clone(), strokes(32, &[8], 10), empty], Repeat::Infinite);
    assert_eq!(labels(&bytes), ["frame 3"]);
    assert!(read(&encode(0, 0, &[], Repeat::Infinite), &Limits::default(), Instant::now()).is_err());
}

#[test]
fn out_of_time_gives_what_there_is() {
    let frames: Vec<_> = (0..200).map(|_| strokes(64, &[8, 24], 10)).collect();
    let bytes = encode(64, 64, &frames, Repeat::Infinite);
    let animation = read(&bytes, &Limits::default(), Instant::now()).unwrap();
    assert!(animation.frames < 200);
    assert_eq!(animation.stills.len(), 1);
}
