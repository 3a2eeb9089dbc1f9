//! Damage to any file that a device keeps, met by the real binary: it starts, says what is wrong, and sends what is intact.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::damage::hit;
use crate::kill::REPORT;
use crate::receiver::{Counterpart, enrolled};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, images, tree, until};

const DEVICES: usize = 4;
/// Of each device.
const ROUNDS: usize = 75;
const REPORTS: usize = 6;
const JOURNAL: &str = "journal/00000001.journal";

/// A stopped device with reports that Odoo doesn't have, every second one with a photo.
fn prepared(line: &Proxy) -> Device {
    let mut device = enrolled(&line.url());
    line.set(Fault::Refuse);
    device.start();
    for n in 0..REPORTS {
        device.scan(&REPORT[..3]);
        until("DONE to be on", || device.page().html().contains("data-question=\"done\"").then_some(()));
        if n % 2 == 0 {
            assert!(device.page().photo(images::jpeg(320, 240, n as u32)).status().is_success());
        }
        device.scan(&REPORT[3..]);
        until("the beep", || (device.beeped().len() == n + 1).then_some(()));
    }
    device.stop();
    device
}

/// Where each report's signed text stands, by the id of the report.
fn signed(whole: &BTreeMap<PathBuf, Vec<u8>>, ids: &[String]) -> BTreeMap<String, (PathBuf, std::ops::Range<usize>)> {
    let (path, bytes) = whole.iter().find(|(path, _)| path.ends_with(JOURNAL)).unwrap();
    let first = bytes.windows(3).position(|at| at == b"eyJ").unwrap();
    let header = &bytes[first..first + 20];
    let starts: Vec<_> = (0..bytes.len() - 20).filter(|at| &bytes[*at..at + 20] == header).collect();
    assert_eq!(starts.len(), ids.len());
    let is_text = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let range = |start: usize| {
        // With its frame and what stands before and behind it.
        start.saturating_sub(400)..start + bytes[start..].iter().take_while(is_text).count() + 400
    };
    ids.iter().cloned().zip(starts.into_iter().map(|start| (path.clone(), range(start)))).collect()
}

fn restore(state: &Path, whole: &BTreeMap<PathBuf, Vec<u8>>) {
    fs::remove_dir_all(state).unwrap();
    for (path, bytes) in whole {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// What the rounds of one device add up to.
#[derive(Clone, Copy, Default)]
struct Counts {
    missed: usize,
    told: usize,
    silent: usize,
}

#[test]
fn an_agent_starts_whatever_file_was_hit_and_sends_what_is_intact() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let lives = std::thread::scope(|scope| {
        let lives: Vec<_> = (0..DEVICES).map(|n| scope.spawn(move || life(n, seed))).collect();
        lives.into_iter().map(|life| life.join().unwrap()).collect::<Vec<_>>()
    });
    let sum = |what: fn(&Counts) -> usize| lives.iter().map(what).sum::<usize>();
    let (missed, told, silent) = (sum(|life| life.missed), sum(|life| life.told), sum(|life| life.silent));
    assert!(missed > 0, "too little was hit to prove anything");
    let rounds = DEVICES * ROUNDS;
    eprintln!("{rounds} rounds, {told} with words and {silent} without need, {missed} reports hit, 0 intact ones lost");
}

fn life(number: usize, seed: u64) -> Counts {
    let mut rng = fastrand::Rng::with_seed(seed ^ number as u64);
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = prepared(&line);
    let (state, ids) = (device.state(), device.beeped());
    let mut whole = tree(&state);
    whole.retain(|path, _| !path.ends_with("lock"));
    let places = signed(&whole, &ids);
    let journal = state.join(JOURNAL);
    let is_other = |path: &&PathBuf| **path != journal && !path.ends_with("ballast");
    let others: Vec<_> = whole.keys().filter(is_other).cloned().collect();
    let mut counts = Counts::default();
    for round in 0..ROUNDS {
        restore(&state, &whole);
        // The journal, where it is written to, and each other file in turn: the key is as much a file as a segment.
        let victim = if round % 2 == 0 { &journal } else { &others[(round / 2 + number) % others.len()] };
        let mut bytes = whole[victim].clone();
        let zeros = bytes.split_off(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        let how = format!("round {round}: {} {}", victim.display(), hit(&mut bytes, &mut rng));
        if !how.contains("cut") {
            bytes.extend(zeros);
        }
        fs::write(victim, &bytes).unwrap();
        line.set(Fault::Refuse);
        device.replug();
        device.start();
        let status = device.status();
        let is_intact = |id: &&String| {
            let (path, range) = &places[*id];
            path != victim || bytes.get(range.clone()) == Some(&whole[path][range.clone()])
        };
        let intact: Vec<_> = ids.iter().filter(is_intact).collect();
        let here = status["pending"].as_u64().unwrap() as usize;
        assert!(here >= intact.len(), "{how}: {here} reports are here, {} are intact", intact.len());
        let words = status["quarantined"].as_array().unwrap().len();
        assert!(here == REPORTS || words > 0, "{how}: {} reports are gone without a word", REPORTS - here);
        counts.missed += REPORTS - here;
        *if words > 0 { &mut counts.told } else { &mut counts.silent } += 1;
        let can_send = !victim.ends_with("identity.json") && !victim.ends_with("device-key.pem");
        if !can_send && status["enrolled"] == false {
            assert_eq!(status["last_error"]["code"], "not_enrolled", "{how}: {status}");
        }
        if can_send {
            line.set(Fault::None);
            device.until_status(&how, |status| status["pending"] == 0);
            for id in intact {
                assert_eq!(odoo.cases().iter().filter(|case| case.event.id == *id).count(), 1, "{how}: {id}");
            }
        }
        device.stop();
    }
    assert!(odoo.cases().iter().all(|case| ids.contains(&case.event.id)));
    counts
}
