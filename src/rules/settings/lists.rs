//! Lists of addresses, hosts and subjects: `welcomelist_from`, `enlist_uri_host` and kin, with their
//! older names (`whitelist_*`, `blacklist_*`).

use std::{borrow::Cow, collections::HashMap, net::IpAddr};

use memchr::memmem;
use rustc_hash::FxHashMap;

use super::{Globs, words};

/// All lists, by name: `welcomelist_from`, or what `enlist_addrlist` says.
#[derive(Debug, Default)]
pub struct Lists {
    addresses: FxHashMap<String, Globs>,
    /// Addresses with the relay that their mail has to come from.
    relayed: HashMap<String, Vec<Relayed>>,
    /// Hosts and domains, and whether they are in (or with `!` kept out).
    hosts: HashMap<String, FxHashMap<String, bool>>,
    /// Patterns for a part of the subject.
    subjects: HashMap<String, Vec<Box<[u8]>>>,
}

/// An entry of `welcomelist_from_rcvd`.
#[derive(Clone, Debug)]
pub struct Relayed {
    pub address: String,
    /// Host names, or addresses in brackets, in lower case.
    pub relays: Vec<String>,
}

impl Relayed {
    /// Whether the entry is about `address` (lower case).
    pub fn covers(&self, address: &str) -> bool {
        super::glob::covers(self.address.as_bytes(), address.as_bytes())
    }

    /// Whether a relay with this address and this name (lower case) is one of those that may send.
    pub fn has_relay(&self, ip: Option<IpAddr>, name: &str) -> bool {
        self.relays.iter().any(|relay| match relay.strip_prefix('[') {
            Some(network) => ip.is_some_and(|ip| network_holds(network, ip)),
            None => name
                .strip_suffix(relay.as_str())
                .is_some_and(|before| before.is_empty() || before.ends_with('.')),
        })
    }
}

/// Whether `1.2.3.4]`, `1.2.]`, `1.2.3.0/24]` or `1.2.3.0]/24` (or the same in IPv6) holds `ip`.
fn network_holds(network: &str, ip: IpAddr) -> bool {
    let network = network.replacen(']', "", 1);
    let (address, bits) = match network.split_once('/') {
        Some((address, bits)) => (address, bits.parse::<u32>().ok()),
        None => (network.as_str(), Some(u32::MAX)),
    };
    let Some(bits) = bits else { return false };
    match (address.parse(), ip) {
        (Ok(IpAddr::V4(address)), IpAddr::V4(ip)) => {
            let shift = 32 - bits.min(32);
            (u32::from(address) ^ u32::from(ip)).checked_shr(shift).unwrap_or(0) == 0
        }
        (Ok(IpAddr::V6(address)), IpAddr::V6(ip)) => {
            let shift = 128 - bits.min(128);
            (u128::from(address) ^ u128::from(ip)).checked_shr(shift).unwrap_or(0) == 0
        }
        (Ok(_), _) => false,
        // the beginning of an IPv4 address
        (Err(_), _) => {
            let is_start = address.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            is_start && ip.to_string().starts_with(&format!("{}.", address.trim_end_matches('.')))
        }
    }
}

impl Lists {
    /// Takes one directive; `None` if it is none of these.
    pub fn set(&mut self, keyword: &str, text: &str) -> Option<Result<(), String>> {
        let keyword = current_name(keyword);
        Some(match &*keyword {
            "welcomelist_from"
            | "blocklist_from"
            | "welcomelist_to"
            | "more_spam_to"
            | "all_spam_to"
            | "blocklist_to"
            | "welcomelist_auth"
            | "def_welcomelist_auth"
            | "welcomelist_allows_relays"
            | "welcomelist_bounce_relays" => words(text).map(|words| self.add(&keyword, &words)),
            "unwelcomelist_from" | "unblocklist_from" => {
                words(text).map(|words| self.remove(keyword.trim_start_matches("un"), &words))
            }
            "unwelcomelist_auth" => words(text).map(|words| {
                self.remove("welcomelist_auth", &words);
                self.remove("def_welcomelist_auth", &words);
            }),
            "enlist_addrlist" => named(text).and_then(|(list, rest)| {
                let list = current_name(list);
                words(rest).map(|words| self.add(&list, &words))
            }),
            "welcomelist_from_rcvd" | "def_welcomelist_from_rcvd" => self.add_relayed(&keyword, text),
            "unwelcomelist_from_rcvd" => words(text).map(|words| {
                for entries in self.relayed.values_mut() {
                    entries.retain(|entry| !words.contains(&entry.address));
                }
            }),
            "blocklist_uri_host" => words(text).map(|words| self.add_hosts("BLOCK", words)),
            "welcomelist_uri_host" => words(text).map(|words| self.add_hosts("WELCOME", words)),
            "enlist_uri_host" => {
                named(text).and_then(|(list, rest)| words(rest).map(|words| self.add_hosts(list, words)))
            }
            "delist_uri_host" => {
                let (list, rest) = match named(text) {
                    Ok((list, rest)) => (Some(list), rest),
                    Err(_) => (None, text),
                };
                words(rest).map(|words| self.remove_hosts(list, &words))
            }
            "welcomelist_subject" | "blocklist_subject" => {
                // a part of the subject is enough
                let pattern = format!("*{}*", text.trim().to_lowercase());
                self.subjects.entry(keyword.into_owned()).or_default().push(pattern.into_bytes().into());
                Ok(())
            }
            _ => return None,
        })
    }

