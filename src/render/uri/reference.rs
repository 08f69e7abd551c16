//! Relative links resolved against a base, as SpamAssassin does it: RFC 3986 section 5.2, not strict, with
//! the scheme that mail programs guess for `//www.example.com`.

use std::borrow::Cow;

/// The components of RFC 3986, appendix B.
#[derive(Clone, Copy, Debug, Default)]
struct Reference<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

/// What stands before the first of such ASCII bytes, and what begins with it.
fn split(text: &str, is_sign: impl Fn(u8) -> bool) -> Option<(&str, &str)> {
    text.bytes().position(is_sign).map(|at| text.split_at(at))
}

impl<'a> Reference<'a> {
    fn read(text: &'a str) -> Reference<'a> {
        let mut rest = text;
        let mut reference = Reference::default();
        if let Some((scheme, after)) = split(rest, |byte| matches!(byte, b':' | b'/' | b'?' | b'#'))
            && !scheme.is_empty()
            && let Some(after) = after.strip_prefix(':')
        {
            reference.scheme = Some(scheme);
            rest = after;
        }
        if let Some((before, after)) = split(rest, |byte| matches!(byte, b'?' | b'#')) {
            let (query, fragment) = split(after, |byte| byte == b'#').unwrap_or((after, ""));
            reference.query = query.strip_prefix('?');
            reference.fragment = fragment.strip_prefix('#').and_then(|fragment| fragment.split('\n').next());
            rest = before;
        }
        if let Some(after) = rest.strip_prefix("//") {
            let (authority, path) = split(after, |byte| byte == b'/').unwrap_or((after, ""));
            reference.authority = Some(authority);
            rest = path;
        }
        reference.path = rest;
        reference
    }
}

/// `link` as it is meant under `base`, which may be empty.
pub fn resolve<'l>(base: &str, link: &'l str) -> Cow<'l, str> {
    let mut given = Reference::read(link);
    if base.is_empty() && given.scheme.is_some() && !link.contains('\n') && !has_dot_segments(given.path) {
        return Cow::Borrowed(link);
    }
    let base = Reference::read(base);
    if given.scheme == base.scheme {
        given.scheme = None;
    }
    let path;
    let mut target = Reference { path: "", ..given };
    if given.scheme.is_some() || given.authority.is_some() {
        path = without_dots(given.path);
    } else {
        if given.path.is_empty() {
            path = Cow::Borrowed(base.path);
            target.query = given.query.or(base.query);
        } else if given.path.starts_with('/') {
            path = without_dots(given.path);
        } else {
            path = Cow::Owned(without_dots(&merged(&base, given.path)).into_owned());
        }
        target.authority = base.authority;
    }
    if given.scheme.is_none() {
        target.scheme = base.scheme;
    }
    Cow::Owned(written(&target, &path))
}

fn written(target: &Reference<'_>, path: &str) -> String {
    let mut text = String::with_capacity(path.len() + 32);
    if let Some(scheme) = target.scheme {
        text.push_str(scheme);
        text.push(':');
    } else if let Some(authority) = target.authority {
        text.push_str(guessed_scheme(authority));
    }
    for (mark, part) in
        [("//", target.authority), ("", Some(path)), ("?", target.query), ("#", target.fragment)]
    {
        if let Some(part) = part {
            text.push_str(mark);
            text.push_str(part);
        }
    }
    text
}

/// `http:` for a host named `www.`, `ftp:` for one named `ftp.`, either with digits before the dot.
fn guessed_scheme(authority: &str) -> &'static str {
    let named = |name: &str| {
        authority.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            && authority
                .get(name.len()..)
                .is_some_and(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('.'))
    };
    if named("www") {
        "http:"
    } else if named("ftp") {
        "ftp:"
    } else {
        ""
    }
}

fn merged(base: &Reference<'_>, path: &str) -> String {
    if base.authority.is_some() && (base.path.is_empty() || base.path == "0") {
        return format!("/{path}");
    }
    let stem = base.path.rfind('/').and_then(|at| base.path.get(..=at)).unwrap_or("");
    format!("{stem}{path}")
}

fn has_dot_segments(path: &str) -> bool {
    path.contains("/.") || path.starts_with("./") || path.starts_with("../") || path == "0"
}

/// RFC 3986 section 5.2.4.
fn without_dots(path: &str) -> Cow<'_, str> {
    if !has_dot_segments(path) {
        return Cow::Borrowed(path);
    }
    let mut rest = match path.strip_prefix("../").or_else(|| path.strip_prefix("./")) {
        // The slash stays.
        Some(after) => path.get(path.len() - after.len() - 1..).unwrap_or(""),
        None => path,
    };
    let mut out = String::with_capacity(path.len());
    // A lone 0 counts as nothing.
    while !rest.is_empty() && rest != "0" {
        let end = rest.get(1..).and_then(|tail| tail.find('/')).map_or(rest.len(), |at| at + 1);
        let end = if rest.starts_with('/') { end } else { rest.find('/').unwrap_or(rest.len()) };
        let (segment, after) = rest.split_at(end);
        match segment {
            "/." | "/.." => {
                if segment == "/.." {
                    out.truncate(out.rfind('/').unwrap_or(0));
                }
                // What follows begins with the slash that the segment had.
                rest = if after.is_empty() { "/" } else { after };
                if after.is_empty() {
                    out.push('/');
                    break;
                }
            }
            _ => {
                out.push_str(segment);
                rest = after;
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_the_examples_of_rfc_3986() {
        let base = "http://a/b/c/d;p?q";
        for (link, expected) in [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q#s"),
            ("g#s", "http://a/b/c/g#s"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/../h", "http://a/b/c/h"),
            ("http:g", "http://a/b/c/g"),
        ] {
            assert_eq!(resolve(base, link), expected, "{link}");
        }
    }

    #[test]
    fn leaves_whole_links_as_they_are_and_guesses_schemes() {
        for (link, expected) in [
            ("HTTP://Example.COM", "HTTP://Example.COM"),
            ("http://example.com?x=/../y", "http://example.com?x=/../y"),
            ("http://example.com/a/../b", "http://example.com/b"),
            ("//www2.example.com/x", "http://www2.example.com/x"),
            ("//ftp.example.com", "ftp://ftp.example.com"),
            ("//example.com", "//example.com"),
            ("page.html", "page.html"),
        ] {
            assert_eq!(resolve("", link), expected, "{link}");
        }
    }
}
