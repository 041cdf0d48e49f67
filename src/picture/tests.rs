//! Pictures made smaller: whole, turned, bent, cut and enormous ones.

use proptest::prelude::*;

use super::*;

/// Returns a photo that no code makes short: three colours that change from pixel to pixel.
fn photo(width: usize, height: usize) -> Pixels {
    let byte =
        |i: usize| u8::try_from(((i * i + i).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 41) % 251).unwrap();
    Pixels { width, height, depth: 3, bytes: (0..width * height * 3).map(byte).collect() }
}

/// Returns EXIF bytes that give an orientation and nothing else.
fn exif(little: bool, turn: u8) -> Vec<u8> {
    if little {
        let entry = [0x12, 0x01, 3, 0, 1, 0, 0, 0, turn, 0, 0, 0];
        [&b"II\x2a\0\x08\0\0\0\x01\0"[..], &entry, &[0; 4]].concat()
    } else {
        let entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, turn, 0, 0];
        [&b"MM\0\x2a\0\0\0\x08\0\x01"[..], &entry, &[0; 4]].concat()
    }
}

fn jpeg(pixels: &Pixels, turn: Option<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 95);
    if let Some(turn) = turn {
        encoder.add_exif_metadata(&exif(true, turn)).unwrap();
    }
    let side = |n: usize| u16::try_from(n).unwrap();
    encoder.encode(&pixels.bytes, side(pixels.width), side(pixels.height), ColorType::Rgb).unwrap();
    bytes
}

fn of_palette(colours: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 1, 1);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_palette(colours.to_vec());
    encoder.set_trns(vec![9]);
    encoder.write_header().unwrap().write_image_data(&[0]).unwrap();
    out
}

fn png_of(colour: png::ColorType, width: u32, height: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(colour);
    encoder.write_header().unwrap().write_image_data(bytes).unwrap();
    out
}

/// Returns the colour of the pixel at a place.
fn at(pixels: &Pixels, x: usize, y: usize) -> &[u8] {
    &pixels.bytes[(y * pixels.width + x) * pixels.depth..][..pixels.depth]
}

#[test]
fn a_camera_photo_gets_shorter_upright_and_silent() {
    let file = jpeg(&photo(2400, 1800), Some(6));
    let picture = Picture::read(&file).unwrap();
    let small = picture.smaller(&file).unwrap();
    assert_eq!((picture.size(), small.width, small.height), ((1800, 2400), 1200, 1600));
    assert!(small.bytes.len() < file.len());
    let again = Picture::read(&small.bytes).unwrap();
    assert!(again.plain, "what the camera noted is gone");
    let thumb = picture.thumbnail().unwrap();
    assert!(thumb.bytes.len() <= THUMB_BYTES_MAX, "{}", thumb.bytes.len());
    assert_eq!(thumb.width * 4, thumb.height * 3);
}

#[test]
fn a_small_plain_photo_stays_as_it_is_and_one_with_a_place_in_it_does_not() {
    let plain = Picture::read(&jpeg(&photo(64, 48), None)).unwrap().pixels.jpeg(30).unwrap().bytes;
    assert_eq!(Picture::read(&plain).unwrap().smaller(&plain), None);
    let file = jpeg(&photo(64, 48), Some(1));
    let small = Picture::read(&file).unwrap().smaller(&file).unwrap();
    assert_eq!((small.width, small.height), (64, 48));
}

#[test]
fn every_orientation_ends_upright() {
    // 1 2
    // 3 4
    // 5 6
    let file = |bytes: &[u8]| Pixels { width: 2, height: 3, depth: 1, bytes: bytes.to_vec() };
    let check = |turn: u8, expected: (usize, [u8; 6])| {
        let turned = file(&[1, 2, 3, 4, 5, 6]).upright(turn).unwrap();
        assert_eq!((turned.width, turned.bytes.as_slice()), (expected.0, &expected.1[..]), "{turn}");
    };
    check(1, (2, [1, 2, 3, 4, 5, 6]));
    check(2, (2, [2, 1, 4, 3, 6, 5]));
    check(3, (2, [6, 5, 4, 3, 2, 1]));
    check(4, (2, [5, 6, 3, 4, 1, 2]));
    check(5, (3, [1, 3, 5, 2, 4, 6]));
    check(6, (3, [5, 3, 1, 6, 4, 2]));
    check(7, (3, [6, 4, 2, 5, 3, 1]));
    check(8, (3, [2, 4, 6, 1, 3, 5]));
}

