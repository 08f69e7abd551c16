//! Whether mail of well-known services came the way that their mail comes.

use std::sync::LazyLock;

use super::{Function, first_address, get, truth};
use crate::{
    relays::{Shape, Zone, find_ip},
    rules::{Subject, language::Argument},
};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("check_for_fake_aol_relay_in_rcvd", check_for_fake_aol_relay_in_rcvd),
    ("check_for_forged_eudoramail_received_headers", check_for_forged_eudoramail_received_headers),
    ("check_for_forged_gmail_received_headers", check_for_forged_gmail_received_headers),
    ("check_for_forged_hotmail_received_headers", check_for_forged_hotmail_received_headers),
    ("check_for_forged_juno_received_headers", check_for_forged_juno_received_headers),
    ("check_for_forged_yahoo_received_headers", check_for_forged_yahoo_received_headers),
    ("check_for_msn_groups_headers", check_for_msn_groups_headers),
    ("check_for_no_hotmail_received_headers", check_for_no_hotmail_received_headers),
    ("check_messageid_not_usable", check_messageid_not_usable),
    ("gated_through_received_hdr_remover", gated_through_received_hdr_remover),
];

/// Shapes of lines, to be found anywhere in a text.
type Shapes = LazyLock<Vec<Shape>>;

/// What looking for one shape may cost.
const STEPS: u32 = 200_000;

fn shapes(texts: &[&str]) -> Vec<Shape> {
    texts.iter().map(|text| Shape::new(&format!("%~{text}"))).collect()
}

fn any(shapes: &Shapes, text: &str) -> bool {
    shapes.iter().any(|shape| shape.matches(text, &mut STEPS.clone()).is_some())
}

fn value(subject: &Subject<'_, '_>, lookup: &str) -> String {
    String::from_utf8_lossy(&get(subject, lookup)).into_owned()
}

/// The value with single spaces for all white space.
fn spaced(subject: &Subject<'_, '_>, lookup: &str) -> String {
    let value = value(subject, lookup);
    let words: Vec<&str> = value.split(|char: char| matches!(char, ' ' | '\t'..='\r')).collect();
    let mut spaced = String::with_capacity(value.len());
    for (index, word) in words.iter().enumerate() {
        if index > 0 && !spaced.ends_with(' ') {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    spaced
}

/// Whether the author's address ends in that domain, as a word of its own.
fn is_from(subject: &Subject<'_, '_>, domain: &str) -> bool {
    let from = first_address(subject, "From").to_ascii_lowercase();
    from.strip_suffix(domain.as_bytes())
        .is_some_and(|front| !front.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'))
}

/// Lists and groups that take Received lines away; or there are none at all.
fn is_gated(subject: &Subject<'_, '_>) -> bool {
    *subject.facts.gated.get_or_init(|| look_for_gates(subject))
}

fn look_for_gates(subject: &Subject<'_, '_>) -> bool {
    static MSN: Shapes = LazyLock::new(|| shapes(&["from groups.msn.com (%w.msn.com "]));
    static QMAIL: Shapes =
        LazyLock::new(|| shapes(&["qmail %n invoked from network); %n ", "qmail %n invoked by %p); %n "]));
    let received = value(subject, "Received");
    if subject.message.headers("received").next().is_none() {
        return true;
    }
    let runs_ezmlm = value(subject, "Mailing-List").lines().any(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let [contact, address, run, by, name] = words.as_slice() else { return false };
        (*contact, *run, *by, *name) == ("contact", "run", "by", "ezmlm")
            && address.ends_with(';')
            && address.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.len() > 1)
    });
    let delivered = || {
        value(subject, "Delivered-To").lines().any(|line| {
            let address = line.strip_prefix("mailing list ").and_then(|rest| rest.split(' ').next());
            address
                .and_then(|to| to.split_once('@'))
                .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        })
    };
    (runs_ezmlm && delivered() && received.lines().any(|line| any(&QMAIL, line)))
        // the shape is looked for at every byte
        || received.lines().any(|line| line.contains("from groups.msn.com (") && any(&MSN, line))
}

fn gated_through_received_hdr_remover(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(is_gated(subject))
}

/// Programs that put their own message ids in.
fn check_messageid_not_usable(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let unsubscribe = value(subject, "List-Unsubscribe").trim_end_matches('\n').to_ascii_lowercase();
    let user = unsubscribe
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once("<mailto:"))
        .map(|(_, address)| address);
    let lists_own = user.filter(|address| !address.contains(' ')).and_then(|address| address.split_once('@'));
    let received = value(subject, "Received");
    truth(
        lists_own.is_some_and(|(user, _)| user.starts_with("leave-") || user.ends_with("-unsubscribe"))
            || is_gated(subject)
            || received.contains("/CWT/DCE)")
            || received.contains("iPlanet Messaging Server"),
    )
}

