//! The configuration, checked and typed: defaults filled in, addresses parsed, numbers in range.

use std::{
    fmt, fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use argon2::PasswordHash;
use toml::Spanned;

use super::{
    Endpoint, Listen,
    listener::{listener, networks, socket_mode, user},
    raw,
};
use crate::{
    budget::Stage,
    media, mime, ocr,
    profile::{Members, Peer, Policy, Profile, Thresholds},
};

/// Why a configuration cannot be used: where, what, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{file}:{line}: {what}")]
    Invalid { file: String, line: usize, what: String },
}

/// The listeners and what they let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub listen: Vec<Endpoint>,
    /// Permission bits of a Unix socket.
    pub socket_mode: u32,
    /// Threads of the fast lane; 0 is one a core.
    pub workers: usize,
    pub max_message_bytes: usize,
    pub max_in_flight_bytes: usize,
    pub max_connections: usize,
    /// What one address may have of them.
    pub max_connections_per_peer: usize,
    /// What one connection may have in flight.
    pub max_requests_per_connection: usize,
    /// How long a client may take over sending a frame, or over taking in a reply.
    pub frame_timeout: Duration,
    /// How long SIGTERM waits for the messages in flight.
    pub drain: Duration,
    /// Argon2 hash, in PHC format, of what opens the controller's functions to those at a TCP socket.
    pub controller_password: Option<String>,
}

/// Where rules come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether criba's own rule set is loaded, before the directories.
    pub default: bool,
    pub directories: Vec<PathBuf>,
    /// Where compiled databases are kept; `None` compiles at every start.
    pub cache: Option<PathBuf>,
    /// Whether rules run that compare with what others captured.
    pub captures: bool,
}

/// Which Bayes model is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bayes {
    pub enabled: bool,
    /// `None` is the model that comes with criba.
    pub model: Option<PathBuf>,
    /// Where mail waits that users sorted; `None` takes no feedback.
    pub spool: Option<PathBuf>,
    /// The room on disk that it may take.
    pub spool_bytes: u64,
}

/// Everything that can be configured.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub server: Server,
    pub rules: Rules,
    pub bayes: Bayes,
    pub ocr: ocr::Options,
    pub mime: mime::Limits,
    pub media: media::Limits,
    /// `external` and `internal` are always there.
    pub profiles: Vec<Profile>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            server: Server {
                listen: vec![Listen::Unix("/run/criba/criba.sock".into()).into()],
                socket_mode: 0o660,
                workers: 0,
                max_message_bytes: 100 << 20,
                max_in_flight_bytes: 512 << 20,
                max_connections: 1000,
                max_connections_per_peer: 1000,
                max_requests_per_connection: 256,
                frame_timeout: Duration::from_secs(10),
                drain: Duration::from_secs(10),
                controller_password: None,
            },
            rules: Rules { default: true, directories: vec![], cache: default_cache(), captures: true },
            bayes: Bayes { enabled: true, model: None, spool: None, spool_bytes: 256 << 20 },
            ocr: ocr::Options::default(),
            mime: mime::Limits::default(),
            media: media::Limits::default(),
            profiles: vec![Profile::external(), Profile::internal()],
        }
    }
}

// systemd names the directory of the service; a person's own runs use their cache.
fn default_cache() -> Option<PathBuf> {
    let of_service = std::env::var_os("CACHE_DIRECTORY").map(PathBuf::from);
    let of_user = || Some(PathBuf::from(std::env::var_os("XDG_CACHE_HOME")?).join("criba"));
    let of_home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/criba"));
    of_service.or_else(of_user).or_else(of_home)
}

impl Settings {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read, or a key or value in it is wrong; the error names file and line.
    pub fn load(path: &Path) -> Result<Settings, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.into(), source })?;
        Settings::parse(&path.display().to_string(), &text)
    }

    /// Checks the configuration in `text`; `file` is its name in errors.
    ///
    /// # Errors
    /// See [`Settings::load`].
    pub fn parse(file: &str, text: &str) -> Result<Settings, Error> {
        let place = Place { file, text };
        let raw: raw::Config = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            place.error(start, format!("{} (`{}`)", error.message(), place.line(start)))
        })?;
        check(raw, &place)
    }
}

/// Turns byte offsets of the file into lines of errors.
pub(super) struct Place<'a> {
    file: &'a str,
    text: &'a str,
}

