//! The kernel's side of things: programs, maps and links. The only module that knows aya.

pub mod accepted;
pub mod bench;
pub mod bpffs;
pub mod director;
pub mod pins;
pub mod privileges;
pub mod probe;
pub mod realserver;
mod tc;
pub mod verifier;
