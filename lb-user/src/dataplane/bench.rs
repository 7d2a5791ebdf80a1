//! The programs of `cargo xtask bench`, for the bench to load. Nothing here uses them.

pub static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/bench"));
