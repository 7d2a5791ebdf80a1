//! What the kernel side and the user side agree on: how packets are read, how flows are spread,
//! and what the maps hold.
//!
//! No dependencies and no input or output. Addresses, ports and protocols keep their wire form,
//! byte arrays in network order, from the packet through the maps; nothing is swapped until it is
//! printed. What a hook answers, and which kind of map holds what, is for others.

#![no_std]
// See `shared`; core's own atomics lack these on the eBPF target.
#![cfg_attr(target_arch = "bpf", feature(core_intrinsics, asm_experimental_arch))]
#![cfg_attr(
    target_arch = "bpf",
    allow(internal_features, reason = "the atomic intrinsics are")
)]

#[cfg(test)]
extern crate std;

pub mod address;
pub mod arp;
pub mod arrival;
pub mod director;
pub mod flow_table;
mod fragments;
pub mod hash;
pub mod link;
pub mod ndp;
pub mod packet;
mod persistence;
pub mod probe;
pub mod realserver;
pub mod reason;
pub mod schedule;
pub mod shared;
pub mod tables;
pub mod verdict;
mod verifier;
pub mod wire;
