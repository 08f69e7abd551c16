//! rules/: the default rule set over rendered samples.

use std::{hint::black_box, time::Duration};

use criba::{
    budget::Budget,
    engine::default_rules,
    mime::{Arena, Limits, Message},
    render::render_with,
    rules::{Options, RuleSet},
    wire::request::Envelope,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

mod common;

fn rules(criterion: &mut Criterion) {
    let options = Options { cache: common::settings().rules.cache, bayes: true, ..Options::default() };
    let (rules, _) = RuleSet::load(&default_rules(), &options).expect("the default rules load");
    let mails = common::text_mails();
    let arena = Arena::new();
    let messages: Vec<_> =
        mails.iter().map(|mail| Message::parse(mail, &arena, &Limits::default())).collect();
    let rendered: Vec<_> = messages.iter().map(|message| render_with(message, rules.links())).collect();
    let envelope = Envelope::default();
    let mut scratch = rules.scratch();
    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::Bytes(common::bytes(&mails)));
    group.bench_function("scan and evaluate", |bench| {
        bench.iter(|| {
            for (message, rendered) in messages.iter().zip(&rendered) {
                let mut budget = Budget::new(Duration::from_secs(60));
                let subject = rules.subject(message, rendered, &envelope);
                let hits = rules.scan(&subject, &mut scratch, &mut budget);
                black_box(rules.evaluate(&hits, Some(0.5)).symbols.len());
            }
        });
    });
    group.finish();
}

criterion_group!(benches, rules);
criterion_main!(benches);
