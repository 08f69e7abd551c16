//! bayes/: tokens of samples, and their probability under the default model; with the parsing, too.

use std::{hint::black_box, path::Path};

use criba::{
    bayes::{Model, Tokens},
    mime::{Arena, Limits, Message},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

mod common;

fn bayes(criterion: &mut Criterion) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/bayes/default.model");
    let model = Model::open(&path).expect("the default model opens");
    let mails = common::text_mails();
    let arena = Arena::new();
    let messages: Vec<_> =
        mails.iter().map(|mail| Message::parse(mail, &arena, &Limits::default())).collect();
    let mut tokens = Tokens::default();
    let mut group = criterion.benchmark_group("bayes");
    group.throughput(Throughput::Bytes(common::bytes(&mails)));
    group.bench_function("collect and judge", |bench| {
        bench.iter(|| {
            for message in &messages {
                tokens.collect(message, &[]);
                black_box(model.judge(&tokens));
            }
        });
    });
    group.finish();
    // A benchmark's elements a second are messages a second.
    let mut group = criterion.benchmark_group("bayes, messages");
    group.throughput(Throughput::Elements(mails.len() as u64));
    let mut arena = Arena::new();
    group.bench_function("parse to tokens", |bench| {
        bench.iter(|| {
            for mail in &mails {
                arena.reset();
                tokens.collect(&Message::parse(mail, &arena, &Limits::default()), &[]);
                black_box(tokens.fingerprints().len());
            }
        });
    });
    group.bench_function("parse to probability", |bench| {
        bench.iter(|| {
            for mail in &mails {
                arena.reset();
                tokens.collect(&Message::parse(mail, &arena, &Limits::default()), &[]);
                black_box(model.judge(&tokens));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, bayes);
criterion_main!(benches);
