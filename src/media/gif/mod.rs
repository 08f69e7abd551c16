//! Animated GIFs: what a person sees of them, in a few pictures.
//!
//! A first pass composes every frame and notes what each moment shows; the moments worth reading are chosen;
//! a second pass takes their pictures. Two passes cost less than keeping a thousand canvases. Files that break
//! off, or whose compressed data does, give the frames until then, as mail programs show them.

use std::time::Instant;

use super::{Error, Fate, Limits, Seen, raster::Raster};
use blocks::{Blocks, Cut, Frame};
use choose::{Grid, Moment};
use compose::{Area, Canvas};

mod blocks;

mod choose;

mod compose;

#[cfg(test)]
mod tests;

/// Pixels decompressed and painted in one pass over any file. It is a count and no clock, because on a busy node a
/// harmless animation must not lose frames.
const WORK: usize = 16_000_000;
/// Pixels more for each byte of the file. A real animation spends a byte on 10 to 30 pixels; a bomb makes much work of
/// few bytes.
const WORK_A_BYTE: usize = 8;
/// Pixels of one pass over the largest of files.
const MOST_WORK: usize = 40_000_000;
/// Frames that are composed; of an animation with more, so many of them, evenly.
const MOST_COMPOSED: usize = 300;
/// Pixels of the canvas; what is beyond them no reader scrolls to. With its copies 25 MB.
const CANVAS_PIXELS: usize = 3_000_000;
/// Pixels of all pictures taken of one animation: 18 MB.
const TAKEN_PIXELS: usize = 6_000_000;
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
/// Shades by which two colours differ in a channel, at least.
const DIFFERENT: u8 = 48;

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
    /// Of the canvas, in pixels.
    pub width: u32,
    pub height: u32,
    /// Frames that were there and whole (or the part of one that was all there is).
    pub frames: usize,
    /// The pictures worth reading, the one that shows most first. Empty when all is blank.
    pub stills: Vec<Still>,
    /// The composed frames, as many as [`Limits::shown`] asks for.
    pub seen: Vec<Seen>,
}

/// Composes an animation and takes the pictures worth reading.
///
/// # Errors
/// No header, or not one row of pixels.
pub fn read(bytes: &[u8], limits: &Limits, deadline: Instant) -> Result<Animation, Error> {
    let plan = Plan::of(bytes, limits)?;
    let survey = survey(bytes, &plan, limits.shown, deadline);
    let room = TAKEN_PIXELS / (plan.width * plan.height);
    let most = PICTURES.min(limits.ocr_pages).min(room);
    let take = choose::choose(&survey.moments, most);
    let mut stills = take_stills(bytes, &plan, &survey, &take, deadline);
    if take.is_empty() {
        // Ink is told by its brightness, which may be that of the ground.
        let longest = survey.moments.iter().enumerate().max_by_key(|(_, moment)| moment.visible);
        let take: Vec<usize> = longest.map(|(index, _)| index).into_iter().take(most).collect();
        stills = take_stills(bytes, &plan, &survey, &take, deadline);
        stills.retain(|still| is_coloured(&still.raster));
    }
    let (width, height) = (plan.width as u32, plan.height as u32);
    Ok(Animation { width, height, frames: survey.frames, stills, seen: survey.seen })
}

/// Whether there are colours that differ.
fn is_coloured(raster: &Raster) -> bool {
    let differ = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).any(|(a, b)| a.abs_diff(b) >= DIFFERENT);
    raster.pixels.first().is_some_and(|&first| raster.pixels.iter().any(|&pixel| differ(pixel, first)))
}

/// What is affordable of an animation, by the sizes that it states.
struct Plan {
    /// Of the canvas: the logical screen, or the first frame where that is larger, cut.
    width: usize,
    height: usize,
    /// Frames that are there, up to the limit.
    frames: usize,
    /// Every so many frames one is composed, the first and the last among them.
    step: usize,
    /// Pixels after which no further frame is composed: sizes that change may fool the step.
    work: usize,
    /// Whether the animation runs without end.
    endless: bool,
}

