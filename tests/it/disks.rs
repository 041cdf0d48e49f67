//! A small disk: a home that cannot fit is refused before anything is written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::company::{Company, LI};
use crate::world::Device;

/// A disk of its own under a folder; gone when dropped.
struct Disk(PathBuf);

impl Disk {
    /// Mounts a disk of `mib` MiB over the folder; `None`, with a line that says so, where that is not permitted.
    fn over(folder: &Path, mib: u32) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(folder);
        let mounted = mount.output().is_ok_and(|done| done.status.success());
        if !mounted {
            // A container may take the right to mount from root; then nobody has it, and a plain disk shows it.
            assert!(!may_mount(), "mounting is permitted here and did not work");
            println!("NOT TESTED: a disk of {mib} MiB, because mounting is not permitted");
            return None;
        }
        Some(Self(folder.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).output());
    }
}

/// Returns whether this process holds the right to mount, by what the kernel says of it.
fn may_mount() -> bool {
    const CAP_SYS_ADMIN: u64 = 1 << 21;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let held = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let held = held.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    held.is_some_and(|held| held & CAP_SYS_ADMIN != 0)
}

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).expect("the folder").count()
}

#[test]
fn a_disk_of_2_mib_is_refused_before_anything_is_written_with_the_bytes_it_takes() {
    let company = Company::found();
    let code = company.hq.device_code(LI, &company.line.url());
    let device = Device::new();
    let Some(_disk) = Disk::over(device.home(), 2) else {
        return;
    };
    let refused = device.run(["enrol", &code]).ended(6);
    let needed = fieldbook::home::CREATE_BYTES_MIN.to_string();
    let free = fieldbook::home::free_bytes(device.home())
        .expect("free bytes")
        .to_string();
    assert!(
        refused.stderr.contains(&needed) && refused.stderr.contains(&free),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("\nhint: "), "{}", refused.stderr);
    assert_eq!(entries(device.home()), 0, "something was written");
    // The code is still good, on a disk with room.
    let roomy = Device::enrol(&code);
    roomy.make(["sheet", "new", "repair"]);
    assert_eq!(roomy.sync()["level"], true);
}
