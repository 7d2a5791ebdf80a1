//! Builds the eBPF programs, which are then part of the binary.

use aya_build::{Package, Toolchain, build_ebpf};

fn main() -> anyhow::Result<()> {
    // SAFETY: before any thread is started.
    unsafe {
        // Compiling core for the eBPF target is all that is not yet stable.
        std::env::set_var("RUSTC_BOOTSTRAP", "1");
    }
    let toolchain = std::env::var("RUSTUP_TOOLCHAIN").unwrap_or_else(|_| "stable".into());
    build_ebpf(
        [Package {
            name: "lb-ebpf",
            root_dir: "../lb-ebpf",
            ..Package::default()
        }],
        Toolchain::Custom(&toolchain),
    )
}
