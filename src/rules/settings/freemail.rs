//! `freemail_*`: where anybody can have an address.

use rustc_hash::FxHashSet;

use super::words;

/// What is a free mail address, and how many of them a body may hold.
#[derive(Clone, Debug)]
pub struct FreeMail {
    domains: FxHashSet<String>,
    /// With `?` and `*`, by label.
    wild: Vec<Vec<Box<[u8]>>>,
    /// Addresses and domains that do not count.
    welcome: FxHashSet<String>,
    /// With so many addresses, or free mail addresses, the body says nothing.
    pub most_addresses: usize,
    pub most_free: usize,
    pub skip_over_most: bool,
    pub skip_bulk: bool,
    /// Whether addresses of `welcomelist_auth` and `def_welcomelist_auth` do not count.
    pub import_auth: bool,
    pub import_default_auth: bool,
}

impl Default for FreeMail {
    fn default() -> FreeMail {
        FreeMail {
            domains: FxHashSet::default(),
            wild: Vec::new(),
            welcome: FxHashSet::default(),
            most_addresses: 5,
            most_free: 3,
            skip_over_most: true,
            skip_bulk: true,
            import_auth: false,
            import_default_auth: false,
        }
    }
}

impl FreeMail {
    /// Takes one directive; `None` if it is none of these.
    pub fn set(&mut self, keyword: &str, text: &str) -> Option<Result<(), String>> {
        let number = || text.trim().parse::<usize>().map_err(|_| format!("`{text}` is no number"));
        let put = |place: &mut usize| number().map(|value| *place = value);
        let switch = |place: &mut bool| number().map(|value| *place = value != 0);
        Some(match keyword {
            "freemail_domains" => words(text).and_then(|words| self.add_domains(&words)),
            "freemail_welcomelist" | "freemail_whitelist" => words(text).map(|words| {
                self.welcome.extend(words);
            }),
            "freemail_max_body_emails" => put(&mut self.most_addresses),
            "freemail_max_body_freemails" => put(&mut self.most_free),
            "freemail_skip_when_over_max" => switch(&mut self.skip_over_most),
            "freemail_skip_bulk_envfrom" => switch(&mut self.skip_bulk),
            "freemail_import_welcomelist_auth" | "freemail_import_whitelist_auth" => {
                switch(&mut self.import_auth)
            }
            "freemail_import_def_welcomelist_auth" | "freemail_import_def_whitelist_auth" => {
                switch(&mut self.import_default_auth)
            }
            // how the report names the address
            "freemail_add_describe_email" => Ok(()),
            _ => return None,
        })
    }

    fn add_domains(&mut self, words: &[String]) -> Result<(), String> {
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'*' | b'?' | b'-');
        let mut broken = None;
        for word in words {
            if !word.bytes().all(is_valid) {
                broken = Some(format!("`{word}` is no domain"));
            } else if word.contains(['*', '?']) {
                self.wild.push(word.split('.').map(|label| label.as_bytes().into()).collect());
            } else {
                self.domains.insert(word.clone());
            }
        }
        broken.map_or(Ok(()), Err)
    }

    /// Without domains nothing is free mail.
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty() && self.wild.is_empty()
    }

    /// Whether an address (lower case) or its domain was named as not counting.
    pub fn is_welcome(&self, address: &str) -> bool {
        self.welcome.contains(address) || self.welcome.contains(domain(address))
    }

    /// Whether anybody can have an address in the domain of `address` (lower case).
    pub fn has_domain(&self, address: &str) -> bool {
        let domain = domain(address);
        self.domains.contains(domain)
            || (domain.len() < address.len() && self.wild.iter().any(|wild| covers(wild, domain)))
    }
}

/// Behind the last `@`.
fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, domain)| domain)
}

/// `*` covers a part of a label; `?` any one character, a dot too.
fn covers(pattern: &[Box<[u8]>], domain: &str) -> bool {
    // With a `?` that stands for a dot the labels would not fit one to one; no such name is in use.
    let mut labels = domain.split('.');
    pattern.iter().all(|label| labels.next().is_some_and(|text| super::glob::covers(label, text.as_bytes())))
        && labels.next().is_none()
}
