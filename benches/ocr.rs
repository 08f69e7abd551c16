//! ocr/: pages of the samples read by a worker process, transport included.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criba::{
    budget::Budget,
    media::{self, Kind, Limits},
    ocr::Pool,
};
use criterion::{Criterion, criterion_group, criterion_main};

mod common;

fn ocr(criterion: &mut Criterion) {
    let pool = Pool::start(&common::settings().ocr);
    pool.warm();
    let budget = Budget::new(Duration::from_secs(60));
    let mut group = criterion.benchmark_group("ocr");
    group.sample_size(10);
    for (name, wanted) in [("png", Kind::Png), ("jpeg", Kind::Jpeg), ("gif", Kind::Gif), ("pdf", Kind::Pdf)] {
        let pages = common::attachments().into_iter().filter(|(kind, _)| *kind == wanted).filter_map(
            |(kind, bytes)| media::extract(kind, &bytes, &Limits::default(), &budget).ok()?.pages.pop(),
        );
        let Some((_, page, _)) = pages.max_by_key(|(_, page, _)| page.pixels.len()) else { continue };
        let id = format!("{name}, {} x {}", page.width, page.height);
        group.bench_function(id, |bench| {
            bench.iter(|| black_box(pool.read(&page, Instant::now() + Duration::from_secs(60))));
        });
    }
    group.finish();
}

criterion_group!(benches, ocr);
criterion_main!(benches);
