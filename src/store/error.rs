//! What can go wrong with a home, as facts; the edge turns them into sentences and exit codes.

use std::io;
use std::path::{Path, PathBuf};

use records::id::{DocId, Replica};
use sync_protocol::chain::Line;
use sync_protocol::segment::SegmentError;

/// A part of the home, as doctor and errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// `id/`: the data key, the enrolment, the device's key.
    Keys,
    /// `head`: the last epoch and where it hangs.
    Head,
    /// `journal/`: own ops, as acknowledged.
    Journal,
    /// `sled/` does not open or does not read.
    Database,
    /// Ops in `sled/`.
    Log,
    /// Documents and indexes in `sled/`.
    Views,
    /// Rulings of HQ in `sled/`.
    Rulings,
    /// A file in `blobs/`.
    Blobs,
}

/// Why the store did not do it; nothing was changed unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder holds no device.
    #[error("{} holds no enrolled device", home.display())]
    NotEnrolled {
        /// Where it was looked for.
        home: PathBuf,
    },
    /// The log cannot be let go of: HQ has not signed for all of it.
    #[error("{ops} ops and {files} files are only here")]
    OnlyHere {
        /// Ops.
        ops: u64,
        /// Files.
        files: u64,
    },
    /// The folder holds a device already.
    #[error("{} holds an enrolled device already", home.display())]
    AlreadyEnrolled {
        /// Where.
        home: PathBuf,
    },
    /// The home had that name before, and its log lies aside: a name is never taken twice.
    #[error("the home had the name {} before", replica.0)]
    EarlierName {
        /// The name.
        replica: Replica,
    },
    /// The home has a PIN, and nobody gave it.
    #[error("the home is locked")]
    Locked,
    /// The PIN is another one.
    #[error("the PIN is wrong; the next one in {wait_ms} ms")]
    WrongPin {
        /// After how many milliseconds another one may be tried.
        wait_ms: u64,
    },
    /// After so many wrong ones the next has to wait.
    #[error("no PIN is tried for {wait_ms} ms")]
    Waits {
        /// How long, in milliseconds.
        wait_ms: u64,
    },
    /// Another process holds the home.
    #[error("the home is in use by process {pid}")]
    InUse {
        /// Its process id; 0 where it did not write it down.
        pid: u32,
    },
    /// The disk has too little room.
    #[error("{free} bytes are free, {needed} are needed")]
    NoSpace {
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// Something that was written reads differently.
    #[error("{part:?} is damaged at {}", at.display())]
    Damaged {
        /// Which part.
        part: Part,
        /// Which file or folder.
        at: PathBuf,
    },
    /// A value over its limit.
    #[error("{what} of {found}; at most {max} are taken")]
    Limit {
        /// What was counted.
        what: Limited,
        /// How much it was.
        found: u64,
        /// The most that is taken.
        max: u64,
    },
    /// The document is not here.
    #[error("no document {0} here")]
    NoDocument(DocId),
    /// An op is not in the form that the log takes: tags must rise, one write a group.
    #[error("an op's writes must name each group once, in order")]
    Unordered,
    /// A segment from HQ's feed is not what its author signed, or does not decode.
    #[error("ops {}.{}.{first} and on from HQ are not usable: {source}", line.0.0, line.1.0)]
    Foreign {
        /// Whose log, which epoch.
        line: Line,
        /// The segment's first op.
        first: u64,
        /// Why.
        source: SegmentError,
    },
    /// The home was written by a newer version of the program.
    #[error("the home needs a newer version of the program")]
    Newer,
    /// The disk refused to make a write durable twice: nothing more is written until the home is opened again.
    #[error("the disk did not keep what was written; the home is read-only now")]
    ReadOnly,
    /// The system refused.
    #[error("{doing} {} failed: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no random bytes or refuses a key.
    #[error("the system gave no usable key")]
    Key,
}

/// What a [`StoreError::Limit`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// Bytes of one op.
    OpBytes,
    /// Groups of one document.
    Groups,
    /// Lines in an op's past.
    Seen,
    /// Bytes of one save.
    SaveBytes,
    /// Bytes of one attachment.
    FileBytes,
}

impl std::fmt::Display for Limited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OpBytes => "op bytes",
            Self::Groups => "groups",
            Self::Seen => "lines seen",
            Self::SaveBytes => "bytes in one save",
            Self::FileBytes => "file bytes",
        })
    }
}

impl StoreError {
    /// Returns the error of a system call; a full disk has its own.
    #[must_use]
    pub fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            let free = crate::home::free_bytes(path).unwrap_or(0);
            return Self::NoSpace { needed: crate::home::SYNC_BYTES_MIN, free };
        }
        Self::Io { doing, path: path.to_path_buf(), source }
    }

    /// Returns the error of a part that reads differently than it was written.
    #[must_use]
    pub fn damaged(part: Part, at: &Path) -> Self {
        Self::Damaged { part, at: at.to_path_buf() }
    }
}
