//! Builds the eBPF programs, which are then part of the binary.

use std::env;

use aya_build::{Package, Toolchain, build_ebpf};

/// Version 3 has the atomic operations that return a value (Linux 5.12). Wire headers have
/// alignment 1: without the feature each of their fields would be read byte by byte.
const FLAGS: &str = "-Ctarget-cpu=v3 -Clink-arg=--cpu-features=+allows-misaligned-mem-access";

fn main() -> anyhow::Result<()> {
    // SAFETY: before any thread is started.
    unsafe {
        // What is not yet stable: core compiled for the eBPF target, its atomic intrinsics, and
        // flags that are for the programs alone.
        env::set_var("RUSTC_BOOTSTRAP", "1");
        env::set_var("CARGO_UNSTABLE_PROFILE_RUSTFLAGS", "true");
        env::set_var("CARGO_PROFILE_RELEASE_RUSTFLAGS", FLAGS);
        // Line information names sources by crate: what comes out is the same in every directory.
        env::set_var("CARGO_UNSTABLE_TRIM_PATHS", "true");
        env::set_var("CARGO_PROFILE_RELEASE_TRIM_PATHS", "all");
        // Build scripts and macros run here, not in the kernel.
        env::set_var(
            "CARGO_PROFILE_RELEASE_BUILD_OVERRIDE_RUSTFLAGS",
            "-Cdebuginfo=0",
        );
    }
    let toolchain = env::var("RUSTUP_TOOLCHAIN").unwrap_or_else(|_| "stable".into());
    build_ebpf(
        [Package {
            name: "lb-ebpf",
            root_dir: "../lb-ebpf",
            ..Package::default()
        }],
        Toolchain::Custom(&toolchain),
    )
}
