//! Headquarters: takes in what devices recorded, judges it once, keeps it, and feeds it back.
//!
//! Reading order: [`store`], [`intake`], [`author`], [`enrol`], [`feed`], [`files`], [`pieces`], [`session`], [`asks`], [`bundles`],
//! [`money`], [`devices`], [`rescue`], [`archive`], [`lists`], [`jobs`], [`figures`], [`logins`], [`totp`], [`rotation`], [`meter`], [`porter`], [`lines`], [`quota`], [`server`], [`web`], [`cli`].

pub mod archive;
pub mod asks;
pub mod author;
pub mod backup;
pub mod bundles;
pub mod cli;
pub mod clock;
pub mod data;
pub mod devices;
pub mod enrol;
pub mod entropy;
pub mod feed;
pub mod figures;
pub mod files;
pub mod import;
pub mod intake;
pub mod jobs;
pub mod keys;
pub mod lines;
pub mod lists;
pub mod logins;
pub mod meter;
pub mod money;
pub mod people;
pub mod pieces;
pub mod porter;
pub mod quota;
pub mod reading;
pub mod rebuild;
pub mod recorded;
pub mod recovery;
pub mod rescue;
pub mod restore;
pub mod rotation;
pub mod scopes;
pub mod second_key;
pub mod server;
pub mod session;
pub mod store;
pub mod tls;
pub mod totp;
pub mod translate;
pub mod visible;
pub mod web;
pub mod writer;
