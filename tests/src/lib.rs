//! Hosts on a LAN, made of network namespaces, for the tests and the demonstration.
//!
//! A [`Lab`] is a switch and some [`Host`]s; on the hosts run the operator's own tools, real web servers and the
//! product's binary. Whatever a lab makes goes when the lab goes, however its process ends.
//!
//! Deliberately absent: the product's libraries. The lab knows it as an operator does, by its command line.

mod chance;
pub mod frames;
mod lab;
pub mod nd;
pub mod soak;

pub use chance::{Chance, fuzz};
pub use lab::{
    Director, Host, Lab, Mac, Nginx, Output, Process, Terminal, Trace, drover_binary, remove_all,
    remove_kept, wait, wait_within,
};