/// A host name of AOL's relays without the marks that these leave.
fn check_for_fake_aol_relay_in_rcvd(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    static MARKS: Shapes = LazyLock::new(|| shapes(&["/AOL-%n.%n.%n)"]));
    let mut lines = subject.message.headers("received").map(|line| line.value(subject.message.arena()));
    // what stands there in any case can be seen before anything is copied
    if !lines
        .any(|line| memchr::memchr2_iter(b'l', b'L', line.as_bytes()).any(|at| is_mark(line.as_bytes(), at)))
    {
        return 0;
    }
    let received = spaced(subject, "Received");
    let lower = received.to_ascii_lowercase();
    let is_relay = |rest: &[u8]| {
        matches!(rest, [a, b, c, d, b'.', ..] if a.is_ascii_lowercase() && b.is_ascii_lowercase()
            && c.is_ascii_digit() && d.is_ascii_digit())
    };
    let named = lower.match_indices(" rly-").any(|(at, mark)| is_relay(&lower.as_bytes()[at + mark.len()..]));
    let ids = ["ESMTP id RELAY", "ESMTP id MAILRELAY", "ESMTP id MAILIN"];
    truth(named && !any(&MARKS, &received) && !ids.iter().any(|id| received.contains(id)))
}

/// Whether the `l` of `rly-` stands there.
fn is_mark(line: &[u8], at: usize) -> bool {
    let mark = at.checked_sub(1).and_then(|start| line.get(start..start + 4));
    mark.is_some_and(|mark| mark.eq_ignore_ascii_case(b"rly-"))
}

/// Mail of MSN's groups, which Hotmail hands over directly.
fn is_msn_groups(subject: &Subject<'_, '_>) -> bool {
    let to = value(subject, "To");
    let lower = to.to_ascii_lowercase();
    let Some(end) = lower.find("@groups.msn.com>") else { return false };
    let Some(start) = lower[..end].rfind('<').filter(|start| !lower[*start..end].contains(' ')) else {
        return false;
    };
    let (Some(list), received) =
        (to.get(start + 1..end).filter(|list| !list.is_empty()), value(subject, "Received"))
    else {
        return false;
    };
    let server = received.match_indices("from mail pickup service by p").find_map(|(at, mark)| {
        let server = received.get(at + mark.len() - 1..)?;
        let digits = server.as_bytes().get(1..3)?.iter().all(u8::is_ascii_digit);
        (digits && server.get(3..)?.starts_with(".groups.msn.com")).then(|| &server[..18])
    });
    let Some(server) = server else { return false };
    let id = value(subject, "Message-Id");
    if list == "notifications" {
        return id
            .strip_prefix('<')
            .and_then(|id| id.split_once(&format!("@{server}")))
            .is_some_and(|(id, _)| !id.is_empty());
    }
    let from = first_address(subject, "EnvelopeFrom");
    id.strip_prefix(&format!("<{list}-")).is_some_and(|id| id.contains("@groups.msn.com>"))
        && String::from_utf8_lossy(&from).contains(&format!("{list}-bounce@groups.msn.com"))
}

