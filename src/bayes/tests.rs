//! Models as a whole: what they say, what they refuse, and that they come out the same.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::{hash::mix, *};

/// Words of one class, words of the other, and words of both, told apart by `field`.
fn message(class: u64, number: u64) -> Vec<u64> {
    let words = |field: u64, count: u64| {
        (0..count).map(move |n| mix(field, mix(class.wrapping_mul(77) ^ number, n) % 300))
    };
    words(class, 20).chain(words(9, 40)).collect()
}

fn corpus(messages: u64) -> Corpus {
    let mut corpus = Corpus::default();
    for number in 0..messages {
        corpus.restore(&message(1, number), true, 0);
        corpus.restore(&message(2, number), false, 0);
    }
    corpus
}

/// Digest, class, day and tokens of each row.
fn rows(corpus: &Corpus) -> Vec<(u64, bool, i32, Vec<u64>)> {
    let row = |row: &corpus::Row| (row.digest, row.spam, row.day, corpus.tokens_of(row).collect());
    corpus.rows().iter().map(row).collect()
}

fn build(mut corpus: Corpus) -> Model {
    corpus.build(&Options::default()).unwrap().0
}

static COUNTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("counts");
    corpus(3).write(&path).unwrap();
    std::fs::read(&path).unwrap()
});

static MODEL: LazyLock<Model> = LazyLock::new(|| build(corpus(200)));

#[test]
fn a_model_tells_classes_that_have_words_of_their_own() {
    for number in 1000..1050 {
        let spam = MODEL.opinion(message(1, number).into_iter()).unwrap();
        let ham = MODEL.opinion(message(2, number).into_iter()).unwrap();
        assert!(spam.probability > 0.9, "{spam:?}");
        assert!(ham.probability < 0.1, "{ham:?}");
        assert!(spam.tokens > 20);
    }
}

#[test]
fn probabilities_are_never_certain_and_keep_their_order() {
    let spam = MODEL.opinion(message(1, 1000).into_iter()).unwrap().probability;
    assert!(spam < 1.0);
    let only: Vec<u64> = (0..300).map(|n| mix(1, n)).collect();
    let surer = MODEL.opinion(only.into_iter()).unwrap().probability;
    assert!(spam < surer && surer < 1.0, "{spam} {surer}");
}

#[test]
fn a_model_abstains_where_it_knows_nothing() {
    assert_eq!(MODEL.opinion([].into_iter()), None);
    let unknown: Vec<u64> = (0..500).map(|n| mix(12345, n)).collect();
    assert_eq!(MODEL.opinion(unknown.into_iter()), None);
}

#[test]
fn a_model_of_too_few_messages_abstains() {
    let model = build(corpus(MIN_MESSAGES - 1));
    assert_eq!(model.opinion(message(1, 0).into_iter()), None);
    assert!(build(corpus(MIN_MESSAGES)).opinion(message(1, 0).into_iter()).is_some());
}

#[test]
fn the_same_message_ten_thousand_times_is_one_message() {
    let mut corpus = corpus(1);
    (0..10_000).for_each(|_| corpus.restore(&message(1, 0), true, 0));
    assert_eq!(corpus.unify(), 10_000);
    let model = build(corpus);
    assert_eq!(model.messages(), (1, 1));
    assert_eq!(model.opinion(message(1, 0).into_iter()), None);
}

#[test]
fn ham_alone_makes_no_model() {
    let mut corpus = Corpus::default();
    (0..100).for_each(|number| corpus.restore(&message(2, number), false, 0));
    let error = corpus.build(&Options::default()).unwrap_err();
    assert!(error.to_string().contains("0 spam and 100 ham"), "{error}");
}

#[test]
fn messages_without_tokens_make_no_nan() {
    let mut corpus = Corpus::default();
    for _ in 0..50 {
        corpus.restore(&[], true, 0);
        corpus.restore(&[], false, 0);
    }
    let model = build(corpus);
    assert_eq!(model.opinion([].into_iter()), None);
}

#[test]
fn classes_that_look_the_same_get_no_verdict_that_is_sure() {
    let mut corpus = Corpus::default();
    for number in 0..100 {
        corpus.restore(&message(1, number), true, 0);
        corpus.restore(&message(1, number), false, 0);
    }
    let model = build(corpus);
    for number in 0..100 {
        let opinion = model.opinion(message(1, number).into_iter()).unwrap();
        assert!((0.05..0.95).contains(&opinion.probability), "{opinion:?}");
    }
}

