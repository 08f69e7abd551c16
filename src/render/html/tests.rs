//! The facts of SA_SEMANTICS' section on HTML, and the tokens of HTML::Parser 3.81 as an experiment gave them.

use std::time::Instant;

use proptest::prelude::*;

use super::{
    renderer::{Html, render},
    tokenizer::{Token, Tokenizer},
};
use crate::mime::Arena;

/// Tokens in a short form: T text, L literal text, S start with attributes, E end, C comment, D declaration.
fn tokens(source: &str) -> String {
    let mut tokenizer = Tokenizer::new(source);
    let mut out = Vec::new();
    while let Some(token) = tokenizer.next_token() {
        out.push(match token {
            Token::Text { raw, literal: false } => format!("T[{raw}]"),
            Token::Text { raw, literal: true } => format!("L[{raw}]"),
            Token::Start(name) => {
                let attributes = tokenizer.attributes().iter();
                let list: Vec<String> = attributes.map(|a| format!("{}={:?}", a.name, a.decoded())).collect();
                format!("S[{name}]{{{}}}", list.join(","))
            }
            Token::End(name) => format!("E[{name}]"),
            Token::Comment(text) => format!("C[{text}]"),
            Token::Declaration(text) => format!("D[{text}]"),
        });
    }
    out.join(" ")
}

#[test]
fn tags_are_what_html_parser_takes_for_tags() {
    for (source, expected) in [
        ("a < b", "T[a ] T[<] T[ b]"),
        ("a << b<i>", "T[a ] T[<< b] S[i]{}"), /* HTML::Parser: T[<] T[< b] */
        ("<_foo>x<:foo>y", "S[_foo]{} T[x] S[:foo]{} T[y]"),
        ("<1a>x", "T[<1a>x]"),
        ("<>x", "T[<>x]"),
        ("<$", "T[<$]"),
        ("<a\u{b}b=1>", "S[a]{b=\"1\"}"),
        ("<a b=1 B=2>", "S[a]{b=\"1\",B=\"2\"}"),
        ("<a b>", "S[a]{b=\"b\"}"),
        ("<a b=>x", "S[a]{b=\"\"} T[x]"),
        ("<a b='1'c=2>", "S[a]{b=\"1\",c=\"2\"}"),
        ("<a/href=x>", "S[a/href=x]{}"),
        ("<a / href=x>", "S[a]{/=\"/\",href=\"x\"}"),
        ("<a b=\"1>2\">", "S[a]{b=\"1>2\"}"),
        ("<a b=\"1>2", "C[<a b=\"1>2]"),
        ("<a href=`b c`>", "S[a]{href=\"`b\",c`=\"c`\"}"),
        ("<a<b>c", "S[a<b]{} T[c]"),
        ("<a b\n=\n'c'>", "S[a]{b=\"c\"}"),
        ("x<a", "T[x] C[<a]"),
        ("x< ", "T[x] T[< ]"),
        ("x </a", "T[x ] C[</a]"),
        ("x y z", "T[x y] T[ z]"),
        ("x y  ", "T[x y] T[  ]"),
        ("</a b='>' c>", "E[a]"),
        ("</ a></>", "C[</ a>] C[</>]"),
        ("</p\n>", "E[p]"),
    ] {
        assert_eq!(tokens(source), expected, "{source:?}");
    }
}

#[test]
fn comments_and_declarations_end_as_in_html_parser() {
    for (source, expected) in [
        ("<!>x", "C[<!>] T[x]"),
        ("<!-->x-->y", "C[<!-->x-->] T[y]"),
        ("<!--->x", "C[<!--->] T[x]"),
        ("<!-- a -- b -->x", "C[<!-- a -- b -->] T[x]"),
        ("<!--a--  >x", "C[<!--a--  >] T[x]"),
        ("<!-- a <b> c <d", "C[<!-- a <b>] T[ c ] C[<d]"),
        ("<!- a>x", "C[<!- a>] T[x]"),
        ("<!doctype html>x", "D[<!doctype html>] T[x]"),
        ("<!DOCTYPE html PUBLIC \"a>b\">x", "D[<!DOCTYPE html PUBLIC \"a>b\">] T[x]"),
        ("<!DOCTYPE a -x>y", "C[<!DOCTYPE a -x>] T[y]"),
        ("<!DOCTYPE\t\">\" -x>y", "C[<!DOCTYPE\t\">] T[\"] T[ -x>y]"),
        ("<!doctypehtml>y", "C[<!doctypehtml>] T[y]"),
        ("<?php a > b ?>", "T[ b] T[ ?>]"),
        ("<?x", "C[<?x]"),
    ] {
        assert_eq!(tokens(source), expected, "{source:?}");
    }
}

