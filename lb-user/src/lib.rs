//! The user side: the daemon of the director, the companion of the real servers, and the
//! operator's commands.

pub mod dataplane;
pub mod fill;
pub mod net;
pub mod scheduler;
pub mod service;
