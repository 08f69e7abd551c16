//! UTF-7 (RFC 2152), which the Encoding Standard dropped and spammers did not.

/// Decodes UTF-7; `None` if there are 8-bit bytes, which it does not have.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' if rest.starts_with(b"-") => {
                text.push('+');
                rest = after.get(1..).unwrap_or_default();
            }
            b'+' => {
                let end = rest.iter().position(|byte| sextet(*byte).is_none()).unwrap_or(rest.len());
                let (run, after) = rest.split_at(end);
                shifted(run, &mut text);
                rest = after.strip_prefix(b"-").unwrap_or(after);
            }
            0..=0x7f => text.push(char::from(byte)),
            _ => return None,
        }
    }
    Some(text)
}

/// UTF-16 in base64 without padding.
fn shifted(run: &[u8], text: &mut String) {
    let (mut bits, mut held) = (0u32, 0u32);
    let units = run.iter().filter_map(|byte| sextet(*byte)).filter_map(|value| {
        bits = bits << 6 | value;
        held += 6;
        if held < 16 {
            return None;
        }
        held -= 16;
        let unit = (bits >> held) as u16;
        bits &= (1 << held) - 1;
        Some(unit)
    });
    text.extend(char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

fn sextet(byte: u8) -> Option<u32> {
    Some(match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn shifted_runs_are_utf_16() {
        assert_eq!(decode(b"Die Fr+APY-sche").as_deref(), Some("Die Fr\u{f6}sche"));
        assert_eq!(decode(b"1 +- 1 = 2").as_deref(), Some("1 + 1 = 2"));
        assert_eq!(decode(b"Hi Mom +Jjo-!").as_deref(), Some("Hi Mom \u{263a}!"));
        assert_eq!(decode(b"+2D3cSQ").as_deref(), Some("\u{1f449}"), "surrogates, and no end");
        assert_eq!(decode(b"+2D0-"), Some("\u{fffd}".into()), "half a surrogate");
        assert_eq!(decode(b"+\xff"), None);
    }
}
