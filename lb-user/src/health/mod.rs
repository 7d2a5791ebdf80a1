//! Health checks: whether a real server answers as a service's clients would have it answer.

pub mod agent;
pub mod check;
mod judge;
pub mod passive;
pub mod path;
mod ports;
pub mod runner;

pub use self::ports::Ports;
