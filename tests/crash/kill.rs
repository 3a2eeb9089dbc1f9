//! SIGKILL at random moments: while it starts, saves, sends, hears an answer.

use std::time::Duration;

use crate::receiver::{Counterpart, enrolled};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, until};

const DEVICES: u32 = 4;
const ROUNDS: u32 = 75;
pub(crate) const REPORT: [&str; 4] = ["EMP-7", "A-03-02", "TM-EMPTY", "TM-DONE"];

/// What many kills add up to.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) beeps: usize,
    pub(crate) cases: usize,
    deliveries: usize,
}

#[test]
fn a_process_that_is_killed_again_and_again_loses_nothing_that_beeped() {
    let lives = std::thread::scope(|scope| {
        let lives: Vec<_> = (0..DEVICES).map(|n| scope.spawn(move || life(u64::from(n)))).collect();
        lives.into_iter().map(|life| life.join().unwrap()).collect::<Vec<_>>()
    });
    let sum = |what: fn(&Counts) -> usize| lives.iter().map(what).sum::<usize>();
    let (beeps, cases) = (sum(|life| life.beeps), sum(|life| life.cases));
    let (kills, deliveries) = (DEVICES * ROUNDS, sum(|life| life.deliveries));
    eprintln!("{kills} kills, {beeps} beeps, {cases} cases, {deliveries} deliveries, 0 lost, 0 doubled");
    assert!(beeps > kills as usize, "too little happened to prove anything");
}

fn life(seed: u64) -> Counts {
    let mut rng = fastrand::Rng::with_seed(seed);
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = enrolled(&line.url());
    for _ in 0..ROUNDS {
        line.set(match rng.u8(..4) {
            0 | 1 => Fault::None,
            2 => Fault::Refuse,
            _ => Fault::DropReply,
        });
        device.replug();
        device.start_soon();
        // The whole life of the process, its start included.
        let mut left = rng.u64(5..400);
        while left > 0 {
            device.scan(&REPORT);
            let pause = left.min(rng.u64(5..40));
            std::thread::sleep(Duration::from_millis(pause));
            left -= pause;
        }
        device.kill();
    }
    line.set(Fault::None);
    device.replug();
    device.start();
    device.until_status("the backlog to drain", |status| status["pending"] == 0);
    judge(&device, &odoo)
}

pub(crate) fn judge(device: &Device, odoo: &Counterpart) -> Counts {
    let beeped = device.beeped();
    let cases = until("the cases", || Some(odoo.cases()).filter(|cases| !cases.is_empty()));
    for id in &beeped {
        let count = cases.iter().filter(|case| case.event.id == *id).count();
        assert_eq!(count, 1, "{id} beeped and became {count} cases");
    }
    let mut sequences: Vec<u64> = cases.iter().map(|case| case.event.sequence.parse().unwrap()).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=cases.len() as u64).collect::<Vec<_>>(), "the chain has a gap or a fork");
    let status = device.status();
    assert_eq!(status["quarantined"], serde_json::json!([]), "a kill is no damage");
    assert_eq!(status["delivered"], cases.len());
    let deliveries = cases.iter().map(|case| case.deliveries as usize).sum();
    Counts { beeps: beeped.len(), cases: cases.len(), deliveries }
}
