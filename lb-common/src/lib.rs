//! What the kernel side and the user side agree on: how packets are read, how flows are spread,
//! and what the maps hold.
//!
//! No dependencies and no input or output. Addresses, ports and protocols keep their wire form,
//! byte arrays in network order, from the packet through the maps; nothing is swapped until it is
//! printed. What a hook answers, and which kind of map holds what, is for others.

#![no_std]

#[cfg(test)]
extern crate std;

pub mod arp;
pub mod link;
pub mod realserver;
pub mod wire;