impl Place<'_> {
    pub(super) fn error(&self, offset: usize, what: impl fmt::Display) -> Error {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        Error::Invalid { file: self.file.into(), line, what: what.to_string() }
    }

    /// The line that holds `offset`: a message of the TOML parser does not always name the key.
    fn line(&self, offset: usize) -> &str {
        let offset =
            (0..=offset.min(self.text.len())).rev().find(|&at| self.text.is_char_boundary(at)).unwrap_or(0);
        let start = self.text[..offset].rfind('\n').map_or(0, |at| at + 1);
        self.text[start..].lines().next().unwrap_or_default().trim()
    }

    fn in_range<T: PartialOrd + fmt::Display + Copy>(
        &self,
        key: &str,
        value: Option<Spanned<T>>,
        default: T,
        range: RangeInclusive<T>,
    ) -> Result<T, Error> {
        let Some(value) = value else { return Ok(default) };
        if range.contains(value.get_ref()) {
            return Ok(*value.get_ref());
        }
        let what = format!("{key} = {}: must be from {} to {}", value.get_ref(), range.start(), range.end());
        Err(self.error(value.span().start, what))
    }
}

fn check(raw: raw::Config, place: &Place<'_>) -> Result<Settings, Error> {
    let default = Settings::default();
    let mut profiles = default.profiles;
    for (name, raw) in raw.profile {
        let known = profiles.iter().position(|profile| profile.name == name);
        let base = known.map_or_else(Profile::external, |at| profiles[at].clone());
        let checked = profile(Profile { name, ..base }, raw, place)?;
        match known {
            Some(at) => profiles[at] = checked,
            None => profiles.push(checked),
        }
    }
    let mut server = server(raw.server, default.server, place)?;
    for raw in raw.listener {
        server.listen.push(listener(raw, &profiles, place)?);
    }
    let (mime, media) = (default.mime, default.media);
    let limits = raw.limits;
    Ok(Settings {
        server,
        rules: Rules {
            default: raw.rules.default.unwrap_or(default.rules.default),
            directories: raw.rules.directories.unwrap_or_default(),
            cache: raw.rules.cache.or(default.rules.cache),
            captures: raw.rules.captures.unwrap_or(default.rules.captures),
        },
        bayes: Bayes {
            enabled: raw.bayes.enabled.unwrap_or(true),
            model: raw.bayes.model,
            spool: raw.bayes.spool,
            spool_bytes: place.in_range(
                "spool_bytes",
                raw.bayes.spool_bytes,
                default.bayes.spool_bytes,
                1 << 20..=1 << 40,
            )?,
        },
        ocr: ocr::Options {
            workers: raw.ocr.workers.unwrap_or(default.ocr.workers),
            backend: backend(raw.ocr.backend, raw.ocr.models, place)?,
            languages: languages(raw.ocr.languages, default.ocr.languages, place)?,
            program: default.ocr.program,
        },
        mime: mime::Limits {
            depth: place.in_range("mime_depth", limits.mime_depth, mime.depth, 1..=100)?,
            parts: place.in_range("mime_parts", limits.mime_parts, mime.parts, 1..=100_000)?,
            ..mime
        },
        media: media::Limits {
            pixels: place.in_range("picture_pixels", limits.picture_pixels, media.pixels, 1..=1 << 30)?,
            memory: place.in_range(
                "picture_memory_bytes",
                limits.picture_memory_bytes,
                media.memory,
                1 << 20..=1 << 34,
            )?,
            frames: place.in_range("gif_frames", limits.gif_frames, media.frames, 1..=100_000)?,
            pdf_pages: place.in_range("pdf_pages", limits.pdf_pages, media.pdf_pages, 0..=10_000)?,
            ocr_pages: place.in_range("ocr_pages", limits.ocr_pages, media.ocr_pages, 0..=1_000)?,
            ..media
        },
        profiles,
    })
}

