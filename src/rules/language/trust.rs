//! `trusted_networks` and its kin: whom the admin believes.

use crate::relays::{Networks, Trust};

/// Obeys the directive, if it is one of these.
pub fn obey(trust: &mut Trust, keyword: &str, text: &[u8]) -> Option<Result<(), String>> {
    let text = String::from_utf8_lossy(text);
    let words = || text.split_whitespace();
    // one cannot do without words, the other has none
    let (wants_words, known) = match keyword.strip_prefix("clear_") {
        Some(known) => (false, known),
        None => (true, keyword),
    };
    let is_known =
        matches!(known, "trusted_networks" | "internal_networks" | "msa_networks" | "originating_ip_headers")
            || keyword == "envelope_sender_header";
    if !is_known {
        return None;
    }
    if words().next().is_some() != wants_words {
        return Some(Err(format!("`{keyword}` {} words", if wants_words { "without" } else { "with" })));
    }
    Some(match keyword {
        "trusted_networks" => add(trust.trusted.get_or_insert_with(Networks::local), words()),
        "internal_networks" => add(trust.internal.get_or_insert_with(Networks::local), words()),
        "msa_networks" => add(&mut trust.msa, words()),
        "originating_ip_headers" => {
            for name in words() {
                if !trust.originating.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                    trust.originating.push(name.to_owned());
                }
            }
            Ok(())
        }
        "envelope_sender_header" => {
            trust.envelope_sender = words().next().map(|name| name.trim_end_matches(':').to_owned());
            Ok(())
        }
        "clear_trusted_networks" => {
            trust.trusted = None;
            Ok(())
        }
        "clear_internal_networks" => {
            trust.internal = None;
            Ok(())
        }
        "clear_msa_networks" => {
            trust.msa = Networks::default();
            Ok(())
        }
        _ => {
            trust.originating.clear();
            Ok(())
        }
    })
}

fn add<'w>(networks: &mut Networks, words: impl Iterator<Item = &'w str>) -> Result<(), String> {
    // the rest of the list holds even if one entry is broken
    words.map(|word| networks.add(word)).filter(Result::is_err).last().unwrap_or(Ok(()))
}
