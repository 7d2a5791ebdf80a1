//! Kernel side: packets and maps behind safe functions. The programs are the binaries.

#![no_std]

pub mod packet;

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