impl Plan {
    fn of(bytes: &[u8], limits: &Limits) -> Result<Plan, Error> {
        let mut blocks = Blocks::new(bytes).ok_or(Error::Damaged("no GIF header"))?;
        let first = blocks.next().ok_or(Error::Damaged("no frame"))?;
        let mut width = blocks.width.max(first.left + first.width);
        let mut height = blocks.height.max(first.top + first.height);
        let pixels = CANVAS_PIXELS.min(usize::try_from(limits.pixels).unwrap_or(CANVAS_PIXELS));
        if width * height > pixels {
            width = width.min(CUT_WIDTH).min(pixels);
            height = height.min(pixels / width.max(1));
        }
        if width * height == 0 {
            return Err(Error::Damaged("no pixels"));
        }
        let most = limits.frames.max(1);
        let (mut frames, mut needed) = (0usize, 0usize);
        for frame in std::iter::once(first).chain(&mut blocks).take(most) {
            frames += 1;
            needed = needed.saturating_add(work(&frame));
        }
        let work = bytes.len().saturating_mul(WORK_A_BYTE).saturating_add(WORK).min(MOST_WORK);
        let step = needed.div_ceil(work).max(frames.div_ceil(MOST_COMPOSED)).max(1);
        Ok(Plan { width, height, frames, step, work, endless: blocks.endless })
    }

    // Counted from the end: an animation tends to end with all it has to say.
    fn composes(&self, number: usize) -> bool {
        number == 1 || (self.frames - number).is_multiple_of(self.step)
    }
}

/// Pixels that a frame costs.
fn work(frame: &Frame<'_>) -> usize {
    frame.most_pixels().min(compose::FRAME_PIXELS)
}

/// What the first pass found out.
struct Survey {
    frames: usize,
    /// Numbers of the frames that were composed.
    numbers: Vec<usize>,
    /// Which of them hide all that was before them.
    hiding: Vec<bool>,
    /// One a composed frame, then those of the blends.
    moments: Vec<Moment>,
    /// The per-pixel darkest and lightest of all frames, where the animation flickers.
    blends: Vec<(&'static str, Vec<u8>)>,
    seen: Vec<Seen>,
}

/// A frame that was composed.
struct Step<'c> {
    number: usize,
    /// How long it stands, in ms.
    visible: u32,
    canvas: &'c Canvas,
    /// What changed on the canvas.
    area: Area,
    /// Whether nothing shows through it that was there before, now or later.
    hides: bool,
    is_last: bool,
}

