//! The page that a browser shows, touched and read as a person does.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::chromium::{Chromium, Event};

/// A page at most this high is drawn into a picture, in CSS pixels.
const PICTURE_HEIGHT_MAX: u32 = 3_000;

/// How far away with the Tab key anything may lie.
const TABS_MAX: usize = 60;

/// The height of every screen, in CSS pixels.
const HEIGHT: u32 = 844;

/// The widths that people have: a phone, a tablet, a desk.
pub(crate) const PHONE: u32 = 390;
pub(crate) const TABLET: u32 = 820;
pub(crate) const DESK: u32 = 1440;

/// What the page has loaded and complained of since its own address was asked for.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Bytes over the wire, headers included, without photos.
    pub(crate) bytes: u64,
    /// What the console shows in red, and what was not found.
    pub(crate) complaints: Vec<String>,
    photos: Vec<String>,
}

/// One page of one person.
pub(crate) struct Page {
    chromium: Chromium,
    pub(crate) width: u32,
    pub(crate) lang: &'static str,
    pub(crate) load: Load,
    /// How many pages it has shown.
    pub(crate) loads: u64,
    /// How many times it has asked whether that is really meant.
    pub(crate) questions: usize,
    loading: bool,
    frame: String,
}

impl Page {
    /// Opens an empty page of that width for a person who reads `lang`.
    #[track_caller]
    pub(crate) fn new(width: u32, lang: &'static str) -> Self {
        let mut chromium = Chromium::start(lang);
        chromium.ask("Emulation.setTouchEmulationEnabled", &json!({ "enabled": width < DESK }));
        let chosen = json!({ "name": "language", "value": lang, "domain": "127.0.0.1", "path": "/" });
        chromium.ask("Network.setCookie", &chosen);
        // Each page is weighed as a person's first one.
        chromium.ask("Network.setCacheDisabled", &json!({ "cacheDisabled": true }));
        let tree = chromium.ask("Page.getFrameTree", &json!({}));
        let frame = tree["frameTree"]["frame"]["id"].as_str().expect("a frame").to_owned();
        let load = Load::default();
        let mut page = Self { chromium, width, lang, load, loads: 0, questions: 0, loading: false, frame };
        page.size(HEIGHT);
        page
    }

    /// Gives the screen its height, in CSS pixels.
    fn size(&mut self, height: u32) {
        let screen = json!({ "width": self.width, "height": height, "deviceScaleFactor": 1,
            "mobile": self.width < DESK });
        self.chromium.ask("Emulation.setDeviceMetricsOverride", &screen);
    }

    /// Goes to an address as if it were typed.
    #[track_caller]
    pub(crate) fn go(&mut self, url: &str) {
        let gone = self.chromium.ask("Page.navigate", &json!({ "url": url }));
        assert!(gone["errorText"].is_null(), "{url}: {}", gone["errorText"]);
        self.loading = true;
        self.settle();
    }

    /// Returns what keeps the pages from being installed as an application.
    pub(crate) fn manifest_faults(&mut self) -> Value {
        self.chromium.ask("Page.getAppManifest", &json!({}))["errors"].take()
    }

    /// Returns the path and the query of the page.
    pub(crate) fn path(&mut self) -> String {
        self.text_of("location.pathname + location.search")
    }

    /// Returns what a script in the page says; its promises are waited for.
    #[track_caller]
    pub(crate) fn eval(&mut self, script: &str) -> Value {
        match self.try_eval(script) {
            Ok(value) => value,
            Err(why) => panic!("{why}\nin: {}", script.chars().take(400).collect::<String>()),
        }
    }

    #[track_caller]
    pub(crate) fn text_of(&mut self, script: &str) -> String {
        let value = self.eval(script);
        value.as_str().unwrap_or_else(|| panic!("{value} is no text: {script}")).to_owned()
    }

