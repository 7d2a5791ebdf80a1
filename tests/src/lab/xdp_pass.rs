//! The smallest XDP program, `return XDP_PASS`, by bare bpf(2) calls: loaded, attached in native mode, and pinned so that
//! it outlives this process.

use std::{
    ffi::{CString, c_long},
    io,
    mem::size_of,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use anyhow::{Context, Result};

// linux/bpf.h, linux/if_link.h
const BPF_PROG_LOAD: c_long = 5;
const BPF_OBJ_PIN: c_long = 6;
const BPF_LINK_CREATE: c_long = 28;
const BPF_PROG_TYPE_XDP: u32 = 6;
const BPF_XDP: u32 = 37;
const XDP_FLAGS_DRV_MODE: u32 = 1 << 2;

/// `r0 = XDP_PASS; exit`
const PROGRAM: [[u8; 8]; 2] = [[0xb7, 0, 0, 0, 2, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]];

#[repr(C)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
}

#[repr(C)]
struct LinkCreate {
    prog_fd: u32,
    target_ifindex: u32,
    attach_type: u32,
    flags: u32,
}

#[repr(C)]
struct ObjPin {
    pathname: u64,
    bpf_fd: u32,
    file_flags: u32,
}

/// On an interface of the calling thread's namespace, until `pin` goes.
pub(super) fn attach(interface: &str, pin: &Path) -> Result<()> {
    let name = CString::new(interface)?;
    // SAFETY: a string that ends in a zero, and outlives the call.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    if index == 0 {
        return Err(io::Error::last_os_error())
            .with_context(|| format!("no interface {interface}"));
    }

    let load = ProgLoad {
        prog_type: BPF_PROG_TYPE_XDP,
        insn_cnt: PROGRAM.len() as u32,
        insns: PROGRAM.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
    };
    // SAFETY: the instructions and the licence are static; the answer is a descriptor of ours.
    let program = unsafe { bpf(BPF_PROG_LOAD, &load).map(|fd| OwnedFd::from_raw_fd(fd)) }
        .context("loading XDP_PASS")?;

    let create = LinkCreate {
        prog_fd: program.as_raw_fd() as u32,
        target_ifindex: index,
        attach_type: BPF_XDP,
        flags: XDP_FLAGS_DRV_MODE,
    };
    // SAFETY: numbers only; the answer is a descriptor of ours.
    let link = unsafe { bpf(BPF_LINK_CREATE, &create).map(|fd| OwnedFd::from_raw_fd(fd)) }
        .with_context(|| format!("attaching XDP_PASS to {interface}"))?;

    let path = CString::new(pin.as_os_str().as_bytes())?;
    let pinning = ObjPin {
        pathname: path.as_ptr() as u64,
        bpf_fd: link.as_raw_fd() as u32,
        file_flags: 0,
    };
    // SAFETY: the path ends in a zero, and outlives the call.
    unsafe { bpf(BPF_OBJ_PIN, &pinning) }.with_context(|| format!("pinning {}", pin.display()))?;
    Ok(())
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
