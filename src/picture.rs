//! Photos made small enough for a thin link: upright, without what the camera noted, and a thumbnail beside.
//!
//! A large JPEG is decoded at a half, a quarter or an eighth of its size, so memory does not grow with the camera.
//! Whatever does not decode, or passes the limits, is left as it came.
//!
//! Source: docs/STORAGE.md, Attachments.

pub mod look;

use jpeg_decoder::{CodingProcess, Decoder, PixelFormat};
use jpeg_encoder::{ColorType, Encoder};
use png::Transformations;

/// The longer edge of what goes over the link: the print on a receipt is still read.
const EDGE_MAX: usize = 1600;
/// The JPEG quality of what goes over the link.
const QUALITY: u8 = 80;
/// A thumbnail is no larger than this.
pub const THUMB_BYTES_MAX: usize = 8 * 1024;
/// Edges and qualities of thumbnails, tried until one fits; noise at 96 takes some 3 kB.
const THUMBS: [(usize, u8); 5] = [(256, 70), (256, 50), (192, 45), (128, 40), (96, 30)];
/// Pixels of a JPEG that is decoded row by row: some 2 s of work.
const ROWWISE_PIXELS_MAX: u64 = 128_000_000;
/// Pixels of a picture that is held whole while it is decoded: 96 MB.
const WHOLE_PIXELS_MAX: u64 = 16_000_000;

/// A decoded photo, upright, its longer edge at most 1600 pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its pixels.
    pixels: Pixels,
    /// Pixels across and down of the file, upright.
    full: (usize, usize),
    /// Whether the file says nothing but the pixels, the right way up.
    plain: bool,
}

/// Rows of pixels, top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pixels {
    width: usize,
    height: usize,
    /// Bytes of a pixel: 1 grey, 3 red, green and blue.
    depth: usize,
    bytes: Vec<u8>,
}

/// A file made of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jpeg {
    /// The file.
    pub bytes: Vec<u8>,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
}

impl Picture {
    /// Reads a JPEG or a PNG; `None` for anything else, for what is damaged, and for what passes the limits.
    #[must_use]
    pub fn read(file: &[u8]) -> Option<Self> {
        match file {
            [0xFF, 0xD8, ..] => Self::read_jpeg(file),
            [0x89, b'P', b'N', b'G', ..] => Self::read_png(file),
            _ => None,
        }
    }

    /// Returns the picture for the link; `None` where `file`, which it was read from, serves as well as it is.
    #[must_use]
    pub fn smaller(&self, file: &[u8]) -> Option<Jpeg> {
        let jpeg = self.pixels.jpeg(QUALITY)?;
        (!self.plain || jpeg.bytes.len() < file.len()).then_some(jpeg)
    }

    /// Returns a thumbnail of at most [`THUMB_BYTES_MAX`] bytes.
    #[must_use]
    pub fn thumbnail(&self) -> Option<Jpeg> {
        let made = THUMBS.iter().filter_map(|(edge, quality)| self.pixels.fit(*edge).jpeg(*quality));
        made.into_iter().find(|jpeg| jpeg.bytes.len() <= THUMB_BYTES_MAX)
    }

