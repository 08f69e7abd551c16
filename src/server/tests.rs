//! Servers inside of the test, with messages that make their worker misbehave.

use std::{thread, time::Duration};

/// What a message can make its worker do, where a real one would need a fault of the engine.
pub(super) fn provoke(raw: &[u8]) {
    if raw.starts_with(b"X-Provoke: panic") {
        panic!("provoked by a test");
    }
    if raw.starts_with(b"X-Provoke: hang") {
        thread::sleep(Duration::from_millis(300));
    }
}
