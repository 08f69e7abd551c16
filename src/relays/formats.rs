//! How the mail servers of the world write Received lines, `from ` left out.
//!
//! Order decides: a line is of the first format that fits. The servers are named where they are known.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::shape::Shape;

/// What a format means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A relay; whether it has reverse DNS is not known if the line does not give it.
    Relay,
    /// A relay whose reverse DNS was looked up: what is not given is not there.
    Resolved,
    /// The same, with `ident@` before the reverse DNS.
    WithIdent,
    /// A relay; what looks like the id of the message is a version.
    NoId,
    /// A relay; id and sender stand in angle brackets.
    XMail,
    /// A relay by qmail, where `unknown` means that nobody looked.
    Qmail,
    /// No relay.
    Skip,
}

use Meaning::{NoId, Qmail, Relay, Resolved, Skip, WithIdent, XMail};

/// One way to write a line.
#[derive(Debug)]
pub struct Format {
    /// Text that such a line has somewhere: cheaper to look for than the shape.
    pub mark: Option<Finder<'static>>,
    pub shape: Shape,
    pub meaning: Meaning,
}

/// Formats, in order.
pub type Formats = LazyLock<Vec<Format>>;

/// Mark, shape and meaning of formats.
type Table = &'static [(&'static str, &'static str, Meaning)];

fn formats(table: Table) -> Vec<Format> {
    let format = |&(mark, shape, meaning): &(&'static str, &str, Meaning)| Format {
        mark: (!mark.is_empty()).then(|| Finder::new(mark)),
        shape: Shape::new(shape),
        meaning,
    };
    table.iter().map(format).collect()
}

/// Web mail, whatever else the line looks like.
pub static WEB_MAIL: Formats = LazyLock::new(|| {
    formats(&[
        // AOL
        ("with HTTP (WebMailUI)", "%~%i by %b (%a) with HTTP (WebMailUI)", Relay),
    ])
});

/// Servers that are known by a mark; only the formats of the first that fits are tried.
#[derive(Debug)]
pub struct Family {
    pub mark: Finder<'static>,
    pub formats: Vec<Format>,
}

pub static FAMILIES: LazyLock<Vec<Family>> = LazyLock::new(|| {
    let families: [(&str, Table); 8] = [
        (
            " SMTPSVC",
            &[
                ("", "%H ([%i]%P) by %b with Microsoft SMTPSVC", Relay),
                ("", "mail pickup service by %w with Microsoft SMTPSVC%$", Skip),
            ],
        ),
        (" with ", &[("", "%h (%{[%}%i%z%{]%}) by %b ", NoId)]),
        ("[XMail ", &[("", "%h (%{[%}%i%{]%}:%n) by %b%{ (%w)%} with [XMail", XMail)]),
        ("(ecelerity", &[("", "([%i:%n] helo=%h) by %b ", Relay), ("", "%w ([%i:%n]) by %b ", Relay)]),
        (
            "Exim",
            &[
                ("with local ", "%~with local ", Skip),
                ("with local-", "%~with local-%w ", Skip),
                ("", "[%i] (%s) by %b ", Relay),
                ("", "%x ([%i]%s) by %b ", Relay),
                ("", "%x [%i]%{:%n%} by %b ", Relay),
            ],
        ),
        (" (Postfix) with", &[("", "%h (%r [%i]) by %b ", Resolved), ("", "%h (%r[%i]) by %b ", Resolved)]),
        ("(Scalix SMTP Relay", &[("", "%h (%{ %}%i) by %b", Relay)]),
        (" (Lotus Domino ", &[("", "%h ([%i]) by %b (Lotus", Relay)]),
    ];
    families
        .into_iter()
        .map(|(mark, table)| Family { mark: Finder::new(mark), formats: formats(table) })
        .collect()
});

/// Not a mark by itself: a version must follow the product's name.
pub const EXCHANGE: &[u8] = b" with ";
/// If no format of this family fits, bits of the line are taken on trust.
pub const EXIM: &[u8] = b"Exim";