fn check_for_msn_groups_headers(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(is_msn_groups(subject))
}

/// What is wrong with mail that has to do with Hotmail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hotmail {
    Fine,
    /// A host claims to be Hotmail's.
    Forged,
    /// The author does, and no host of Hotmail was on the way.
    Missing,
}

fn hotmail(subject: &Subject<'_, '_>) -> Hotmail {
    *subject.facts.hotmail.get_or_init(|| look_for_hotmail(subject))
}

fn look_for_hotmail(subject: &Subject<'_, '_>) -> Hotmail {
    static WITH_CLIENT: Shapes = LazyLock::new(|| {
        shapes(&[
            "from %{%W.%}hotmail.com (%w.hotmail%{.msn%}.com ",
            "from %{%W.%}hotmail.com (%w.hotmail%{.msn%}.com)",
            "from %W.hotmail.com ([%a] ",
            "from %W.hotmail.com ([%a])",
            "from %W.hotmail.com ([%a]:",
            "from %w by %w.hotmail%{.msn%}.com with HTTP;",
            "from [66.218.%w] by %w.yahoo.com",
        ])
    });
    static WITH_ORGANISATION: Shapes = LazyLock::new(|| {
        shapes(&[
            "from %W.outbound.protection.outlook.com (%w.outbound.protection.outlook.com ",
            "from %W.outbound.protection.outlook.com (%w.outbound.protection.outlook.com)",
            "from %W.eurprd%n.prod.outlook.com (%a)",
            "from %W.namprd%n.prod.outlook.com (%a)",
        ])
    });
    const HOST: &str = "hotmail.com";
    let mut lines = subject.message.headers("received").map(|line| line.value(subject.message.arena()));
    let (named, author) = (lines.any(|line| line.contains(HOST)), is_from(subject, HOST));
    if !named && !author {
        return Hotmail::Fine;
    }
    let received = spaced(subject, "Received");
    let claimed = ["from ", "HELO ", "helo="].iter().any(|mark| {
        received.match_indices(mark).any(|(at, _)| {
            let word = received[at + mark.len()..].split(' ').next().unwrap_or_default();
            word.match_indices(HOST).any(|(at, name)| {
                !word[at + name.len()..].starts_with(|char: char| char.is_ascii_alphanumeric() || char == '_')
            })
        })
    });
    let organisation = value(subject, "X-OriginatorOrg");
    let is_theirs = received.contains("from mail pickup service by hotmail.com with Microsoft SMTPSVC;")
        || is_msn_groups(subject)
        || is_gated(subject)
        || find_ip(&get(subject, "X-Originating-Ip")).is_some() && any(&WITH_CLIENT, &received)
        || ["hotmail.com", "msonline-outlook"].iter().any(|name| organisation.contains(name))
            && any(&WITH_ORGANISATION, &received);
    match (is_theirs, claimed, author) {
        (false, true, _) => Hotmail::Forged,
        (false, false, true) => Hotmail::Missing,
        _ => Hotmail::Fine,
    }
}

fn check_for_forged_hotmail_received_headers(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(hotmail(subject) == Hotmail::Forged)
}

fn check_for_no_hotmail_received_headers(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(hotmail(subject) == Hotmail::Missing)
}

fn check_for_forged_eudoramail_received_headers(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    static OWN: Shapes = LazyLock::new(|| shapes(&["by %Wwhowhere.com;"]));
    truth(
        is_from(subject, "eudoramail.com")
            && !is_gated(subject)
            && !(find_ip(&get(subject, "X-Sender-Ip")).is_some() && any(&OWN, &spaced(subject, "Received"))),
    )
}