    /// Returns how many pixels the file has, across and down, upright.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        self.full
    }

    /// Returns pixels across and down, and a byte of grey for each, 0 for black.
    #[must_use]
    pub fn grey(&self) -> (usize, usize, Vec<u8>) {
        let Pixels { width, height, depth, bytes } = &self.pixels;
        let shade = |pixel: &[u8]| {
            let sum: usize = pixel.iter().copied().map(usize::from).sum();
            u8::try_from(sum / pixel.len().max(1)).unwrap_or(u8::MAX)
        };
        (*width, *height, bytes.chunks(*depth).map(shade).collect())
    }

    fn read_jpeg(file: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::new(file);
        decoder.read_info().ok()?;
        let info = decoder.info()?;
        let limit = match info.coding_process {
            CodingProcess::DctSequential => ROWWISE_PIXELS_MAX,
            CodingProcess::DctProgressive => WHOLE_PIXELS_MAX,
            CodingProcess::Lossless => return None,
        };
        let depth = match info.pixel_format {
            PixelFormat::L8 => 1,
            PixelFormat::RGB24 => 3,
            PixelFormat::L16 | PixelFormat::CMYK32 => return None,
        };
        if u64::from(info.width) * u64::from(info.height) > limit {
            return None;
        }
        let (width, height) = (usize::from(info.width), usize::from(info.height));
        let edge = u16::try_from(EDGE_MAX).unwrap_or(u16::MAX);
        decoder.scale(edge, edge).ok()?;
        let bytes = decoder.decode().ok()?;
        let info = decoder.info()?;
        let pixels = Pixels { width: info.width.into(), height: info.height.into(), depth, bytes };
        let exif = decoder.exif_data();
        let turn = exif.and_then(orientation).unwrap_or(1);
        let full = if turn >= 5 { (height, width) } else { (width, height) };
        Some(Self { pixels: pixels.fit(EDGE_MAX).upright(turn)?, full, plain: exif.is_none() })
    }

    fn read_png(file: &[u8]) -> Option<Self> {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
        let mut reader = decoder.read_info().ok()?;
        let info = reader.info();
        // A colour has three bytes, and the decoder takes the file's word for it.
        let is_broken = info.palette.as_ref().is_some_and(|colours| !colours.len().is_multiple_of(3));
        if is_broken || u64::from(info.width) * u64::from(info.height) > WHOLE_PIXELS_MAX {
            return None;
        }
        let mut bytes = vec![0; reader.output_buffer_size()?];
        let frame = reader.next_frame(&mut bytes).ok()?;
        bytes.truncate(frame.buffer_size());
        let (depth, bytes) = match frame.color_type {
            png::ColorType::Grayscale => (1, bytes),
            png::ColorType::Rgb => (3, bytes),
            png::ColorType::GrayscaleAlpha => (1, on_white::<2>(&bytes)),
            png::ColorType::Rgba => (3, on_white::<4>(&bytes)),
            png::ColorType::Indexed => return None,
        };
        let (width, height) = (usize::try_from(frame.width).ok()?, usize::try_from(frame.height).ok()?);
        let pixels = Pixels { width, height, depth, bytes }.fit(EDGE_MAX);
        Some(Self { pixels, full: (width, height), plain: true })
    }
}

impl Pixels {
    /// Returns the picture with its longer edge at most `edge`; a smaller one stays as it is.
    fn fit(&self, edge: usize) -> Self {
        let long = self.width.max(self.height);
        if long <= edge {
            return self.clone();
        }
        let scaled = |side: usize| ((side * edge + long / 2) / long).max(1);
        let (width, height) = (scaled(self.width), scaled(self.height));
        let narrow = squeeze(&self.bytes, self.width, self.depth, width);
        let bytes = squeeze(&narrow, self.height, width * self.depth, height);
        Self { width, height, depth: self.depth, bytes }
    }

    /// Turns and mirrors the picture the way its EXIF orientation asks for; `None` where it has fewer bytes than pixels.
    fn upright(self, turn: u8) -> Option<Self> {
        if !(2..=8).contains(&turn) {
            return Some(self);
        }
        let Self { width: w, height: h, depth, bytes } = self;
        let (width, height) = if turn >= 5 { (h, w) } else { (w, h) };
        let mut out = Vec::with_capacity(bytes.len());
        for y in 0..height {
            for x in 0..width {
                let (from_x, from_y) = match turn {
                    2 => (w - 1 - x, y),
                    3 => (w - 1 - x, h - 1 - y),
                    4 => (x, h - 1 - y),
                    5 => (y, x),
                    6 => (y, h - 1 - x),
                    7 => (w - 1 - y, h - 1 - x),
                    _ => (w - 1 - y, x),
                };
                let at = (from_y * w + from_x) * depth;
                out.extend_from_slice(bytes.get(at..at + depth)?);
            }
        }
        Some(Self { width, height, depth, bytes: out })
    }