#[test]
fn the_order_of_messages_makes_no_difference() {
    let mut turned = Corpus::default();
    for number in (0..200).rev() {
        turned.restore(&message(2, number), false, 0);
        turned.restore(&message(1, number), true, 0);
    }
    assert!(build(turned).as_bytes() == MODEL.as_bytes());
}

#[test]
fn of_duplicates_with_other_orders_of_tokens_the_same_one_stays() {
    let with_doubles = |turned_first: bool| {
        let mut corpus = corpus(50);
        let mut turned = message(1, 7);
        turned.reverse();
        if turned_first {
            let mut first = Corpus::default();
            first.restore(&turned, true, 0);
            first.append(corpus);
            corpus = first;
        } else {
            corpus.restore(&turned, true, 0);
        }
        build(corpus)
    };
    assert!(with_doubles(true).as_bytes() == with_doubles(false).as_bytes());
}

#[test]
fn any_number_of_threads_makes_the_same_model() {
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let model = pool.install(|| build(corpus(200)));
        assert!(model.as_bytes() == MODEL.as_bytes(), "{threads} threads");
    }
}

#[test]
fn counts_that_were_written_read_back_and_merge_to_the_same_model() {
    let directory = tempfile::tempdir().unwrap();
    let (one, two) = (directory.path().join("one"), directory.path().join("two"));
    let all = corpus(200);
    all.select(|index| index % 3 == 0).write(&one).unwrap();
    all.select(|index| index % 3 != 0).write(&two).unwrap();
    let mut merged = Corpus::read(&two, &Memory::default()).unwrap();
    merged.append(Corpus::read(&one, &Memory::default()).unwrap());
    assert!(build(merged).as_bytes() == MODEL.as_bytes());
}

#[test]
fn a_bound_on_memory_makes_the_same_model() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("counts");
    let all = corpus(700);
    all.write(&path).unwrap();
    let free = build(all);
    for bytes in [0, 10_000, 300_000] {
        let memory = Memory { bytes, directory: directory.path().to_owned() };
        let read = Corpus::read(&path, &memory).unwrap();
        assert!(build(read).as_bytes() == free.as_bytes(), "{bytes} bytes");
    }
}

#[test]
fn what_is_taken_out_of_a_corpus_piece_by_piece_is_the_whole() {
    let whole = corpus(300);
    let (mut pieces, mut all) = (Corpus::default(), Corpus::default());
    for (number, (_, spam, day, tokens)) in rows(&whole).into_iter().enumerate() {
        pieces.restore(&tokens, spam, day);
        if number % 37 == 0 {
            all.append(pieces.take());
            assert!(pieces.is_empty());
        }
    }
    all.append(pieces);
    assert_eq!(rows(&all), rows(&whole));
    assert!(build(all).as_bytes() == build(whole).as_bytes());
}

#[test]
fn more_tokens_than_a_dictionary_has_are_kept_in_several() {
    let mut corpus = Corpus::default();
    let message = |number: u64| -> Vec<u64> { (0..9_000).map(|n| mix(n, number % 10)).collect() };
    (0..20).for_each(|number| corpus.restore(&message(number), number % 2 == 0, 0));
    for (number, (.., tokens)) in (0..).zip(rows(&corpus)) {
        assert_eq!(tokens, message(number));
    }
}

#[test]
fn counts_whose_tokens_are_not_those_of_the_digest_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("counts");
    let mut corpus = Corpus::default();
    corpus.restore(&[1 << 40, 2 << 40, 3 << 40], true, 0);
    corpus.write(&path).unwrap();
    let file = std::fs::read(&path).unwrap();
    let place = |token: u64| memchr::memmem::find(&file, &token.to_le_bytes()).unwrap();
    // Another one, and one that is there already.
    for token in [4u64 << 40, 1 << 40] {
        let mut other = file.clone();
        other[place(2 << 40)..][..8].copy_from_slice(&token.to_le_bytes());
        std::fs::write(&path, other).unwrap();
        let read = Corpus::read(&path, &Memory::default());
        assert!(matches!(read, Err(Error::Damaged(why)) if why.contains("digest")), "{token}");
    }
}

