//! What a front end tells about a message beside its bytes.

use serde::{Deserialize, Serialize};

use super::frame::Error;

/// The TLS session that the message came over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Tls {
    pub version: String,
    pub cipher: String,
}

/// The metadata of a request, all of it optional; unknown keys are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Envelope {
    /// The profile asked for; the listener's own where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub queue_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<std::net::IpAddr>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub helo: String,
    /// MAIL FROM without angle brackets; `Some("")` is the null sender, `None` is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_from: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rcpt_to: Vec<String>,
    /// The authenticated user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The name of the receiving host.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    /// `spam` or `ham`, for LEARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

impl Envelope {
    /// Reads the metadata of a request: a JSON object or nothing. The parser works in place, so
    /// `json` is rewritten.
    ///
    /// # Errors
    /// [`Error::Metadata`], with what is wrong.
    pub fn parse(json: &mut [u8]) -> Result<Envelope, Error> {
        match json.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None if json.is_empty() => Ok(Envelope::default()),
            // Serde would take an array as the fields in order.
            Some(b'{') => simd_json::from_slice(json).map_err(|error| Error::Metadata(error.to_string())),
            _ => Err(Error::Metadata("expected a JSON object or nothing".into())),
        }
    }

    /// The metadata as it goes into a request; nothing for an envelope that says nothing.
    pub fn to_json(&self) -> Vec<u8> {
        if *self == Envelope::default() {
            return Vec::new();
        }
        // Strings and lists of strings: there is nothing in it that JSON cannot hold.
        simd_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(json: &str) -> Result<Envelope, Error> {
        Envelope::parse(&mut json.as_bytes().to_vec())
    }

    #[test]
    fn all_keys_arrive() {
        let envelope = parse(
            r#"{"profile":"internal","queue_id":"4tX","client_ip":"192.0.2.1","client_name":"a.example",
            "helo":"a","mail_from":"","rcpt_to":["x@b.example","y@b.example"],"user":"eva",
            "tls":{"version":"TLSv1.3","cipher":"X"},"hostname":"mx","class":"spam","more":[{"a":{}}]}"#,
        )
        .unwrap();
        assert_eq!(envelope.profile.as_deref(), Some("internal"));
        assert_eq!(envelope.client_ip, Some([192, 0, 2, 1].into()));
        assert_eq!(envelope.mail_from.as_deref(), Some(""));
        assert_eq!(envelope.rcpt_to.len(), 2);
        assert_eq!(envelope.tls.as_ref().map(|tls| tls.version.as_str()), Some("TLSv1.3"));
        assert_eq!(Envelope::parse(&mut envelope.to_json()), Ok(envelope));
    }

    #[test]
    fn nothing_is_an_empty_envelope() {
        assert_eq!(parse(""), Ok(Envelope::default()));
        assert_eq!(parse("{}"), Ok(Envelope::default()));
        assert_eq!(Envelope::default().to_json(), b"");
    }

    #[test]
    fn what_is_no_envelope_is_a_bad_request() {
        let deep = format!("{{\"x\":{}", "[".repeat(100_000));
        for json in [
            " ",
            "[]",
            "null",
            "7",
            "\"x\"",
            "{",
            "{}{}",
            "{} x",
            "{\"helo\":7}",
            "{\"rcpt_to\":\"x\"}",
            "{\"client_ip\":\"nowhere\"}",
            "{\"helo\":\"\\ud800\"}",
            "{\"helo\":\"a\",\"helo\":\"b\"}",
            &deep,
        ] {
            assert!(matches!(parse(json), Err(Error::Metadata(_))), "{json:.40}: {:?}", parse(json));
        }
        assert!(Envelope::parse(&mut b"{\"helo\":\"\xff\"}".to_vec()).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(mut bytes: Vec<u8>) {
            let _ = Envelope::parse(&mut bytes);
        }

        #[test]
        fn a_damaged_envelope_does_no_harm(at in 0..60_usize, byte: u8) {
            let mut json = br#"{"helo":"a","rcpt_to":["x","y"],"tls":{"version":"1","n":[1e5,true]}}"#.to_vec();
            json[at] = byte;
            let _ = Envelope::parse(&mut json);
        }
    }
}
