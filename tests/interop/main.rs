//! criba against programs and data of others. What a test needs and does not find, it names on stderr and
//! passes.

mod media;
mod mime;
mod pdf;
mod postfix;
mod rules;
mod spamc;
mod support;