#[test]
fn marked_sections_hold_text_or_nothing() {
    for (source, expected) in [
        ("<![if !mso]>x<![endif]>y", "C[<![if !mso]>] T[x] C[<![endif]>] T[y]"),
        ("<![CDATA[ a<b> &amp; ]]>y", "L[ a<b> &amp; ] T[y]"),
        ("x<![CDATA[a]b]]c]]>d", "T[x] L[a]b]]c] T[d]"),
        ("<![INCLUDE[ a<b> ]]>y", "T[ a] S[b]{} T[ ] T[y]"),
        ("<![IGNORE[ a<b> ]]>y", "T[y]"),
        ("<![RCDATA[ a<b>&amp; ]]>y", "T[ a<b>&amp; ] T[y]"),
        ("<![[ a ]]>b", "T[ a ] T[b]"),
        ("<![x[ a ]]>b", "T[ a] T[ ]]>b]"),
        ("<![CDATA[ a<b> ]]", "L[ a<b> ]]]"),
    ] {
        assert_eq!(tokens(source), expected, "{source:?}");
    }
}

#[test]
fn some_elements_hold_text_only() {
    for (source, expected) in [
        ("<script>a<b>'</script>'</script>x", "S[script]{} L[a<b>'] E[script] T['] E[script] T[x]"),
        ("<script>a'b\n</script>x", "S[script]{} L[a'b\n] E[script] T[x]"),
        ("<style>a</STYLE >x", "S[style]{} L[a] E[STYLE] T[x]"),
        ("<style>a</stylex>y", "S[style]{} L[a</stylex>y] E[style]"),
        ("<title>a<b>&amp;</title>x", "S[title]{} T[a<b>&amp;] E[title] T[x]"),
        ("<title>a<b>&amp;", "S[title]{} T[a] E[title] S[b]{} T[&amp;]"),
        ("<title>x<b", "S[title]{} T[x] C[<b] E[title]"),
        ("<textarea>a b<b", "S[textarea]{} T[a b<b]"),
        ("<iframe>a<b>&amp;</iframe>x", "S[iframe]{} L[a<b>&amp;] E[iframe] T[x]"),
        ("<plaintext>a<b></plaintext>x", "S[plaintext]{} L[a<b></plaintext>x]"),
    ] {
        assert_eq!(tokens(source), expected, "{source:?}");
    }
}

