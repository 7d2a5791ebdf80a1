//! The programs that are measured, and the feeder before them.

#![allow(dead_code, reason = "each of the benches that share it uses a part")]

pub(crate) mod baselines;
pub(crate) mod directors;
pub(crate) mod feeder;