fn check_for_forged_yahoo_received_headers(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    static OWN: Shapes = LazyLock::new(|| {
        shapes(&[
            "by web%w.mail%W.yahoo.com via HTTP",
            "by sonic%w.consmr.mail%W.yahoo.com with HTTP",
            "by smtp%w.yahoo.com with SMTP",
            "from [%a] by %w.groups.yahoo.com with NNFMP",
            "from [%a] by %w.scd.yahoo.com with NNFMP",
            "from [%a] by %w.dcn.yahoo.com with NNFMP",
            "by %w.%w.yahoo.com (%n.%n.%n/%n.%n.%n)%{ with ESMTP%} id ",
        ])
    });
    if !is_from(subject, "yahoo.com") {
        return 0;
    }
    let mut received = spaced(subject, "Received");
    if !get(subject, "Resent-From").is_empty() && !get(subject, "Resent-To").is_empty() {
        let other = spaced(subject, "X-Received");
        if !other.is_empty() {
            received = other;
        }
    }
    let relays = subject.values.relays();
    let is_yahoos = |rdns: &str| rdns.len() > ".yahoo.com".len() && rdns.ends_with(".yahoo.com");
    let bounced = relays.zone(Zone::Trusted).any(|relay| is_yahoos(&relay.rdns))
        || relays.zone(Zone::Untrusted).next().is_some_and(|relay| is_yahoos(&relay.rdns));
    let forwards = || {
        let replies = first_address(subject, "From").to_ascii_lowercase().ends_with(b"@reply.yahoo.com");
        replies
            && received.match_indices(".bulk.scd.yahoo.com").any(|(at, _)| {
                let front = received[..at].trim_end_matches(|char: char| char.is_ascii_digit());
                front.len() < at && front.ends_with("mailer")
            })
    };
    truth(!is_gated(subject) && !bounced && !any(&OWN, &received) && !forwards())
}

fn check_for_forged_juno_received_headers(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    static OWN: Shapes = LazyLock::new(|| {
        shapes(&[
            "from%*juno.com%*[%a]%*by",
            "from%*juno.com%*(%a)%*by",
            "from%*untd.com%*[%a]%*by",
            "from%*untd.com%*(%a)%*by",
            " cookie.juno.com ",
            " cookie.untd.com ",
        ])
    });
    static MAIL_COM: Shapes = LazyLock::new(|| shapes(&["from%*mail.com%*[%a]%*by"]));
    static WEB: Shapes = LazyLock::new(|| shapes(&["from webmail%w.untd.com (webmail%w.untd.com [%a]) by"]));
    if !is_from(subject, "juno.com") || is_gated(subject) {
        return 0;
    }
    let received = value(subject, "Received");
    let on_a_line = |shapes: &Shapes| received.lines().any(|line| any(shapes, line));
    let mailer = value(subject, "X-Mailer");
    let client = get(subject, "X-Originating-IP");
    if !client.is_empty() {
        return truth(!on_a_line(&OWN) || !mailer.contains("Juno "));
    }
    let fits = match on_a_line(&MAIL_COM) {
        true => mailer.contains("mail.com"),
        false => on_a_line(&WEB) && mailer.starts_with("Webmail Version "),
    };
    // without X-Originating-IP there is no address in it
    truth(!fits || find_ip(&client).is_none())
}

fn check_for_forged_gmail_received_headers(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    static OWN: Shapes =
        LazyLock::new(|| shapes(&["by 10.%w with SMTP id ", "by 2002:a%n:%w:%w with SMTP id "]));
    static PARTNERS: Shapes = LazyLock::new(|| shapes(&["by smtp.googlemail.com with ESMTPSA id "]));
    /// Least length of what Google's servers write about themselves.
    const STATE: usize = 60;
    if !is_from(subject, "gmail.com") {
        return 0;
    }
    let long = |header| get(subject, header).len() >= STATE;
    let on_a_line = |shapes: &Shapes, header| value(subject, header).lines().any(|line| any(shapes, line));
    let googles = on_a_line(&OWN, "X-Received")
        || on_a_line(&PARTNERS, "Received")
        || (long("X-Gm-Message-State") && long("X-Google-Smtp-Source"));
    truth(!googles)
}
