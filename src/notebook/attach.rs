//! Attaching a file: a photo is made small for the link, a document is kept byte for byte.
//!
//! Whether the photo as the camera made it stays on the device is the owner's setting.

use std::io::Read;
use std::path::{Path, PathBuf};

use records::duplicate::PictureHash;
use records::value::FileHash;
use sync_protocol::limits::FILE_BYTES_MAX;

use crate::blobs::Blobs;
use crate::notebook::refusal::NotebookError;
use crate::picture::Picture;
use crate::store::Store;
use crate::store::error::StoreError;

/// The setting that says whether photos stay as the camera made them, beside the small ones.
const ORIGINALS: &str = "files.originals";

/// A file that is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// One on the disk.
    Path(PathBuf),
    /// One that a page received; it was on no disk yet.
    Bytes {
        /// What its owner calls it; only its ending is looked at.
        name: String,
        /// What is in it.
        bytes: Vec<u8>,
    },
}

impl Given {
    fn name(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Bytes { name, .. } => Path::new(name),
        }
    }

    fn open(&self) -> Result<Box<dyn Read + '_>, NotebookError> {
        match self {
            Self::Path(path) => Ok(Box::new(std::fs::File::open(path).map_err(|error| self.failed(error))?)),
            Self::Bytes { bytes, .. } => Ok(Box::new(bytes.as_slice())),
        }
    }

    fn failed(&self, source: std::io::Error) -> NotebookError {
        NotebookError::File { path: self.name().to_path_buf(), source }
    }
}

/// A file that was kept, and what the device knows of it by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// SHA-256 of what was kept.
    pub hash: FileHash,
    /// How many bytes; `None` of a file that is elsewhere.
    pub bytes: Option<u64>,
    /// Its format; `None` where neither content nor name says.
    pub mime: Option<&'static str>,
    /// Pixels across and down; `None` of what is no picture.
    pub pixels: Option<(usize, usize)>,
    /// Its thumbnail.
    pub thumb: Option<FileHash>,
    /// What it looks like; `None` of what is no picture, and of one with nothing on it.
    pub look: Option<PictureHash>,
    /// The photo as the camera made it, where it was kept beside.
    pub original: Option<FileHash>,
}

impl Attached {
    /// Returns a file of which only the name is known.
    #[must_use]
    pub fn elsewhere(hash: Vec<u8>) -> Self {
        let hash = FileHash(hash);
        Self { hash, bytes: None, mime: None, pixels: None, thumb: None, look: None, original: None }
    }
}

/// Keeps a photo: small enough for the link, upright, without what the camera noted, and with a thumbnail.
/// What is no photo, or does not decode, is kept as it is.
///
/// # Errors
/// [`NotebookError::File`]; [`NotebookError::Store`] where it is too large or there is no room.
pub fn photo(store: &Store, given: &Given) -> Result<Attached, NotebookError> {
    let Some(file) = picture_file(given)? else {
        return document(store, given);
    };
    let Some(picture) = Picture::read(&file) else {
        return document(store, given);
    };
    let Some(small) = picture.smaller(&file) else {
        return document(store, given);
    };
    let blobs = Blobs::of(store);
    let original = if keeps_originals(store)? { Some(blobs.put(&mut file.as_slice())?.hash) } else { None };
    let put = blobs.put(&mut small.bytes.as_slice())?;
    Ok(Attached {
        hash: put.hash,
        bytes: Some(put.bytes),
        mime: Some("image/jpeg"),
        pixels: Some((small.width, small.height)),
        thumb: thumbnail(&blobs, &picture)?,
        look: picture.look(),
        original,
    })
}

/// Keeps a file byte for byte; a picture gets a thumbnail.
///
/// # Errors
/// As [`photo`].
///
/// Source: docs/STORAGE.md, Attachments: the law asks for the original of an electronic invoice.
pub fn document(store: &Store, given: &Given) -> Result<Attached, NotebookError> {
    let blobs = Blobs::of(store);
    let picture = picture_file(given)?.and_then(|file| Picture::read(&file));
    let put = blobs.put(&mut given.open()?)?;
    let thumb = picture.as_ref().map(|picture| thumbnail(&blobs, picture)).transpose()?.flatten();
    let look = picture.as_ref().and_then(Picture::look);
    let pixels = picture.map(|picture| picture.size());
    let bytes = Some(put.bytes);
    Ok(Attached { hash: put.hash, bytes, mime: mime(given)?, pixels, thumb, look, original: None })
}

/// Returns whether photos stay as the camera made them, beside the small ones.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn keeps_originals(store: &Store) -> Result<bool, StoreError> {
    Ok(store.setting(ORIGINALS)?.is_some_and(|value| value == [1]))
}

/// Says whether photos are to stay as the camera made them.
///
/// # Errors
/// Those of the store.
pub fn keep_originals(store: &mut Store, keep: Originals) -> Result<(), StoreError> {
    let value = match keep {
        Originals::Keep => 1,
        Originals::Drop => 0,
    };
    store.put_setting(ORIGINALS, vec![value])
}

