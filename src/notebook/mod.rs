//! The use cases: the one door through which a record changes. A request value in, an answer value out.
//!
//! Nothing here prints, and no rule of the domain is written here: the tables and machines of [`records`] are asked.
//! Reading order: [`refusal`], [`pair`], [`find`], [`registers`], [`rows`], [`state`], [`people`], then one file per verb.

pub mod add;
pub mod amend;
pub mod arrive;
pub mod attach;
pub mod batch;
pub mod claim;
pub mod conflict;
pub mod create;
pub mod day;
pub mod enrol;
pub mod export;
pub mod files;
pub mod find;
pub mod hand_over;
pub mod history;
pub mod import;
pub mod level;
pub mod list;
pub mod outlook;
pub mod pair;
pub mod people;
pub mod print;
pub mod quarantine;
pub mod refusal;
pub mod registers;
pub mod remove;
pub mod report;
pub mod review;
pub mod round;
pub mod rows;
pub mod scan;
pub mod seal;
pub mod search;
pub mod set;
pub mod show;
pub mod state;
pub mod status;
pub mod step;
pub mod terms;
pub mod trip;
pub mod twins;
pub mod typed;
pub mod visits;
pub mod voucher;
pub mod work;
