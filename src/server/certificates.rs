//! The certificates of `tls` listeners, replaced while they are in use.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use super::{
    swap::Swap,
    sync::{Mutex, lock},
};
use crate::tls::{self, Error};

/// What one listener shows to its clients, and whom it believes.
pub(super) struct Certificate {
    folder: PathBuf,
    current: Swap<ServerConfig>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificates in {}", self.folder.display())
    }
}

impl Certificate {
    /// Accepts the next client; connections that are open keep what they began with.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.get())
    }
}

/// Those of all listeners.
#[derive(Debug, Default)]
pub(super) struct Certificates(Mutex<Vec<Arc<Certificate>>>);

/// What was read anew and makes sense, but is not shown to anybody yet.
pub(super) struct Renewed(Vec<(Arc<Certificate>, ServerConfig)>);

impl Certificates {
    /// Reads the certificates in `folder` for a listener, now and again in each [`Certificates::renewed`].
    ///
    /// # Errors
    /// A file is missing or makes no sense.
    pub fn open(&self, folder: &Path) -> Result<Arc<Certificate>, Error> {
        let current = Swap::new(tls::server(folder)?);
        let certificate = Arc::new(Certificate { folder: folder.to_owned(), current });
        lock(&self.0).push(Arc::clone(&certificate));
        Ok(certificate)
    }

    /// Reads them all anew.
    ///
    /// # Errors
    /// A file of any of them is missing or makes no sense: none is to be replaced then.
    pub fn renewed(&self) -> Result<Renewed, Error> {
        let all = lock(&self.0).clone();
        let read = all.into_iter().map(|certificate| {
            let config = tls::server(&certificate.folder)?;
            Ok((certificate, config))
        });
        Ok(Renewed(read.collect::<Result<_, Error>>()?))
    }
}

impl Renewed {
    /// Shows them to all who connect from now on.
    pub fn put_in_place(self) {
        for (certificate, config) in self.0 {
            certificate.current.put(config);
        }
    }
}
