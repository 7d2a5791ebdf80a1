//! Chooses the instruction set of the programs.

fn main() {
    // Version 3 has the atomic operations that return a value (Linux 5.12).
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "bpf") {
        println!("cargo:rustc-link-arg-bins=--cpu=v3");
    }
}