fn server(raw: raw::Server, default: Server, place: &Place<'_>) -> Result<Server, Error> {
    let listen = match raw.listen {
        None => default.listen,
        Some(addresses) => {
            let parse = |text: Spanned<String>| {
                text.get_ref().parse().map_err(|what: String| place.error(text.span().start, what))
            };
            addresses.into_iter().map(parse).collect::<Result<_, _>>()?
        }
    };
    let socket_mode = socket_mode(raw.socket_mode, place)?.unwrap_or(default.socket_mode);
    let bytes = |key, value: Option<Spanned<u64>>, default: usize| {
        place.in_range(key, value, default as u64, 1024..=1 << 40).map(|bytes| bytes as usize)
    };
    Ok(Server {
        listen,
        socket_mode,
        workers: raw.workers.unwrap_or(default.workers),
        max_message_bytes: bytes("max_message_bytes", raw.max_message_bytes, default.max_message_bytes)?,
        max_in_flight_bytes: bytes(
            "max_in_flight_bytes",
            raw.max_in_flight_bytes,
            default.max_in_flight_bytes,
        )?,
        max_connections: place.in_range(
            "max_connections",
            raw.max_connections,
            default.max_connections,
            1..=1_000_000,
        )?,
        max_connections_per_peer: place.in_range(
            "max_connections_per_peer",
            raw.max_connections_per_peer,
            default.max_connections_per_peer,
            1..=1_000_000,
        )?,
        max_requests_per_connection: place.in_range(
            "max_requests_per_connection",
            raw.max_requests_per_connection,
            default.max_requests_per_connection,
            1..=1_000_000,
        )?,
        frame_timeout: place
            .in_range(
                "frame_timeout_ms",
                raw.frame_timeout_ms,
                default.frame_timeout.as_millis() as u64,
                1..=600_000,
            )
            .map(Duration::from_millis)?,
        drain: raw.drain_seconds.map_or(default.drain, Duration::from_secs),
        controller_password: raw.controller_password.map(|hash| password(hash, place)).transpose()?,
    })
}

fn password(hash: Spanned<String>, place: &Place<'_>) -> Result<String, Error> {
    match PasswordHash::new(hash.get_ref()) {
        Ok(parsed) if parsed.algorithm.as_str().starts_with("argon2") => Ok(hash.into_inner()),
        // The value may be the password itself: it is not shown.
        _ => Err(place.error(
            hash.span().start,
            "controller_password: a hash is needed and not the password: let `criba hash-password` make it",
        )),
    }
}

/// A front end: a network, or `user:NAME` for a program on this machine.
fn peer(text: Spanned<String>, place: &Place<'_>) -> Result<Peer, Error> {
    let at = text.span();
    match text.get_ref().strip_prefix("user:") {
        Some(name) => user(&Spanned::new(at, name.to_owned()), place).map(Peer::User),
        None => {
            let wrong = |what| place.error(at.start, format!("{what}, or user:NAME"));
            text.get_ref().parse().map(Peer::Network).map_err(wrong)
        }
    }
}

fn members(raw: &mut raw::Profile, base: Members, place: &Place<'_>) -> Result<Members, Error> {
    let peers = raw.peers.take().map(|all| all.into_iter().map(|text| peer(text, place)).collect());
    Ok(Members {
        authenticated: raw.authenticated.unwrap_or(base.authenticated),
        peers: peers.transpose()?.unwrap_or(base.peers),
        clients: raw.clients.take().map(|all| networks(all, place)).transpose()?.unwrap_or(base.clients),
    })
}

// A language goes to Tesseract as a file name: letters, digits, `_` and `/` (script/Latin) are all it may hold.
fn backend(
    raw: Option<Spanned<String>>,
    models: Option<PathBuf>,
    place: &Place<'_>,
) -> Result<ocr::Backend, Error> {
    let Some(raw) = raw else { return Ok(ocr::Backend::Tesseract) };
    let wrong = |what: &str| Err(place.error(raw.span().start, format!("backend: {what}")));
    match (raw.get_ref().as_str(), models) {
        ("tesseract", _) => Ok(ocr::Backend::Tesseract),
        ("rten", _) if !cfg!(feature = "rten") => wrong(ocr::WITHOUT_RTEN),
        ("rten", Some(models)) => Ok(ocr::Backend::Rten(models)),
        ("rten", None) => wrong("`rten` needs `models`, the directory that packaging/ocr-models fills"),
        _ => wrong("`tesseract` or `rten`"),
    }
}

fn languages(
    raw: Option<Spanned<Vec<String>>>,
    default: Vec<String>,
    place: &Place<'_>,
) -> Result<Vec<String>, Error> {
    let Some(raw) = raw else { return Ok(default) };
    let fits = |name: &String| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'/')
    };
    match raw.get_ref().is_empty() || !raw.get_ref().iter().all(fits) {
        true => {
            Err(place
                .error(raw.span().start, "languages: names of Tesseract packs, as in [\"eng\", \"spa\"]"))
        }
        false => Ok(raw.into_inner()),
    }
}

