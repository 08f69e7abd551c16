//! media/: PDFs of the samples: text, links, and the pictures of scanned pages.

use std::{hint::black_box, time::Duration};

use criba::{
    budget::Budget,
    media::{self, Kind, Limits},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

mod common;

fn pdf(criterion: &mut Criterion) {
    let files: Vec<_> = common::attachments().into_iter().filter(|(kind, _)| *kind == Kind::Pdf).collect();
    assert!(!files.is_empty());
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("pdf");
    group.throughput(Throughput::Elements(files.len() as u64));
    group.bench_function("extract", |bench| {
        bench.iter(|| {
            for (kind, bytes) in &files {
                let budget = Budget::new(Duration::from_secs(60));
                black_box(media::extract(*kind, bytes, &limits, &budget).is_ok());
            }
        });
    });
    group.finish();
}

criterion_group!(benches, pdf);
criterion_main!(benches);
