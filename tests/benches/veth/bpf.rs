//! The calls of bpf(2) that aya does not have: live frames, and a link whose program is another's.

use std::{
    ffi::c_long,
    io,
    os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd},
};

use anyhow::{Context as _, Result};
use aya::programs::ProgramFd;

// linux/bpf.h, linux/if_link.h
const BPF_PROG_TEST_RUN: c_long = 10;
const BPF_LINK_CREATE: c_long = 28;
const BPF_LINK_UPDATE: c_long = 29;
const BPF_XDP: u32 = 37;
const BPF_F_TEST_XDP_LIVE_FRAMES: u32 = 1 << 1;
const XDP_FLAGS_DRV_MODE: u32 = 1 << 2;

/// Frames that leave together; the kernel takes 256 at the most.
const BATCH: u32 = 64;

#[derive(Default)]
#[repr(C)]
struct TestRun {
    prog_fd: u32,
    retval: u32,
    data_size_in: u32,
    data_size_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
    ctx_size_in: u32,
    ctx_size_out: u32,
    ctx_in: u64,
    ctx_out: u64,
    flags: u32,
    cpu: u32,
    batch_size: u32,
    _reserved: u32,
}

/// `struct xdp_md`.
#[derive(Default)]
#[repr(C)]
struct Context {
    data: u32,
    data_end: u32,
    data_meta: u32,
    ingress_ifindex: u32,
    rx_queue_index: u32,
    egress_ifindex: u32,
}

#[repr(C)]
struct LinkCreate {
    prog_fd: u32,
    target_ifindex: u32,
    attach_type: u32,
    flags: u32,
}

#[repr(C)]
struct LinkUpdate {
    link_fd: u32,
    new_prog_fd: u32,
    flags: u32,
    old_prog_fd: u32,
}

/// Runs a program on so many frames, which leave by an interface if it says XDP_TX.
pub(crate) fn send(program: &ProgramFd, frame: &[u8], frames: u32, interface: u32) -> Result<()> {
    let context = Context {
        data_end: frame.len() as u32,
        ingress_ifindex: interface,
        ..Context::default()
    };
    let run = TestRun {
        prog_fd: number(program),
        data_size_in: frame.len() as u32,
        data_in: frame.as_ptr() as u64,
        repeat: frames,
        ctx_size_in: size_of::<Context>() as u32,
        ctx_in: (&raw const context) as u64,
        flags: BPF_F_TEST_XDP_LIVE_FRAMES,
        batch_size: BATCH,
        ..TestRun::default()
    };
    // SAFETY: the frame and the context are of the sizes that are said, and outlive the call.
    unsafe { bpf(BPF_PROG_TEST_RUN, &run) }.context("cannot send live frames")?;
    Ok(())
}

/// Attaches a program to an interface of this thread's namespace, in the driver, while the link lives.
pub(crate) fn attach(program: &ProgramFd, interface: u32) -> Result<OwnedFd> {
    let create = LinkCreate {
        prog_fd: number(program),
        target_ifindex: interface,
        attach_type: BPF_XDP,
        flags: XDP_FLAGS_DRV_MODE,
    };
    // SAFETY: numbers only.
    let link = unsafe { bpf(BPF_LINK_CREATE, &create) }.context("cannot attach a program")?;
    // SAFETY: the answer is a descriptor of ours.
    Ok(unsafe { OwnedFd::from_raw_fd(link) })
}

/// Puts another program in the place of a link's.
pub(crate) fn replace(link: &OwnedFd, program: &ProgramFd) -> Result<()> {
    let update = LinkUpdate {
        link_fd: link.as_raw_fd() as u32,
        new_prog_fd: number(program),
        flags: 0,
        old_prog_fd: 0,
    };
    // SAFETY: numbers only.
    unsafe { bpf(BPF_LINK_UPDATE, &update) }.context("cannot attach another program")?;
    Ok(())
}

fn number(program: &ProgramFd) -> u32 {
    program.as_fd().as_raw_fd() as u32
}

/// # Safety
/// `attributes` are those of `command`, from the first field on, and its addresses are valid for the call.
unsafe fn bpf<T>(command: c_long, attributes: &T) -> io::Result<i32> {
    // SAFETY: the caller's promise; the kernel takes the fields after `size_of::<T>()` as zero.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_ref(attributes),
            size_of::<T>(),
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result as i32)
    }
}
