//! The configuration, checked and typed: defaults filled in, addresses parsed, numbers in range.

use std::{
    fmt, fs,
    net::{SocketAddr, ToSocketAddrs},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use toml::Spanned;

use super::raw;
use crate::{
    budget::Stage,
    media, mime, ocr,
    profile::{Policy, Profile, Thresholds},
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

/// Where the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

impl std::str::FromStr for Listen {
    type Err = String;

    /// `unix:/path`, `/path`, `tcp:host:port` or `host:port`.
    fn from_str(text: &str) -> Result<Listen, String> {
        if let Some(path) = text.strip_prefix("unix:").or_else(|| text.starts_with('/').then_some(text)) {
            return match path.starts_with('/') {
                true => Ok(Listen::Unix(path.into())),
                false => Err(format!(
                    "`{text}`: a Unix socket needs an absolute path, as in unix:/run/criba/criba.sock"
                )),
            };
        }
        let address = text.strip_prefix("tcp:").unwrap_or(text);
        let found = address.to_socket_addrs().ok().and_then(|mut all| all.next());
        found.map(Listen::Tcp).ok_or_else(|| {
            format!(
                "`{text}` is not an address: write unix:/path, or tcp:host:port as in tcp:127.0.0.1:11330"
            )
        })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Unix(path) => write!(f, "unix:{}", path.display()),
            Listen::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

/// What is spoken at a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// The native RPC.
    #[default]
    Native,
    /// The milter protocol of Postfix and Sendmail.
    Milter,
    /// SpamAssassin's spamd protocol: `spamc`, Exim, Haraka.
    Spamd,
}

/// A socket to open: where, and what is spoken there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub dialect: Dialect,
    pub listen: Listen,
}

impl From<Listen> for Endpoint {
    fn from(listen: Listen) -> Endpoint {
        Endpoint { dialect: Dialect::Native, listen }
    }
}

impl std::str::FromStr for Endpoint {
    type Err = String;

    /// An address as [`Listen`] reads it, for the native RPC; `milter:` or `spamd:` before it for
    /// another dialect.
    fn from_str(text: &str) -> Result<Endpoint, String> {
        let named = [("milter:", Dialect::Milter), ("spamd:", Dialect::Spamd)];
        let found = named.iter().find_map(|(name, dialect)| Some((*dialect, text.strip_prefix(name)?)));
        let (dialect, address) = found.unwrap_or((Dialect::Native, text));
        Ok(Endpoint { dialect, listen: address.parse()? })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.dialect {
            Dialect::Native => self.listen.fmt(f),
            Dialect::Milter => write!(f, "milter:{}", self.listen),
            Dialect::Spamd => write!(f, "spamd:{}", self.listen),
        }
    }
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
    /// What one connection may have in flight.
    pub max_requests_per_connection: usize,
    /// How long a client may take over sending a frame, or over taking in a reply.
    pub frame_timeout: Duration,
    /// How long SIGTERM waits for the messages in flight.
    pub drain: Duration,
}

/// Where rules come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether criba's own rule set is loaded, before the directories.
    pub default: bool,
    pub directories: Vec<PathBuf>,
    /// Where compiled databases are kept; `None` compiles at every start.
    pub cache: Option<PathBuf>,
}

/// Which Bayes model is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bayes {
    pub enabled: bool,
    /// `None` is the model that comes with criba.
    pub model: Option<PathBuf>,
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
                max_requests_per_connection: 256,
                frame_timeout: Duration::from_secs(10),
                drain: Duration::from_secs(10),
            },
            rules: Rules { default: true, directories: vec![], cache: default_cache() },
            bayes: Bayes { enabled: true, model: None },
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
struct Place<'a> {
    file: &'a str,
    text: &'a str,
}

impl Place<'_> {
    fn error(&self, offset: usize, what: impl fmt::Display) -> Error {
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
    let (mime, media) = (default.mime, default.media);
    let limits = raw.limits;
    Ok(Settings {
        server: server(raw.server, default.server, place)?,
        rules: Rules {
            default: raw.rules.default.unwrap_or(default.rules.default),
            directories: raw.rules.directories.unwrap_or_default(),
            cache: raw.rules.cache.or(default.rules.cache),
        },
        bayes: Bayes { enabled: raw.bayes.enabled.unwrap_or(true), model: raw.bayes.model },
        ocr: ocr::Options {
            workers: raw.ocr.workers.unwrap_or(default.ocr.workers),
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
    let socket_mode = match raw.socket_mode {
        None => default.socket_mode,
        Some(text) => {
            u32::from_str_radix(text.get_ref(), 8).ok().filter(|&mode| mode <= 0o777).ok_or_else(|| {
                let what = format!(
                    "socket_mode = `{}`: write permission bits in octal, as in \"0660\"",
                    text.get_ref()
                );
                place.error(text.span().start, what)
            })?
        }
    };
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
    })
}

// A language goes to Tesseract as a file name: letters, digits, `_` and `/` (script/Latin) are all it may hold.
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

fn profile(base: Profile, raw: raw::Profile, place: &Place<'_>) -> Result<Profile, Error> {
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
        budget: Duration::from_millis(budget),
        stages,
        reserved: raw.reserved.unwrap_or(base.reserved),
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

    fn error(text: &str) -> String {
        Settings::parse("criba.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn nothing_written_gives_the_defaults() {
        assert_eq!(Settings::parse("x", "").unwrap(), Settings::default());
    }

    #[test]
    fn the_shipped_file_states_the_defaults() {
        let text = include_str!("../../packaging/criba.toml");
        assert_eq!(Settings::parse("packaging/criba.toml", text).unwrap(), Settings::default());
        // And so it does with every commented key switched on, apart from those that name a file.
        let all: String = text
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .filter(|line| !line.starts_with("model =") && !line.starts_with("cache ="))
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
        ] {
            let said = error(text);
            assert!(said.starts_with(&format!("criba.toml:{line}:")) && said.contains(word), "{said}");
        }
    }

    #[test]
    fn a_profile_of_ones_own_begins_as_external() {
        let settings = Settings::parse("x", "[profile.partners]\nbudget_ms = 900\n").unwrap();
        let partners = settings.profiles.iter().find(|profile| profile.name == "partners").unwrap();
        assert_eq!(partners.budget, Duration::from_millis(900));
        assert_eq!(partners.thresholds, Profile::external().thresholds);
    }
}
