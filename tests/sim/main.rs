//! Thousands of lives of a device, each by its seed: the real station, committer and journal, against a disk that tears, an
//! index that forgets, a network that loses and repeats, clocks that jump, and an Odoo that deduplicates.
//!
//! A life that goes wrong prints its seed and what happened last. `TALLYMAN_SIM_SEED=n` lives it again,
//! `TALLYMAN_SIM_LIVES=n` lives so many. Seeds that once went wrong stand in `regressions`, and are lived first.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and may say why"
)]
#![allow(clippy::print_stderr, reason = "a seed must be seen")]

mod clocks;
mod disk;
mod index;
mod net;
mod world;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tallyman::demo::book::{Book, Case};
use tallyman::domain::catalog::{Bin, Catalog, Conventions, Direction, Document, Line, Operator, Product};
use tallyman::domain::id::{DeviceId, Sequence};
use tallyman::domain::quantity::Quantity;
use tallyman::io::keys::DeviceKey;

use net::Net;
use world::{DECAYS, Fixtures, MOODY, World};

const LIVES: u64 = 20_000;
const DEVICE: &str = "6f1d5c1e-2d53-4c0a-9c39-0d1b6f1e8a77";

fn fixtures() -> &'static Fixtures {
    static FIXTURES: OnceLock<Fixtures> = OnceLock::new();
    FIXTURES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let key = DeviceKey::load_or_create(folder.path()).unwrap();
        Fixtures { key, device: DeviceId(DEVICE.parse().unwrap()), catalog: catalog() }
    })
}

fn catalog() -> Catalog {
    let mut catalog = Catalog::new(Conventions::default());
    catalog.add_operator(Operator { badge: "EMP-7".into(), name: None });
    catalog.add_product(Product { code: "7032069804988".into(), name: "Tea".into(), unit: None });
    for n in 1..5 {
        let bin = format!("LOC-{n}");
        let line = Line {
            product: "7032069804988".into(),
            bin: Some(bin.clone()),
            expected: Quantity::from_count(8),
            unit: None,
        };
        catalog.add_bin(Bin { code: bin, name: None });
        catalog.add_document(Document { code: format!("WH/OUT/{n}"), direction: Direction::Pick, lines: vec![line] });
    }
    catalog
}

/// What many lives add up to, so that a simulation in which nothing happens is seen.
#[derive(Default)]
struct Sum {
    lives: AtomicU64,
    beeps: AtomicU64,
    cases: AtomicU64,
    starts: AtomicU64,
    lost: AtomicU64,
    exact: AtomicU64,
    unknown: AtomicU64,
}

fn live(seed: u64, sum: &Sum) {
    let fixtures = fixtures();
    let mut book = Book::new("urn:uuid:sim".into(), "code".into());
    book.add_key(fixtures.key.verifying_key(), DEVICE);
    let mut world = World::new(seed, fixtures, Net::new(book, DEVICE.to_owned()));
    let steps = 1 << world.rng.u32(6..11);
    world.net.poison = world.rng.u8(..4) == 0;
    let lived = catch_unwind(AssertUnwindSafe(|| {
        (0..steps).for_each(|_| world.step());
        world.heal();
        judge(&world);
    }));
    if let Err(why) = lived {
        for line in &world.trace {
            eprintln!("    {line}");
        }
        eprintln!("seed {seed} went wrong (TALLYMAN_SIM_SEED={seed} cargo test --test sim)");
        std::panic::resume_unwind(why);
    }
    sum.lives.fetch_add(1, Ordering::Relaxed);
    sum.beeps.fetch_add(world.beeped.len() as u64, Ordering::Relaxed);
    sum.cases.fetch_add(world.net.book.cases().len() as u64, Ordering::Relaxed);
    sum.starts.fetch_add(u64::from(world.starts()), Ordering::Relaxed);
    sum.lost.fetch_add(world.lost().len() as u64, Ordering::Relaxed);
    sum.exact.fetch_add(world.told_times.exact, Ordering::Relaxed);
    sum.unknown.fetch_add(world.told_times.unknown, Ordering::Relaxed);
}

