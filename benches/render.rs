//! render/: the text views and links of the samples.

use std::hint::black_box;

use criba::{
    mime::{Arena, Limits, Message},
    render::{self, uris_in},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

mod common;

/// A newsletter as most are: tables, styles, links and little text.
fn newsletter() -> String {
    let row = "<tr><td style=\"padding: 8px; color: #333333; background-color:#ffffff\" align=\"left\">\
               <a href=\"https://news.example.com/story?id=12345&amp;utm_source=mail\" style=\"color:#0055aa\">\
               <img src=\"https://img.example.com/12345.jpg\" width=\"120\" height=\"80\"></a></td>\
               <td><p>Some words about the story, as long as such a teaser mostly is.&nbsp;</p></td></tr>\n";
    format!("Content-Type: text/html\n\n<html><body><table>{}</table></body></html>", row.repeat(12))
}

fn rendering(criterion: &mut Criterion) {
    let mails = common::mails();
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("render");
    group.throughput(Throughput::Bytes(common::bytes(&mails)));
    let mut arena = Arena::new();
    group.bench_function("samples, with mime", |bench| {
        bench.iter(|| {
            for mail in &mails {
                arena.reset();
                let message = Message::parse(mail, &arena, &limits);
                black_box(render::render(&message).body.len());
            }
        });
    });
    let html = newsletter();
    let plain = format!(
        "Subject: x\n\n{}",
        "Some words that make up a line of a letter.\nAnd one more, and\n\n".repeat(80)
    );
    for (name, mail) in [("newsletter", html), ("plain text", plain)] {
        group.throughput(Throughput::Bytes(mail.len() as u64));
        group.bench_function(name, |bench| {
            bench.iter(|| {
                arena.reset();
                let message = Message::parse(mail.as_bytes(), &arena, &limits);
                black_box(render::render(&message).body.len());
            });
        });
    }
    let text = "Visit www. super rx .org or write to info@example.com today\n".repeat(50);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("links in late text", |bench| bench.iter(|| black_box(uris_in(&text).len())));
    group.finish();
}

criterion_group!(benches, rendering);
criterion_main!(benches);
