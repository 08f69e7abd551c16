//! criba against programs and data of others. What a test needs and does not find, it names on stderr and
//! passes.

mod engine;
mod exim;
mod media;
mod mime;
mod pdf;
mod postfix;
mod rspamc;
mod rules;
mod spamc;
mod support;
