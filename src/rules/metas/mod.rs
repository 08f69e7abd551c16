//! What do the hits mean together?
//!
//! A `meta` rule computes with the hit counts of others. `program` turns its expression into a
//! small program with Perl's notion of values; `Metas` runs, in an order that puts dependencies
//! first, those programs that a hit could have made true. `company` knows which rules are not worth looking for.

mod company;
mod motion;
mod plan;
mod program;
#[cfg(test)]
mod tests;

pub use company::{Company, Idle, Part};
pub use motion::Motion;
pub use plan::{Meta, MetaKind, Metas, Standing};
pub use program::Program;