fn profile(base: Profile, mut raw: raw::Profile, place: &Place<'_>) -> Result<Profile, Error> {
    let members = members(&mut raw, base.members.clone(), place)?;
    let budget = place.in_range("budget_ms", raw.budget_ms, base.budget.as_millis() as u64, 1..=600_000)?;
    let mut stages = base.stages;
    for (name, on) in raw.stages {
        let stage = Stage::ALL.into_iter().find(|stage| stage.name() == name.get_ref()).ok_or_else(|| {
            let known = Stage::ALL.map(Stage::name).join(", ");
            place.error(name.span().start, format!("`{}` is not a stage; there are {known}", name.get_ref()))
        })?;
        stages = stages.with(stage, on);
    }
    let actions = raw.actions;
    Ok(Profile {
        members,
        budget: Duration::from_millis(budget),
        stages,
        reserved: raw.reserved.unwrap_or(base.reserved),
        read_decided: raw.read_decided.unwrap_or(base.read_decided),
        required: place.in_range("required", raw.required, base.required, -1e6..=1e6)?,
        thresholds: Thresholds {
            greylist: threshold(actions.greylist, base.thresholds.greylist, place)?,
            add_header: threshold(actions.add_header, base.thresholds.add_header, place)?,
            rewrite_subject: threshold(actions.rewrite_subject, base.thresholds.rewrite_subject, place)?,
            reject: threshold(actions.reject, base.thresholds.reject, place)?,
        },
        on_partial: policy(raw.on_partial, base.on_partial, place)?,
        on_overload: policy(raw.on_overload, base.on_overload, place)?,
        ..base
    })
}

fn threshold(
    raw: Option<Spanned<raw::Threshold>>,
    default: Option<f64>,
    place: &Place<'_>,
) -> Result<Option<f64>, Error> {
    let Some(raw) = raw else { return Ok(default) };
    match raw.get_ref() {
        raw::Threshold::From(score) if score.is_finite() => Ok(Some(*score)),
        raw::Threshold::Never(false) => Ok(None),
        _ => Err(place.error(raw.span().start, "a threshold is a score, or false for never")),
    }
}

