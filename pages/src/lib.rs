//! Pages: what the device's pages and the office's console share. A request is a value, an answer is a value; only [`http`] and [`stop`] know a server.
//!
//! Reading order: [`visit`], [`reply`], [`gate`], [`shell`], [`widgets`], [`symbol`], [`assets`], [`http`], [`stop`].

pub mod assets;
pub mod gate;
pub mod http;
pub mod reply;
pub mod shell;
pub mod stop;
pub mod symbol;
pub mod visit;
pub mod widgets;
