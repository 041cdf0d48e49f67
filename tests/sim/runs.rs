//! Seeds, one after the other on every core.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::work::DEEDS;
use crate::world::World;

/// Seeds of an ordinary test run; a soak says how many it wants.
const SEEDS: u64 = 100;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// What a run tells: its story, and how often each thing was done.
type Told = (Vec<String>, BTreeMap<String, u64>);

/// Runs one seed; `Err` where it breaks a promise.
fn run(seed: u64) -> Result<Told, Told> {
    let mut world = None;
    let done = catch_unwind(AssertUnwindSafe(|| {
        let world = world.insert(World::of(seed));
        world.run();
        world.check();
    }));
    let told = world.map(|world| (world.story, world.tally)).unwrap_or_default();
    if done.is_ok() { Ok(told) } else { Err(told) }
}

#[test]
fn every_seed_keeps_every_promise() {
    if let Some(seed) = setting("FIELDBOOK_SIM_SEED") {
        let told = run(seed);
        let (Ok((story, _)) | Err((story, _))) = &told;
        println!("{}", story.join("\n"));
        assert!(told.is_ok(), "seed {seed}");
        return;
    }
    let from = setting("FIELDBOOK_SIM_FROM").unwrap_or(1);
    let n_seeds = setting("FIELDBOOK_SIM_SEEDS").unwrap_or(SEEDS);
    let (next, failed) = (AtomicU64::new(from), Mutex::new(Vec::new()));
    let done = Mutex::new(BTreeMap::new());
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
                    let (Ok((_, tally)) | Err((_, tally))) = &told;
                    for (what, n) in tally {
                        *done.lock().expect("a tally").entry(what.clone()).or_insert(0) += n;
                    }
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
    let done: BTreeMap<String, u64> = done.into_inner().expect("a tally");
    println!("{done:?}");
    let failed = failed.into_inner().expect("a list");
    assert!(failed.is_empty(), "seeds that broke a promise: {failed:?}");
    // What never happens is never tested.
    if n_seeds >= SEEDS {
        let deeds = DEEDS.iter().map(|(_, deed)| format!("{deed:?}"));
        let never: Vec<String> = deeds.filter(|deed| !done.contains_key(deed)).collect();
        assert!(never.is_empty(), "never done: {never:?}");
    }
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    let [first, second] = [7, 7].map(run);
    assert_eq!(first, second);
}
