//! Which files a document names, and what each is to it.

use crate::schema::{Group, Kind};
use crate::value::payload::rows_of;
use crate::value::{Row, Type, Value};

/// What a file is to the document that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The small picture of a photo.
    Thumb,
    /// The photo, signature or document itself.
    Whole,
    /// The photo as the camera made it; it travels only where HQ asks for it.
    Original,
}

/// A file by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// What it is.
    pub part: Part,
    /// SHA-256 of its bytes.
    pub hash: [u8; 32],
}

/// Returns the files that the rows of a document name, each once, in order of their part and hash.
///
/// Shorter hashes are those of other systems, whose files never were here.
pub fn named<'a>(rows: impl IntoIterator<Item = (&'a Group, &'a Row)>) -> Vec<Named> {
    let mut all: Vec<Named> = rows.into_iter().flat_map(|(group, row)| in_row(group, row)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Returns the files that a write to a group of `kind` names; none where this build cannot read it.
#[must_use]
pub fn in_write(kind: &Kind, number: u16, payload: &[u8]) -> Vec<Named> {
    let group = kind.group(number).filter(|group| group.fields.iter().any(|field| field.ty == Type::File));
    let rows = group.map(|group| (group, rows_of(group, payload).unwrap_or_default()));
    rows.map_or_else(Vec::new, |(group, rows)| rows.iter().flat_map(|row| in_row(group, row)).collect())
}

fn in_row(group: &Group, row: &Row) -> Vec<Named> {
    let values = group.fields.iter().zip(row).filter_map(|(field, value)| match value {
        Some(Value::File(hash)) if field.ty == Type::File => {
            Some((field.name, <[u8; 32]>::try_from(hash.as_slice()).ok()?))
        }
        _ => None,
    });
    let part = |name| match name {
        "thumb" => Part::Thumb,
        "original" => Part::Original,
        _ => Part::Whole,
    };
    values.map(|(name, hash)| Named { part: part(name), hash }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::repair::REPAIR;
    use crate::kinds::sheet::Photos;
    use crate::schema::Typed;
    use crate::value::payload::encode_rows;
    use crate::value::{FileHash, decode_exact};

    #[test]
    fn a_document_names_each_file_once_and_thumbnails_first() {
        let hash = |n: u8| Some(FileHash(vec![n; 32]));
        let row = |photo: &Photos| {
            decode_exact(Photos::GROUP.fields, &postcard::to_allocvec(photo).unwrap()).unwrap()
        };
        let photo = Photos { file: hash(1), thumb: hash(2), original: hash(3), ..Photos::default() };
        let again = Photos { file: hash(1), ..Photos::default() };
        let foreign = Photos { file: Some(FileHash(vec![9; 12])), ..Photos::default() };
        let rows = [photo, again, foreign].each_ref().map(row);
        let found = named(rows.iter().map(|row| (&Photos::GROUP, row)));
        let found: Vec<(Part, u8)> = found.iter().map(|named| (named.part, named.hash[0])).collect();
        assert_eq!(found, [(Part::Thumb, 2), (Part::Whole, 1), (Part::Original, 3)]);

        let payload = encode_rows(Photos::GROUP.fields, &rows);
        assert_eq!(in_write(&REPAIR, Photos::GROUP.number, &payload).len(), 4);
        assert_eq!(in_write(&REPAIR, Photos::GROUP.number, b"\xff\xff"), []);
        assert_eq!(in_write(&REPAIR, 999, &payload), []);
    }
}
