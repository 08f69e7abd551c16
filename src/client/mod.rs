//! Asking an engine: the Rust client of the native RPC.
