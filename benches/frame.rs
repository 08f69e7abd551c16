//! wire/frame.rs: the head and the metadata of a request, and a verdict as the bytes of its reply.

use std::hint::black_box;

use criba::{
    budget::Budget,
    profile::Profile,
    verdict::{Findings, FoundUri, Symbol},
    wire::{
        frame::{Header, Kind, Limits, Status, reply},
        request::Envelope,
    },
};
use criterion::{Criterion, criterion_group, criterion_main};

fn frame(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame");
    let head = Header { kind: Kind::Scan, id: 7, budget: 500, metadata: 120, message: 5400 };
    let bytes = head.encode().expect("a head of a small request");
    let limits = Limits::default();
    group.bench_function("decode head", |bench| bench.iter(|| Header::decode(black_box(&bytes), &limits)));

    let envelope = Envelope {
        profile: Some("external".into()),
        queue_id: "4TfXyz1mNq".into(),
        client_ip: Some([192, 0, 2, 25].into()),
        helo: "mail.example.org".into(),
        mail_from: Some("tom@example.org".into()),
        rcpt_to: vec!["ana@example.net".into()],
        ..Envelope::default()
    };
    let json = envelope.to_json();
    group.bench_function("parse metadata", |bench| {
        bench.iter_batched_ref(
            || json.clone(),
            |json| black_box(Envelope::parse(json).is_ok()),
            criterion::BatchSize::SmallInput,
        );
    });

    let symbol = |number: usize| Symbol {
        name: format!("SYMBOL_{number}").into(),
        score: 0.5,
        kind: "body",
        description: "What a rule says that it found in the message".into(),
        evidence: vec!["some words".into()],
        place: String::new(),
    };
    let findings = Findings {
        symbols: (0..12).map(symbol).collect(),
        uris: (0..6).map(|n| FoundUri { uri: format!("http://{n}.example/"), origin: "html" }).collect(),
        ..Findings::default()
    };
    let profile = Profile::external();
    let verdict = findings.verdict(&profile, &Budget::new(profile.budget));
    group.bench_function("encode reply", |bench| {
        bench.iter(|| reply(Kind::Scan as u8, 7, Status::Complete, black_box(&verdict)).len());
    });
    group.finish();
}

criterion_group!(benches, frame);
criterion_main!(benches);
