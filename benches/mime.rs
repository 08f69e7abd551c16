//! mime/: finding the parts of the samples, and decoding their text.

use std::hint::black_box;

use criba::mime::{Arena, Limits, Message};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

mod common;

fn mime(criterion: &mut Criterion) {
    let mails = common::mails();
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("mime");
    group.throughput(Throughput::Bytes(common::bytes(&mails)));
    let mut arena = Arena::new();
    group.bench_function("parse", |bench| {
        bench.iter(|| {
            for mail in &mails {
                arena.reset();
                black_box(Message::parse(mail, &arena, &limits).parts.len());
            }
        });
    });
    group.bench_function("parse and decode", |bench| {
        bench.iter(|| {
            for mail in &mails {
                arena.reset();
                let message = Message::parse(mail, &arena, &limits);
                for (_, part) in message.leaves() {
                    let is_text = part.kind == "text";
                    black_box(if is_text { part.text(&message).len() } else { part.decoded(&message).len() });
                }
            }
        });
    });
    group.finish();
}

criterion_group!(benches, mime);
criterion_main!(benches);
