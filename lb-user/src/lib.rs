//! The user side: the daemon of the director, the companion of the real servers, and the
//! operator's commands.

pub mod config;
pub mod dataplane;
pub mod net;
pub mod realserver;

/// The programs as the kernel loads them.
pub static DIRECTOR: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/director"));
