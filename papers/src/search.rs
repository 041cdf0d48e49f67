//! Where a device keeps its fonts, and which of them are worth a try; the caller reads the folders.

use std::path::{Path, PathBuf};

use crate::face::FONT_BYTES_MAX;

/// How many folders are looked into.
const FOLDERS_MAX: usize = 512;

/// How many files are tried.
const FILES_MAX: usize = 24;

/// A font with fewer bytes has no Chinese.
const BYTES_MIN: u64 = 500_000;

/// How the files of fonts with Chinese begin, best first: clear on paper, one weight, many characters.
const KNOWN: [&str; 22] = [
    "notosanscjk-regular",
    "notosanscjksc-regular",
    "notosanssc-regular",
    "sourcehansanssc-regular",
    "sourcehansans-regular",
    "msyh",
    "deng",
    "simhei",
    "wqy-microhei",
    "wqy-zenhei",
    "notoserifcjk-regular",
    "simsun",
    "msjh",
    "mingliu",
    "sourcehanserif",
    "uming",
    "ukai",
    "droidsansfallback",
    "notosanscjk",
    "notosanssc",
    "harmonyos_sans_sc",
    "misans",
];

/// What stands in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub path: PathBuf,
    /// Whether it is a folder.
    pub folder: bool,
    /// Its length, of a file.
    pub bytes: u64,
}

/// Returns the folders in which a system keeps its fonts.
///
/// `system` is the name that the compiler has for it; `variable` gives a variable of the environment.
#[must_use]
pub fn folders(system: &str, variable: impl Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let below = |name: &str, rest: &str| Some(Path::new(&variable(name)?).join(rest));
    let fixed = |path: &str| Some(PathBuf::from(path));
    let folders = match system {
        "windows" => vec![below("WINDIR", "Fonts"), below("LOCALAPPDATA", "Microsoft/Windows/Fonts")],
        "android" => vec![fixed("/system/fonts"), fixed("/product/fonts"), fixed("/data/fonts")],
        "macos" => {
            vec![fixed("/System/Library/Fonts"), fixed("/Library/Fonts"), below("HOME", "Library/Fonts")]
        }
        _ => vec![
            fixed("/usr/share/fonts"),
            fixed("/usr/local/share/fonts"),
            below("HOME", ".local/share/fonts"),
            below("HOME", ".fonts"),
        ],
    };
    folders.into_iter().flatten().collect()
}

/// Returns the files below `folders` that may be fonts with Chinese, best first.
///
/// `read` returns what stands in a folder, nothing where it cannot be read.
pub fn files(folders: &[PathBuf], mut read: impl FnMut(&Path) -> Vec<Entry>) -> Vec<PathBuf> {
    let mut waiting: Vec<PathBuf> = folders.iter().rev().cloned().collect();
    let (mut looked, mut found) = (0, Vec::new());
    while let Some(folder) = waiting.pop() {
        if looked == FOLDERS_MAX {
            break;
        }
        looked += 1;
        let (below, files): (Vec<Entry>, Vec<Entry>) =
            read(&folder).into_iter().partition(|entry| entry.folder);
        waiting.extend(below.into_iter().map(|entry| entry.path));
        found.extend(files.into_iter().filter_map(|file| Some((rank(&file)?, file.path))));
    }
    // Of equals the name decides, not the order of the disk.
    found.sort();
    found.truncate(FILES_MAX);
    found.into_iter().map(|(_, path)| path).collect()
}

/// Returns the place of a file in the order of trial; `None` for what is not worth one.
fn rank(file: &Entry) -> Option<usize> {
    let name = file.path.file_name()?.to_str()?.to_lowercase();
    let is_font = [".ttf", ".ttc", ".otf", ".otc"].iter().any(|ending| name.ends_with(ending));
    if !is_font || !(BYTES_MIN..=FONT_BYTES_MAX).contains(&file.bytes) {
        return None;
    }
    Some(KNOWN.iter().position(|known| name.starts_with(known)).unwrap_or(KNOWN.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, folder: bool, bytes: u64) -> Entry {
        Entry { path: PathBuf::from(path), folder, bytes }
    }

    #[test]
    fn known_chinese_fonts_come_before_others_and_small_files_not_at_all() {
        let read = |folder: &Path| match folder.to_str().unwrap() {
            "/f" => vec![
                entry("/f/DejaVuSans.ttf", false, 757_076),
                entry("/f/DejaVuSansMono.ttf", false, 300_000),
                entry("/f/notes.txt", false, 900_000),
                entry("/f/sub", true, 0),
            ],
            "/f/sub" => vec![
                entry("/f/sub/wqy-zenhei.ttc", false, 16_791_251),
                entry("/f/sub/NotoSansCJK-Bold.ttc", false, 20_050_760),
                entry("/f/sub/NotoSansCJK-Regular.ttc", false, 19_484_784),
                entry("/f/sub/huge.ttc", false, FONT_BYTES_MAX + 1),
            ],
            _ => Vec::new(),
        };
        let found = files(&[PathBuf::from("/f"), PathBuf::from("/none")], read);
        let names: Vec<_> = found.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        assert_eq!(
            names,
            ["NotoSansCJK-Regular.ttc", "wqy-zenhei.ttc", "NotoSansCJK-Bold.ttc", "DejaVuSans.ttf"]
        );
    }

    #[test]
    fn a_folder_that_leads_to_itself_ends() {
        let mut looked = 0;
        files(&[PathBuf::from("/f")], |_| {
            looked += 1;
            vec![entry("/f", true, 0)]
        });
        assert_eq!(looked, FOLDERS_MAX);
    }

    #[test]
    fn every_system_names_its_folders_and_an_unset_variable_none() {
        let none = |_: &str| None;
        assert_eq!(folders("windows", none), Vec::<PathBuf>::new());
        let windows = |name: &str| (name == "WINDIR").then(|| "C:/Windows".to_owned());
        assert_eq!(folders("windows", windows), [PathBuf::from("C:/Windows/Fonts")]);
        assert_eq!(folders("android", none)[0], PathBuf::from("/system/fonts"));
        assert_eq!(folders("linux", none)[0], PathBuf::from("/usr/share/fonts"));
    }
}
