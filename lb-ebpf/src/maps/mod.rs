//! Maps behind safe functions. The only code that touches map memory.
//!
//! Values are copied out: what a look-up points at may be reused as soon as user space removes it.

pub mod realserver;
