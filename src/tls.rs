//! How machines prove to each other who they are: TLS 1.3 with a certificate on either side.
//!
//! A machine has one folder for both directions: `cert.pem` (its certificate and what is between that and the root),
//! `key.pem`, and `ca.pem`, whose signature the other side needs.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};

/// The folder where none is named.
pub const FOLDER: &str = "/etc/criba/tls";

/// Why a folder's certificates cannot be used: which file, and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub struct Error {
    path: PathBuf,
    what: String,
}

/// The certificates of one machine.
struct Identity {
    folder: PathBuf,
    roots: Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl Identity {
    fn load(folder: &Path) -> Result<Identity, Error> {
        let mut roots = RootCertStore::empty();
        for root in certificates(&folder.join("ca.pem"))? {
            roots.add(root).map_err(|what| error(folder.join("ca.pem"), what))?;
        }
        let key = folder.join("key.pem");
        Ok(Identity {
            folder: folder.to_owned(),
            roots: Arc::new(roots),
            chain: certificates(&folder.join("cert.pem"))?,
            key: PrivateKeyDer::from_pem_file(&key).map_err(|what| error(key, what))?,
            provider: Arc::new(ring::default_provider()),
        })
    }
}

/// What a server needs to accept clients that prove who they are, and no others.
///
/// # Errors
/// A file of the folder is missing or makes no sense.
pub fn server(folder: &Path) -> Result<ServerConfig, Error> {
    let of = Identity::load(folder)?;
    let clients = WebPkiClientVerifier::builder_with_provider(of.roots, Arc::clone(&of.provider)).build();
    let clients = clients.map_err(|what| error(of.folder.join("ca.pem"), what))?;
    let mut config = ServerConfig::builder_with_provider(of.provider)
        .with_safe_default_protocol_versions()
        .map_err(|what| error(of.folder.clone(), what))?
        .with_client_cert_verifier(clients)
        .with_single_cert(of.chain, of.key)
        .map_err(|what| error(of.folder.join("cert.pem"), what))?;
    // A client that waits for a reply takes whatever comes for one, and tickets would come first.
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// What a client needs to prove who it is to a server that does the same.
///
/// # Errors
/// A file of the folder is missing or makes no sense.
pub fn client(folder: &Path) -> Result<Arc<ClientConfig>, Error> {
    let of = Identity::load(folder)?;
    let config = ClientConfig::builder_with_provider(of.provider)
        .with_safe_default_protocol_versions()
        .map_err(|what| error(of.folder.clone(), what))?
        .with_root_certificates(of.roots)
        .with_client_auth_cert(of.chain, of.key)
        .map_err(|what| error(of.folder.join("cert.pem"), what))?;
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let wrong = |what| error(path.to_owned(), what);
    let all = CertificateDer::pem_file_iter(path).map_err(|what| wrong(what.to_string()))?;
    let all = all.collect::<Result<Vec<_>, _>>().map_err(|what| wrong(what.to_string()))?;
    if all.is_empty() { Err(wrong("there is no certificate in it".into())) } else { Ok(all) }
}

#[cold]
fn error(path: PathBuf, what: impl fmt::Display) -> Error {
    Error { path, what: what.to_string() }
}
