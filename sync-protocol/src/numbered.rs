//! Variants that cross the wire as (number, length, bytes), so that one of a newer version is kept and never fatal.

/// An enum whose variants carry numbers.
pub(crate) trait Numbered: Sized {
    /// Returns the variant's number and its bytes.
    fn to_numbered(&self) -> (u8, Vec<u8>);

    /// Returns the variant; `None` where a known number's bytes are not its own.
    fn from_numbered(number: u8, bytes: &[u8]) -> Option<Self>;
}

/// Gives a [`Numbered`] enum its serde form: the number, then the bytes behind their length.
macro_rules! numbered_serde {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let (number, bytes) = crate::numbered::Numbered::to_numbered(self);
                (number, serde_bytes::Bytes::new(&bytes)).serialize(to)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let (number, bytes) = <(u8, serde_bytes::ByteBuf)>::deserialize(from)?;
                crate::numbered::Numbered::from_numbered(number, &bytes)
                    .ok_or_else(|| serde::de::Error::custom("not this variant's bytes"))
            }
        }
    };
}

pub(crate) use numbered_serde;
