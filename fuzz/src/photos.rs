//! Photos before they are made small: JPEG and PNG as cameras, phones and strangers write them.

use fieldbook::picture::{Picture, THUMB_BYTES_MAX};

/// Pixels that a file may claim here: what is beyond costs seconds each and takes the same way.
const PIXELS_MAX: u64 = 1 << 20;
/// The longer edge of what goes over the link.
const EDGE_MAX: usize = 1600;

/// A photo's file: what is made of it reads again, upright, silent and within its bounds.
pub(crate) fn photo(bytes: &[u8]) {
    if claimed(bytes) > PIXELS_MAX {
        return;
    }
    let Some(picture) = Picture::read(bytes) else {
        return;
    };
    let (width, height) = picture.size();
    assert!(width > 0 && height > 0, "a picture without pixels");
    if let Some(look) = picture.look() {
        assert_eq!(look.0 >> 63, 0, "the mean light is in what it looks like");
    }
    if let Some(thumb) = picture.thumbnail() {
        assert!(thumb.bytes.len() <= THUMB_BYTES_MAX, "a thumbnail of {} bytes", thumb.bytes.len());
    }
    if let Some(small) = picture.smaller(bytes) {
        assert!(small.width.max(small.height) <= EDGE_MAX, "{} by {}", small.width, small.height);
        let again = Picture::read(&small.bytes).map(|again| again.size());
        assert_eq!(again, Some((small.width, small.height)), "what was made small reads otherwise");
    }
}

/// Returns the most pixels that a header in `bytes` claims; 0 where there is none.
fn claimed(bytes: &[u8]) -> u64 {
    let area = |height: &[u8], width: &[u8]| {
        let side = |bytes: &[u8]| bytes.iter().fold(0_u64, |side, byte| side << 8 | u64::from(*byte));
        side(height).saturating_mul(side(width))
    };
    let png = bytes.get(16..20).zip(bytes.get(20..24)).filter(|_| bytes.starts_with(b"\x89PNG"));
    // JPEG, ITU-T T.81, B.2.2: the marker of a frame, its length, the precision, lines and samples a line.
    let jpeg = bytes.windows(9).filter_map(|window| match window {
        [0xFF, 0xC0..=0xCF, _, _, _, size @ ..] => size.split_at_checked(2),
        _ => None,
    });
    png.into_iter().chain(jpeg).map(|(one, other)| area(one, other)).max().unwrap_or(0)
}