    fn jpeg(&self, quality: u8) -> Option<Jpeg> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, quality);
        encoder.set_optimized_huffman_tables(true);
        let colour = if self.depth == 1 { ColorType::Luma } else { ColorType::Rgb };
        let (width, height) = (u16::try_from(self.width).ok()?, u16::try_from(self.height).ok()?);
        encoder.encode(&self.bytes, width, height, colour).ok()?;
        Some(Jpeg { bytes, width: self.width, height: self.height })
    }
}

/// Makes rows of `from` cells of `cell` bytes into rows of `to`, each the mean of what it covers.
fn squeeze(bytes: &[u8], from: usize, cell: usize, to: usize) -> Vec<u8> {
    let spans: Vec<Vec<(usize, u32)>> = (0..to).map(|at| span(from, to, at)).collect();
    let mut sums = vec![0_u32; cell];
    let mut out = Vec::new();
    for row in bytes.chunks_exact(from * cell) {
        for span in &spans {
            sums.fill(0);
            for (at, weight) in span {
                let cell = row.get(at * cell..).unwrap_or_default();
                sums.iter_mut().zip(cell).for_each(|(sum, byte)| *sum += u32::from(*byte) * weight);
            }
            let whole = span.iter().map(|(_, weight)| weight).sum::<u32>().max(1);
            out.extend(sums.iter().map(|sum| u8::try_from((sum + whole / 2) / whole).unwrap_or(u8::MAX)));
        }
    }
    out
}

/// Returns which of `from` cells lie under cell `at` of `to`, each with how much of it, in 1/256.
fn span(from: usize, to: usize, at: usize) -> Vec<(usize, u32)> {
    let (begin, end) = (at * from * 256 / to, (at + 1) * from * 256 / to);
    let cells = begin / 256..end.div_ceil(256).min(from);
    let covered = |cell: usize| end.min((cell + 1) * 256).saturating_sub(begin.max(cell * 256));
    cells.map(|cell| (cell, u32::try_from(covered(cell)).unwrap_or(0))).collect()
}

/// Lays pixels of `N` bytes, the last of which says how much they cover, on white paper.
fn on_white<const N: usize>(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for pixel in bytes.chunks_exact(N) {
        let Some((cover, colours)) = pixel.split_last() else { continue };
        let cover = u32::from(*cover);
        let laid = |colour: &u8| (u32::from(*colour) * cover + 255 * (255 - cover)) / 255;
        out.extend(colours.iter().map(|colour| u8::try_from(laid(colour)).unwrap_or(u8::MAX)));
    }
    out
}

/// Returns the orientation, 1 to 8, that EXIF bytes give in their first directory.
///
/// Source: CIPA DC-008 (Exif 2.3), 4.5 and 4.6.4: TIFF header, then entries of 12 bytes, tag 0x0112.
fn orientation(exif: &[u8]) -> Option<u8> {
    let little = exif.starts_with(b"II");
    let short = |at: usize| {
        let pair: [u8; 2] = exif.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let long = |at: usize| {
        let (high, low) = (short(at)?, short(at.checked_add(2)?)?);
        let (high, low) = if little { (low, high) } else { (high, low) };
        usize::try_from((u32::from(high) << 16) | u32::from(low)).ok()
    };
    let directory = long(4)?;
    let entries = usize::from(short(directory)?);
    let places = (0..entries).filter_map(|n| directory.checked_add(2 + 12 * n));
    let place = places.into_iter().find(|at| short(*at) == Some(0x0112))?;
    let value = u8::try_from(short(place.checked_add(8)?)?).ok()?;
    (1..=8).contains(&value).then_some(value)
}

#[cfg(test)]
mod tests;
