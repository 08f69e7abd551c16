//! Training and evaluation through the command line.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

const SPAM: [&str; 6] = ["pills", "cheap", "winner", "lottery", "casino", "loan"];
const HAM: [&str; 6] = ["meeting", "patch", "review", "lunch", "kernel", "minutes"];
const BOTH: [&str; 6] = ["please", "today", "about", "there", "thanks", "week"];

/// `count` messages of a class, that share a few words with each other.
fn write_mail(folder: &Path, words: &[&str; 6], count: usize) {
    fs::create_dir_all(folder).unwrap();
    for number in 0..count {
        let pick =
            |words: &[&str; 6], salt: usize| words[(number * 7 + number / 5 + salt * 3) % 6].to_owned();
        let body: Vec<String> =
            (0..8).flat_map(|salt| [pick(words, salt), pick(&BOTH, salt * salt)]).collect();
        let mail = format!(
            "From: writer{number}@example.org\nTo: reader@example.net\nSubject: {} {}\n\n{} {number}x\n",
            pick(words, 1),
            pick(&BOTH, 2),
            body.join(" ")
        );
        fs::write(folder.join(format!("{number:04}.eml")), mail).unwrap();
    }
}

fn corpus() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    write_mail(&root.path().join("spam"), &SPAM, 60);
    write_mail(&root.path().join("ham"), &HAM, 80);
    root
}

fn criba(root: &TempDir, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_criba"));
    command.current_dir(root.path()).args(arguments.split_whitespace()).output().unwrap()
}

