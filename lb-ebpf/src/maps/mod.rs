//! The maps of the programs, behind safe functions. The only code that touches map memory.

pub mod director;
pub mod realserver;