fn policy(raw: Option<Spanned<String>>, default: Policy, place: &Place<'_>) -> Result<Policy, Error> {
    let Some(raw) = raw else { return Ok(default) };
    match raw.get_ref().as_str() {
        "tempfail" => Ok(Policy::Tempfail),
        "accept" => Ok(Policy::Accept),
        "tag" => Ok(Policy::Tag),
        other => Err(place
            .error(raw.span().start, format!("`{other}` is not a policy; there are tempfail, accept, tag"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Access;

    fn error(text: &str) -> String {
        Settings::parse("criba.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn nothing_written_gives_the_defaults() {
        assert_eq!(Settings::parse("x", "").unwrap(), Settings::default());
    }

    #[test]
    fn what_the_pages_of_front_ends_show_goes_into_the_shipped_file() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/front-ends");
        let shipped = include_str!("../../packaging/criba.toml");
        let mut shown = 0;
        for page in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let text = std::fs::read_to_string(&page).unwrap();
            for block in
                text.split("\n```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("toml\n"))
            {
                // users of mail servers are not on every machine
                let block: String =
                    block.split_inclusive('\n').filter(|line| !line.starts_with("owner =")).collect();
                // at the end, or where it has the table
                let whole = match block.starts_with("# criba.toml, below") {
                    true => shipped.replacen("[bayes]\n", &format!("[bayes]\n{block}\n"), 1),
                    false => format!("{shipped}{block}\n"),
                };
                if let Err(error) = Settings::parse(&page.display().to_string(), &whole) {
                    panic!("{error}");
                }
                shown += 1;
            }
        }
        assert!(shown >= 11, "{shown} blocks");
    }

    #[test]
    fn the_shipped_file_states_the_defaults() {
        let text = include_str!("../../packaging/criba.toml");
        assert_eq!(Settings::parse("packaging/criba.toml", text).unwrap(), Settings::default());
        // And so it does with every commented key switched on, apart from those that name a file.
        let all: String = text
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .filter(|line| {
                !["model =", "models =", "cache =", "spool ="].iter().any(|key| line.starts_with(key))
            })
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(Settings::parse("packaging/criba.toml", &all).unwrap(), Settings::default());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = error("[server]\nworkers = 2\nwrokers = 3\n");
        assert!(text.starts_with("criba.toml:3:") && text.contains("wrokers"), "{text}");
    }

    #[test]
    fn a_wrong_value_is_named_with_its_line() {
        for (text, line, word) in [
            ("[server]\nlisten = [\"nowhere\"]\n", 2, "nowhere"),
            ("[server]\nsocket_mode = \"0999\"\n", 2, "0999"),
            ("[profile.external]\n\nbudget_ms = 0\n", 3, "budget_ms"),
            ("[profile.external]\nbudget_ms = \"fast\"\n", 2, "budget_ms"),
            ("[profile.external]\non_partial = \"maybe\"\n", 2, "maybe"),
            ("[profile.external.stages]\nmagic = true\n", 2, "magic"),
            ("[profile.external.actions]\nreject = true\n", 2, "never"),
            ("[ocr]\nlanguages = [\"../etc\"]\n", 2, "languages"),
            ("[ocr]\nbackend = \"gocr\"\n", 2, "tesseract"),
            (
                "[ocr]\nworkers = 1\nbackend = \"rten\"\n",
                3,
                if cfg!(feature = "rten") { "models" } else { "--features rten" },
            ),
            ("[[listener]]\naddress = \"unix:/x\"\nprofile = \"nobody\"\n", 3, "nobody"),
            ("[[listener]]\naddress = \"unix:/x\"\nallow = [\"10.0.0.0/8\"]\n", 3, "TCP"),
            ("[[listener]]\naddress = \"127.0.0.1:0\"\nowner = \"root\"\n", 3, "Unix"),
            ("[[listener]]\naddress = \"127.0.0.1:0\"\nallow = [\"10.0.0\"]\n", 3, "10.0.0"),
            ("[server]\nlisten = [\"qmqp:127.0.0.1:628\"]\n", 2, "[[listener]]"),
            ("[[listener]]\naddress = \"unix:/x\"\ntls = \"/etc/criba/tls\"\n", 3, "TCP"),
            ("[[listener]]\naddress = \"qmqp:127.0.0.1:628\"\nnext = [\"127.0.0.1:1\"]\n", 2, "allow"),
            ("[[listener]]\naddress = \"qmqp:127.0.0.1:628\"\n", 2, "next"),
            ("[[listener]]\naddress = \"qmqp:127.0.0.1:628\"\nnext = [\"unix:/x\"]\n", 3, "host:port"),
            ("[[listener]]\naddress = \"unix:/x\"\nnext = [\"127.0.0.1:1\"]\n", 3, "QMQP"),
            ("[[listener]]\naddress = \"unix:/x\"\ngroup = \"no such group\"\n", 3, "no such group"),
            ("[profile.internal]\npeers = [\"user:no such user\"]\n", 2, "no such user"),
            ("[server]\ncontroller_password = \"secret\"\n", 2, "hash-password"),
            ("[profile.internal]\npeers = [\"somebody\"]\n", 2, "user:NAME"),
        ] {
            let said = error(text);
            assert!(said.starts_with(&format!("criba.toml:{line}:")) && said.contains(word), "{said}");
        }
    }

    #[test]
    fn a_listener_says_who_gets_in_and_as_what() {
        let text = "[[listener]]\naddress = \"milter:unix:/x\"\nprofile = \"internal\"\nsocket_mode = \"0600\"\nowner = \"root\"\ngroup = \"7\"\n\
                    [[listener]]\naddress = \"127.0.0.1:1\"\nallow = [\"10.0.0.0/8\"]\n";
        let listen = Settings::parse("x", text).unwrap().server.listen;
        let [_, milter, tcp] = &listen[..] else { panic!("{listen:?}") };
        let unix = Access {
            profile: Some("internal".into()),
            mode: Some(0o600),
            owner: Some(0),
            group: Some(7),
            ..Access::default()
        };
        assert_eq!((milter.to_string().as_str(), &milter.access), ("milter:unix:/x", &unix));
        assert_eq!(tcp.access.allow, Some(vec!["10.0.0.0/8".parse().unwrap()]));
    }

    #[test]
    fn a_profile_of_ones_own_begins_as_external() {
        let settings = Settings::parse("x", "[profile.partners]\nbudget_ms = 900\n").unwrap();
        let partners = settings.profiles.iter().find(|profile| profile.name == "partners").unwrap();
        assert_eq!(partners.budget, Duration::from_millis(900));
        assert_eq!(partners.thresholds, Profile::external().thresholds);
    }
}
