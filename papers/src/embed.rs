//! Fonts and pictures as objects of a PDF file.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Finish, Name, Pdf, Rect, Ref, Str};

use crate::block::Picture;
use crate::face::{Face, Outlines};
use crate::press::{self, Used};

const IDENTITY: SystemInfo<'static> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// Returns what pages call a font.
pub(crate) fn key(face: usize) -> String {
    format!("F{face}")
}

/// Returns what pages call a picture.
pub(crate) fn picture_key(picture: usize) -> String {
    format!("P{picture}")
}

/// Writes bytes, packed.
pub(crate) fn stream(pdf: &mut Pdf, id: Ref, bytes: &[u8]) {
    pdf.stream(id, &packed(bytes)).filter(Filter::FlateDecode);
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::new(6));
    // Memory takes every byte.
    let _ = packer.write_all(bytes);
    packer.finish().unwrap_or_default()
}

/// Writes the used part of a font, with a table from its glyphs to characters, so that the text can be searched.
///
/// `None` where the file is damaged behind its tables.
pub(crate) fn font(pdf: &mut Pdf, id: Ref, next: &mut Ref, face: &Face, used: &Used) -> Option<()> {
    let outlines = face.outlines(&used.glyphs)?;
    let (descendant, descriptor, file, unicode) = (next.bump(), next.bump(), next.bump(), next.bump());
    let name = format!("{}+{}", mark(used), if face.name.is_empty() { "Face" } else { &face.name });
    let name = Name(name.as_bytes());
    let mut whole = pdf.type0_font(id);
    whole.base_font(name).encoding_predefined(Name(b"Identity-H"));
    whole.descendant_font(descendant).to_unicode(unicode);
    whole.finish();

    let mut cid = pdf.cid_font(descendant);
    cid.base_font(name).system_info(IDENTITY).font_descriptor(descriptor);
    match outlines {
        Outlines::TrueType(_) => {
            cid.subtype(CidFontType::Type2).cid_to_gid_map_predefined(Name(b"Identity"));
        }
        Outlines::Cff(_) => {
            cid.subtype(CidFontType::Type0);
        }
    }
    // Almost all are Chinese and as wide as high.
    cid.default_width(press::whole(1000));
    let mut widths = cid.widths();
    for (number, (_, width)) in used.letters.iter().filter(|(_, (_, width))| *width != 1000) {
        widths.consecutive(*number, [press::whole(*width)]);
    }
    widths.finish();
    cid.finish();

    let mut described = pdf.font_descriptor(descriptor);
    let [left, bottom, right, top] = face.bounds.map(press::whole);
    described.name(name).flags(FontFlags::SYMBOLIC).bbox(Rect::new(left, bottom, right, top));
    described.italic_angle(0.0).stem_v(80.0).cap_height(press::whole(face.ascent));
    described.ascent(press::whole(face.ascent)).descent(press::whole(face.descent));
    match outlines {
        Outlines::TrueType(_) => described.font_file2(file),
        Outlines::Cff(_) => described.font_file3(file),
    };
    described.finish();
    match outlines {
        Outlines::TrueType(bytes) => stream(pdf, file, &bytes),
        Outlines::Cff(bytes) => {
            pdf.stream(file, &packed(&bytes))
                .filter(Filter::FlateDecode)
                .pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
        }
    }

    let mut letters = UnicodeCmap::new(Name(b"Letters"), IDENTITY);
    for (number, (letter, _)) in &used.letters {
        letters.pair(*number, *letter);
    }
    stream(pdf, unicode, &letters.finish());
    Some(())
}

/// Returns six letters that differ where the used glyphs do: two parts of one font must not be taken for one another.
fn mark(used: &Used) -> String {
    let mix = |sum: u32, glyph: u16| (sum ^ u32::from(glyph)).wrapping_mul(16_777_619);
    let mut sum = used.glyphs.remapped_gids().fold(2_166_136_261, mix);
    let letter = |_| {
        let letter = u8::try_from(sum % 26).unwrap_or(0);
        sum /= 26;
        char::from(b'A' + letter)
    };
    (0..6).map(letter).collect()
}

/// Writes a picture.
pub(crate) fn picture(pdf: &mut Pdf, id: Ref, picture: &Picture) {
    let bytes = packed(&picture.shades);
    let mut image = pdf.image_xobject(id, &bytes);
    let side = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
    image.width(side(picture.width)).height(side(picture.height)).bits_per_component(8);
    image.color_space().device_gray();
    image.filter(Filter::FlateDecode);
}
