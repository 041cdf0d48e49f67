//! Seeds, one after the other on every core.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::world::World;

/// Seeds of an ordinary test run; a soak says how many it wants.
const SEEDS: u64 = 100;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Runs one seed; returns its story where it fails.
fn run(seed: u64) -> Result<Vec<String>, Vec<String>> {
    let mut world = None;
    let done = catch_unwind(AssertUnwindSafe(|| {
        let world = world.insert(World::of(seed));
        world.run();
        world.check();
    }));
    let story = world.map(|world| world.story).unwrap_or_default();
    if done.is_ok() { Ok(story) } else { Err(story) }
}

#[test]
fn every_seed_keeps_every_promise() {
    if let Some(seed) = setting("FIELDBOOK_SIM_SEED") {
        let (story, done) = match run(seed) {
            Ok(story) => (story, true),
            Err(story) => (story, false),
        };
        println!("{}", story.join("\n"));
        assert!(done, "seed {seed}");
        return;
    }
    let from = setting("FIELDBOOK_SIM_FROM").unwrap_or(1);
    let n_seeds = setting("FIELDBOOK_SIM_SEEDS").unwrap_or(SEEDS);
    let (next, failed) = (AtomicU64::new(from), std::sync::Mutex::new(Vec::new()));
    let cores = setting("FIELDBOOK_SIM_CORES").unwrap_or(2);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + n_seeds {
                        break;
                    }
                    if run(seed).is_err() {
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
    let failed = failed.into_inner().expect("a list");
    assert!(failed.is_empty(), "seeds that broke a promise: {failed:?}");
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    let [first, second] = [7, 7].map(run);
    assert_eq!(first, second);
}