/// sendmail; qmail-ldap can look like it.
pub static SENDMAIL: Formats = LazyLock::new(|| formats(&[("", "%h (%r [%i]%*) by %b (", WithIdent)]));

/// Everyone else.
pub static OTHERS: Formats = LazyLock::new(|| {
    formats(&[
        ("", "%h (%r [%i]) by %b with %w (", Resolved),
        (" helo=", "%r ([%i] helo=%h) by %b with ", Relay),
        ("(<unknown", "%h (<unknown%W>[%i]) by %b ", Relay),
        ("", "%h (%t[%i]) by %b ", Resolved),
        ("@[", "%h (%D@[%i]%*) by %b (", Resolved),
        // hotmail's web front ends
        (".hotmail.msn.com ", "%{%i %}%~by %w.hotmail.msn.com ", Relay),
        ("(qpsmtpd/", "%r (%E %H) (%i) by %b (qpsmtpd/%w) with %{E%}SMTP", Relay),
        ("LHLO ", "%r (LHLO %H) (%i) by %b with LMTP", Relay),
        // GMX
        ("LO ", "%r (%E %H) [%i] by %b (%p) with %{E%}SMTP", Relay),
        (" via smtpd ", "%h ([%i]) by %b via smtpd (for %w) with SMTP(", Relay),
        ("SMTP", QMAIL_SMTP, Qmail),
        ("QMQP", QMAIL_QMQP, Qmail),
        ("( [", "%w ( [%i])%~ by %b ", Relay),
        ("", "(%h [%i]) by %b ", Relay),
        ("", "[%i] by %b ", Relay),
        (" via HTTP", "[%i] by %b via HTTP%$", Relay),
        ("", "(%{[%}%i%{]%}) by %b ", Relay),
        // MDaemon
        ("] with ", "%h [%i] by %b [%a] with ", Resolved),
        ("[(", "%h [(%i)] by %b (%a) ", Relay),
        ("", "%h ([%i]) by %b (", Resolved),
        // Courier
        ("(softdnserr [", "%h (softdnserr [%i])%~ by %b%|", Relay),
        ("", "%h (%r [%i])%~ by %b%|", Resolved),
        ("", "%h ([%i%{.%n%}])%~ by %b ", Resolved),
        ("", "%h ([%i:%n])%~ by %b ", Resolved),
    ])
});

/// Formats that come after the lines of mail fetchers.
pub static REST: Formats = LazyLock::new(|| {
    formats(&[
        ("LO ", "%r (%E %G) (%{%D@%}%{[%}%i%{]%})%* by %b ", Resolved),
        ("", "%x (%{%D@%}%{[%}%i%{]%})%* by %b ", Resolved),
        (" via smap ", "%r(%i) by %b via smap ", Resolved),
        (" via smap ", "%r(%i, %E %H) by %b via smap ", Resolved),
        ("(SMTPL", "%i by %b (SMTPL%|", Relay),
        ("(InterScan", "%i by %b (InterScan%|", Relay),
        // no TCP in it
        (" with BSMTP", "%w by %w with BSMTP", Skip),
        ("LO ", "%r (%E %H) (%{%d@%}%i%~) by %b with ", Resolved),
        ("LO ", "[%i] (%{account %w %}%E %H) by %b (", Relay),
        (" (CommuniGate Pro", "%x ([%i] verified) by %b (", Resolved),
        ("(Content Technologies ", "%w (%w) by %w (Content Technologies ", Skip),
        ("] [", "%h ([%i] [%w]) by %b with ", Relay),
        // Tumbleweed
        ("", "%i by %b with ", Relay),
        ("", "%h (%r[%i]) by %b ", Resolved),
        // F-Secure
        ("LO ", "[%i]%w (%E %H) by %b ", Relay),
        ("LO ", "%i (%E %H) by %b ", Relay),
        // SMTPD32
        ("", "%h [%i] by %b ", Relay),
        ("", "%r(%i) by %b ", Relay),
        ("", "%i (%A%p) by %b with ", Relay),
        ("", "[%i] (%S) by %b ", Relay),
        // Obtuse smtpd
        (" via ", "UNKNOWN(%i)%{, claiming to be \"%h\"%} via %w by %b,", Relay),
        (" via ", "%r(%i)%{, claiming to be \"%h\"%} via %w by %b,", Resolved),
        (".yahoo.com with SMTP", "%h (%w@%i with login) by %b with SMTP", Relay),
        ("X-Originating-IP", "X-Originating-IP: %i%$", Relay),
    ])
});

