//! Networks as rule files list them: `10.0.1/24`, `192.168.`, `!10.0.1.5`, `2001:db8::/32`.

use std::net::{IpAddr, Ipv6Addr};

/// A list of networks; the first that holds an address decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    /// IPv4 is mapped.
    address: u128,
    bits: u32,
    excluded: bool,
}

impl Networks {
    /// The networks that this host itself is in.
    pub fn local() -> Networks {
        let mut networks = Networks::default();
        for network in ["127.0.0.0/8", "::1"] {
            networks.add(network).expect("a network");
        }
        networks
    }

    /// Adds one entry to the list.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let wrong = || format!("`{text}` is no network");
        let (excluded, entry) = match text.strip_prefix('!') {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text),
        };
        let (address, bits) = match entry.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().map_err(|_| wrong())?)),
            None => (entry, None),
        };
        let address = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
        let address = address.split('%').next().unwrap_or(address);
        let octets: Option<Vec<u8>> =
            address.strip_suffix('.').unwrap_or(address).split('.').map(|octet| octet.parse().ok()).collect();
        let (address, bits) = match octets {
            Some(mut octets) if (1..=4).contains(&octets.len()) => {
                let bits = bits.unwrap_or(8 * octets.len() as u32);
                octets.resize(4, 0);
                let v4 = <[u8; 4]>::try_from(octets).map_err(|_| wrong())?;
                (std::net::Ipv4Addr::from(v4).to_ipv6_mapped(), bits.checked_add(96).ok_or_else(wrong)?)
            }
            _ => (address.parse::<Ipv6Addr>().map_err(|_| wrong())?, bits.unwrap_or(128)),
        };
        if bits > 128 {
            return Err(wrong());
        }
        self.0.push(Network { address: address.to_bits(), bits, excluded });
        Ok(())
    }

    /// Whether the address is in one of the networks.
    pub fn contains(&self, ip: &str) -> bool {
        let Ok(ip) = ip.parse::<IpAddr>() else { return false };
        let ip = match ip {
            IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
            IpAddr::V6(ip) => ip.to_bits(),
        };
        let holds = |network: &&Network| {
            let host_bits = 128 - network.bits;
            network.address.checked_shr(host_bits) == ip.checked_shr(host_bits)
        };
        self.0.iter().find(holds).is_some_and(|network| !network.excluded)
    }
}

/// Whom the rule files trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// `trusted_networks`, if any are configured.
    pub trusted: Option<Networks>,
    /// `internal_networks`, if any are configured.
    pub internal: Option<Networks>,
    /// `msa_networks`: hosts that take mail from users who have logged in.
    pub msa: Networks,
    /// `originating_ip_headers`: they name the client of a web mailer.
    pub originating: Vec<String>,
    /// `envelope_sender_header`.
    pub envelope_sender: Option<String>,
}
