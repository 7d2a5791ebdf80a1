//! `drover doctor` on a LAN: a sound site has nothing worth a warning; each fault is made, found, and mended
//! by the very command that is given for it. Needs root.
//!
//! This kernel has no bonds, VLANs, IPVS, LRO, nor a JIT that can be switched off: these are judged by tables
//! beside the checks.

mod director;
mod host;
mod lan;
mod patient;
mod realserver;