const QMAIL_SMTP: &str =
    "%w%{ (%E %W)%} (%{%w@%}%{[%}%a%{]%})%{ (envelope-sender <%w>)%} by %w%{ (%*)%} with %{%* %}SMTP%!";
const QMAIL_QMQP: &str =
    "%w%{ (%E %W)%} (%{%w@%}%{[%}%a%{]%})%{ (envelope-sender <%w>)%} by %w%{ (%*)%} with %{%* %}QMQP%!";

/// Who is who in a line of qmail, once it is known to be one.
pub static QMAIL: Formats = LazyLock::new(|| {
    formats(&[
        ("LO ", "%r (%E %K) (%D@%{[%}%i%{]%})%{ (envelope-sender <%w>)%} by %b", Qmail),
        ("LO ", "%r (%E %K) (%{[%}%i%{]%})%{ (envelope-sender <%w>)%} by %b", Qmail),
        ("", "%x (%D@%{[%}%i%{]%})%{ (envelope-sender <%w>)%} by %b", Qmail),
        ("", "%x (%{[%}%i%{]%})%{ (envelope-sender <%w>)%} by %b", Qmail),
    ])
});

/// Handovers inside one host, or without the address that they came from. qmail-scanner is apart: it tells
/// the sender of the line before.
pub static NO_RELAY: Formats = LazyLock::new(|| {
    formats(&[
        ("@", "%w (%w@%l) by %w (", Skip),
        ("with local-", "%w %w by %w with local-%{e%}smtp ", Skip),
        ("(AVG SMTP", "127.0.0.1 (AVG SMTP %w [%w])", Skip),
        ("@", "%w@%w by %w ", Skip),
        ("", "Unknown/Local (", Skip),
        ("", "%l (%{%W@%}%l)", Skip),
        ("", "%l (%{%W@%}%l[", Skip),
        ("", "%w (%{%w@%}%l) ", Skip),
        ("@", "%w (%w@%w [%l]) ", Skip),
        ("", "(AUTH: %w) by %w with ", Skip),
        ("[[UNIX:", "localhost (localhost [[UNIX: localhost]]) by ", Skip),
        ("(peer crosscheck: ", "%w.amazon.com by %w.amazon.com with ESMTP (peer crosscheck: ", Skip),
        ("Novell_GroupWise", "%w by %w with Novell_GroupWise", Skip),
        (" via smtpd ", "no.name.available by %w via smtpd (for ", Skip),
    ])
});

/// The same, after qmail-scanner.
pub static NO_ADDRESS: Formats = LazyLock::new(|| {
    formats(&[
        ("with local", "%w by %w with local", Skip),
        ("([unix socket])", "%w ([unix socket]) by %w (Cyrus v%n.%n.%n) with LMTPA", Skip),
        ("", "%w by %w with", Skip),
        ("", "%w by %w via", Skip),
        ("", "%w by %w for", Skip),
        ("", "%w by %w (", Skip),
        ("", "%w with %w by%|", Skip),
        ("", "%w via %w by%|", Skip),
        ("", "%w for %w by%|", Skip),
        ("", "%w (unverified) by%|", Skip),
        ("(SG) with ", "%w (unknown) by %w (SG) with %|", Skip),
        ("(OpenSMTPD) with ", "%w (%w [local]) by %w (OpenSMTPD) with %|", Skip),
        ("(LSMTP for", "%~(LSMTP for", Skip),
        ("", "([%l]) with MailEnable ", Skip),
        ("", "facebook.com (%p) by facebook.com with Thrift id %w%$", Skip),
        ("", "%w named %w by gmailapi.google.com with HTTPREST%$", Skip),
        ("", "%w id %w%$", Skip),
        ("(Jetsend", "[<%~ (Jetsend", Skip),
    ])
});
