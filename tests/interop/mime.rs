//! MIME: third-party mails, well-formed and broken, against Python's `email` package.

use std::fs;

use criba::mime::{Arena, Limits, Message};
use serde::Deserialize;

use crate::support;

#[derive(Deserialize)]
struct Reference {
    file: String,
    leaves: Vec<Leaf>,
    defects: Vec<String>,
}

#[derive(Deserialize)]
struct Leaf {
    kind: String,
    text: Option<String>,
    hex: Option<String>,
}

#[test]
fn every_file_of_the_suites_is_parsed_and_every_well_formed_mail_as_python_does() {
    let Some(folder) = support::suite("mime") else { return };
    let files = support::files(&folder);
    assert!(files.len() > 300, "only {} files below {}", files.len(), folder.display());
    let paths: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    let Some(answers) = support::python("mime_reference.py", &paths.join("\n")) else { return };
    let mut differences = Vec::new();
    let (mut compared, mut broken) = (0, 0);
    let (mut told, mut leaves) = (0, 0);
    for line in answers.lines() {
        let mut line = line.as_bytes().to_vec();
        let reference: Reference = simd_json::from_slice(&mut line).expect("one JSON object a line");
        let raw = fs::read(&reference.file).expect("a readable file");
        // Looks at all of a broken mail too, and must come back.
        let difference = difference(&raw, &reference.leaves);
        if !reference.defects.is_empty() {
            broken += 1;
            continue;
        }
        compared += 1;
        told += reference.leaves.iter().filter(|leaf| leaf.text.is_some() || leaf.hex.is_some()).count();
        leaves += reference.leaves.len();
        let known = EXCEPTIONS.iter().find(|(name, _)| reference.file.ends_with(name));
        match (difference, known) {
            (Some(difference), None) => differences.push(format!("{}: {difference}", reference.file)),
            (None, Some((name, reason))) => {
                differences.push(format!("{name} is no exception any more ({reason})"));
            }
            _ => {}
        }
    }
    eprintln!(
        "{compared} well-formed mails, {told} of their {leaves} leaves compared; {broken} broken mails parsed"
    );
    assert_eq!(compared + broken, files.len());
    assert!(told * 10 > leaves * 9, "Python could read only {told} of {leaves} leaves");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Mails that Python finds well-formed and reads otherwise than criba, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "data/msg_37.txt",
        "nothing between two boundary lines is an empty part, as in SpamAssassin; none for Python",
    ),
    ("mbox/content-length-summary.txt", EMPTY_LINE),
    ("mbox/issue1189-summary.txt", EMPTY_LINE),
    ("emails/m1014.txt", UUENCODE),
    ("emails/m2010.txt", UUENCODE),
    ("emails/m3007.txt", UUENCODE),
    (
        "emails/m3004.txt",
        "base64 text with CR CR LF: criba makes CR LF of it as of all text, Python leaves it",
    ),
];

const EMPTY_LINE: &str = "a multipart without boundary is text after an empty line for criba, as in SpamAssassin; no defect for Python";
const UUENCODE: &str =
    "x-uuencode is no transfer encoding of RFC 2045: taken as it is, as in SpamAssassin; undone by Python";

/// Parses a mail, looks at all of it, and tells where it differs from what Python found.
fn difference(raw: &[u8], wanted: &[Leaf]) -> Option<String> {
    let arena = Arena::new();
    let message = Message::parse(raw, &arena, &Limits::default());
    for header in message.parts.iter().flat_map(|part| part.headers) {
        header.value(&arena);
    }
    let leaves: Vec<_> = message.leaves().map(|(_, part)| part).collect();
    let mut found = None;
    if leaves.len() != wanted.len() {
        found = Some(format!("{} leaves instead of {}", leaves.len(), wanted.len()));
    }
    for (number, (part, wanted)) in leaves.iter().zip(wanted).enumerate() {
        let (bytes, text) = (part.decoded(&message), part.text(&message));
        let same = match (&wanted.text, &wanted.hex) {
            (Some(wanted), _) => comparable(text) == comparable(wanted),
            (None, Some(wanted)) => comparable(&hex(bytes)) == comparable(wanted),
            (None, None) => true,
        };
        if !same && found.is_none() {
            let wanted_text = wanted.text.as_deref().or(wanted.hex.as_deref()).unwrap_or_default();
            found = Some(format!("leaf {number} ({}):\n  {text:?}\n  {wanted_text:?}", wanted.kind));
        }
    }
    found
}

/// Line ends are LF. Blanks at the end of a line go: they are to be deleted from quoted-printable (RFC 2045),
/// where Python keeps them.
fn comparable(text: &str) -> String {
    let lines = text.replace("\r\n", "\n");
    lines.split('\n').map(|line| line.trim_end_matches([' ', '\t'])).collect::<Vec<_>>().join("\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
