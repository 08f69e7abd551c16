//! Which patterns match this text?
//!
//! A `View` holds the patterns of all rules that look at one kind of text. Hyperscan finds the
//! candidates in one pass; where it cannot decide or count, a `Decider` (PCRE2) does. `cache`
//! keeps compiled databases on disk.

mod analysis;
mod automata;
mod cache;
mod compile;
mod costs;
mod decide;
mod fuzzy;
mod hyperscan_ffi;
mod pcre2_ffi;
mod view;

pub use cache::Cache;
pub use compile::{Entry, Wanted, compile, cost};
pub use costs::{Cost, Costs};
pub use decide::{Decider, Exceeded};
pub use fuzzy::Fuzzy;
pub use hyperscan_ffi::Scratch as DatabaseScratch;
pub use view::{How, Pattern, Scratch, Sink, View};
