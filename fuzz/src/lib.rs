//! What each fuzz target does with its bytes: one function a decoder, and one for the whole pipeline.
//!
//! These are plain functions over the library, so that a test can replay old finds
//! with them and needs no fuzzer. They look for panics, hangs and memory over its caps, and for the
//! promises that a decoder makes beside.
//!
//! Formats made of words (MIME, HTML, rules) get every input twice: as it is, and with each byte read
//! as the number of a word, which goes deeper into a grammar than single bytes do.

mod dialects;

pub use dialects::{milter, opensmtpd, qmqp, rspamd, spamd};

use std::{cell::RefCell, hint::black_box, sync::OnceLock, time::Duration};

use criba::{
    bayes::{Model, Tokens},
    budget::{Budget, Stage},
    config::Settings,
    engine::Engine,
    media::{self, Kind},
    mime::{Arena, Message},
    ocr::Pool,
    pipeline::{self, Mail, Scratch},
    profile::Profile,
    render,
    wire::{frame, request::Envelope},
};
use xxhash_rust::xxh3::xxh3_64;

/// A target by the name of its program and of its folder of regressions.
pub fn target(name: &str) -> Option<fn(&[u8])> {
    Some(match name {
        "frame" => frame,
        "milter" => milter,
        "spamd" => spamd,
        "rspamd" => rspamd,
        "qmqp" => qmqp,
        "opensmtpd" => opensmtpd,
        "mime" => mime,
        "render" => render,
        "rules_source" => rules_source,
        "gif" => gif,
        "pdf" => pdf,
        "image" => image,
        "qr" => qr,
        "bayes_model" => bayes_model,
        "pipeline" => pipeline,
        _ => return None,
    })
}

/// Each byte as the number of a word.
fn in_words(data: &[u8], words: &[&[u8]]) -> Vec<u8> {
    data.iter().flat_map(|&byte| words[usize::from(byte) % words.len()]).copied().collect()
}

const MIME_WORDS: &[&[u8]] = &[
    b"\n",
    b"\r\n",
    b"\n\n",
    b" ",
    b"\t",
    b"a",
    b"--",
    b"--a",
    b"--a--",
    b"--b\n",
    b"\n--a\n",
    b"\n--a--\n",
    b"\"",
    b";",
    b":",
    b"=",
    b"=3D",
    b"=\n",
    b"=?",
    b"?=",
    b"=?utf-8?Q?",
    b"=?iso-8859-1?B?",
    b"?Q?",
    b"(",
    b")",
    b"\\",
    b"<",
    b">",
    b"*0*=",
    b"utf-8''%e9",
    b"Content-Type: ",
    b"multipart/mixed",
    b"; boundary=a",
    b"; boundary=\"b\"",
    b"text/plain",
    b"text/html",
    b"message/rfc822",
    b"; charset=utf-8",
    b"; charset=utf-16",
    b"; charset=koi8-r",
    b"; charset=iso-2022-jp",
    b"Content-Transfer-Encoding: ",
    b"base64\n",
    b"quoted-printable\n",
    b"QUJD",
    b"Content-Disposition: attachment; filename=",
    b"Content-ID: <a>\n",
    b"Subject: ",
    b"From: ",
    b"Received: from a (b [192.0.2.1]) by c; ",
    b"From a@b Mon Jan  1 00:00:00 2024\n",
    b"begin 644 a\n",
    b"`\nend\n",
    b"\0",
    b"\xff",
    b"\xe2\x82",
];

const HTML_WORDS: &[&[u8]] = &[
    b"<",
    b">",
    b"</",
    b"/>",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"<a href=",
    b"http://a.example/",
    b"//b.test",
    b"mailto:a@b.example",
    b"\"",
    b"'",
    b"</a>",
    b"<p>",
    b"<br>",
    b"<img src=",
    b"cid:a",
    b"data:image/gif;base64,",
    b"<style>",
    b"</style>",
    b"<script>",
    b"</script>",
    b"<font color=#fff>",
    b"<div style=\"",
    b"display:none",
    b"font-size:0",
    b"color:white;background:#fff",
    b"<table><tr><td>",
    b"</table>",
    b"<base href=",
    b"<title>",
    b"</title>",
    b"&",
    b"&amp;",
    b"&#",
    b"&#x41;",
    b"&nbsp;",
    b"&zwnj;",
    b";",
    b"=",
    b" ",
    b"\n",
    b"a",
    b"www.c.example",
    b"%41",
    b"@",
    b"\0",
    b"\xc3",
    b"\xe2\x80\x8b",
    b"<base>",
    b"<td bgcolor=#000></td>",
    b"\xe2\x96\x88",
    b"<form action=",
    b"<meta http-equiv=refresh content=0;url=",
    b"<textarea>",
    b"<plaintext>",
    b"[",
    b"]",
    b".",
    b":",
];