    /// Returns what `script` says in a world of its own, where `library` stands and nothing of the page's scripts.
    #[track_caller]
    pub(crate) fn eval_aside(&mut self, library: &str, script: &str) -> Value {
        let world = json!({ "frameId": self.frame, "worldName": "tests" });
        let world = self.chromium.ask("Page.createIsolatedWorld", &world)["executionContextId"].clone();
        let standing = json!({ "expression": "typeof axe === 'object'", "contextId": world });
        let standing = self.chromium.ask("Runtime.evaluate", &standing)["result"]["value"] == true;
        if !standing {
            self.chromium.ask("Runtime.evaluate", &json!({ "expression": library, "contextId": world }));
        }
        self.eval_in(Some(&world), script).unwrap_or_else(|why| panic!("{why} in {script}"))
    }

    fn try_eval(&mut self, script: &str) -> Result<Value, String> {
        self.eval_in(None, script)
    }

    fn eval_in(&mut self, world: Option<&Value>, script: &str) -> Result<Value, String> {
        let mut params = json!({
            "expression": script, "awaitPromise": true, "returnByValue": true, "userGesture": true,
        });
        if let Some(world) = world {
            params["contextId"] = world.clone();
        }
        let mut answer = self.chromium.try_ask("Runtime.evaluate", &params)?;
        let thrown = &answer["exceptionDetails"];
        if !thrown.is_null() {
            let said = &thrown["exception"]["description"];
            return Err(said.as_str().unwrap_or("a script threw").to_owned());
        }
        Ok(answer["result"]["value"].take())
    }

