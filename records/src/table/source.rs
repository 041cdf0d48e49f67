//! A file's bytes made readable: gzip undone, the encoding found, every length bounded.

use std::borrow::Cow;
use std::io::{self, Cursor, Read};

use encoding_rs::{CoderResult, Decoder, GB18030, UTF_16BE, UTF_16LE};

/// One row of a table may have so many bytes: an op takes 16 KiB, and a row has columns that nobody maps.
pub const RECORD_BYTES_MAX: usize = 1 << 20;

/// A table may have so many bytes, unpacked: as many as a bundle.
pub const TABLE_BYTES_MAX: usize = 2 << 30;

/// So many bytes are looked at to tell the encoding.
const WINDOW: usize = 64 << 10;

/// How a file writes its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without byte order mark.
    Utf8,
    /// UTF-16, low byte first: what spreadsheets call "Unicode text".
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// GB18030, which reads GBK and GB 2312 too.
    Gb18030,
}

impl Encoding {
    /// Returns the encoding that a mapping names.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(Self::Utf8),
            "utf-16" | "utf-16le" => Some(Self::Utf16Le),
            "utf-16be" => Some(Self::Utf16Be),
            "gb18030" | "gbk" | "gb2312" => Some(Self::Gb18030),
            _ => None,
        }
    }
}

/// Why a file cannot be read as a table at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Reading or unpacking failed.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// XLSX, XLS or another archive.
    #[error("this is a spreadsheet or an archive, not a text table; save it as CSV")]
    NotText,
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
}

/// Readable bytes: UTF-8 or GB18030, told apart field by field while the file had none but ASCII characters.
pub struct Source<'a> {
    pub(crate) bytes: Fence<Box<dyn Read + 'a>>,
    pub(crate) words: Words,
    /// The first bytes, still to be read from `bytes`.
    pub(crate) window: Vec<u8>,
}

impl<'a> Source<'a> {
    /// Opens a table; `named` is the encoding that the mapping names.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn open(mut read: impl Read + 'a, named: Option<Encoding>) -> Result<Self, SourceError> {
        let magic = peek(&mut read, 4)?;
        let whole = Cursor::new(magic.clone()).chain(read);
        let mut bytes: Box<dyn Read + 'a> = match magic.as_slice() {
            [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(whole)),
            [b'P', b'K', 3, 4] | [0xd0, 0xcf, 0x11, 0xe0] => return Err(SourceError::NotText),
            _ => Box::new(whole),
        };
        let mut window = peek(&mut bytes, WINDOW)?;
        if window.is_empty() {
            return Err(SourceError::Empty);
        }
        let (encoding, mark) = marked(&window, named);
        window.drain(..mark);
        let rest: Box<dyn Read + 'a> = Box::new(Cursor::new(window.clone()).chain(bytes));
        let (bytes, words): (Box<dyn Read + 'a>, Words) = match encoding {
            Some(Encoding::Utf16Le) => (Box::new(Transcode::new(rest, UTF_16LE)), Words::Utf8),
            Some(Encoding::Utf16Be) => (Box::new(Transcode::new(rest, UTF_16BE)), Words::Utf8),
            Some(Encoding::Utf8) => (rest, Words::Utf8),
            Some(Encoding::Gb18030) => (rest, Words::Gb18030),
            None => (rest, guess(&window)),
        };
        let mut bytes: Box<dyn Read + 'a> = Box::new(Fence::new(bytes, TABLE_BYTES_MAX));
        let window = peek(&mut bytes, WINDOW)?;
        let bytes: Box<dyn Read + 'a> = Box::new(Cursor::new(window.clone()).chain(bytes));
        Ok(Self { bytes: Fence::new(bytes, 2 * RECORD_BYTES_MAX), words, window })
    }
}