#[test]
fn orientation_reads_in_both_byte_orders_and_nothing_else_is_one() {
    for turn in 1..=8 {
        assert_eq!(orientation(&exif(true, turn)), Some(turn));
        assert_eq!(orientation(&exif(false, turn)), Some(turn));
    }
    assert_eq!(orientation(&exif(true, 9)), None);
    assert_eq!(orientation(b"II"), None);
    assert_eq!(orientation(b"II\x2a\0\xff\xff\xff\xff\xff\xff"), None);
}

#[test]
fn a_picture_is_squeezed_to_the_mean_of_what_each_pixel_covers() {
    assert_eq!(squeeze(&[0, 100, 200, 40], 4, 1, 2), [50, 120]);
    assert_eq!(squeeze(&[0, 90, 180], 3, 1, 2), [30, 150], "a third is shared");
    assert_eq!(squeeze(&[10, 20, 30, 40], 2, 2, 1), [20, 30], "cells of two bytes");
}

#[test]
fn screenshots_become_photos_and_what_shines_through_is_white() {
    let clear = [255, 0, 0, 255, 0, 0, 0, 0];
    let picture = Picture::read(&png_of(png::ColorType::Rgba, 2, 1, &clear)).unwrap();
    assert_eq!((at(&picture.pixels, 0, 0), at(&picture.pixels, 1, 0)), (&[255, 0, 0][..], &[255; 3][..]));
    let noise = photo(900, 700);
    let file = png_of(png::ColorType::Rgb, 900, 700, &noise.bytes);
    let small = Picture::read(&file).unwrap().smaller(&file).unwrap();
    assert!(small.bytes.len() < file.len());
    let grey = png_of(png::ColorType::Grayscale, 2, 1, &[7, 200]);
    assert_eq!(Picture::read(&grey).unwrap().pixels.bytes, [7, 200]);
}

#[test]
fn a_file_that_claims_more_pixels_than_fit_is_left_alone() {
    let claim = |mut file: Vec<u8>, sof: [u8; 2]| {
        let at = file.windows(2).position(|pair| pair == sof).unwrap();
        file[at + 5..at + 9].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF]);
        file
    };
    assert_eq!(Picture::read(&claim(jpeg(&photo(16, 16), None), [0xFF, 0xC0])), None);
    let mut progressive = Vec::new();
    let mut encoder = Encoder::new(&mut progressive, 90);
    encoder.set_progressive(true);
    encoder.encode(&photo(16, 16).bytes, 16, 16, ColorType::Rgb).unwrap();
    assert!(Picture::read(&progressive).is_some());
    assert_eq!(Picture::read(&claim(progressive, [0xFF, 0xC2])), None);
    let mut huge = png_of(png::ColorType::Rgb, 1, 1, &[1, 2, 3]);
    huge[16..20].copy_from_slice(&[0, 1, 0, 0]);
    huge[20..24].copy_from_slice(&[0, 1, 0, 0]);
    assert_eq!(Picture::read(&huge), None);
    assert_eq!(Picture::read(&of_palette(&[1, 2, 3, 4])), None, "a colour and a third");
    assert!(Picture::read(&of_palette(&[1, 2, 3, 4, 5, 6])).is_some());
    assert_eq!(Picture::read(b"%PDF-1.7"), None);
    assert_eq!(Picture::read(b""), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn bent_and_cut_files_never_panic(
        png in any::<bool>(),
        bends in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let pixels = photo(40, 24);
        let mut file = if png {
            png_of(png::ColorType::Rgb, 40, 24, &pixels.bytes)
        } else {
            jpeg(&pixels, Some(6))
        };
        for (at, byte) in bends {
            let at = at.index(file.len());
            file[at] = byte;
        }
        file.truncate(cut.index(file.len()) + 1);
        if let Some(picture) = Picture::read(&file) {
            prop_assert!(picture.thumbnail().is_none_or(|jpeg| jpeg.bytes.len() <= THUMB_BYTES_MAX));
        }
    }
}
