//! The language of an answer, and the table of sentences.

use std::collections::BTreeMap;

/// A language that the table of sentences holds whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// Simplified Chinese, the default.
    ZhCn,
    /// Traditional Chinese; names of fields, kinds and states stand in simplified characters.
    ZhTw,
    /// English.
    En,
}

/// One fact of a sentence: the name of the place it fills, and its text.
pub type Fact<'a> = (&'a str, &'a str);

impl Lang {
    /// All of them, in the order in which the help lists them.
    pub const ALL: [Self; 3] = [Self::ZhCn, Self::ZhTw, Self::En];

    /// Returns the name that `--lang` takes.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::ZhTw => "zh-TW",
            Self::En => "en",
        }
    }

    /// Returns the language of `--lang`, as it is written there.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.id().eq_ignore_ascii_case(name))
    }

    /// Returns the language of a locale such as `zh_TW.UTF-8`; `None` where it names neither Chinese nor English.
    #[must_use]
    pub fn of_locale(locale: &str) -> Option<Self> {
        let locale =
            locale.split(['.', '@']).next().unwrap_or_default().replace('_', "-").to_ascii_lowercase();
        let mut parts = locale.split('-');
        match parts.next() {
            Some("en") => Some(Self::En),
            Some("zh") if parts.any(|part| matches!(part, "tw" | "hk" | "mo" | "hant")) => Some(Self::ZhTw),
            Some("zh") => Some(Self::ZhCn),
            _ => None,
        }
    }

    /// Returns the language to use where the command line names none: `FIELDBOOK_LANG`, the locale, simplified Chinese.
    #[must_use]
    pub fn of_environment(env: &BTreeMap<String, String>) -> Self {
        let locale = |name: &str| env.get(name).filter(|value| !value.is_empty());
        let chosen =
            locale("FIELDBOOK_LANG").and_then(|name| Self::named(name).or_else(|| Self::of_locale(name)));
        chosen
            .or_else(|| {
                ["LC_ALL", "LC_MESSAGES", "LANG"]
                    .into_iter()
                    .find_map(locale)
                    .and_then(|l| Self::of_locale(l))
            })
            .unwrap_or(Self::ZhCn)
    }

    /// Returns the sentence of `key` with its facts filled in; a key that is not in the table comes back as it is.
    #[must_use]
    pub fn say(self, key: &str, facts: &[Fact<'_>]) -> String {
        let Some(sentence) = self.try_say(key) else {
            return key.to_owned();
        };
        locales::fill(&sentence, facts)
    }

    /// Returns the sentence of `key` as it stands in the table.
    #[must_use]
    pub fn try_say(self, key: &str) -> Option<String> {
        locales::AGENT.sentence(self.id(), key).map(str::to_owned)
    }

    /// Returns the language of the labels in the schema tables and of the rules.
    #[must_use]
    pub const fn of_labels(self) -> records::value::text::Lang {
        match self {
            Self::ZhCn => records::value::text::Lang::Zh,
            Self::ZhTw => records::value::text::Lang::ZhTw,
            Self::En => records::value::text::Lang::En,
        }
    }

    /// Returns the language of a paper's own words.
    #[must_use]
    pub const fn of_papers(self) -> papers::words::Lang {
        match self {
            Self::ZhCn => papers::words::Lang::ZhCn,
            Self::ZhTw => papers::words::Lang::ZhTw,
            Self::En => papers::words::Lang::En,
        }
    }

    /// Returns that one of the two labels of a schema table which fits.
    #[must_use]
    pub fn label(self, zh: &'static str, en: &'static str) -> &'static str {
        self.of_labels().pick(zh, en)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every key of the table with its sentence in each language.
    fn table() -> BTreeMap<String, BTreeMap<String, String>> {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/locales")).unwrap();
        let mut files: Vec<_> = folder.map(|file| file.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "yml"));
        files.sort();
        let text: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
        let mut table: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let mut key = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.starts_with('_')) {
            let (name, value) = line.split_once(':').unwrap();
            if line.starts_with("  ") {
                table.get_mut(&key).unwrap().insert(name.trim().to_owned(), value.trim().to_owned());
            } else {
                key = name.to_owned();
                assert!(table.insert(key.clone(), BTreeMap::new()).is_none(), "{key} stands there twice");
            }
        }
        table
    }

    fn places(sentence: &str) -> Vec<String> {
        let mut places: Vec<String> = sentence
            .split("%{")
            .skip(1)
            .filter_map(|rest| rest.split_once(['}', '?']).map(|(name, _)| name.to_owned()))
            .collect();
        places.sort();
        places.dedup();
        places
    }

    /// English says one of a thing otherwise than many; a word after a number that is always of many reads wrong.
    #[test]
    fn no_english_sentence_says_1_lines() {
        for (key, sentences) in table() {
            for after in sentences["en"].split("%{n} ").skip(1) {
                let word = after.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
                assert!(
                    !word.ends_with('s') || ["is", "was", "has"].contains(&word),
                    "{key}: {}",
                    sentences["en"]
                );
            }
        }
    }

    #[test]
    fn every_sentence_stands_in_three_languages_with_the_same_facts() {
        for (key, sentences) in table() {
            let languages: Vec<&str> = sentences.keys().map(String::as_str).collect();
            assert_eq!(languages, ["en", "zh-CN", "zh-TW"], "{key}");
            let english = places(&sentences["en"]);
            assert!(sentences.values().all(|s| places(s) == english), "{key}: the facts differ");
            assert!(sentences.values().all(|s| s != "\"\""), "{key}: empty");
        }
    }

    /// Characters that only simplified Chinese writes so: those of the zh-CN sentences and labels.
    const SIMPLIFIED: &str = "万与专业东丢两严个临为么义书买争于产亿仅从仓仪们价优会传体余关内册写冲决况冻净减几凭划则刚创删别办务动区协单占历压叁参发变叠号后吗听启员响团围国图场坏处备复头夹实审宽对导将尝尽届属岗币师带帮并库应废开异弃张强归当录径态总户执扫护报拟拨择挂挡损换据摄数断无旧时显暂机权条来标样档检毕汇没测浏渗温满点状独环现电画监盘码确碍离种积称税笔筛签类紧约级纪纬纸纹线组细织终经结给络绝统继续维缓编缩网罚职联脑脚腾节范获虚补装见观规视览计认让讫训议记许论设访证评识诉词试话询该详语误说请读谁调负财责败账质购贰贴费资车转轻载较辑输边达过运还这进远连迟适选递遗邮采释针钟钥铭银链销锁错键长门闭问闲间队际陆险随页项顺须题额飞马驳驾验骤齐";

    #[test]
    fn no_simplified_character_stands_in_a_traditional_sentence() {
        for (key, sentences) in table() {
            let traditional = &sentences["zh-TW"];
            let mixed: String = traditional.chars().filter(|c| SIMPLIFIED.contains(*c)).collect();
            assert!(mixed.is_empty(), "{key}: {mixed} in {traditional}");
        }
    }

    /// Every label of the schema tables, and every sentence of the rules, in traditional Chinese.
    fn labels() -> Vec<&'static str> {
        let mut labels = Vec::new();
        for kind in records::kinds::KINDS {
            labels.push((kind.zh, kind.en));
            for group in kind.groups {
                labels.push((group.zh, group.en));
                for field in group.fields {
                    labels.push((field.zh, field.en));
                    if let records::value::Type::Choice(list) = field.ty {
                        labels.extend(list.options.iter().map(|(_, zh, en)| (*zh, *en)));
                    }
                }
            }
            let machine = kind.machine;
            labels
                .extend(machine.iter().flat_map(|machine| machine.states).map(|state| (state.zh, state.en)));
            labels.extend(machine.iter().flat_map(|machine| machine.steps).map(|step| (step.zh, step.en)));
        }
        let rules = records::rules::all();
        let rules = rules.flat_map(|rule| [(rule.zh, rule.en), (rule.hint_zh, rule.hint_en)]);
        labels.into_iter().chain(rules).map(|(zh, en)| Lang::ZhTw.label(zh, en)).collect()
    }

    #[test]
    fn no_simplified_character_stands_in_a_traditional_label_or_rule() {
        let labels = labels();
        assert!(labels.len() > 1_000, "only {} labels", labels.len());
        let mixed = labels.into_iter().filter(|label| label.contains(|c| SIMPLIFIED.contains(c)));
        let mixed: BTreeSet<&str> = mixed.collect();
        assert!(mixed.is_empty(), "{mixed:?}");
    }

    #[test]
    fn every_key_that_the_code_names_is_in_the_table() {
        let table = table();
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = vec![
            root.join("src/cli"),
            root.join("src/notebook"),
            root.join("src/web"),
            root.join("hq/src/cli"),
            root.join("hq/src/cli.rs"),
            root.join("hq/src/web"),
        ];
        let mut asked = 0;
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let code = std::fs::read_to_string(&path).unwrap();
            let code = code.split("\n#[cfg(test)]").next().unwrap();
            for literal in code.split('"').skip(1).step_by(2) {
                let dotted = literal.split_once('.').is_some_and(|(room, rest)| {
                    ["error", "text", "rule", "ask", "column", "hq", "web", "console"].contains(&room)
                        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
                        && !rest.is_empty()
                });
                if dotted {
                    asked += 1;
                    assert!(table.contains_key(literal), "{} names {literal}", path.display());
                }
            }
        }
        assert!(asked > 20, "the search for keys found only {asked}");
    }

    #[test]
    fn the_language_is_the_flag_then_the_variable_then_the_locale() {
        let env =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let check = |pairs: &[(&str, &str)], expected| {
            assert_eq!(Lang::of_environment(&env(pairs)), expected, "{pairs:?}")
        };
        check(&[], Lang::ZhCn);
        check(&[("LANG", "C")], Lang::ZhCn);
        check(&[("LANG", "en_US.UTF-8")], Lang::En);
        check(&[("LANG", "en_US.UTF-8"), ("LC_ALL", "zh_TW.UTF-8")], Lang::ZhTw);
        check(&[("LC_ALL", "zh_Hant_HK")], Lang::ZhTw);
        check(&[("LANG", "zh_TW"), ("FIELDBOOK_LANG", "en")], Lang::En);
        check(&[("FIELDBOOK_LANG", "klingon"), ("LANG", "en_GB")], Lang::En);
        assert_eq!(Lang::named("zh-cn"), Some(Lang::ZhCn));
        assert_eq!(Lang::named("de"), None);
    }

    #[test]
    fn facts_fill_their_places() {
        let said = Lang::En.say("error.panic", &[("what", "src/cli/mod.rs:1")]);
        assert!(said.contains("(src/cli/mod.rs:1)"), "{said}");
    }
}