    /// Taps the middle of what `css` finds first; something else lying there ends the test.
    #[track_caller]
    pub(crate) fn tap(&mut self, css: &str) {
        let point = self.point(css);
        let (x, y) = (&point["x"], &point["y"]);
        for (kind, buttons) in [("mousePressed", 1), ("mouseReleased", 0)] {
            let press = json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1 });
            self.chromium.ask("Input.dispatchMouseEvent", &press);
        }
        self.settle();
    }

    /// Types into what `css` finds first, in place of what stood there.
    #[track_caller]
    pub(crate) fn type_into(&mut self, css: &str, text: &str) {
        self.point(css);
        let focus = format!("{}.focus(), {0}.select?.()", found(css));
        self.eval(&focus);
        self.chromium.ask("Input.insertText", &json!({ "text": text }));
        self.settle();
    }

    /// Presses and releases one key of the keyboard, such as `Enter`, `Tab`, ` ` or `2`.
    #[track_caller]
    pub(crate) fn key(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            "Escape" => (27, ""),
            "ArrowDown" => (40, ""),
            "ArrowUp" => (38, ""),
            one => (one.chars().next().map_or(0, |c| u32::from(c.to_ascii_uppercase())), one),
        };
        let down = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        for kind in [down, "keyUp"] {
            let press = json!({ "type": kind, "key": key, "text": if kind == "keyUp" { "" } else { text },
                "windowsVirtualKeyCode": code });
            self.chromium.ask("Input.dispatchKeyEvent", &press);
        }
        self.settle();
    }

    /// Presses Tab until what `script` says of the focused element `e` is true: nothing may need a mouse.
    #[track_caller]
    pub(crate) fn reach(&mut self, script: &str) {
        let there = format!("((e) => !!({script}))(document.activeElement)");
        for _ in 0..TABS_MAX {
            self.key("Tab");
            if self.eval(&there) == Value::Bool(true) {
                return;
            }
        }
        panic!("{TABS_MAX} times Tab on {} never reach {script}", self.path());
    }

    /// Types where the keyboard is.
    #[track_caller]
    pub(crate) fn type_here(&mut self, text: &str) {
        self.chromium.ask("Input.insertText", &json!({ "text": text }));
        self.settle();
    }

    /// Chooses a file as a camera or a file dialog does.
    #[track_caller]
    pub(crate) fn upload(&mut self, css: &str, file: &Path) {
        let find = json!({ "expression": found(css) });
        let object = self.chromium.ask("Runtime.evaluate", &find)["result"]["objectId"].clone();
        self.chromium.ask("DOM.setFileInputFiles", &json!({ "files": [file], "objectId": object }));
        self.settle();
    }

    /// Draws a line with a finger over what `css` finds first.
    #[track_caller]
    pub(crate) fn draw(&mut self, css: &str) {
        let point = self.point(css);
        let [x, y] = ["x", "y"].map(|axis| point[axis].as_i64().expect("a whole pixel"));
        let finger = |kind: &str, points: Value| json!({ "type": kind, "touchPoints": points });
        self.chromium.ask("Emulation.setTouchEmulationEnabled", &json!({ "enabled": true }));
        let at = |dx: i64, dy: i64| json!([{ "x": x + dx, "y": y + dy }]);
        self.chromium.ask("Input.dispatchTouchEvent", &finger("touchStart", at(-60, 0)));
        for (dx, dy) in [(-40, -20), (-20, 15), (0, -20), (20, 15), (40, -15), (60, 10)] {
            self.chromium.ask("Input.dispatchTouchEvent", &finger("touchMove", at(dx, dy)));
        }
        self.chromium.ask("Input.dispatchTouchEvent", &finger("touchEnd", json!([])));
        self.settle();
    }

    /// Waits until `script` is true in the page, a minute at most.
    #[track_caller]
    pub(crate) fn wait(&mut self, script: &str) {
        let wait = format!(
            "new Promise((yes) => {{ const end = performance.now() + 60000; (function look() {{ \
             let met = false; try {{ met = !!({script}); }} catch {{}} \
             if (met || performance.now() > end) yes(met); else setTimeout(look, 20); }})() }})"
        );
        // A page that goes on while it is watched is asked once more.
        let met = self.try_eval(&wait).or_else(|_gone| {
            self.settle();
            self.try_eval(&wait)
        });
        self.settle();
        if met != Ok(Value::Bool(true)) {
            let shown = self.shown();
            panic!("never true: {script}\n{met:?} on {}:\n{shown}", self.path());
        }
    }

    /// Returns the words that the page shows.
    pub(crate) fn shown(&mut self) -> String {
        self.text_of("document.body.innerText")
    }

    /// Asserts that the page shows these words.
    #[track_caller]
    pub(crate) fn shows(&mut self, words: &str) {
        let shown = self.shown();
        assert!(shown.contains(words), "no {words:?} on {}:\n{shown}", self.path());
    }

    /// Asserts that the page does not show these words.
    #[track_caller]
    pub(crate) fn hides(&mut self, words: &str) {
        let shown = self.shown();
        assert!(!shown.contains(words), "{words:?} on {}:\n{shown}", self.path());
    }

    /// Draws the whole page into `target/screens/NAME-WIDTH-LANG.png`.
    #[track_caller]
    pub(crate) fn picture(&mut self, name: &str) -> PathBuf {
        let height = self.eval("document.documentElement.scrollHeight").as_u64().expect("a height");
        let height = u32::try_from(height).unwrap_or(PICTURE_HEIGHT_MAX).clamp(HEIGHT, PICTURE_HEIGHT_MAX);
        // As if the screen were as high as the page: bars at its edges stand where the page ends.
        self.size(height);
        let drawn = self.chromium.ask("Page.captureScreenshot", &json!({ "format": "png" }));
        self.size(HEIGHT);
        let png = drawn["data"].as_str().and_then(|text| {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text).ok()
        });
        let folder = target().join("screens");
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        let file = folder.join(format!("{name}-{}-{}.png", self.width, self.lang));
        std::fs::write(&file, png.expect("a picture")).expect("a picture on the disk");
        file
    }

    /// Brings what `css` finds first into view and returns its middle.
    #[track_caller]
    fn point(&mut self, css: &str) -> Value {
        let look = format!(
            "(() => {{ const e = {}; if (!e) return 'is not on the page'; \
             e.scrollIntoView({{ block: 'center', inline: 'center', behavior: 'instant' }}); \
             const r = e.getBoundingClientRect(); \
             if (!r.width || !r.height) return 'has no size'; \
             const x = Math.round(r.x + r.width / 2), y = Math.round(r.y + r.height / 2); \
             const top = document.elementFromPoint(x, y); \
             if (!top) return 'is out of sight'; \
             if (!e.contains(top) && !top.contains(e) && !(e.labels && [...e.labels].some(l => l.contains(top)))) \
             return 'lies under ' + top.outerHTML.slice(0, 200); \
             return {{ x, y }}; }})()",
            found(css)
        );
        let point = self.eval(&look);
        if let Some(why) = point.as_str() {
            let shown = self.shown();
            panic!("{css} {why}; {} shows:\n{shown}", self.path());
        }
        point
    }

    /// Waits until what the last touch set off is over: scripts, and a new page if one was asked for.
    #[track_caller]
    fn settle(&mut self) {
        let beat = "new Promise((yes) => requestAnimationFrame(() => setTimeout(yes, 0)))";
        loop {
            // While the page goes on there is nothing to ask, and that is an answer too.
            let still = self.loading || self.try_eval(beat).is_ok();
            while let Some(event) = self.chromium.past_event() {
                self.hear(&event);
            }
            if !still {
                self.loading = true;
            }
            while self.loading {
                let event = self.chromium.next_event("the end of loading");
                self.hear(&event);
            }
            if still && self.try_eval("document.readyState") == Ok("complete".into()) {
                return;
            }
        }
    }

    fn hear(&mut self, event: &Event) {
        let told = &event.params;
        let ours = told["frameId"] == self.frame.as_str();
        match event.method.as_str() {
            "Page.frameStartedLoading" | "Page.frameRequestedNavigation" if ours => self.loading = true,
            "Page.frameStoppedLoading" if ours => self.loading = false,
            "Network.requestWillBeSent" if ours && starts_a_page(told) => {
                self.load = Load::default();
                self.loads += 1;
            }
            "Network.responseReceived" => self.load.answered(told),
            "Network.loadingFailed" if told["canceled"] != true => {
                self.load
                    .complaints
                    .push(format!("a {} did not arrive: {}", told["type"], told["errorText"]));
            }
            "Network.loadingFinished" => self.load.finished(told),
            "Page.javascriptDialogOpening" if told["type"] == "confirm" => self.questions += 1,
            "Page.javascriptDialogOpening" => {
                self.load.complaints.push(format!("a dialog: {}", told["message"]));
            }
            "Runtime.exceptionThrown" => {
                let said = &told["exceptionDetails"];
                self.load.complaints.push(format!("{} {}", said["text"], said["exception"]["description"]));
            }
            "Runtime.consoleAPICalled" if told["type"] == "error" || told["type"] == "assert" => {
                self.load.complaints.push(told["args"].to_string());
            }
            "Log.entryAdded" if told["entry"]["level"] == "error" => {
                let entry = &told["entry"];
                self.load.complaints.push(format!("{} {}", entry["text"], entry["url"]));
            }
            _ => {}
        }
    }
}

impl Load {
    fn answered(&mut self, told: &Value) {
        let photo = told["type"] == "Image" && told["response"]["mimeType"] == "image/jpeg";
        if let (true, Some(id)) = (photo, told["requestId"].as_str()) {
            self.photos.push(id.to_owned());
        }
    }

    fn finished(&mut self, told: &Value) {
        let photo = self.photos.iter().any(|id| told["requestId"] == id.as_str());
        if !photo {
            self.bytes += told["encodedDataLength"].as_u64().unwrap_or(0);
        }
    }
}

/// Returns whether a request is for a page itself, and not where another has sent it on.
fn starts_a_page(told: &Value) -> bool {
    told["requestId"] == told["loaderId"] && told["redirectResponse"].is_null()
}

/// Returns the script that finds an element.
fn found(css: &str) -> String {
    format!("document.querySelector({})", Value::from(css))
}

/// Returns cargo's own folder for what this build makes.
pub(crate) fn target() -> &'static Path {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().expect("a folder in the target")
}
