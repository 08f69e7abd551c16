//! bayes/: tokens of rendered samples, and their probability under the default model.

use std::{hint::black_box, path::Path};

use criba::{
    bayes::{Model, Tokens},
    mime::{Arena, Limits, Message},
    render::render,
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
    let rendered: Vec<_> = messages.iter().map(render).collect();
    let mut tokens = Tokens::default();
    let mut group = criterion.benchmark_group("bayes");
    group.throughput(Throughput::Bytes(common::bytes(&mails)));
    group.bench_function("collect and judge", |bench| {
        bench.iter(|| {
            for (message, rendered) in messages.iter().zip(&rendered) {
                tokens.collect(message, rendered, &[]);
                black_box(model.judge(&tokens));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, bayes);
criterion_main!(benches);
