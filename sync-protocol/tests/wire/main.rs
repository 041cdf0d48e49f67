//! What crosses the wire, as bytes.

mod conversation;
mod sample;