/// Reads up to `n` bytes, fewer only at the end.
fn peek(read: &mut impl Read, n: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read.by_ref().take(u64::try_from(n).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The encoding by name or byte order mark, and the mark's length.
fn marked(window: &[u8], named: Option<Encoding>) -> (Option<Encoding>, usize) {
    match (window, named) {
        ([0xef, 0xbb, 0xbf, ..], _) => (Some(Encoding::Utf8), 3),
        ([0xff, 0xfe, ..], _) => (Some(Encoding::Utf16Le), 2),
        ([0xfe, 0xff, ..], _) => (Some(Encoding::Utf16Be), 2),
        _ => (named, 0),
    }
}

/// Lines decide by majority: one word cut in the middle of a character must not turn a UTF-8 file into GB18030.
fn guess(window: &[u8]) -> Words {
    let mut lines: Vec<&[u8]> = window.split(|byte| *byte == b'\n').collect();
    if lines.len() > 1 {
        // The last one may be cut in a character.
        lines.pop();
    }
    let (mut utf8, mut other) = (0_usize, 0_usize);
    for line in lines.iter().filter(|line| !line.is_ascii()) {
        match std::str::from_utf8(line) {
            Ok(_) => utf8 += 1,
            Err(cut) if window.len() >= WINDOW && lines.len() == 1 && cut.error_len().is_none() => utf8 += 1,
            Err(_) if gb18030(line).is_some() => other += 1,
            Err(_) => {}
        }
    }
    match (utf8, other) {
        (0, 0) => Words::Unknown,
        _ if utf8 >= other => Words::Utf8,
        _ => Words::Gb18030,
    }
}

fn gb18030(bytes: &[u8]) -> Option<Cow<'_, str>> {
    GB18030.decode_without_bom_handling_and_without_replacement(bytes)
}

/// What is known about the file's characters so far.
///
/// A comma, a quote and a line's end never are the second byte of a GB18030 character, so rows are cut first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// Only ASCII was seen.
    Unknown,
    Utf8,
    Gb18030,
}

impl Words {
    /// Returns the text of some bytes; `None` where they are not in the file's encoding.
    pub(crate) fn read<'b>(&mut self, bytes: &'b [u8]) -> Option<Cow<'b, str>> {
        if bytes.is_ascii() {
            return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
        }
        if *self == Self::Unknown {
            *self = match std::str::from_utf8(bytes) {
                Err(_) if gb18030(bytes).is_some() => Self::Gb18030,
                _ => Self::Utf8,
            };
        }
        match self {
            Self::Gb18030 => gb18030(bytes),
            Self::Unknown | Self::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        }
    }
}

/// Gives at most `left` bytes, then fails; whoever reads rows sets it again before each.
pub(crate) struct Fence<R> {
    inner: R,
    pub(crate) left: usize,
    /// How many bytes were read.
    pub(crate) read: u64,
    /// The last of them.
    pub(crate) last: u8,
    /// The last of them that is no line end.
    pub(crate) solid: u8,
}

impl<R> Fence<R> {
    fn new(inner: R, left: usize) -> Self {
        Self { inner, left, read: 0, last: 0, solid: 0 }
    }
}

impl<R: Read> Read for Fence<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let room = buf.len().min(self.left);
        if room == 0 && !buf.is_empty() {
            // At the fence only the file's end is in order.
            let mut one = [0];
            return match self.inner.read(&mut one)? {
                0 => Ok(0),
                _ => Err(io::ErrorKind::FileTooLarge.into()),
            };
        }
        let n = self.inner.read(buf.get_mut(..room).unwrap_or_default())?;
        self.left -= n.min(self.left);
        let new = buf.get(..n).unwrap_or_default();
        self.read = self.read.saturating_add(u64::try_from(n).unwrap_or(0));
        self.last = new.last().copied().unwrap_or(self.last);
        self.solid = new.iter().rfind(|byte| !matches!(byte, b'\r' | b'\n')).copied().unwrap_or(self.solid);
        Ok(n)
    }
}

/// UTF-16 to UTF-8 while reading; what is no character becomes U+FFFD.
struct Transcode<R> {
    inner: R,
    decoder: Decoder,
    ready: Cursor<Vec<u8>>,
    ended: bool,
}

impl<R: Read> Transcode<R> {
    fn new(inner: R, encoding: &'static encoding_rs::Encoding) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { inner, decoder, ready: Cursor::new(Vec::new()), ended: false }
    }

    /// Fills `ready` from the next bytes.
    fn fill(&mut self) -> io::Result<()> {
        let mut raw = Vec::with_capacity(4096);
        self.inner.by_ref().take(4096).read_to_end(&mut raw)?;
        self.ended = raw.is_empty();
        let room = self.decoder.max_utf8_buffer_length(raw.len()).unwrap_or(16 << 10);
        let mut text = String::with_capacity(room);
        let (result, _, _) = self.decoder.decode_to_string(&raw, &mut text, self.ended);
        debug_assert_eq!(result, CoderResult::InputEmpty, "the room was reckoned by the decoder");
        self.ready = Cursor::new(text.into_bytes());
        Ok(())
    }
}

impl<R: Read> Read for Transcode<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.ready.read(buf)? {
                0 if !self.ended && !buf.is_empty() => self.fill()?,
                n => return Ok(n),
            }
        }
    }
}