/// What becomes of a photo as the camera made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Originals {
    /// It stays on the device; HQ can ask for it.
    Keep,
    /// Only the small one stays.
    Drop,
}

fn thumbnail(blobs: &Blobs<'_>, picture: &Picture) -> Result<Option<FileHash>, StoreError> {
    let thumb = picture.thumbnail().map(|thumb| blobs.put(&mut thumb.bytes.as_slice())).transpose()?;
    Ok(thumb.map(|put| put.hash))
}

/// Reads a file whose first bytes are a picture's; `None` of any other, and of one that is too large to be kept.
fn picture_file(given: &Given) -> Result<Option<Vec<u8>>, NotebookError> {
    let mut file = given.open()?;
    let mut bytes = Vec::new();
    (&mut file).take(8).read_to_end(&mut bytes).map_err(|error| given.failed(error))?;
    if kind(&bytes).is_none() {
        return Ok(None);
    }
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| given.failed(error))?;
    Ok(Some(bytes).filter(|bytes| u64::try_from(bytes.len()).is_ok_and(|n| n <= FILE_BYTES_MAX)))
}

/// Returns the format of a picture by its first bytes.
fn kind(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        _ => None,
    }
}

fn mime(given: &Given) -> Result<Option<&'static str>, NotebookError> {
    let mut head = Vec::new();
    given.open()?.take(8).read_to_end(&mut head).map_err(|error| given.failed(error))?;
    Ok(kind(&head).or_else(|| by_name(given.name())))
}

fn by_name(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => Some("image/jpeg"),
        "png" => Some("image/png"),
        "webp" => Some("image/webp"),
        "heic" => Some("image/heic"),
        "pdf" => Some("application/pdf"),
        "ofd" => Some("application/ofd"),
        "xml" => Some("application/xml"),
        "m4a" => Some("audio/mp4"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{NOW, enrolment};

    /// A grey JPEG, with an EXIF note that turns it.
    fn camera(edge: u16) -> Vec<u8> {
        let side = usize::from(edge);
        let bytes: Vec<u8> = (0..side * side).map(|i| u8::try_from(i * i / 13 % 251).unwrap()).collect();
        let mut out = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut out, 95);
        let turn = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        encoder.add_exif_metadata(turn).unwrap();
        encoder.encode(&bytes, edge, edge, jpeg_encoder::ColorType::Luma).unwrap();
        out
    }

    #[test]
    fn a_photo_is_made_small_and_an_invoices_original_stays_byte_for_byte() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::create(&dir.path().join("home"), &enrolment(), NOW).unwrap();
        let path = dir.path().join("camera.jpg");
        let file = camera(1800);
        std::fs::write(&path, &file).unwrap();
        let path = Given::Path(path);
        let length = |store: &Store, hash: &FileHash| Blobs::of(store).length(hash);

        let small = photo(&store, &path).unwrap();
        assert_eq!(
            (small.pixels, small.mime, &small.original),
            (Some((1600, 1600)), Some("image/jpeg"), &None)
        );
        assert!(small.bytes.unwrap() < u64::try_from(file.len()).unwrap());
        let thumb = small.thumb.clone().unwrap();
        assert!(length(&store, &thumb).unwrap() <= 8192);

        let bytes = Given::Bytes { name: "camera.jpg".to_owned(), bytes: file.clone() };
        assert_eq!(photo(&store, &bytes).unwrap(), small, "the same, whether it was on the disk or not");

        let exact = document(&store, &path).unwrap();
        assert_eq!(
            (exact.pixels, &exact.thumb),
            (Some((1800, 1800)), &Some(thumb)),
            "one thumbnail for both"
        );
        assert_eq!(Blobs::of(&store).get(&exact.hash).unwrap(), file);

        keep_originals(&mut store, Originals::Keep).unwrap();
        assert_eq!(photo(&store, &path).unwrap().original, Some(exact.hash));
    }

    #[test]
    fn what_is_no_picture_is_kept_as_it_is_whatever_it_is_called() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create(&dir.path().join("home"), &enrolment(), NOW).unwrap();
        for (name, bytes, mime) in [
            ("a.pdf", &b"%PDF-1.7"[..], Some("application/pdf")),
            ("b.jpg", b"not a picture", Some("image/jpeg")),
            ("c.bin", b"\xFF\xD8\xFFcut short", Some("image/jpeg")),
            ("d", b"", None),
        ] {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let kept = photo(&store, &Given::Path(path)).unwrap();
            assert_eq!((kept.mime, kept.pixels, &kept.thumb), (mime, None, &None), "{name}");
            assert_eq!(Blobs::of(&store).get(&kept.hash).unwrap(), bytes, "{name}");
        }
        assert!(matches!(
            photo(&store, &Given::Path("/nowhere.jpg".into())),
            Err(NotebookError::File { .. })
        ));
    }
}
