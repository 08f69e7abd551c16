//! criba against programs and data of others. What a test needs and does not find, it names on stderr and
//! passes.

mod dovecot;
mod duckdb;
mod engine;
mod exim;
mod haraka;
mod install;
mod media;
mod miltertest;
mod mime;
mod networks;
mod opensmtpd;
mod pages;
mod pdf;
mod postfix;
mod postfix_mixed;
mod qmail;
mod qmqp;
mod rspamc;
mod rules;
mod sendmail;
mod smtp;
mod spamc;
mod support;
mod tls;
mod welcomelist;
