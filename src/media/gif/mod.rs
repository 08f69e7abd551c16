//! Animated GIFs: what a person sees of them, in a few pictures.
//!
//! A first pass composes every frame and notes what each moment shows; the moments worth reading are chosen;
//! a second pass takes their pictures. Two passes cost less than keeping a thousand canvases. Files that break
//! off, or whose compressed data does, give the frames until then, as mail programs show them.

use std::time::Instant;

use super::{
    Error, Limits,
    raster::{Raster, luma},
};
use blocks::{Blocks, Cut, Frame};
use choose::{Grid, Moment, shade_of};
use compose::{Area, Canvas};

mod blocks;

mod choose;

mod compose;

#[cfg(test)]
mod tests;

/// Pixels painted and looked at in one pass, after which no further frame is: a bomb of 10,000 frames costs some
/// 50 ms. It is a count and no clock, because on a busy node a harmless animation must not lose its last frames.
const WORK: usize = 8_000_000;
/// Pixels of the canvas; what is beyond them no reader scrolls to. 18 MB a copy.
const CANVAS_PIXELS: usize = 6_000_000;
/// Pixels up to which flicker is looked for, which takes two more planes.
const FLICKER_PIXELS: usize = 4_000_000;
/// Side of a canvas that is cut.
const CUT_WIDTH: usize = 3_000;
/// Delays up to this, in units of 10 ms, are shown as [`CLAMPED`].
const SHORTEST: u16 = 1;
/// What browsers make of a delay that is too short, in ms.
const CLAMPED: u32 = 100;
/// How long the last frame of an animation that stops is looked at, in ms.
const STAYS: u32 = 3_000;
/// Moments shown no longer than this, in ms, melt together in the eye.
const FLICKER: u32 = 150;
/// Pictures taken of one animation.
const PICTURES: usize = 4;

/// A picture of an animation.
#[derive(Debug)]
pub struct Still {
    /// Place inside the file; empty when there is but one frame.
    pub label: String,
    pub raster: Raster,
}

/// What an animation shows.
#[derive(Debug)]
pub struct Animation {
    /// Frames that were there and whole (or the part of one that was all there is).
    pub frames: usize,
    /// The pictures worth reading, the one that shows most first. Empty when all is blank.
    pub stills: Vec<Still>,
}

/// Composes an animation and takes the pictures worth reading.
///
/// # Errors
/// No header, or not one row of pixels.
pub fn read(bytes: &[u8], limits: &Limits, deadline: Instant) -> Result<Animation, Error> {
    let survey = survey(bytes, limits, deadline)?;
    let take = choose::choose(&survey.moments, PICTURES.min(limits.ocr_pages));
    let stills = take_stills(bytes, limits, &survey, &take, deadline);
    Ok(Animation { frames: survey.frames, stills })
}

