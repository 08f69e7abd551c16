use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn relays(lines: &[&str], trust: &Trust) -> Relays {
    Relays::read(lines.iter().map(|line| (*line).to_owned()), None, trust)
}

/// What one line says, by the keys of the notation; empty where it is no relay.
fn relay(line: &str) -> HashMap<String, String> {
    let relays = relays(&[line], &Trust::default());
    let mut text = Vec::new();
    relays.zone(Zone::Trusted).chain(relays.zone(Zone::Untrusted)).for_each(|relay| relay.write(&mut text));
    let text = String::from_utf8(text).unwrap();
    let words = text.trim_start_matches("[ ").trim_end_matches(" ]").split(' ');
    words
        .filter_map(|word| word.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[track_caller]
fn says(line: &str, wanted: &str) {
    let found = relay(line);
    for word in wanted.split(' ') {
        let (key, value) = word.split_once('=').unwrap();
        assert_eq!(found.get(key).map(String::as_str), Some(value), "{key} of {line}");
    }
}

#[test]
fn servers_of_today() {
    says(
        "from mail-ed1-f41.google.com (mail-ed1-f41.google.com [209.85.208.41])\n\t(using TLSv1.3 with cipher \
         TLS_AES_256_GCM_SHA384 (256/256 bits))\n\tby mx.example.net (Postfix) with ESMTPS id 4tX1y2\n\tfor \
         <eva@example.net>; Tue,  5 Nov 2024 10:00:00 +0100 (CET)",
        "ip=209.85.208.41 rdns=mail-ed1-f41.google.com helo=mail-ed1-f41.google.com by=mx.example.net id=4tX1y2 auth=",
    );
    says(
        "from AM0PR04MB1.eurprd04.prod.outlook.com (2603:10a6:208:3d::17) by \
         DB8PR04MB2.eurprd04.prod.outlook.com (2603:10a6:10:ee::21) with Microsoft SMTP Server (version=TLS1_2, \
         cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.8114.23; Tue, 5 Nov 2024 09:00:00 +0000",
        "ip=2603:10a6:208:3d::17 helo=AM0PR04MB1.eurprd04.prod.outlook.com by=DB8PR04MB2.eurprd04.prod.outlook.com",
    );
    says(
        "from AM0PR04MB1.eurprd04.prod.outlook.com ([fe80::1a2b:c588:dd17:5226]) by \
         AM0PR04MB1.eurprd04.prod.outlook.com ([fe80::1a2b:c588:dd17:5226%6]) with mapi id 15.20.1943.023; Tue, 5 \
         Nov 2024 09:00:00 +0000",
        "ip=fe80::1a2b:c588:dd17:5226 id= rdns=",
    );
    says(
        "from [203.0.113.9] (helo=client.example.org) by mx.example.net with esmtpsa \
         (TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256:256) (Exim 4.96) (envelope-from <a@example.org>) id \
         1t8-0003; Tue, 05 Nov 2024 10:00:00 +0100",
        "ip=203.0.113.9 helo=client.example.org envfrom=a@example.org auth=esmtpsa id=1t8-0003",
    );
    says(
        "from host.example.org ([IPv6:2001:db8::25]:51234 helo=mail.example.org) by mx.example.net with esmtps (Exim \
         4.96) id 1t8-0004; Tue, 05 Nov 2024 10:00:00 +0100",
        "ip=2001:db8::25 rdns=host.example.org helo=mail.example.org",
    );
    says(
        "from unknown (HELO mail.example.org) (joe@203.0.113.9) by mx.example.net with SMTP; 5 Nov 2024 09:00:00 -0000",
        "ip=203.0.113.9 rdns= helo=mail.example.org ident=joe by=mx.example.net",
    );
    says(
        "from localhost (localhost.localdomain [IPv6:::ffff:127.0.0.1])\n by mx (8.15.2/8.15.2) with ESMTP id x4AB; \
         Tue, 5 Nov 2024 10:00:00 +0100",
        "ip=127.0.0.1 rdns=localhost.localdomain",
    );
}

#[test]
fn what_is_no_handover_is_no_relay() {
    for line in [
        "by 2002:a05:6402:1 with SMTP id a1; Tue, 5 Nov 2024 01:00:00 -0800 (PST)",
        "(qmail 27981 invoked by uid 225); 14 Mar 2023 07:24:34 -0000",
        "from mail pickup service by mx.example.net with Microsoft SMTPSVC; Thu, 13 Feb 2003 19:05:39 -0500",
        "from www-data by web.example.net with local (Exim 4.96) id 1t8; Tue, 05 Nov 2024 10:00:00 +0100",
        "from a.example by b.example ; Thu, 20 Feb 2003 23:32:58 +0100",
    ] {
        let found = relays(&[line], &Trust::default());
        assert_eq!((found.all.len(), found.unparseable), (0, 0), "{line}");
    }
    assert_eq!(relays(&["from nowhere in particular"], &Trust::default()).unparseable, 1);
}

#[test]
fn the_notation_survives_what_senders_write() {
    says(
        "from [10.0.0.1 (host.example [203.0.113.9]) by mx.example.net (8.15.2/8.15.2) with ESMTP id x4AB",
        "helo=!10.0.0.1 rdns=host.example",
    );
}

const OUTER: &str = "from out.example (out.example [198.51.100.7]) by mx.example (Postfix) with ESMTP id A";
const INNER: &str = "from pc (pc [10.0.0.5]) by out.example (Postfix) with ESMTP id B";
const OWN: &str = "from mx.example (mx.example [10.1.1.1]) by store.example (Postfix) with ESMTP id C";

fn ids(relays: &Relays, zone: Zone) -> Vec<&str> {
    relays.zone(zone).map(|relay| relay.id.as_str()).collect()
}

#[test]
fn trust_ends_at_the_first_public_address() {
    let lines = [
        OWN.replace(" id C", " id CCC"),
        OUTER.replace(" id A", " id AAA"),
        INNER.replace(" id B", " id BBB"),
    ];
    let found = Relays::read(lines, None, &Trust::default());
    assert_eq!((ids(&found, Zone::Trusted), ids(&found, Zone::Untrusted)), (vec!["CCC"], vec!["AAA", "BBB"]));
    assert_eq!(found.lines_within(Zone::Trusted), 1);
    assert_eq!(found.handover().unwrap().id, "AAA");
}

#[test]
fn trust_goes_as_far_as_the_networks() {
    let mut trusted = Networks::local();
    for network in ["!10.1.1.9", "10.1.1/24", "198.51.100."] {
        trusted.add(network).unwrap();
    }
    let mut trust = Trust { trusted: Some(trusted), ..Trust::default() };
    let found = relays(&[OWN, OUTER, INNER], &trust);
    assert_eq!((found.zone(Zone::Trusted).count(), found.zone(Zone::Internal).count()), (2, 2));
    // a network that users log in to makes all before it trusted
    trust.msa.add("198.51.100.7").unwrap();
    let found = relays(&[OWN, OUTER, INNER], &trust);
    assert_eq!(
        (found.zone(Zone::Trusted).count(), found.zone(Zone::Trusted).filter(|r| r.msa).count()),
        (3, 1)
    );
    trust.internal = Some(Networks::local());
    assert_eq!(relays(&[OWN, OUTER], &trust).zone(Zone::Internal).count(), 0);
    let other = OWN.replace("10.1.1.1", "10.1.1.9");
    assert_eq!(relays(&[&other, OUTER], &trust).zone(Zone::Trusted).count(), 0);
}

#[test]
fn networks_in_all_spellings() {
    let mut networks = Networks::default();
    for network in ["[2001:db8::]/32", "192.168.", "10/8", "::1", "203.0.113.128/25"] {
        networks.add(network).unwrap();
    }
    for (ip, within) in [
        ("2001:db8:7::1", true),
        ("192.168.3.4", true),
        ("192.169.3.4", false),
        ("10.9.9.9", true),
        ("::1", true),
        ("203.0.113.127", false),
        ("no address", false),
    ] {
        assert_eq!(networks.contains(ip), within, "{ip}");
    }
    for wrong in ["", "x", "10.0.0.256", "10/40", "1.2.3.4.5", "::/129", "10/x"] {
        assert!(networks.add(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_fetched_message_begins_at_the_mailbox() {
    let fetched = "from pop.example [192.0.2.1] by localhost with POP3 (fetchmail-6.4) for eva (single-drop)";
    let found = relays(&[OWN, fetched, OUTER], &Trust::default());
    assert_eq!((found.all.len(), found.unparseable), (1, 0));
}

#[test]
fn all_shapes_can_be_read() {
    let tables = [&formats::WEB_MAIL, &formats::SENDMAIL, &formats::OTHERS, &formats::REST, &formats::QMAIL];
    let rest = [&formats::NO_RELAY, &formats::NO_ADDRESS];
    assert!(tables.iter().chain(&rest).map(|table| table.len()).sum::<usize>() > 60);
    assert_eq!(formats::FAMILIES.len(), 8);
}

#[test]
fn lines_made_to_be_slow_are_given_up() {
    let line = format!("from a ({}", "x@[1.2.3.4] by y (x[1.2.3.4]) ".repeat(260));
    let lines = vec![line; 200];
    let found = Relays::read(lines, None, &Trust::default());
    assert!(found.all.len() + found.unparseable <= 200);
}

#[test]
fn addresses() {
    for (text, length) in [
        ("1.2.3.4)", Some(7)),
        ("1.2.3.400", None),
        ("01.2.3.4", None),
        ("::", Some(2)),
        ("1::2:3]", Some(6)),
        ("1:2:3:4:5:6:7:8]", Some(15)),
        ("1:2:3:4:5:6:7]", None),
        ("::ffff:1.2.3.4]", Some(14)),
        ("IPv6:2001:db8::1]", Some(16)),
        ("1::2::3", None),
        ("12345::", None),
    ] {
        assert_eq!(ip::end(text.as_bytes(), 0), length, "{text}");
    }
    assert_eq!(ip::find(b"at 999.1.1.1, 10.0.0.1."), Some(&b"10.0.0.1"[..]));
    for (ip, private) in [
        ("10.1.2.3", true),
        ("172.31.0.1", true),
        ("172.32.0.1", false),
        ("100.64.0.1", true),
        ("100.128.0.1", false),
        ("fe80::1", true),
        ("::1", true),
        ("2001:db8::1", false),
        ("fc00::1", false),
    ] {
        assert_eq!(is_private(ip), private, "{ip}");
    }
}

proptest! {
    #[test]
    fn no_line_panics(line in "(from |\\(from |FROM )?[a-z@. \\[\\]()<>=:;0-9é]{0,80}( by x with [A-Z]+)?") {
        let found = relays(&[&line], &Trust::default());
        prop_assert!(found.all.len() <= 1);
    }

    #[test]
    fn every_address_is_found_where_it_ends(ip: std::net::IpAddr) {
        let text = ip.to_string();
        prop_assert_eq!(ip::end(format!("{text} ").as_bytes(), 0), Some(text.len()));
    }
}

#[test]
fn the_client_of_the_session_is_the_newest_relay_unless_it_is_written_down() {
    let line = |ip: &str| format!("from mail.example.net (mail.example.net [{ip}]) by mx.example.org; x");
    let client = || Some(Relay::client([192, 0, 2, 9].into(), "", "he lo", false));
    let ips = |lines: Vec<String>, client| {
        let relays = Relays::read(lines, client, &Trust::default());
        relays.zone(Zone::Untrusted).map(|relay| relay.ip.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ips(vec![line("198.51.100.1")], client()), ["192.0.2.9", "198.51.100.1"]);
    assert_eq!(ips(vec![line("192.0.2.9")], client()), ["192.0.2.9"], "the front end wrote it down");
    assert_eq!(ips(vec![], client()), ["192.0.2.9"]);
    // A user who logged in is trusted, and so are the hosts before.
    let user = Some(Relay::client([192, 0, 2, 9].into(), "", "pc", true));
    let relays = Relays::read(vec![], user, &Trust::default());
    assert_eq!((relays.zone(Zone::Untrusted).count(), relays.zone(Zone::Internal).count()), (0, 1));
    let mut written = Vec::new();
    Relays::read(vec![], client(), &Trust::default()).write(Zone::External, &mut written);
    assert!(written.starts_with(b"[ ip=192.0.2.9 rdns= helo=he!lo by="));
}
