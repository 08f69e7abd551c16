//! Senders and the relays that may bring their mail: SpamAssassin itself against `criba rules hits`, over generated mail.

use std::{
    fs,
    path::{Path, PathBuf},
};

use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use crate::rules::{ask_criba, ask_spamassassin, compare, plugins, spamassassin};

const MAILS: usize = 80;

/// Every form of an entry, a few that others take away or excuse, and the networks that decide which relay counts.
const SITE: &str = "\
trusted_networks 10.0.0.0/8 203.0.113.0/24 2001:db8:1::/48
internal_networks 10.0.0.0/8
welcomelist_from_rcvd *@news.example news.example
welcomelist_from_rcvd *@news.example [198.51.100.7]
welcomelist_from_rcvd Billing@Bank.example [192.0.2.0/24]
welcomelist_from_rcvd *@bank.example Mail.Bank.example
welcomelist_from_rcvd *@*.shop.example [192.0.2]
welcomelist_from_rcvd eva@six.example [2001:db8::]/32
welcomelist_from_rcvd *@list.example list.example
welcomelist_from_rcvd *@here.example [10.0.0.0]/8
welcomelist_from_rcvd bob@gone.example gone.example
unwelcomelist_from_rcvd bob@gone.example
def_welcomelist_from_rcvd *@gone.example gone.example
def_welcomelist_from_rcvd *@news.example [203.0.113.9]
def_welcomelist_from_rcvd *@club.example club.example
def_welcomelist_from_rcvd *@taken.example taken.example
unwelcomelist_from_rcvd *@taken.example
welcomelist_allows_relays *@list.example *@here.example
header LISTED eval:check_from_in_welcomelist()
header DEFAULT eval:check_from_in_default_welcomelist()
header FORGED eval:check_forged_in_welcomelist()
header FORGED_DEFAULT eval:check_forged_in_default_welcomelist()
";

/// Senders, each with a host and an address that may be its own.
const SENDERS: [(&str, &str, &str); 15] = [
    ("a@news.example", "news.example", "192.0.20.1"),
    ("Team@NEWS.example", "notnews.example", "198.51.100.7"),
    ("a@sub.news.example", "mx.news.example", "198.51.100.70"),
    ("d@news.example", "relay.here.example", "203.0.113.9"),
    ("billing@bank.example", "dsl-7.provider.example", "192.0.2.10"),
    ("x@bank.example", "out.mail.BANK.example", "198.51.100.9"),
    ("o@a.shop.example", "a.shop.example", "192.0.2.11"),
    ("o@shop.example", "shop.example", "192.0.2.12"),
    ("eva@six.example", "six.example", "2001:db8::7"),
    ("l@list.example", "list.example", "2001:db8:1::7"),
    ("me@here.example", "mx.here.example", "10.0.0.1"),
    ("bob@gone.example", "gone.example", "198.51.100.20"),
    ("c@club.example", "mail.club.example", "127.0.0.1"),
    ("t@taken.example", "taken.example", "198.51.100.22"),
    ("w@stranger.example", "stranger.example", "198.51.100.23"),
];

/// What servers of several makes write about the client that brought them the mail.
fn received(host: &'static str, ip: &'static str) -> impl Strategy<Value = String> {
    let name = move || prop_oneof![2 => Just(host), 1 => select(&SENDERS[..]).prop_map(|(_, host, _)| host)];
    let ip = prop_oneof![2 => Just(ip), 1 => select(&SENDERS[..]).prop_map(|(_, _, ip)| ip)];
    (name(), name(), ip, 0..6_u8).prop_map(|(helo, name, ip, make)| {
        let by = "mx.here.example";
        let tagged = if ip.contains(':') { format!("IPv6:{ip}") } else { ip.to_owned() };
        let from = match make {
            0 | 1 => format!("from {helo} ({name} [{tagged}])\n\tby {by} (Postfix) with ESMTP id 4F1A2"),
            2 => format!("from {helo} (unknown [{tagged}])\n\tby {by} (Postfix) with ESMTPA id 4F1A3"),
            3 => {
                format!(
                    "from {name} ({name} [{tagged}] (may be forged))\n\tby {by} (8.14.4/8.14.4) with ESMTP id q1"
                )
            }
            4 => format!("from {name} ([{ip}] helo={helo})\n\tby {by} with esmtp (Exim 4.96) id 1pX-0001"),
            _ => format!("from unknown (HELO {helo}) ({ip})\n\tby {by} with SMTP"),
        };
        format!("Received: {from}; Mon, 4 Mar 2024 10:00:00 +0000\n")
    })
}

fn mail() -> impl Strategy<Value = String> {
    let other = || select(&SENDERS[..]).prop_map(|(sender, _, _)| sender);
    let fields = move |(sender, host, ip)| {
        let path = option::of(prop_oneof![Just(sender), other()]);
        (vec(received(host, ip), 0..4), path, Just(sender), option::weighted(0.2, other()))
    };
    select(&SENDERS[..]).prop_flat_map(fields).prop_map(|(chain, path, from, resent)| {
        let path = path.map_or_else(String::new, |path| format!("Return-Path: <{path}>\n"));
        let resent = resent.map_or_else(String::new, |resent| format!("Resent-From: {resent}\n"));
        format!(
            "{path}{}{resent}From: \"Somebody\" <{from}>\nTo: me@here.example\nSubject: minutes\n\
             Message-ID: <1@stranger.example>\nDate: Mon, 4 Mar 2024 10:00:00 +0000\n\nThe minutes are attached.\n",
            chain.concat()
        )
    })
}

/// The same mails in each run.
fn generated(folder: &Path) -> Vec<PathBuf> {
    let mut runner = TestRunner::deterministic();
    let numbered = (0..MAILS).map(|number| {
        let path = folder.join(format!("{number:02}.eml"));
        let mail = mail().new_tree(&mut runner).expect("a mail").current();
        fs::write(&path, mail).expect("a folder of ours");
        path
    });
    numbered.collect()
}

#[test]
fn senders_are_listed_with_their_relays_as_in_spamassassin() {
    if !spamassassin() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let site = plugins(folder.path());
    fs::write(site.join("local.cf"), SITE).expect("a folder of ours");
    let files = generated(folder.path());
    let (theirs, ours) = (folder.path().join("theirs"), folder.path().join("ours"));
    ask_spamassassin(&files, &site, &theirs);
    ask_criba(&files, &site, &["--captures"], &ours);
    compare(&theirs, &ours, &[("--min-hits", "1"), ("--min-scores", "1"), ("--min-verdicts", "1")]);

    // Mails in which nothing is listed would agree as well.
    let answers = fs::read_to_string(&theirs).expect("the answers");
    for rule in ["LISTED", "DEFAULT", "FORGED", "FORGED_DEFAULT"] {
        let hits = answers.matches(&format!("\"{rule}\"")).count();
        assert!((3..MAILS).contains(&hits), "{rule} hits {hits} of {MAILS} mails");
    }
}
