//! May this caller control the engine?

use argon2::{Argon2, PasswordHash, PasswordVerifier};

use crate::profile::Caller;

/// What opens the functions that are not for every front end: teaching, figures, the list of rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Control {
    /// Argon2 in PHC format; `None` lets in nobody but programs at a Unix socket.
    password: Option<String>,
}

impl Control {
    pub fn new(password: Option<String>) -> Control {
        Control { password }
    }

    /// Whether `caller`, who gave `password`, may.
    pub async fn admits(&self, caller: &Caller, password: Option<&str>) -> bool {
        // The permission bits of the socket said who may connect.
        if caller.ip.is_none() {
            return true;
        }
        let (Some(hash), Some(given)) = (self.password.clone(), password.map(str::to_owned)) else {
            return false;
        };
        // Argon2 takes its time and its memory by design: not on the thread that moves frames.
        let verified = tokio::task::spawn_blocking(move || {
            let hash = PasswordHash::new(&hash).ok()?;
            Argon2::default().verify_password(given.as_bytes(), &hash).ok()
        });
        matches!(verified.await, Ok(Some(())))
    }
}

#[cfg(test)]
mod tests {
    use argon2::{PasswordHasher, password_hash::SaltString};

    use super::*;

    #[tokio::test]
    async fn a_password_or_a_unix_socket_opens() {
        let salt = SaltString::encode_b64(b"some salt for it").unwrap();
        let hash = Argon2::default().hash_password(b"secret", &salt).unwrap().to_string();
        let remote = Caller { ip: Some([192, 0, 2, 1].into()), ..Caller::default() };
        let control = Control::new(Some(hash));
        assert!(control.admits(&remote, Some("secret")).await);
        assert!(!control.admits(&remote, Some("Secret")).await);
        assert!(!control.admits(&remote, None).await);
        assert!(control.admits(&Caller::default(), None).await);
        assert!(!Control::default().admits(&remote, Some("")).await);
    }
}
