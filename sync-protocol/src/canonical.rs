//! The one way to read postcard here: nothing left over, and no second spelling of the same value.
//!
//! postcard alone ignores trailing bytes and takes numbers that are longer than they need to be;
//! both would give one value several hashes.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Returns the value's only spelling.
pub(crate) fn to_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    // Serialising plain data into a growing vector has no way to fail.
    postcard::to_allocvec(value).unwrap_or_default()
}

/// Returns the value that these bytes are the only spelling of; `None` for anything else.
pub(crate) fn from_bytes<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (value, rest) = postcard::take_from_bytes::<T>(bytes).ok()?;
    (rest.is_empty() && to_bytes(&value) == bytes).then_some(value)
}

/// Appends the value's only spelling.
pub(crate) fn push<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    *out = postcard::to_extend(value, std::mem::take(out)).unwrap_or_default();
}

/// Appends a length: seven bits a byte, the lowest first, in as few bytes as it needs.
pub(crate) fn push_len(len: usize, out: &mut Vec<u8>) {
    push(&u32::try_from(len).unwrap_or(u32::MAX), out);
}

/// Takes a length off the front of `rest`; `None` where it is cut short or spelt longer than needed.
pub(crate) fn take_len(rest: &mut &[u8]) -> Option<usize> {
    let (len, left) = postcard::take_from_bytes::<u32>(rest).ok()?;
    (to_bytes(&len).len() + left.len() == rest.len()).then_some(())?;
    *rest = left;
    usize::try_from(len).ok()
}

/// Takes a length and as many bytes off the front of `rest`.
pub(crate) fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = take_len(rest)?;
    let (bytes, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(bytes)
}