fn rendered<T>(source: &str, look: impl FnOnce(&Html<'_>) -> T) -> T {
    let arena = Arena::new();
    let source = arena.alloc_str(source);
    let html = render(source, !source.is_ascii(), None, &arena);
    look(&html)
}

fn text(source: &str) -> String {
    rendered(source, |html| html.text.clone())
}

#[test]
fn elements_emit_white_space() {
    for (source, expected) in [
        ("a<br>b<br/>c<br />d", "a\nb\nc\nd"),
        ("<div>a</div>b", "\na\nb"),
        ("<p>a</p>b<hr>c", "\n\na\n\nb\n\nc"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", " a  b "),
        ("<ul><li>a<li>b</ul>", " a b"),
        ("<h1>a</h1>", " a "),
        ("a <br> b", "a\nb"),
        ("a  \n b<b> c </b> d", "a b c  d"),
        ("a <b></b><br>", "a\n"),
        ("a&nbsp;b&#160;c", "a b\u{a0}c"),
        ("<foo>a</foo>b", "ab"),
        ("x<script>y</script><style>z</style><!-- c -->w", "xw"),
        ("<title>T</title>x", "\n\nT\n\nx"),
        ("a<style>b", "a"),
        ("\u{c2}\u{a0}x", " x"),
        ("<a href=\u{201c}http://x.com\u{201d}>y</a>", "y"),
        ("<span style='display:none'> x</span>y", " xy"),
    ] {
        assert_eq!(text(source), expected, "{source:?}");
    }
}

#[test]
fn hidden_text_is_text_and_marked() {
    let source = "see<font color=white>hid</font><div style='display:none'>more</div>\
                  <span style=\"font-size:1px;color:#fefefe\">low</span>this";
    rendered(source, |html| {
        let hidden: Vec<&str> = html.invisible.iter().map(|range| &html.text[range.clone()]).collect();
        assert_eq!(html.text, "seehid\nmore\nlowthis");
        assert_eq!(hidden, ["hid", "more", "low"]);
        assert!(html.facts.font_low_contrast && !html.facts.font_invalid_color);
        assert_eq!(html.facts.invisible_bytes, 10);
    });
}

#[test]
fn links_are_found_in_all_elements_and_resolved() {
    let source = "<body background=b.gif><base href='http://e.com/dir/index.html'><a href=' p.html '>x</a>\
                  <a href='mailto:a@b.c'>m</a><img src=i.gif><form action='/f'><meta http-equiv=Refresh \
                  content='0; URL=http://r.com/; x'><area href=#x><link href=''><iframe src=//www.f.com>\
                  </iframe><a foo/href=q>z</a><td background='http://t.com'><a>none</a>\
                  <a href=x data-saferedirecturl=http://s.com>";
    rendered(source, |html| {
        let links: Vec<String> =
            html.links.iter().map(|link| format!("{} {}", link.element, link.uri)).collect();
        assert_eq!(
            links,
            [
                "body b.gif",
                "base http://e.com/dir/index.html",
                "a http://e.com/dir/p.html",
                "a mailto:a@b.c",
                "img http://e.com/dir/i.gif",
                "form http://e.com/f",
                "meta http://r.com/",
                "area http://e.com/dir/#x",
                "iframe http://www.f.com",
                "a http://e.com/dir/q",
                "td http://t.com",
                "a http://e.com/dir/x",
                "a http://s.com",
            ]
        );
        let anchors: Vec<(&str, &str)> = html.facts.anchors.iter().map(|a| (a.href, a.text)).collect();
        assert_eq!(anchors, [("p.html", "x"), ("mailto:a@b.c", "m"), ("q", "z"), ("", "none"), ("x", "")]);
        assert_eq!(html.facts.refresh, "http://r.com/");
        assert_eq!(html.facts.forms, 1);
    });
}

#[test]
fn anchors_hold_text_and_pictures() {
    let source = "<a href=x>go &amp; <b>see</b><img src=y> this</a> not <a name=n>n</a>";
    rendered(source, |html| {
        let anchors: Vec<&str> = html.facts.anchors.iter().map(|a| a.text).collect();
        assert_eq!(anchors, ["go & see<img>\n this", "n"]);
    });
}

#[test]
fn tags_are_counted() {
    let source = "<!DOCTYPE html><HTML><body><o:p></o:p><foo><foo><p></b></body>";
    rendered(source, |html| {
        let facts = &html.facts;
        assert_eq!((facts.tags, facts.elements, facts.closed_extra), (10, 8, 1));
        // Of html, body, o:p, foo, p and b, foo is no element.
        assert_eq!((facts.tags_seen, facts.elements_seen), (6, 5));
        let inside = |element| facts.inside(element);
        assert_eq!((inside("html"), inside("body"), inside("foo")), (Some(1), Some(0), Some(2)));
        assert_eq!((inside("!doctype"), inside("table"), inside("o:p")), (Some(0), None, Some(0)));
        assert_eq!(facts.bad_tag_ratio(), Some(0.2));
        assert_eq!(facts.obfuscation_ratio(), None);
    });
}

#[test]
fn facts_of_pictures_fonts_and_forms() {
    let source = "<img width=100 height=50%><img width=x height=10><img src=a><font size=+4 face='A1,,'>x</font>\
                  <form action='MAILTO:a@b.c'><input type=Password><embed src=e><title> T&amp;t </title>\
                  <meta http-equiv=Content-Type content='text/html; charset=\"big5\"'>vi<b>ag</b>ra";
    rendered(source, |html| {
        let facts = &html.facts;
        assert_eq!(facts.images, 3);
        assert_eq!(facts.image_area, 100.0 * 300.0 + 200.0 * 10.0);
        assert_eq!((facts.max_size, facts.min_size), (7, 3));
        assert!(facts.font_face_bad && facts.form_action_mailto && facts.embeds);
        assert_eq!(facts.password_fields, 1);
        assert_eq!((facts.title, facts.titles.as_slice()), ("T&t", &[" T&t "][..]));
        assert_eq!(facts.charsets, ["big5"]);
        assert_eq!(facts.obfuscations, 2);
        assert_eq!(facts.length, source.chars().count());
    });
}

#[test]
fn font_faces_are_judged() {
    for (face, is_bad) in [
        ("Arial", false),
        ("\"Tahoma\"", false),
        ("Verdana, Arial, sans-serif", false),
        ("'Montserrat', sans-serif", false),
        ("Arial,Helvetica,Sans-Serif;", false),
        (".SFUIDisplay", false),
        ("hirakakupro-w3", false),
        ("A", true),
        (" A", false),
        ("Arial,", true),
        ("", true),
        ("\u{5b8b}\u{4f53}", true),
        ("Arial12", true),
    ] {
        let source = format!("<font face=\"{}\">", face.replace('"', "&quot;"));
        assert_eq!(rendered(&source, |html| html.facts.font_face_bad), is_bad, "{face:?}");
    }
}

#[test]
fn angle_brackets_that_open_nothing_are_one_text_with_what_follows() {
    let brackets = "<".repeat(1000);
    assert_eq!(tokens(&format!("a{brackets} b<i>c</i>")), format!("T[a] T[{brackets} b] S[i]{{}} T[c] E[i]"));
    assert_eq!(text(&format!("a{brackets} b")), format!("a{brackets} b"));
}

#[test]
fn html_is_left_where_time_is_up() {
    let arena = Arena::new();
    let source = "<p>x".repeat(10_000);
    let html = render(&source, false, Some(Instant::now()), &arena);
    assert!(html.is_cut && (1..10_000).contains(&html.text.len()), "{}", html.text.len());
    assert!(!render(&source, false, None, &arena).is_cut);
}

#[test]
fn hostile_input_takes_linear_time() {
    let deep = "<div>".repeat(100_000);
    assert_eq!(text(&deep).len(), 100_000);
    for piece in
        ["<", "&", "<!--", "<a b='", "</", "<![CDATA[", "<![x[", "]]>", "<!DOCTYPE\t\">\"", "<p></b>", "/>"]
    {
        let source = piece.repeat(1_000_000 / piece.len());
        rendered(&source, |html| assert!(html.text.len() <= source.len()));
    }
}

proptest! {
    #[test]
    fn any_text_renders(source in ".{0,300}") {
        rendered(&source, |html| assert!(html.text.len() <= 2 * source.len()));
    }

    #[test]
    fn any_markup_renders(pieces in proptest::collection::vec(prop::sample::select(vec![
        "<", ">", "/", "!", "-", "--", "[", "]", "'", "\"", "=", " ", "\n", "&", "#", ";", "a", "é", "\u{a0}", "\u{201c}",
        "<a href=", "<b>", "</b>", "<br/>", "&nbsp;", "&amp", "<!--", "-->", "<![CDATA[", "]]>", "<script>", "</script>",
        "<style>", "</style>", "<title>", "<td style='", "color:", "white", "#fff", "rgb(", ")", "display:none", "<font size=",
        "<!DOCTYPE", "<base href=", "http://", "<img src=", "<meta http-equiv=refresh content='url=", "99999999999999999999",
    ]), 0..60)) {
        let source = pieces.concat();
        rendered(&source, |html| {
            let mut end = 0;
            for range in &html.invisible {
                assert!(end <= range.start && html.text.get(range.clone()).is_some());
                end = range.end;
            }
        });
    }
}