fn succeeds(root: &TempDir, arguments: &str) -> String {
    let output = criba(root, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "criba {arguments}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &stderr
}

fn fails(root: &TempDir, arguments: &str, code: i32) -> String {
    let output = criba(root, arguments);
    assert_eq!(output.status.code(), Some(code), "criba {arguments}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_same_mail_gives_the_same_bytes_at_once_in_steps_and_added() {
    let root = corpus();
    let read = |name: &str| fs::read(root.path().join(name)).unwrap();
    succeeds(&root, "train --spam spam --ham ham --out one");
    succeeds(&root, "train --ham ham --spam spam --out two --no-counts");
    assert!(read("one") == read("two"));
    assert!(!root.path().join("two.counts").exists());

    succeeds(&root, "train count --spam spam --out spam.counts");
    succeeds(&root, "train count --ham ham --out ham.counts");
    succeeds(&root, "train merge ham.counts spam.counts --out all.counts");
    succeeds(&root, "train build all.counts --out steps");
    assert!(read("one") == read("steps"));

    fs::create_dir(root.path().join("late")).unwrap();
    for number in 50..60 {
        let name = format!("{number:04}.eml");
        fs::rename(root.path().join("spam").join(&name), root.path().join("late").join(&name)).unwrap();
    }
    succeeds(&root, "train --spam spam --ham ham --out less");
    assert!(read("one") != read("less"));
    succeeds(&root, "train --from less --spam late --out more");
    assert!(read("one") == read("more"));
}

#[test]
fn a_bound_on_memory_makes_no_difference_to_the_bytes() {
    let root = corpus();
    let read = |name: &str| fs::read(root.path().join(name)).unwrap();
    succeeds(&root, "train --spam spam --ham ham --out free");
    fs::create_dir(root.path().join("temp")).unwrap();
    succeeds(&root, "train --memory 0 --temp temp --spam spam --ham ham --out bound");
    assert!(read("free") == read("bound") && read("free.counts") == read("bound.counts"));

    succeeds(&root, "train count --spam spam --out spam.counts");
    succeeds(&root, "train count --memory 0 --ham ham --out ham.counts");
    succeeds(&root, "train merge --memory 0 --temp temp ham.counts spam.counts --out all.counts");
    assert!(read("free.counts") == read("all.counts"));
    succeeds(&root, "train build --memory 0 --temp temp all.counts --out steps");
    assert!(read("free") == read("steps"));
    assert_eq!(fs::read_dir(root.path().join("temp")).unwrap().count(), 0);

    let said = fails(&root, "train --memory 0 --temp nowhere --spam spam --ham ham --out none", 73);
    assert!(said.contains("nowhere"), "{said}");
}

#[test]
fn a_poisoned_corpus_gives_an_error_or_a_model_that_abstains() {
    let root = corpus();
    fs::create_dir(root.path().join("empty")).unwrap();
    let said = fails(&root, "train --spam empty --ham empty --out none", 65);
    assert!(said.contains("0 spam and 0 ham"), "{said}");

    let once = fs::read_to_string(root.path().join("spam/0000.eml")).unwrap();
    let mbox = format!("From a@b Mon Jan  1 00:00:00 2024\n{once}\n").repeat(10_000);
    fs::write(root.path().join("flood"), mbox).unwrap();
    let said = succeeds(&root, "train --spam flood --ham ham --out flooded");
    assert!(said.contains("9999 duplicates left out") && said.contains("will abstain"), "{said}");
    let said = succeeds(&root, "eval --model flooded --spam spam --ham ham");
    assert!(said.contains("140 without an opinion"), "{said}");

    // The same mail in both classes says nothing.
    succeeds(&root, "train --spam spam --spam ham --ham spam --ham ham --out torn");
    succeeds(&root, "eval --model torn --spam spam --ham ham --scores scores");
    for line in fs::read_to_string(root.path().join("scores")).unwrap().lines() {
        let score: f64 = line.split(' ').nth(1).unwrap().parse().unwrap();
        assert!((0.05..0.95).contains(&score), "{line}");
    }
}

#[test]
fn the_nightly_unit_learns_what_was_spooled() {
    let root = corpus();
    let home = root.path().to_str().unwrap();
    succeeds(&root, "train --spam spam --ham ham --out bayes.model");
    let before = fs::read(root.path().join("bayes.model")).unwrap();
    write_mail(&root.path().join("late"), &HAM, 85);
    succeeds(&root, "learn --ham --spool spool late");
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/criba-retrain.service");
    let unit = fs::read_to_string(unit).unwrap();
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/criba ")).unwrap();
    let line = line.replace("/var/lib/criba", home);
    let said = succeeds(&root, &line);
    // Five are new, and eighty were known.
    assert!(said.contains("85 messages of feedback") && said.contains("60 spam, 85 ham"), "{said}");
    assert!(before != fs::read(root.path().join("bayes.model")).unwrap());
    assert!(succeeds(&root, &line).contains("nothing to learn"), "the spool is empty");
}

#[test]
fn an_mbox_among_files_keeps_its_place() {
    // A small one, and one that is so large that all cores read it together.
    for more in ["", &"more of the same\n".repeat(50_000)] {
        let root = corpus();
        let read = |name: &str| fs::read(root.path().join(name)).unwrap();
        let message = |number: u32| root.path().join(format!("ham/{number:04}.eml"));
        fs::write(message(10), fs::read_to_string(message(10)).unwrap() + more).unwrap();
        succeeds(&root, "train --spam spam --ham ham --out files");
        let scores = || {
            succeeds(&root, "eval --online --spam spam --ham ham --scores scores");
            let scores = fs::read_to_string(root.path().join("scores")).unwrap();
            scores.lines().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
        };
        let before = scores();
        let mut mbox = String::new();
        for path in (10..70).map(message) {
            mbox += &format!("From a@b Mon Jan  1 00:00:00 2024\n{}\n", fs::read_to_string(&path).unwrap());
            fs::remove_file(&path).unwrap();
        }
        fs::write(root.path().join("ham/0010.mbox"), mbox).unwrap();
        succeeds(&root, "train --spam spam --ham ham --out mixed");
        assert!(read("files") == read("mixed"));
        assert_eq!(scores(), before);
    }
}

#[test]
fn duplicates_are_counted_once_and_unreadable_mail_is_left_out() {
    let root = corpus();
    succeeds(&root, "train --spam spam --ham ham --out one");
    // A link to nowhere cannot be read, whoever asks.
    std::os::unix::fs::symlink("nowhere", root.path().join("ham/9999.eml")).unwrap();
    let said = succeeds(&root, "train --spam spam --spam spam --ham ham --out two");
    assert!(said.contains("60 duplicates left out, 1 unreadable"), "{said}");
    assert!(said.contains("ham/9999.eml"), "{said}");
    let read = |name: &str| fs::read(root.path().join(name)).unwrap();
    assert!(read("one") == read("two"));
}

#[test]
fn a_trained_model_tells_mail_that_it_has_not_seen() {
    let root = corpus();
    let said = succeeds(&root, "eval --folds 10 --spam spam --ham ham --json --scores scores --svg roc.svg");
    assert!(said.contains("\"one_minus_auc\":0.0"), "{said}");
    let scores = fs::read_to_string(root.path().join("scores")).unwrap();
    assert_eq!(scores.lines().count(), 140);
    for line in scores.lines() {
        let fields: Vec<&str> = line.splitn(3, ' ').collect();
        let score: f64 = fields[1].parse().unwrap();
        assert!((0.0..=1.0).contains(&score), "{line}");
        assert!(fields[2].starts_with(fields[0]), "{line}");
    }
    assert!(fs::read_to_string(root.path().join("roc.svg")).unwrap().contains("<svg"));

    succeeds(&root, "train --spam spam --ham ham --out model");
    let said = succeeds(&root, "eval --model model --spam spam --ham ham");
    assert!(said.contains("60 spam and 80 ham; 0 unreadable, 0 without an opinion"), "{said}");
}

#[test]
fn mail_is_judged_online_and_held_out_and_models_are_compared() {
    let root = corpus();
    let read = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
    let said = succeeds(&root, "eval --holdout 25 --spam spam --ham ham --scores scores");
    assert!(said.contains("15 spam and 20 ham"), "{said}");
    let scores = read("scores");
    assert_eq!(scores.lines().count(), 35);
    assert!(scores.contains("0059.eml") && !scores.contains("0010.eml"), "the last ones are held out");

    let said = succeeds(&root, "eval --online --spam spam --ham ham --reliability rel.svg");
    // Nothing is known before there is one of each class.
    assert!(said.contains("0 unreadable, 2 without an opinion"), "{said}");
    assert!(read("rel.svg").contains("share of spam"));

    succeeds(&root, "train --spam spam --ham ham --out a<b");
    succeeds(&root, "train --from a<b --rarest 9 --out second --spam spam");
    let said =
        succeeds(&root, "eval --model a<b --model second --spam spam --ham ham --json --html report.html");
    assert_eq!(said.matches("\"one_minus_auc\"").count(), 2);
    let page = read("report.html");
    assert!(page.contains("a&lt;b") && page.contains("second") && page.matches("<svg").count() == 2);
}

#[test]
fn what_is_forgotten_was_never_there() {
    let root = corpus();
    let read = |name: &str| fs::read(root.path().join(name)).unwrap();
    succeeds(&root, "train --spam spam --ham ham --out one");
    write_mail(&root.path().join("more"), &["unsure", "odd", "strange", "mixed", "grey", "between"], 9);
    succeeds(&root, "train --from one --spam more --out with");
    assert!(read("with") != read("one"));
    // All was counted today.
    let said = succeeds(&root, "train --from with --max-age 2 --out young");
    assert!(said.contains("0 messages expired") && read("young") == read("with"), "{said}");
    let few = succeeds(&root, "train build with.counts --rarest 20 --out few");
    assert!(read("few").len() < read("with").len(), "{few}");
    let said = succeeds(&root, "train --from with --forget more --out without");
    assert!(said.contains("9 messages forgotten of 9"), "{said}");
    assert!(read("without") == read("one"));
}

#[test]
fn feedback_is_learned_at_the_next_training_and_overrules_what_was_said() {
    let root = corpus();
    let read = |name: &str| fs::read(root.path().join(name)).unwrap();
    fs::create_dir(root.path().join("late")).unwrap();
    fs::create_dir(root.path().join("wrong")).unwrap();
    fs::copy(root.path().join("ham/0003.eml"), root.path().join("wrong/1.eml")).unwrap();
    succeeds(&root, "train --spam spam --ham ham --out right");
    for number in 50..60 {
        let name = format!("{number:04}.eml");
        fs::rename(root.path().join("spam").join(&name), root.path().join("late").join(&name)).unwrap();
    }
    fs::remove_file(root.path().join("ham/0003.eml")).unwrap();
    succeeds(&root, "train --spam spam --spam wrong --ham ham --out before");

    let said = succeeds(&root, "learn --spam --spool spool late late");
    assert!(said.contains("10 spam spooled, 10 waited already, 0 unreadable"), "{said}");
    succeeds(&root, "learn --ham --spool spool wrong");
    let said = succeeds(&root, "train --from before --spool spool --out after");
    assert!(said.contains("11 messages of feedback; 1 changed their class"), "{said}");
    assert!(read("after") == read("right"));
    let said = succeeds(&root, "train --from after --spool spool --out later");
    assert!(said.contains("nothing to learn"), "{said}");
    assert!(!root.path().join("later").exists());

    assert!(fails(&root, "learn --spool spool late", 64).contains("--spam"));
    assert!(fails(&root, "learn --spam late", 64).contains("--spool"));
    assert!(fails(&root, "learn --spam --server unix:/nowhere late", 69).contains("/nowhere"));
}

#[test]
fn what_cannot_work_is_refused_with_a_reason() {
    let root = corpus();
    assert!(fails(&root, "train --ham ham --out model", 65).contains("0 spam and 80 ham"));
    assert!(fails(&root, "train --spam spam --ham ham", 64).contains("--out MODEL"));
    assert!(fails(&root, "train --spam nowhere --ham ham --out model", 66).contains("nowhere"));
    assert!(fails(&root, "train --spam spam --from none --out model", 66).contains("none.counts"));
    assert!(!root.path().join("model").exists());
    fs::write(root.path().join("fake"), "From: me\n\nnot a model\n").unwrap();
    assert!(fails(&root, "eval --model fake --spam spam --ham ham", 65).contains("not a file of criba"));
    assert!(fails(&root, "train build fake --out model", 65).contains("not a file of criba"));
}

#[test]
fn a_model_of_ten_messages_abstains_and_says_so() {
    let root = tempfile::tempdir().unwrap();
    write_mail(&root.path().join("spam"), &SPAM, 5);
    write_mail(&root.path().join("ham"), &HAM, 5);
    let said = succeeds(&root, "train --spam spam --ham ham --out model");
    assert!(said.contains("will abstain"), "{said}");
    let said = succeeds(&root, "eval --model model --spam spam --ham ham");
    assert!(said.contains("10 without an opinion"), "{said}");
}