/// What the first pass found out.
struct Survey {
    frames: usize,
    /// One a frame, then those of the blends.
    moments: Vec<Moment>,
    /// The per-pixel darkest and lightest of all frames, where the animation flickers.
    blends: Vec<(&'static str, Vec<u8>)>,
}

/// The canvas: the logical screen, or the first frame where that is larger, cut to what is affordable.
fn canvas(blocks: &Blocks<'_>, first: &Frame<'_>, limits: &Limits) -> Option<Canvas> {
    let mut width = blocks.width.max(first.left + first.width);
    let mut height = blocks.height.max(first.top + first.height);
    let pixels = CANVAS_PIXELS.min(usize::try_from(limits.pixels).unwrap_or(CANVAS_PIXELS));
    if width * height > pixels {
        width = width.min(CUT_WIDTH).min(pixels);
        height = height.min(pixels / width.max(1));
    }
    (width * height > 0).then(|| Canvas::new(width, height))
}

/// Composes the animation until `deadline`, or [`WORK`] is done; `shown` sees each frame's number, delay, canvas and what changed on
/// it, and says whether to go on.
fn play(
    bytes: &[u8],
    limits: &Limits,
    deadline: Instant,
    mut shown: impl FnMut(usize, &Frame<'_>, &Canvas, Area, bool) -> bool,
) -> Result<(Canvas, bool), Error> {
    let mut blocks = Blocks::new(bytes).ok_or(Error::Damaged("no GIF header"))?;
    let mut next = blocks.next();
    let first = next.as_ref().ok_or(Error::Damaged("no frame"))?;
    let mut canvas = canvas(&blocks, first, limits).ok_or(Error::Damaged("no pixels"))?;
    let late = || Instant::now() >= deadline;
    let (mut number, mut work) = (0, 0);
    while let Some(frame) = next {
        let (area, cut) = canvas.paint(&frame, &late);
        number += 1;
        work += area.pixels() + (frame.width * frame.height).min(compose::FRAME_PIXELS);
        let more = cut != Some(Cut::Late) && number < limits.frames && work < WORK && !late();
        next = if more { blocks.next() } else { None };
        if !shown(number, &frame, &canvas, area, next.is_none()) {
            break;
        }
    }
    Ok((canvas, blocks.endless))
}

fn survey(bytes: &[u8], limits: &Limits, deadline: Instant) -> Result<Survey, Error> {
    let mut work: Option<(Grid, Vec<choose::Cell>)> = None;
    let mut planes: Option<(Vec<u8>, Vec<u8>)> = None;
    let mut moments: Vec<Moment> = Vec::new();
    let (canvas, endless) = play(bytes, limits, deadline, |number, frame, canvas, area, _| {
        let (grid, cells) = work.get_or_insert_with(|| {
            let grid = Grid::new(canvas.width, canvas.height);
            (grid, grid.blank())
        });
        grid.update(cells, area, &shade_of(&canvas.pixels));
        if number == 1 && canvas.pixels.len() <= FLICKER_PIXELS {
            let plane = canvas.pixels.iter().map(|&pixel| luma(pixel)).collect::<Vec<_>>();
            planes = Some((plane.clone(), plane));
        } else if let Some((darkest, lightest)) = &mut planes {
            fold(canvas, area, darkest, lightest);
        }
        let visible = if frame.delay <= SHORTEST { CLAMPED } else { u32::from(frame.delay) * 10 };
        moments.push(Moment { cells: cells.clone(), visible });
        true
    })?;
    let frames = moments.len();
    let mut blends = Vec::new();
    if let Some((darkest, lightest)) = planes
        && flickers(&moments)
    {
        let grid = Grid::new(canvas.width, canvas.height);
        let mut add = |name, plane: Vec<u8>| {
            let mut cells = grid.blank();
            let all = Area { left: 0, top: 0, right: canvas.width, bottom: canvas.height };
            grid.update(&mut cells, all, &|at| plane.get(at).copied().unwrap_or(255));
            if choose::is_shown(&cells, &moments) {
                return; // one of the frames has all of it
            }
            moments.push(Moment { cells, visible: STAYS });
            blends.push((name, plane));
        };
        // Dark text on light ground adds up in the darkest plane, light text in the lightest.
        match mean(&darkest) / 2 + mean(&lightest) / 2 >= 128 {
            true => add("darkest", darkest),
            false => add("lightest", lightest),
        }
    }
    if !endless && let Some(last) = moments.get_mut(frames.saturating_sub(1)) {
        last.visible = last.visible.max(STAYS);
    }
    Ok(Survey { frames, moments, blends })
}

/// Whether the frames follow each other so fast that the eye sees them as one.
fn flickers(moments: &[Moment]) -> bool {
    let fast = moments.iter().filter(|moment| moment.visible <= FLICKER).count();
    moments.len() > 1 && 2 * fast >= moments.len()
}

fn fold(canvas: &Canvas, area: Area, darkest: &mut [u8], lightest: &mut [u8]) {
    for y in area.top..area.bottom {
        let row = y * canvas.width + area.left..y * canvas.width + area.right;
        let planes = darkest[row.clone()].iter_mut().zip(&mut lightest[row.clone()]);
        for (&pixel, (dark, light)) in canvas.pixels[row].iter().zip(planes) {
            let value = luma(pixel);
            *dark = value.min(*dark);
            *light = value.max(*light);
        }
    }
}

fn mean(plane: &[u8]) -> u64 {
    plane.iter().map(|&value| u64::from(value)).sum::<u64>() / (plane.len() as u64).max(1)
}

/// The second pass: composes again, up to the last frame that is wanted.
fn take_stills(
    bytes: &[u8],
    limits: &Limits,
    survey: &Survey,
    take: &[usize],
    deadline: Instant,
) -> Vec<Still> {
    let rank = |index: usize| take.iter().position(|&wanted| wanted == index);
    let last = take.iter().copied().filter(|&index| index < survey.frames).max();
    let mut stills: Vec<(usize, Still)> = Vec::new();
    let still = |label, canvas: &Canvas, pixels| {
        let (width, height) = (canvas.width as u32, canvas.height as u32);
        Still { label, raster: Raster { width, height, pixels } }
    };
    let mut taken = 0;
    // What fails in the second pass failed in the first.
    let _ = play(bytes, limits, deadline, |number, _, canvas, _, end| {
        if taken == 0 {
            for (index, (name, plane)) in survey.blends.iter().enumerate() {
                if let Some(rank) = rank(survey.frames + index) {
                    let pixels = plane.iter().map(|&value| [value; 3]).collect();
                    stills.push((rank, still(format!("{name} of {} frames", survey.frames), canvas, pixels)));
                }
            }
        }
        taken += 1;
        let Some(last) = last else { return false };
        // Too late to compose as far as the picture wanted: what is there by now is better than nothing.
        let fallback = (end && number <= last && stills.is_empty()).then_some(0);
        if let Some(rank) = rank(number - 1).or(fallback) {
            let label = if survey.frames > 1 { format!("frame {number}") } else { String::new() };
            stills.push((rank, still(label, canvas, canvas.pixels.clone())));
        }
        number <= last
    });
    stills.sort_by_key(|(rank, _)| *rank);
    stills.into_iter().map(|(_, still)| still).collect()
}
