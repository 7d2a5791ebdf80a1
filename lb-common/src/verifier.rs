//! What the kernel's verifier is not to know.

/// Returns `word`, of which the verifier knows nothing afterwards.
///
/// It follows each way that leads to a value it knows to the end of the program, and a packet has
/// dozens of kinds. What was xored with a word that it does not know, `by`, it does not know, nor
/// when that is undone.
#[inline(always)] // Two instructions.
pub(crate) fn forgotten(word: u64, by: u64) -> u64 {
    xored(word, by) ^ by
}

/// Xors in a way that the compiler does not see through.
#[cfg(target_arch = "bpf")]
#[inline(always)] // As above.
fn xored(mut word: u64, by: u64) -> u64 {
    // SAFETY: one instruction, on registers.
    unsafe {
        core::arch::asm!("{0} ^= {1}", inout(reg) word, in(reg) by, options(pure, nomem, nostack));
    }
    word
}

#[cfg(not(target_arch = "bpf"))]
fn xored(word: u64, by: u64) -> u64 {
    word ^ by
}

/// Returns `word`, which may be anything to the compiler: what is computed without a branch stays so.
#[cfg(target_arch = "bpf")]
#[inline(always)] // One instruction.
pub(crate) fn unseen(mut word: u64) -> u64 {
    // SAFETY: one instruction, on a register.
    unsafe { core::arch::asm!("{0} |= 0", inout(reg) word, options(pure, nomem, nostack)) };
    word
}

#[cfg(not(target_arch = "bpf"))]
pub(crate) fn unseen(word: u64) -> u64 {
    word
}
