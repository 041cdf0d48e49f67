//! What headquarters keeps, in SQLite; nothing here judges.

pub mod sqlite;
