use super::*;

fn settings(lines: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    for (keyword, text) in lines {
        settings.set(keyword, text.as_bytes()).unwrap().unwrap();
    }
    settings
}

#[test]
fn address_lists_hold_patterns_and_lose_them_again() {
    let lists = settings(&[
        ("whitelist_from", "Friend@Example.com *@lists.?x.org"),
        ("welcomelist_from", "x@y.z"),
        ("unwhitelist_from", "X@Y.Z"),
        ("enlist_addrlist", "(BANKS) *@bank.example"),
    ])
    .lists;
    assert!(lists.has_address("welcomelist_from", "friend@example.com"));
    assert!(lists.has_address("welcomelist_from", "a@lists.ax.org"));
    assert!(!lists.has_address("welcomelist_from", "a@lists.axx.org"));
    assert!(!lists.has_address("welcomelist_from", "x@y.z"));
    assert!(lists.has_address("BANKS", "it@bank.example") && !lists.has_address("BANKS", "bank.example"));
    assert!(lists.addresses("NONE").is_none());
}

#[test]
fn the_longest_listed_name_of_a_host_decides() {
    let lists = settings(&[
        ("enlist_uri_host", "(BAD) !good.example.com example.com"),
        ("blacklist_uri_host", "[10.0.0.1] 10.0.0.2 gone.example"),
        ("delist_uri_host", "gone.example"),
    ])
    .lists;
    assert!(lists.has_host("BAD", "www.example.com") && lists.has_host("BAD", "example.com"));
    assert!(!lists.has_host("BAD", "a.good.example.com") && !lists.has_host("BAD", "com"));
    assert!(lists.has_host("BLOCK", "10.0.0.2") && !lists.has_host("BLOCK", "10.0.0.1"));
    assert!(!lists.has_host("BLOCK", "gone.example"));
}

#[test]
fn subjects_are_listed_by_a_part_of_them() {
    let lists = settings(&[("blocklist_subject", "Make * fast"), ("whitelist_subject", "[Bug ??]")]).lists;
    assert!(lists.has_subject("blocklist_subject", "re: make money fast!"));
    assert!(!lists.has_subject("blocklist_subject", "make money"));
    assert!(lists.has_subject("welcomelist_subject", "x [bug 17] y"));
}

#[test]
fn free_mail_domains_may_have_wildcards_by_label() {
    let freemail = settings(&[
        ("freemail_domains", "Hotmail.com yahoo.* aol.co*.* mail.?x"),
        ("freemail_whitelist", "boss@hotmail.com yahoo.de"),
        ("freemail_max_body_emails", "7"),
    ])
    .freemail;
    for address in ["a@hotmail.com", "a@yahoo.fr", "a@aol.com.mx", "a@mail.ax"] {
        assert!(freemail.has_domain(address), "{address}");
    }
    for address in ["a@x.hotmail.com", "a@yahoo.co.uk", "a@aol.com", "a@mail.x", "yahoo.fr"] {
        assert!(!freemail.has_domain(address), "{address}");
    }
    assert!(freemail.is_welcome("boss@hotmail.com") && freemail.is_welcome("x@yahoo.de"));
    assert_eq!(freemail.most_addresses, 7);
}

#[test]
fn broken_settings_are_refused() {
    let mut settings = Settings::default();
    for (keyword, text) in [
        ("enlist_uri_host", "BAD example.com"),
        ("welcomelist_from_rcvd", "a@b.c"),
        ("freemail_domains", "a/b"),
        ("freemail_max_body_emails", "many"),
        ("redirector_pattern", "nothing"),
    ] {
        assert!(settings.set(keyword, text.as_bytes()).unwrap().is_err(), "{keyword}");
    }
    assert!(settings.set("body", b"x").is_none());
}

#[test]
fn charsets_of_expected_languages_are_expected() {
    let settings = settings(&[("ok_locales", "en ja")]);
    for charset in ["utf-8", "ISO-8859-15", "iso-2022-jp", "Shift_JIS", "windows-1251", "us-ascii"] {
        assert!(settings.expects(charset), "{charset}");
    }
    assert!(!settings.expects("koi8-r") && !settings.expects("gb2312"));
    assert!(Settings::default().expects("koi8-r"));
}

#[test]
fn listed_senders_have_relays_by_name_or_network() {
    let relays = "*@x.org relay.example\n*@x.org [10.1.2.0/24]\n*@x.org [192.168.]\n*@x.org [2001:db8::]/32";
    let lines: Vec<_> = relays.lines().map(|line| ("whitelist_from_rcvd", line)).collect();
    let lists = settings(&lines).lists;
    let [entry] = lists.relayed("welcomelist_from_rcvd") else { panic!("one entry") };
    assert!(entry.covers("a@x.org") && !entry.covers("a@y.org"));
    let has = |ip: &str, name: &str| entry.has_relay(ip.parse().ok(), name);
    assert!(has("1.1.1.1", "mx.relay.example") && has("", "relay.example"));
    assert!(has("10.1.2.77", "") && has("192.168.0.1", "") && has("2001:db8::1", ""));
    assert!(!has("10.1.3.1", "norelay.example") && !has("192.16.8.1", "") && !has("2001:db9::1", "x"));
}
