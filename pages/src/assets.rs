//! What every page needs beside its HTML: one stylesheet, one script, one icon, built into the program.

use crate::reply::{Body, Reply};
use crate::visit::Visit;

/// One file, as the program carries it.
struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const ASSETS: [Asset; 5] = [
    Asset {
        name: "style.css",
        kind: "text/css; charset=utf-8",
        bytes: include_bytes!("../assets/style.css"),
    },
    Asset {
        name: "script.js",
        kind: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../assets/script.js"),
    },
    Asset { name: "icon.svg", kind: "image/svg+xml", bytes: include_bytes!("../assets/icon.svg") },
    Asset { name: "icon-192.png", kind: "image/png", bytes: include_bytes!("../assets/icon-192.png") },
    Asset { name: "icon-512.png", kind: "image/png", bytes: include_bytes!("../assets/icon-512.png") },
];

/// Returns the address of an asset; it changes with the content, so that a browser keeps it for ever.
#[must_use]
pub fn address(name: &str) -> String {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    format!("/assets/{}/{name}", found.map_or_else(String::new, |asset| version(asset.bytes)))
}

/// Returns the asset that a visit asks for, under any version; `None` where there is none of that name.
#[must_use]
pub fn answer(visit: &Visit) -> Option<Reply> {
    let name = visit.parts.last().filter(|_| visit.parts.first().is_some_and(|part| part == "assets"))?;
    let asset = ASSETS.iter().find(|asset| asset.name == name)?;
    let mut reply = Reply::shown(asset.kind, asset.bytes.to_vec());
    if let Body::File { keeps, .. } = &mut reply.body {
        *keeps = visit.parts.get(1).is_some_and(|part| *part == version(asset.bytes));
    }
    Some(reply)
}

fn version(bytes: &[u8]) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    hash.as_ref().get(..6).map(records::hex::of).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_kept_under_its_own_version_only() {
        let keeps = |path: &str| match answer(&Visit::to(path)).map(|reply| reply.body) {
            Some(Body::File { keeps, .. }) => Some(keeps),
            _ => None,
        };
        assert_eq!(keeps(&address("style.css")), Some(true));
        assert_eq!(keeps("/assets/old/style.css"), Some(false));
        assert_eq!(keeps("/assets/x/../secret"), None);
        assert_eq!(keeps("/sheets/style.css"), None);
    }
}
