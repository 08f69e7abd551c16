//! Whole messages through the pipeline: text only, and everything but OCR (which has its own bench).

use std::{hint::black_box, time::Duration};

use criba::{
    budget::{Budget, Stage},
    pipeline::{self, Mail},
    profile::Profile,
    wire::request::Envelope,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

mod common;

fn message(criterion: &mut Criterion) {
    let engine = common::engine();
    let mut scratch = engine.scratch();
    let envelope = Envelope::default();
    let all = Profile::external();
    let profile = Profile { stages: all.stages.with(Stage::Ocr, false), ..all };
    let mut group = criterion.benchmark_group("message");
    for (name, mails) in [("text", common::text_mails()), ("all but ocr", common::mails())] {
        group.throughput(Throughput::Elements(mails.len() as u64));
        group.bench_function(name, |bench| {
            bench.iter(|| {
                for raw in &mails {
                    let mail = Mail { raw, envelope: &envelope, profile: &profile };
                    let budget = Budget::new(Duration::from_secs(60));
                    black_box(pipeline::scan(&engine, &mut scratch, mail, budget, &()).score);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, message);
criterion_main!(benches);