/// Composes the animation until `deadline`, or the work of the plan is done; `shown` sees each frame, and says whether to
/// go on. Those of which `needed` says no, by their index among the composed ones, are passed over unpainted.
fn play(
    bytes: &[u8],
    plan: &Plan,
    deadline: Instant,
    needed: impl Fn(usize) -> bool,
    mut shown: impl FnMut(Step<'_>) -> bool,
) {
    let Some(mut blocks) = Blocks::new(bytes) else { return };
    let mut canvas = Canvas::new(plan.width, plan.height);
    let late = || Instant::now() >= deadline;
    let (mut done, mut index) = (0, 0);
    let mut next = blocks.next().map(|frame| (1, frame));
    while let Some((number, frame)) = next {
        let (mut area, mut cut) = (Area::default(), None);
        if needed(index) {
            (area, cut) = canvas.paint(&frame, &late);
            done += work(&frame).max(area.pixels());
        }
        index += 1;
        let more = cut != Some(Cut::Late) && done < plan.work && !late();
        let mut visible = visible(&frame);
        let mut following = number;
        next = None;
        while more && next.is_none() && following < plan.frames {
            let Some(frame) = blocks.next() else { break };
            following += 1;
            match plan.composes(following) {
                true => next = Some((following, frame)),
                // What a frame that is left out would have shown, the one before shows meanwhile.
                false => visible = visible.saturating_add(self::visible(&frame)),
            }
        }
        let hides = cut.is_none() && canvas.is_hidden_by(&frame);
        let is_last = next.is_none();
        if !shown(Step { number, visible, canvas: &canvas, area, hides, is_last }) {
            break;
        }
    }
}

/// How long a frame is shown, in ms.
fn visible(frame: &Frame<'_>) -> u32 {
    if frame.delay <= SHORTEST { CLAMPED } else { u32::from(frame.delay) * 10 }
}

fn survey(bytes: &[u8], plan: &Plan, shown: usize, deadline: Instant) -> Survey {
    let grid = Grid::new(plan.width, plan.height);
    let mut cells = grid.blank();
    let mut planes: Option<(Vec<u8>, Vec<u8>)> = None;
    let (mut moments, mut numbers, mut hiding) = (Vec::<Moment>::new(), Vec::new(), Vec::new());
    let mut seen = Vec::new();
    play(
        bytes,
        plan,
        deadline,
        |_| true,
        |step| {
            let Step { number, visible, canvas, area, hides, .. } = step;
            if plan.frames > 1 && seen.len() < shown {
                let size = (plan.width as u32, plan.height as u32);
                let fate = Fate::Frame { shown_ms: visible };
                seen.push(Seen::new(format!("frame {number}"), size, &canvas.pixels, fate));
            }
            grid.update(&mut cells, area, &canvas.shades);
            match &mut planes {
                None if plan.frames > 1 => planes = Some((canvas.shades.clone(), canvas.shades.clone())),
                None => {}
                Some((darkest, lightest)) => fold(canvas, area, darkest, lightest),
            }
            moments.push(Moment { cells: cells.clone(), visible });
            numbers.push(number);
            hiding.push(hides);
            true
        },
    );
    let frames = numbers.last().copied().unwrap_or(0);
    let mut blends = Vec::new();
    if let Some((darkest, lightest)) = planes
        && flickers(&moments)
    {
        let mut add = |name, plane: Vec<u8>| {
            let mut cells = grid.blank();
            let all = Area { left: 0, top: 0, right: plan.width, bottom: plan.height };
            grid.update(&mut cells, all, &plane);
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
    if !plan.endless
        && let Some(last) = moments.get_mut(numbers.len().saturating_sub(1))
    {
        last.visible = last.visible.max(STAYS);
    }
    Survey { frames, numbers, hiding, moments, blends, seen }
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
        for (&value, (dark, light)) in canvas.shades[row].iter().zip(planes) {
            *dark = value.min(*dark);
            *light = value.max(*light);
        }
    }
}

fn mean(plane: &[u8]) -> u64 {
    plane.iter().map(|&value| u64::from(value)).sum::<u64>() / (plane.len() as u64).max(1)
}

/// The second pass: composes again what the wanted frames show, up to the last of them.
fn take_stills(bytes: &[u8], plan: &Plan, survey: &Survey, take: &[usize], deadline: Instant) -> Vec<Still> {
    let rank = |index: usize| take.iter().position(|&wanted| wanted == index);
    let composed = survey.numbers.len();
    let still = |label, pixels| {
        let (width, height) = (plan.width as u32, plan.height as u32);
        Still { label, raster: Raster { width, height, pixels } }
    };
    let mut stills: Vec<(usize, Still)> = Vec::new();
    for (index, (name, plane)) in survey.blends.iter().enumerate() {
        if let Some(rank) = rank(composed + index) {
            let pixels = plane.iter().map(|&value| [value; 3]).collect();
            stills.push((rank, still(format!("{name} of {} frames", survey.frames), pixels)));
        }
    }
    if let Some(last) = take.iter().copied().filter(|&index| index < composed).max() {
        // A wanted frame, and those before it from the last one on that hides what was before.
        let mut needed = vec![false; composed];
        for &wanted in take.iter().filter(|&&index| index < composed) {
            let from = survey.hiding[..=wanted].iter().rposition(|&hides| hides).unwrap_or(0);
            needed[from..=wanted].fill(true);
        }
        let needed = |index: usize| needed.get(index).copied().unwrap_or(true);
        let mut index = 0;
        play(bytes, plan, deadline, needed, |Step { number, canvas, is_last, .. }| {
            // Too late to compose as far as the picture wanted: what is there by now is better than nothing.
            let fallback = (is_last && index < last && stills.is_empty()).then_some(0);
            if let Some(rank) = rank(index).or(fallback) {
                let label = if survey.frames > 1 { format!("frame {number}") } else { String::new() };
                stills.push((rank, still(label, canvas.pixels.clone())));
            }
            index += 1;
            index <= last
        });
    }
    stills.sort_by_key(|(rank, _)| *rank);
    stills.into_iter().map(|(_, still)| still).collect()
}