/// The promises.
fn judge(world: &World<'_>) {
    let cases = world.net.book.cases();
    let lost = world.lost();
    for beeped in &world.beeped {
        let count = cases.iter().filter(|case| case.event.id == beeped.id.to_string()).count();
        let told = count == 0 && lost.contains(&beeped.sequence.0);
        assert!(count == 1 || told, "what beeped as sequence {} became {count} cases", beeped.sequence.0);
    }
    // Of one that was sent, and lost before its photos were.
    let told = |case: &&Case| lost.contains(&case.event.sequence.parse().unwrap());
    for case in cases.iter().filter(|case| !told(case)) {
        let arrived = |digest: &str| world.net.book.photo(digest).is_some_and(|photo| photo.complete);
        let missing: Vec<_> = case.event.data.photos.iter().filter(|photo| !arrived(&photo.sha256)).collect();
        assert!(missing.is_empty(), "of report {} a photo never arrived: {missing:?}", case.event.sequence);
    }
    let platter = world.platter.borrow();
    if !world.damaged {
        judge_whole(world);
        assert_eq!(platter.set_aside(), 0, "something was set aside without any damage");
    }
}

/// What holds besides where nothing was damaged.
fn judge_whole(world: &World<'_>) {
    let cases = world.net.book.cases();
    assert!(world.lost().is_empty(), "something is called lost without any damage");
    let mut chain: Vec<(u64, &str)> =
        cases.iter().map(|case| (case.event.sequence.parse().unwrap(), &*case.event.prevhash)).collect();
    chain.sort_unstable();
    let mut before = "0".repeat(64);
    for (place, (sequence, prevhash)) in chain.iter().enumerate() {
        assert_eq!((*sequence, *prevhash), (place as u64 + 1, &*before), "the chain is broken");
        before = world.net.digest_of(Sequence(*sequence)).unwrap().to_string();
    }
    let station = world.station();
    assert_eq!(station.head().next.0, cases.len() as u64 + 1);
    assert_eq!(station.outbox().counts().delivered, cases.len() as u64, "deliveries are counted wrongly");
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn no_life_of_a_device_loses_or_doubles_what_beeped() {
    let sum = Sum::default();
    if let Some(seed) = number("TALLYMAN_SIM_SEED") {
        return live(seed, &sum);
    }
    let known = include_str!("regressions").lines().filter(|line| !line.starts_with('#'));
    known.for_each(|seed| live(seed.trim().parse().unwrap(), &sum));
    let lives = number("TALLYMAN_SIM_LIVES").unwrap_or(LIVES);
    let first = number("TALLYMAN_SIM_FIRST").unwrap_or(0);
    let next = AtomicU64::new(first);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + lives {
                        return;
                    }
                    // Each eighth has a disk that decays, each fourth has moods.
                    live(
                        match seed % 8 {
                            7 => seed | DECAYS,
                            2 | 5 => seed | MOODY,
                            _ => seed,
                        },
                        &sum,
                    );
                }
            });
        }
    });
    let [lives, beeps, cases, starts, lost] =
        [&sum.lives, &sum.beeps, &sum.cases, &sum.starts, &sum.lost].map(|count| count.load(Ordering::Relaxed));
    let [exact, unknown] = [&sum.exact, &sum.unknown].map(|count| count.load(Ordering::Relaxed));
    eprintln!("{lives} lives, {starts} starts, {beeps} beeps, {cases} cases, {lost} lost to damage");
    eprintln!("{exact} reports said how exact their times are, {unknown} that nobody knows");
    assert!(beeps > 3 * lives && starts > 3 * lives && lost > lives / 50, "too little happened to prove anything");
    assert!(exact > beeps / 4 && unknown > beeps / 20, "too few times were told, or too many, to prove anything");
}
