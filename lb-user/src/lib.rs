//! The user side: the daemon of the director, the companion of the real servers, and the
//! operator's commands.

pub mod address;
pub mod api;
pub mod cli;
pub mod config;
pub mod dataplane;
pub mod director;
pub mod doctor;
pub mod fill;
pub mod health;
pub mod import;
pub mod install;
pub mod metrics;
pub mod net;
pub mod port_names;
pub mod printable;
pub mod realserver;
pub mod scheduler;
pub mod service;
pub mod setup;