const RULE_WORDS: &[&[u8]] = &[
    b"\n",
    b" ",
    b"header ",
    b"body ",
    b"rawbody ",
    b"full ",
    b"uri ",
    b"uri_detail ",
    b"mimeheader ",
    b"meta ",
    b"ocr ",
    b"qr ",
    b"A ",
    b"B ",
    b"__C ",
    b"score A 1\n",
    b"score B 0 1 2 3\n",
    b"describe A ",
    b"tflags A multiple maxhits=2\n",
    b"tflags ",
    b"if ",
    b"ifplugin ",
    b"else\n",
    b"endif\n",
    b"version >= 3.4",
    b"can(",
    b"plugin(",
    b"eval:",
    b"check_bayes('0.5', '0.9')",
    b"exists:",
    b"Subject",
    b"ALL",
    b":raw",
    b":addr",
    b" =~ ",
    b" !~ ",
    b"/",
    b"m{",
    b"}",
    b"i\n",
    b"x",
    b"[if-unset: ",
    b"]",
    b"(",
    b")",
    b"(?:",
    b"(?i)",
    b"(?=",
    b"(?<!",
    b"(?P<n>",
    b"\\1",
    b"\\b",
    b"\\x{100}",
    b"\\Q",
    b"[a-z]",
    b"[[:alpha:]]",
    b"{2,5}",
    b"*",
    b"+?",
    b"++",
    b"|",
    b"^",
    b"$",
    b" && ",
    b" || ",
    b"!",
    b" > 2",
    b"fuzzy:",
    b"word",
    b"/2",
    b"replace_tag T ",
    b"replace_rules A\n",
    b"<T>",
    b"lang es ",
    b"#",
    b"\\#",
    b"\xff",
    b"\0",
    b"include x\n",
    b"rules_matching(",
    b"__*",
    b"= -1",
];

/// `wire/frame.rs`: heads of requests and replies, and the metadata behind them.
pub fn frame(data: &[u8]) {
    let limits = frame::Limits { message: 4096, metadata: 512 };
    match frame::Header::decode(data, &limits) {
        Ok(frame::Decoded::Done(header)) => {
            assert!(header.metadata <= limits.metadata && header.message <= limits.message);
            let encoded = header.encode().expect("what was decoded can be encoded");
            assert_eq!(encoded[..], data[..frame::REQUEST_HEADER]);
            let rest = &data[frame::REQUEST_HEADER..];
            let mut metadata = rest[..header.metadata.min(rest.len())].to_vec();
            black_box(Envelope::parse(&mut metadata).is_ok());
        }
        Ok(frame::Decoded::More) => assert!(data.len() < frame::REQUEST_HEADER),
        Err(refused) => {
            let reply = frame::refusal(&refused);
            assert!(matches!(frame::ReplyHeader::decode(&reply, 1 << 20), Ok(frame::Decoded::Done(_))));
        }
    }
    black_box(frame::ReplyHeader::decode(data, 4096).is_ok());
    black_box(Envelope::parse(&mut data.to_vec()).is_ok());
}

/// `mime/`: every part of a message, decoded in every way there is.
pub fn mime(data: &[u8]) {
    parse(data);
    parse(&in_words(data, MIME_WORDS));
}

fn parse(data: &[u8]) {
    let (arena, limits) =
        (Arena::new(), criba::mime::Limits { depth: 10, parts: 100, ..criba::mime::Limits::default() });
    let message = Message::parse(data, &arena, &limits);
    assert!(message.parts.len() <= limits.parts);
    assert!(message.body_offset <= message.raw.len());
    for (index, part) in message.parts.iter().enumerate() {
        assert!(part.parent.is_none_or(|parent| parent < index), "children come after their parents");
        assert!(part.depth <= limits.depth);
        if part.is_leaf {
            black_box((part.decoded(&message).len(), part.text(&message).len()));
        }
    }
    for name in ["Subject", "from", "RECEIVED", "Content-Type", ""] {
        black_box(message.header(name));
    }
}

/// `render/`: the views of a message, of an HTML part, and links in loose text; `media/layout`, `media/qr`: pictures of a page.
pub fn render(data: &[u8]) {
    rendered(data);
    let html = in_words(data, HTML_WORDS);
    rendered(&[b"Content-Type: text/html\n\n", &html[..]].concat());
    for text in [String::from_utf8_lossy(data), String::from_utf8_lossy(&html)] {
        black_box(render::uris_in(&text).len());
        for source in media::layout::groups(&text).into_iter().flatten().flatten() {
            black_box(media::layout::data(source).is_some());
        }
        let budget = Budget::new(Duration::from_secs(60));
        black_box([true, false].map(|is_html| media::drawn_codes(&text, is_html, &budget).texts.len()));
    }
}

fn rendered(data: &[u8]) {
    let arena = Arena::new();
    let message = Message::parse(data, &arena, &criba::mime::Limits::default());
    black_box(render::render(&message).uris.len());
}

