//! Seeds, one after the other on every core.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::work::DEEDS;
use crate::world::{DAY_MS, Lived, World};

/// Seeds of an ordinary test run; a soak says how many it wants.
const SEEDS: u64 = 100;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// What a run tells.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    story: Vec<String>,
    /// How often each thing was done.
    tally: BTreeMap<String, u64>,
    lived: Lived,
}

impl Told {
    fn add(&mut self, run: &Self) {
        for (what, n) in &run.tally {
            *self.tally.entry(what.clone()).or_insert(0) += n;
        }
        self.lived.worked_ms += run.lived.worked_ms;
        self.lived.silent_ms += run.lived.silent_ms;
    }
}

impl Lived {
    /// Returns the line that a soak ends with.
    fn summary(self, n_seeds: u64, n_failed: usize) -> String {
        let [worked, silent] = [self.worked_ms, self.silent_ms].map(|ms| ms / DAY_MS);
        format!(
            "{n_seeds} seeds, {n_failed} of them broke a promise; {worked} device-days at work, {silent} in silence"
        )
    }
}

/// Runs one seed; `Err` where it breaks a promise.
fn run(seed: u64) -> Result<Told, Told> {
    let mut world = None;
    let done = catch_unwind(AssertUnwindSafe(|| {
        records::kinds::later::set(false);
        let world = world.insert(World::of(seed));
        world.run();
        world.check();
    }));
    let told =
        world.map(|World { story, tally, lived, .. }| Told { story, tally, lived }).unwrap_or_default();
    if done.is_ok() { Ok(told) } else { Err(told) }
}

#[test]
fn every_seed_keeps_every_promise() {
    if let Some(seed) = setting("FIELDBOOK_SIM_SEED") {
        let told = run(seed);
        let (Ok(all) | Err(all)) = &told;
        println!("{}", all.story.join("\n"));
        assert!(told.is_ok(), "seed {seed}");
        return;
    }
    let from = setting("FIELDBOOK_SIM_FROM").unwrap_or(1);
    let n_seeds = setting("FIELDBOOK_SIM_SEEDS").unwrap_or(SEEDS);
    let (next, failed) = (AtomicU64::new(from), Mutex::new(Vec::new()));
    let done = Mutex::new(Told::default());
    let cores = setting("FIELDBOOK_SIM_CORES").unwrap_or(2);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + n_seeds {
                        break;
                    }
                    let told = run(seed);
                    let (Ok(all) | Err(all)) = &told;
                    done.lock().expect("a tally").add(all);
                    if told.is_err() {
                        eprintln!("env -u XDG_RUNTIME_DIR FIELDBOOK_SIM_SEED={seed} cargo test --test sim every -- --nocapture");
                        failed.lock().expect("a list").push(seed);
                    }
                    if (seed - from) % 1000 == 999 {
                        eprintln!("{} seeds", seed - from + 1);
                    }
                }
            });
        }
    });
    let done = done.into_inner().expect("a tally");
    println!("{:?}", done.tally);
    let failed = failed.into_inner().expect("a list");
    println!("{}", done.lived.summary(n_seeds, failed.len()));
    assert!(failed.is_empty(), "seeds that broke a promise: {failed:?}");
    // What never happens is never tested; a hundred seeds are too few for what needs two people.
    if n_seeds >= 10 * SEEDS {
        let deeds = DEEDS.iter().map(|(_, deed)| format!("{deed:?}"));
        let never: Vec<String> = deeds.filter(|deed| !done.tally.contains_key(deed)).collect();
        assert!(never.is_empty(), "never done: {never:?}");
    }
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    let [first, second] = [7, 7].map(run);
    assert_eq!(first, second);
}
