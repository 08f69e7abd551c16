use super::*;

fn parse(text: &str) -> Regex {
    let parsed = crate::rules::regex::Delimited::parse(text.as_bytes()).unwrap();
    translate(parsed.source, parsed.flags).unwrap()
}

fn matches(text: &str, subject: &[u8]) -> bool {
    let regex = parse(text);
    pcre2::bytes::RegexBuilder::new()
        .caseless(regex.flags.caseless)
        .dotall(regex.flags.dot_all)
        .multi_line(regex.flags.multi_line)
        .build(&regex.exact)
        .unwrap_or_else(|error| panic!("{text} became {}: {error}", regex.exact))
        .is_match(subject)
        .unwrap()
}

#[test]
fn latin_1_letters_fold_as_in_perl() {
    assert!(matches(r"/caf\xe3\xa9/i", "cafÉ".to_lowercase().as_bytes()));
    assert!(matches(r"/caf\xe3\xa9/i", b"caf\xc3\xa9"));
    assert!(!matches(r"/caf\xe3\xa9/", b"caf\xc3\xa9"));
    assert!(matches(r"/[\xe0-\xe5]/i", b"\xc1"));
    assert!(!matches(r"/\xd7/i", b"\xf7"));
    assert!(!matches(r"/[^\xe1]/i", b"\xc1"));
    assert!(matches("/é/i", b"\xe3\xa9") && !matches("/é/i", b"\xe9"));
    assert!(matches(r"/(?i:\xe1)/", b"\xc1") && !matches(r"/(?i:x)\xe1/", b"x\xc1"));
}

#[test]
fn classes_are_ascii_and_blanks_include_the_vertical_tab() {
    assert!(!matches(r"/\w/", b"\xe9"));
    assert!(matches(r"/^\s$/", b"\x0b") && !matches(r"/\s/", b"\xa0") && matches(r"/\h/", b"\xa0"));
    assert!(matches(r"/^.$/", b"\r") && !matches(r"/^.\z/", b"\n"));
    assert!(matches(r"/a$/", b"a\n") && !matches(r"/a\z/", b"a\n") && !matches(r"/a$/", b"a\n\n"));
}

#[test]
fn escapes() {
    assert!(matches(r"/\x{41}\x42\o{103}\104/", b"ABCD"));
    assert!(matches(r"/^\y\i\@\%\</", b"yi@%<"));
    assert!(matches(r"/\cA\e\a\0/", b"\x01\x1b\x07\0"));
    assert!(matches(r"/[\x41-\x43][\101][\]\-x][a\-z]/", b"BA]-"));
    assert!(matches("/[]a]+[^]]/", b"]ab"));
    assert!(matches(r"/[[:digit:]x]{2}[\w-]+/", b"1x-"));
    assert!(matches(r"/[a-\d]{3}/", b"a-1"));
    assert!(matches("/a{,2}b{x/", b"a{,2}b{x"));
}

#[test]
fn extended_patterns_lose_blanks_and_comments() {
    let regex = parse("m{ a\\ b # comment (\n  c (?#inner) +  [ #] }x");
    assert_eq!(regex.exact, "a bc+[ \\#]");
    assert_eq!(parse("/a(?x: b )c d/").exact, "a(?:b)c d");
}

#[test]
fn hyperscan_gets_more_than_it_should_decide() {
    let regex = parse(r"/(?>a+)b++c*+d?+/");
    assert_eq!(regex.scan, "(?:a+)b+c*d?");
    assert!(regex.loosened);
    assert!(!parse("/a+?b/").loosened);
}

#[test]
fn captures_of_later_rules() {
    assert_eq!(parse("/(?<NAME>a)(?P<OTHER>b)(?<small>c)/").captures, ["NAME", "OTHER"]);
}

#[test]
fn pieces_are_cut_outside_of_groups_only() {
    let regex = parse("/ab(c|d)+e{2}/");
    let pieces: Vec<&str> = regex.cuts.windows(2).map(|pair| &regex.scan[pair[0]..pair[1]]).collect();
    assert_eq!(pieces, ["a", "b", "(c|d)+", "e{2}"]);
    assert!(parse("/a|b/").cuts.is_empty());
}

#[test]
fn broken_patterns_are_errors() {
    let error = |text: &str| translate(text.as_bytes(), Flags::default()).unwrap_err();
    assert_eq!(error("a)"), Error::Unfinished("group"));
    assert_eq!(error("(a"), Error::Unfinished("group"));
    assert_eq!(error("[a"), Error::Unfinished("class"));
    assert_eq!(error("a\\"), Error::Unfinished("escape"));
    assert_eq!(error("(?{ die })"), Error::Code);
    assert_eq!(error(r"\x{2014}"), Error::Wide);
    assert_eq!(error(&"(".repeat(10_000)), Error::TooDeep(MAX_DEPTH));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_a_pattern_or_an_error(source in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
        if let Ok(regex) = translate(&source, Flags { caseless: true, extended: true, ..Flags::default() }) {
            assert!(regex.exact.is_ascii() && !regex.exact.contains('\0'));
            assert!(regex.scan.is_ascii() && !regex.scan.contains('\0'));
        }
    }

    #[test]
    fn pattern_like_text_is_a_pattern_or_an_error(source in r"([a(\[\])|*+?{}\\^$.,1-9x#:<>=!-]){0,40}") {
        let _ = translate(source.as_bytes(), Flags::default());
    }
}