// Small pictures: a large one costs a hundred times as long and shows no more of the code. These are just large
// enough to be prepared for reading.
const MEDIA: media::Limits =
    media::Limits { pixels: 1 << 12, memory: 4 << 20, frames: 12, pdf_pages: 2, ocr_pages: 2, shown: 2 };

fn extract(kind: Kind, data: &[u8]) {
    let budget = Budget::new(Duration::from_secs(2));
    if let Ok(found) = media::extract(kind, data, &MEDIA, &budget) {
        assert!(found.pages.len() <= MEDIA.ocr_pages);
        for (_, page, _) in &found.pages {
            assert_eq!(page.pixels.len() as u64, u64::from(page.width) * u64::from(page.height));
        }
    }
}

/// `media/gif`: animations, composed.
pub fn gif(data: &[u8]) {
    extract(Kind::Gif, data);
}

/// `media/pdf`: text, links and pictures of documents.
pub fn pdf(data: &[u8]) {
    extract(Kind::Pdf, data);
}

/// `media/image`: every other kind of picture, by its content.
pub fn image(data: &[u8]) {
    if let Some(kind) = media::sniff(data).filter(|kind| !matches!(kind, Kind::Gif | Kind::Pdf)) {
        extract(kind, data);
    }
}

/// `media/qr`: a width and then a bit a module, drawn two pixels wide with a quiet zone around.
pub fn qr(data: &[u8]) {
    let Some((&width, bits)) = data.split_first() else { return };
    let width = 1 + usize::from(width) % 29;
    let height = (bits.len() * 8 / width).min(29);
    let (wide, high) = (2 * width + 4, 2 * height + 4);
    let row = (3 * wide).next_multiple_of(4);
    let mut bmp = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bmp.extend((wide as i32).to_le_bytes());
    bmp.extend((-(high as i32)).to_le_bytes());
    bmp.extend(*b"\x01\0\x18\0");
    bmp.resize(54, 0);
    bmp.resize(54 + row * high, 255);
    for at in (0..width * height).filter(|at| bits[at / 8] >> (at % 8) & 1 == 1) {
        for pixel in 0..4 {
            let (x, y) = (at % width * 2 + 2 + pixel % 2, at / width * 2 + 2 + pixel / 2);
            bmp[54 + y * row + x * 3..][..3].fill(0);
        }
    }
    extract(Kind::Bmp, &bmp);
}

/// The default engine. Made before the first input: without a cache its rules take longer to compile than an
/// input may take.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut settings = Settings::default();
        settings.rules.cache = Some(std::env::temp_dir().join("criba-fuzz-rules"));
        settings.media = MEDIA;
        let pool = Pool::start(&settings.ocr).into();
        Engine::load(&settings, pool).expect("the default engine loads").0
    })
}

/// `pipeline.rs`: a whole message with criba's own rules and model. Reading pictures is left out: it
/// happens in another process, which sees only pixels.
pub fn pipeline(data: &[u8]) {
    let engine = engine();
    let all = Profile::external();
    let profile = Profile { stages: all.stages.with(Stage::Ocr, false), ..all };
    let envelope = Envelope::default();
    let mail = Mail { raw: data, envelope: &envelope, profile: &profile };
    // As a worker does, which also finds what one message leaves behind for the next.
    thread_local! {
        static SCRATCH: RefCell<Scratch> = RefCell::new(crate::engine().scratch());
    }
    let verdict = SCRATCH.with_borrow_mut(|scratch| {
        pipeline::scan(engine, scratch, mail, Budget::new(Duration::from_secs(5)), &())
    });
    assert!(verdict.score.is_finite());
}

/// `rules/language`: a rule file, up to where patterns would be compiled.
pub fn rules_source(data: &[u8]) {
    black_box(criba::rules::check("fuzz.cf", data).len());
    black_box(criba::rules::check("fuzz.cf", &in_words(data, RULE_WORDS)).len());
}

/// `bayes/model.rs`: a model file, as it is and with its own length and checksum put right.
pub fn bayes_model(data: &[u8]) {
    judge(data.to_vec());
    if data.len() > 32 {
        let mut right = data.to_vec();
        right[16..24].copy_from_slice(&(data.len() as u64).to_le_bytes());
        right[24..32].copy_from_slice(&xxh3_64(&data[32..]).to_le_bytes());
        judge(right);
    }
}

fn judge(model: Vec<u8>) {
    let Ok(model) = Model::from_bytes(model) else { return };
    let arena = Arena::new();
    let mail = b"Subject: some words\n\nThese are the words that a model may know, and then it may not.\n";
    let message = Message::parse(mail, &arena, &criba::mime::Limits::default());
    let mut tokens = Tokens::default();
    tokens.collect(&message, &[]);
    if let Some(opinion) = model.judge(&tokens) {
        assert!((0.0..=1.0).contains(&opinion.probability), "{opinion:?}");
    }
}
