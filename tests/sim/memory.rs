//! Folders in memory, where the machine has them: what happens in them is told by the tests, not by a disk.

/// Returns a folder that is not on a disk, where the machine has such a place.
pub(crate) fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder")
}
