//! The native RPC: length-prefixed frames.