    fn add(&mut self, list: &str, words: &[String]) {
        let globs = self.addresses.entry(list.to_owned()).or_default();
        words.iter().for_each(|word| globs.add(word));
    }

    fn remove(&mut self, list: &str, words: &[String]) {
        if let Some(globs) = self.addresses.get_mut(list) {
            words.iter().for_each(|word| globs.remove(word));
        }
    }

    fn add_relayed(&mut self, list: &str, text: &str) -> Result<(), String> {
        let words = words(text)?;
        let [address, relay] = words.as_slice() else { return Err("an address and a relay".into()) };
        let entries = self.relayed.entry(list.to_owned()).or_default();
        match entries.iter_mut().find(|entry| entry.address == *address) {
            Some(entry) => entry.relays.push(relay.clone()),
            None => entries.push(Relayed { address: address.clone(), relays: vec![relay.clone()] }),
        }
        Ok(())
    }

    fn add_hosts(&mut self, list: &str, words: Vec<String>) {
        let hosts = self.hosts.entry(list.to_owned()).or_default();
        for word in words {
            match word.strip_prefix('!') {
                Some(host) => hosts.insert(host.to_owned(), false),
                None => hosts.insert(word, true),
            };
        }
    }

    fn remove_hosts(&mut self, list: Option<&str>, words: &[String]) {
        for (_, hosts) in self.hosts.iter_mut().filter(|(name, _)| list.is_none_or(|list| list == *name)) {
            for word in words {
                hosts.remove(word.strip_prefix('!').unwrap_or(word));
            }
        }
    }

    /// The addresses of a list; `None` where there is no such list.
    pub fn addresses(&self, list: &str) -> Option<&Globs> {
        self.addresses.get(&*current_name(list))
    }

    /// Whether `address` (lower case) is in the list.
    pub fn has_address(&self, list: &str, address: &str) -> bool {
        self.addresses(list).is_some_and(|globs| globs.cover(address))
    }

    /// The entries of `welcomelist_from_rcvd` or `def_welcomelist_from_rcvd`.
    pub fn relayed(&self, list: &str) -> &[Relayed] {
        self.relayed.get(list).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a host (lower case), or a domain above it, is in the list; the longest name listed decides.
    pub fn has_host(&self, list: &str, host: &str) -> bool {
        /// Labels from the right that are asked for.
        const MOST: usize = 11;
        let Some(hosts) = self.hosts.get(list) else { return false };
        if let Some(literal) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            return hosts.get(literal) == Some(&true);
        }
        if host.parse::<std::net::Ipv4Addr>().is_ok() {
            return hosts.get(host) == Some(&true);
        }
        let labels = host.matches('.').count() + 1;
        let mut name = host;
        for at in 0..labels {
            if labels - at <= MOST
                && let Some(&listed) = hosts.get(name)
            {
                return listed;
            }
            name = name.split_once('.').map_or("", |(_, rest)| rest);
        }
        false
    }

    /// Whether a pattern of the list fits a part of `subject` (lower case).
    pub fn has_subject(&self, list: &str, subject: &str) -> bool {
        let patterns = self.subjects.get(list).map(Vec::as_slice).unwrap_or_default();
        patterns.iter().any(|pattern| super::glob::covers(pattern, subject.as_bytes()))
    }
}

/// The name of a list since 4.0.
fn current_name(name: &str) -> Cow<'_, str> {
    let is_old = |part: &str| memmem::find(name.as_bytes(), part.as_bytes()).is_some();
    match is_old("whitelist") || is_old("blacklist") {
        true => name.replace("whitelist", "welcomelist").replace("blacklist", "blocklist").into(),
        false => name.into(),
    }
}

/// `(NAME) rest`
fn named(text: &str) -> Result<(&str, &str), String> {
    let missing = || "no list in parentheses".to_owned();
    let (list, rest) =
        text.trim().strip_prefix('(').and_then(|rest| rest.split_once(')')).ok_or_else(missing)?;
    match list.is_empty() || rest.trim().is_empty() {
        true => Err(missing()),
        false => Ok((list, rest)),
    }
}