#[test]
fn counts_keep_class_day_and_messages_without_tokens() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("counts");
    // More than one row group.
    let mut all = corpus(2100);
    all.restore(&[], true, 20_000);
    all.write(&path).unwrap();
    let read = Corpus::read(&path, &Memory::default()).unwrap();
    assert_eq!(rows(&read), rows(&all));
    let nothing = Corpus::default();
    nothing.write(&path).unwrap();
    assert!(Corpus::read(&path, &Memory::default()).unwrap().is_empty());
}

#[test]
fn what_was_not_seen_for_long_expires() {
    let mut corpus = Corpus::default();
    for day in [1, 5, 9] {
        corpus.restore(&message(1, 1), true, day);
        corpus.restore(&message(1, day as u64), true, day);
    }
    corpus.unify();
    assert_eq!(corpus.len(), 3, "message 1 is there once");
    assert_eq!(corpus.expire(6), 1, "message 1 was seen on day 9 too");
    assert_eq!(corpus.expire(10), 2);
}

#[test]
fn a_written_model_is_mapped_and_says_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model");
    MODEL.write(&path).unwrap();
    let mapped = Model::open(&path).unwrap();
    assert_eq!(mapped.opinion(message(1, 7).into_iter()), MODEL.opinion(message(1, 7).into_iter()));
    let names: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing but the model is left behind");
}

#[test]
fn files_that_are_no_models_are_refused_with_a_reason() {
    let model = |bytes: &[u8]| Model::from_bytes(bytes.to_vec()).unwrap_err().to_string();
    let good = MODEL.as_bytes();
    assert!(model(b"").contains("not a file of criba"));
    assert!(model(b"Return-Path: <a@b>\n").contains("not a file of criba"));
    assert!(model(&good[..good.len() - 64]).contains("bytes long"));
    assert!(model(&good[..20]).contains("ends inside its header"));
    let mut other = good.to_vec();
    other[8] = 99;
    assert!(model(&other).contains("version 99"));
    let mut flipped = good.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    assert!(model(&flipped).contains("checksum"));
}

#[test]
fn the_model_that_comes_with_criba_is_the_one_of_the_manifest() {
    let bytes = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/bayes/default.model"));
    let manifest = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/bayes/MANIFEST.toml"));
    let model = Model::from_static(bytes).unwrap();
    assert!(bytes.len() <= 8 << 20);
    let (spam, ham) = model.messages();
    assert!(manifest.contains(&format!("spam = {spam}\nham = {ham}\nentries = {}\n", model.entries())));
}

proptest! {
    #[test]
    fn bit_flips_and_cuts_are_refused(at in 0usize..1_000_000, bit in 0u8..8, cut in 0usize..1_000_000) {
        let good = MODEL.as_bytes();
        let mut bytes = good.to_vec();
        bytes[at % good.len()] ^= 1 << bit;
        prop_assert!(Model::from_bytes(bytes).is_err());
        prop_assert!(Model::from_bytes(good[..cut % good.len()].to_vec()).is_err());
    }

    /// Somebody may make a checksum fit.
    #[test]
    fn a_forged_model_never_panics(flips in prop::collection::vec((24usize..400, any::<u8>()), 1..20)) {
        let mut bytes = MODEL.as_bytes().to_vec();
        for (at, value) in flips {
            bytes[at.max(32)] = value;
        }
        let sum = xxhash_rust::xxh3::xxh3_64(&bytes[32..]);
        bytes[24..32].copy_from_slice(&sum.to_le_bytes());
        if let Ok(model) = Model::from_bytes(bytes) {
            for number in 0..20 {
                if let Some(opinion) = model.opinion(message(1, number).into_iter()) {
                    prop_assert!((0.0..=1.0).contains(&opinion.probability));
                }
            }
        }
    }

    #[test]
    fn damaged_counts_never_panic(at in 0usize..1_000_000, value: u8, cut in 0usize..1_000_000) {
        let good = &*COUNTS;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("counts");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            Corpus::read(&path, &Memory::default())
        };
        let mut bytes = good.clone();
        bytes[at % good.len()] = value;
        // A class or a day may be another one; tokens may not.
        if let Ok(corpus) = read(&bytes) {
            let tokens = |corpus: &Corpus| -> Vec<_> { rows(corpus).into_iter().map(|row| row.3).collect() };
            prop_assert_eq!(tokens(&corpus), tokens(&self::corpus(3)));
        }
        prop_assert!(read(&good[..cut % good.len()]).is_err());
    }
}
