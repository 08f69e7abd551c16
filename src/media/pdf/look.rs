//! A first look at a page: its letters, and what else is drawn on it.
//!
//! The interpreter cannot be told to stop, and forms that draw forms that draw forms never end. So the look unwinds
//! through it once the page has more on it than a page has, or time is up; what was seen until then stays.

use std::{
    panic::{self, AssertUnwindSafe},
    time::Instant,
};

use hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask,
    font::{Glyph, GlyphRun},
    hayro_cmap::BfString,
    kurbo::{Affine, BezPath, Point, Rect, Shape},
};

use super::text::{Lines, Place};

/// Letters of one page, at most: a page that nobody fills by hand.
const MOST_LETTERS: usize = 200_000;
/// Pictures of one page that are remembered.
const MOST_PICTURES: usize = 1000;
/// Things drawn on one page, at most.
const MOST_THINGS: usize = 200_000;
/// After so many of them somebody looks at the clock.
const STEPS: usize = 1024;
/// How many times over what is drawn may cover a page that is to be rasterised: once costs some half a millisecond.
const MOST_LAYERS: f64 = 300.0;
/// Width of a letter whose font does not tell, in ems.
const USUAL_WIDTH: f64 = 0.5;

/// What is drawn on a page beside the text that can be taken as it is.
#[derive(Debug, Default)]
pub struct Drawn {
    /// Letters shown, and those of them that no character is known for.
    pub letters: usize,
    pub unknown: usize,
    /// Whether there is anything at all.
    pub anything: bool,
    /// Edges of what is drawn as lines and areas.
    pub paths: usize,
    /// Whether rasterising it takes no more work than a page is worth.
    pub is_affordable: bool,
    /// Of each picture, in drawing order: the part of the page it covers in percent, when it stands upright.
    covers: Vec<Option<f64>>,
}

impl Drawn {
    /// The upright pictures that cover at least that part of the page, by their place in drawing order.
    pub fn pictures(&self, covers: f64) -> impl Iterator<Item = usize> {
        let large = move |&(_, part): &(usize, &Option<f64>)| part.is_some_and(|part| part >= covers);
        self.covers.iter().enumerate().filter(large).map(|(index, _)| index)
    }
}

/// Collects what a page shows.
#[derive(Debug)]
pub struct Look {
    lines: Lines,
    drawn: Drawn,
    areas: Vec<Option<f64>>,
    page: Rect,
    things: usize,
    /// The area that they cover together.
    covered: f64,
    until: Instant,
}

/// What unwinds through the interpreter.
struct Enough;

impl Look {
    /// Looks at a page of that size until `until`.
    pub fn new((width, height): (f32, f32), until: Instant) -> Look {
        Look {
            lines: Lines::default(),
            drawn: Drawn::default(),
            areas: Vec::new(),
            page: Rect::new(0.0, 0.0, width.into(), height.into()),
            things: 0,
            covered: 0.0,
            until,
        }
    }

    /// Has `interpret` draw the page; `false` where it had to be stopped.
    pub fn watch(&mut self, interpret: impl FnOnce(&mut Look)) -> bool {
        match panic::catch_unwind(AssertUnwindSafe(|| interpret(self))) {
            Ok(()) => true,
            Err(why) if why.is::<Enough>() => false,
            Err(why) => panic::resume_unwind(why),
        }
    }

    /// The text, and what is drawn beside it.
    pub fn finish(self) -> (String, Drawn) {
        let page = self.page.area();
        let part = |area: f64| if page > 0.0 { area * 100.0 / page } else { 0.0 };
        let covers = self.areas.into_iter().map(|area| area.map(part)).collect();
        let is_affordable = self.covered <= page * MOST_LAYERS;
        (self.lines.finish(), Drawn { covers, is_affordable, ..self.drawn })
    }

    /// Something is drawn that covers so much of the page.
    fn thing(&mut self, area: f64) {
        self.things += 1;
        self.covered += area;
        if self.things > MOST_THINGS || self.things.is_multiple_of(STEPS) && Instant::now() >= self.until {
            // Not a panic: nothing went wrong, and no hook is told.
            panic::resume_unwind(Box::new(Enough));
        }
    }

    fn area(&self, shape: Rect) -> f64 {
        let seen = shape.intersect(self.page);
        seen.width().max(0.0) * seen.height().max(0.0)
    }

    fn letter(&mut self, glyph: &Glyph<'_>, transform: Affine) {
        let advance = match glyph {
            Glyph::Outline(outline) => outline.advance_width(),
            Glyph::Type3(_) => None,
        };
        let width = advance.map_or(USUAL_WIDTH, |advance| f64::from(advance) / 1000.0).clamp(0.0, 4.0);
        let at = |x: f64, y: f64| transform * Point::new(x * 1000.0, y * 1000.0);
        let place =
            Place { start: at(0.0, 0.0), end: at(width, 0.0), size: (at(0.0, 1.0) - at(0.0, 0.0)).hypot() };
        match glyph.as_unicode() {
            Some(BfString::Char(letter)) => self.lines.add(place, letter.encode_utf8(&mut [0; 4])),
            Some(BfString::String(letters)) => self.lines.add(place, &letters),
            None => {
                self.drawn.unknown += 1;
                // Most fonts have punctuation at its usual code, under whatever name.
                let code = u8::try_from(glyph.char_code()).ok().filter(u8::is_ascii_punctuation);
                if let Some(sign) = code {
                    self.lines.add(place, char::from(sign).encode_utf8(&mut [0; 4]));
                }
            }
        }
        self.drawn.letters += 1;
    }
}

impl Device<'_> for Look {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'_>, _: &DrawMode) {
        self.thing(self.area(props.transform.transform_rect_bbox(path.bounding_box())));
        self.drawn.anything = true;
        self.drawn.paths = self.drawn.paths.saturating_add(path.elements().len());
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, mode: &DrawMode) {
        // What is written invisibly is for machines: the layer behind a scan, or a lie. The eye sees the picture.
        if matches!(mode, DrawMode::Invisible) {
            return;
        }
        self.drawn.anything = true;
        self.thing(0.0);
        for glyph in run.glyphs() {
            if self.drawn.letters >= MOST_LETTERS {
                return;
            }
            let transform = props.transform * glyph.transform();
            // An em is 1000 units.
            self.thing(self.area(transform.transform_rect_bbox(Rect::new(0.0, 0.0, 1000.0, 1000.0))));
            self.letter(glyph, transform);
        }
    }

    fn draw_image(&mut self, image: Image<'_, '_>, props: ImageDrawProps<'_>) {
        let whole = Rect::new(0.0, 0.0, image.width().into(), image.height().into());
        self.thing(self.area(props.transform.transform_rect_bbox(whole)));
        self.drawn.anything = true;
        if self.areas.len() < MOST_PICTURES {
            let [a, b, c, d, _, _] = props.transform.as_coeffs();
            let upright = a > 0.0 && d > 0.0 && b.abs() < a * 0.01 && c.abs() < d * 0.01;
            let area = a * d * f64::from(image.width()) * f64::from(image.height());
            self.areas.push(upright.then_some(area));
        }
    }

    fn push_clip_path(&mut self, _: &ClipPath) {
        self.thing(0.0);
    }

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {
        // It is drawn by itself and then laid over the page.
        self.thing(self.page.area());
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}
