//! One command on another kernel: in a virtual machine that has this machine's files, to read, and lasts as long as it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::packages::{Kernel, busybox, home};
use crate::{Result, machine::ask};

/// What the kernel needs before it has files.
const MODULES: [&str; 4] = ["virtio_pci", "9pnet_virtio", "9p", "overlay"];
const INIT: &str = include_str!("init.sh");
/// Seconds; that a guest is stuck is seen after it.
const LIMIT: &str = "1200";
/// QEMU's status after a 1 at its debug port: its own success is 0, and 1 an error.
const SUCCESS: i32 = 3;
const SAID_MAX: usize = 30;

/// Runs a command as root, where this process is and with its environment; its output is this one's. Whether it
/// succeeded.
pub(crate) fn run(version: &str, command: &[&str]) -> Result<bool> {
    let kernel = Kernel::fetched(version)?;
    let dir = home().join(format!("guest-{}", std::process::id()));
    let ran = boot(&kernel, &dir, command);
    // It says nothing that is of use any more.
    let _ = fs::remove_dir_all(&dir);
    ran
}

fn boot(kernel: &Kernel, dir: &Path, command: &[&str]) -> Result<bool> {
    let initrd = initrd(kernel, dir)?;
    let script = dir.join("script");
    write(&script, &self::script(command)?)?;
    let console = dir.join("console");
    let status = qemu(kernel, &initrd, &script, &console)
        .status()
        .map_err(|error| format!("qemu-system-x86_64: {error}"))?;
    if status.code() == Some(SUCCESS) {
        return Ok(true);
    }
    let said = fs::read(&console).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    let last = &lines[lines.len().saturating_sub(SAID_MAX)..];
    eprintln!(
        "guest with Linux {}: {status}\n{}",
        kernel.release,
        last.join("\n")
    );
    Ok(false)
}

fn qemu(kernel: &Kernel, initrd: &Path, script: &Path, console: &Path) -> Command {
    let mut qemu = Command::new("timeout");
    qemu.args(["--foreground", LIMIT, "qemu-system-x86_64"])
        .args(["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,la57=off"])
        .args(["-smp", "2", "-m", "3G"])
        .args(["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"])
        .args(["-serial", &format!("file:{}", console.display())])
        .args(["-chardev", "stdio,id=out,signal=off", "-serial", "chardev:out"])
        .args(["-device", "isa-debug-exit,iobase=0x501,iosize=1"])
        .args(["-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"])
        .args(["-device", "virtio-9p-pci,fsdev=host,mount_tag=host"])
        .args(["-device", "virtio-rng-pci"])
        .arg("-kernel")
        .arg(&kernel.image)
        .arg("-initrd")
        .arg(initrd)
        .arg("-append")
        .arg(format!(
            // Emulation is slow enough without what is of no use in it.
            "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off nokaslr audit=0 apparmor=0 selinux=0 nowatchdog \
             tsc=reliable no_timer_check cryptomgr.notests rcupdate.rcu_expedited=1 random.trust_cpu=on net.ifnames=0 \
             MODULES={} SCRIPT={}",
            kernel.dir.join("lib/modules").display(),
            script.display()
        ));
    qemu
}

/// The files that the kernel starts with: busybox, modules in their order, and what to do.
fn initrd(kernel: &Kernel, dir: &Path) -> Result<PathBuf> {
    let root = dir.join("root");
    for sub in ["bin", "dev", "proc", "modules"] {
        fs::create_dir_all(root.join(sub))
            .map_err(|error| format!("{}: {error}", dir.display()))?;
    }
    fs::copy(busybox(), root.join("bin/busybox")).map_err(|error| format!("busybox: {error}"))?;
    write(&root.join("init"), INIT)?;
    for (i, module) in modules(kernel)?.iter().enumerate() {
        let to = root.join(format!("modules/{i:02}.ko"));
        let mut unpack = Command::new("sh");
        unpack.args(["-c", "xz -dcf $0 >$1"]).arg(module).arg(to);
        ask(&mut unpack)?;
    }
    let initrd = dir.join("initrd");
    let mut pack = Command::new("sh");
    pack.args(["-c", "find . | cpio -o -H newc --quiet -R 0:0 >$0"])
        .arg(&initrd)
        .current_dir(&root);
    ask(&mut pack)?;
    Ok(initrd)
}

/// Files of modules, each after those it needs.
fn modules(kernel: &Kernel) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for module in MODULES {
        let mut modprobe = Command::new("modprobe");
        modprobe.arg("-d").arg(&kernel.dir).args([
            "-q",
            "-S",
            &kernel.release,
            "--show-depends",
            module,
        ]);
        // Fails for what is built in, where the package does not tell so.
        let output = modprobe
            .output()
            .map_err(|error| format!("modprobe: {error}"))?;
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Some(file) = line.strip_prefix("insmod ") else {
                continue;
            };
            let file = PathBuf::from(file.trim());
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

fn script(command: &[&str]) -> Result<String> {
    let here = env::current_dir().map_err(|error| error.to_string())?;
    let variables = env::vars().filter(|(name, _)| {
        name.bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'_')
    });
    let mut script: String = variables
        .map(|(name, value)| format!("export {name}={}\n", quoted(&value)))
        .collect();
    let words: Vec<String> = command.iter().map(|word| quoted(word)).collect();
    script += &format!(
        "cd {}\nexec {}\n",
        quoted(&here.to_string_lossy()),
        words.join(" ")
    );
    Ok(script)
}

/// As a shell reads it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn write(file: &Path, text: &str) -> Result {
    use std::os::unix::fs::PermissionsExt;
    fs::write(file, text)
        .and_then(|()| fs::set_permissions(file, fs::Permissions::from_mode(0o755)))
        .map_err(|error| format!("{}: {error}", file.display()))
}
