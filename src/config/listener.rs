//! The listeners: where each is, who gets in, and where its messages go.

use std::net::SocketAddr;

use nix::unistd;
use toml::Spanned;

use super::{Access, Dialect, Endpoint, Error, Listen, checked::Place, raw};
use crate::{network::Network, profile::Profile};

pub(super) fn socket_mode(raw: Option<Spanned<String>>, place: &Place<'_>) -> Result<Option<u32>, Error> {
    let Some(text) = raw else { return Ok(None) };
    let mode = u32::from_str_radix(text.get_ref(), 8).ok().filter(|&mode| mode <= 0o777);
    let what =
        || format!("socket_mode = `{}`: write permission bits in octal, as in \"0660\"", text.get_ref());
    mode.map(Some).ok_or_else(|| place.error(text.span().start, what()))
}

pub(super) fn listener(
    raw: raw::Listener,
    profiles: &[Profile],
    place: &Place<'_>,
) -> Result<Endpoint, Error> {
    let address = raw.address;
    let endpoint = Endpoint::at(address.get_ref()).map_err(|what| place.error(address.span().start, what))?;
    let only = |key: Option<&Spanned<String>>, of_unix: bool| match key {
        Some(key) if matches!(endpoint.listen, Listen::Unix(_)) != of_unix => {
            let kind = if of_unix { "a Unix" } else { "a TCP" };
            Err(place.error(
                key.span().start,
                format!("this is a matter of {kind} socket, and `{endpoint}` is none"),
            ))
        }
        _ => Ok(()),
    };
    [&raw.socket_mode, &raw.owner, &raw.group].into_iter().try_for_each(|key| only(key.as_ref(), true))?;
    only(raw.allow.iter().flatten().next(), false)?;
    only(raw.tls.as_ref(), false)?;
    let known = |name: &String| profiles.iter().any(|profile| profile.name == *name);
    if let Some(name) = raw.profile.as_ref().filter(|name| !known(name.get_ref())) {
        return Err(place.error(name.span().start, format!("there is no profile `{}`", name.get_ref())));
    }
    let access = Access {
        profile: raw.profile.map(Spanned::into_inner),
        allow: raw.allow.map(|allow| networks(allow, place)).transpose()?,
        mode: socket_mode(raw.socket_mode, place)?,
        owner: raw.owner.map(|name| user(&name, place)).transpose()?,
        group: raw.group.map(|name| group(&name, place)).transpose()?,
    };
    let next = next(raw.next, &endpoint, address.span().start, place)?;
    let tls = raw.tls.map(|folder| folder.into_inner().into());
    let endpoint = Endpoint { access, next, tls, ..endpoint };
    // Spammers look for such hosts.
    if endpoint.is_open_relay() {
        let what =
            "whoever reaches this sends mail to anywhere: say who may, as in allow = [\"192.0.2.0/24\"]";
        return Err(place.error(address.span().start, what));
    }
    Ok(endpoint)
}

/// The servers that messages go on to: QMQP needs some, and the other dialects leave the message where it is.
fn next(
    raw: Option<Spanned<Vec<String>>>,
    endpoint: &Endpoint,
    address: usize,
    place: &Place<'_>,
) -> Result<Vec<SocketAddr>, Error> {
    let Some(raw) = raw.filter(|raw| !raw.get_ref().is_empty()) else {
        return match endpoint.dialect {
            Dialect::Qmqp => Err(place.error(
                address,
                "mail that comes over QMQP has to go on: name the next servers, as in next = [\"192.0.2.7:628\"]",
            )),
            _ => Ok(Vec::new()),
        };
    };
    let at = raw.span().start;
    if endpoint.dialect != Dialect::Qmqp {
        return Err(place.error(at, format!("next is a matter of QMQP, and `{endpoint}` is none")));
    }
    let parse = |text: &String| match text.parse() {
        Ok(Listen::Tcp(address)) => Ok(address),
        Ok(Listen::Unix(_)) => Err(place.error(at, format!("`{text}`: the next server is at host:port"))),
        Err(what) => Err(place.error(at, what)),
    };
    raw.get_ref().iter().map(parse).collect()
}

pub(super) fn networks(raw: Vec<Spanned<String>>, place: &Place<'_>) -> Result<Vec<Network>, Error> {
    let parse = |text: Spanned<String>| {
        text.get_ref().parse().map_err(|what: String| place.error(text.span().start, what))
    };
    raw.into_iter().map(parse).collect()
}

/// The id of a user, by name or number.
pub(super) fn user(name: &Spanned<String>, place: &Place<'_>) -> Result<u32, Error> {
    let found = || Some(unistd::User::from_name(name.get_ref()).ok()??.uid.as_raw());
    let what = || format!("there is no user `{}` on this machine", name.get_ref());
    name.get_ref().parse().ok().or_else(found).ok_or_else(|| place.error(name.span().start, what()))
}

fn group(name: &Spanned<String>, place: &Place<'_>) -> Result<u32, Error> {
    let found = || Some(unistd::Group::from_name(name.get_ref()).ok()??.gid.as_raw());
    let what = || format!("there is no group `{}` on this machine", name.get_ref());
    name.get_ref().parse().ok().or_else(found).ok_or_else(|| place.error(name.span().start, what()))
}
