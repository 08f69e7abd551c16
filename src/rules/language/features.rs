//! Which plugins and features rule files may count on.

use std::collections::HashSet;

/// The plugins of a standard SpamAssassin 4.0.1, whose .pre files load them.
const STANDARD: [&str; 28] = [
    "AskDNS",
    "AutoLearnThreshold",
    "Bayes",
    "BodyEval",
    "Check",
    "DKIM",
    "DMARC",
    "DNSEval",
    "FreeMail",
    "HTMLEval",
    "HTTPSMismatch",
    "HashBL",
    "HeaderEval",
    "ImageInfo",
    "MIMEEval",
    "MIMEHeader",
    "Pyzor",
    "Razor2",
    "RelayEval",
    "ReplaceTags",
    "SPF",
    "SpamCop",
    "URIDNSBL",
    "URIDetail",
    "URIEval",
    "VBounce",
    "WLBLEval",
    "WelcomeListSubject",
];

/// Features of the core, below `Mail::SpamAssassin::Conf::`.
const CORE: [&str; 26] = [
    "feature_bayes_auto_learn_on_error",
    "feature_bayes_stopwords",
    "feature_blocklist_welcomelist",
    "feature_bug6558_free",
    "feature_capture_rules",
    "feature_compile_regexp",
    "feature_dns_block_rule",
    "feature_dns_local_ports_permit_avoid",
    "feature_dns_query_restriction",
    "feature_edns",
    "feature_geodb",
    "feature_get_host",
    "feature_header_address_parser",
    "feature_header_first_last",
    "feature_header_match_many",
    "feature_local_tests_only",
    "feature_meta_rules_matching",
    "feature_originating_ip_headers",
    "feature_registryboundaries",
    "feature_subjprefix",
    "feature_uri_host_listed",
    "feature_welcomelist_blocklist",
    "feature_yesno_takes_args",
    "has_tflags_nolog",
    "has_tflags_nosubject",
    "perl_min_version_5010000",
];

/// Features of plugins: they are there once the plugin is.
const PLUGIN: [(&str, &[&str]); 15] = [
    ("ASN", &["has_asn_geodb", "has_asn_lookup_ipv6", "has_check_asn", "has_check_asn_tag"]),
    ("AskDNS", &["has_tag_header"]),
    ("BodyEval", &["has_check_body_length", "has_plaintext_body_sig_ratio"]),
    ("DKIM", &["has_arc"]),
    ("DNSEval", &["has_tflags_domains_only", "has_tflags_ips_only"]),
    (
        "DecodeShortURLs",
        &[
            "has_autoclean",
            "has_clear",
            "has_get",
            "has_max_redirections",
            "has_short_url",
            "has_short_url_code",
            "has_short_url_redir",
            "has_timeout",
            "has_user_agent",
        ],
    ),
    (
        "HashBL",
        &[
            "has_hashbl_attachments",
            "has_hashbl_bodyre",
            "has_hashbl_bodyre_num",
            "has_hashbl_email_domain",
            "has_hashbl_email_domain_alias",
            "has_hashbl_email_regex",
            "has_hashbl_email_welcomelist",
            "has_hashbl_email_whitelist",
            "has_hashbl_emails",
            "has_hashbl_ignore",
            "has_hashbl_sha256",
            "has_hashbl_tag",
            "has_hashbl_uris",
        ],
    ),
    (
        "MIMEEval",
        &["has_check_abundant_unicode_ratio", "has_check_for_ascii_text_illegal", "has_check_qp_ratio"],
    ),
    (
        "MIMEHeader",
        &[
            "has_all_header",
            "has_capture_rules",
            "has_tflags_concat",
            "has_tflags_multiple",
            "has_tflags_range",
        ],
    ),
    ("OLEVBMacro", &["has_olemacro_mhtml_uri", "has_olemacro_redirect_uri", "has_olertfobject"]),
    ("Pyzor", &["has_fork", "has_perl"]),
    ("Razor2", &["has_fork"]),
    ("SPF", &["has_check_for_spf_errors", "has_check_spf_skipped_noenvfrom"]),
    (
        "URIDNSBL",
        &[
            "has_subtest_for_ranges",
            "has_tflags_domains_only",
            "has_tflags_notrim",
            "has_uridnsbl_a_ns",
            "has_uridnsbl_for_a",
            "has_uridnsbl_skip_mailto",
        ],
    ),
    ("URIDetail", &["has_host_key"]),
];

/// What conditions may ask for.
#[derive(Clone, Debug, Default)]
pub struct Features {
    plugins: HashSet<String>,
    compat: HashSet<String>,
}

impl Features {
    /// A standard SpamAssassin: what rules without .pre files of their own are written for.
    pub fn standard() -> Features {
        let mut features = Features::default();
        for name in STANDARD {
            features.load(&format!("Mail::SpamAssassin::Plugin::{name}"));
        }
        features.enable_compat("welcomelist_blocklist");
        features
    }

    /// `loadplugin NAME`.
    pub fn load(&mut self, plugin: &str) {
        self.plugins.insert(plugin.to_owned());
    }

    /// `enable_compat NAME`.
    pub fn enable_compat(&mut self, name: &str) {
        self.compat.insert(name.to_owned());
    }

    /// Whether the plugin is loaded.
    pub fn plugin(&self, name: &str) -> bool {
        // this one was an April fool that SpamAssassin answers with yes ever since
        name.ends_with("RaciallyCharged") || self.plugins.contains(name)
    }

    /// Whether the function `Package::name` is there; all that are answer true.
    pub fn has(&self, function: &str) -> bool {
        let Some((package, name)) = function.rsplit_once("::") else { return false };
        if package == "Mail::SpamAssassin::Conf" {
            return match name.strip_prefix("compat_") {
                Some(compat) => self.compat.contains(compat),
                None => CORE.contains(&name),
            };
        }
        let short = package.rsplit("::").next().unwrap_or_default();
        let known = |(plugin, names): &(&str, &[&str])| *plugin == short && names.contains(&name);
        self.plugins.contains(package) && PLUGIN.iter().any(known)
    }
}
