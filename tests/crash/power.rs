//! Power cuts: an ext4 on a loop device is shut down in the middle of everything, without a flush.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::kill::{REPORT, judge};
use crate::loop_fs::LoopFs;
use crate::receiver::{CODE, Counterpart};
use crate::support::Device;
use crate::support::proxy::{Fault, Proxy};

const DEVICES: u64 = 2;
const ROUNDS: u32 = 50;
const DISK: u64 = 96 << 20;
/// What a pty takes before it blocks whoever writes, with room to spare.
const MOST_AFTER: u32 = 60;

/// A device whose state lies on a disk of its own. The disk is given first, so that it outlives the agent.
pub(crate) fn on_a_disk(url: &str, bytes: u64) -> (LoopFs, Device) {
    let device = Device::new("[catalog]\nfile = \"catalog.json\"");
    let disk = LoopFs::mount(device.folder.path(), &device.state(), bytes);
    let catalog = serde_json::to_vec(&tallyman::demo::labels::catalog()).unwrap();
    std::fs::write(device.folder.path().join("catalog.json"), catalog).unwrap();
    device.enrol(url, CODE);
    (disk, device)
}

#[test]
fn a_power_cut_takes_nothing_that_beeped() {
    let counts = std::thread::scope(|scope| {
        let lives: Vec<_> = (0..DEVICES).map(|seed| scope.spawn(move || life(seed))).collect();
        lives.into_iter().map(|life| life.join().unwrap()).fold((0, 0), |sum, life| (sum.0 + life.0, sum.1 + life.1))
    });
    let cuts = DEVICES * u64::from(ROUNDS);
    eprintln!("{cuts} power cuts, {} beeps, {} cases, 0 lost, 0 doubled", counts.0, counts.1);
    assert!(counts.0 > cuts as usize, "too little happened to prove anything");
}

fn life(seed: u64) -> (usize, usize) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let (mut disk, mut device) = on_a_disk(&line.url(), DISK);
    for _ in 0..ROUNDS {
        line.set(if rng.bool() { Fault::None } else { Fault::Refuse });
        device.replug();
        device.start_soon();
        let mut left = rng.u64(20..500);
        while left > 0 {
            device.scan(&REPORT);
            let pause = left.min(rng.u64(5..40));
            std::thread::sleep(Duration::from_millis(pause));
            left -= pause;
        }
        // In the middle of work: somebody goes on scanning while the power goes.
        let (cut, pace) = (AtomicBool::new(false), rng.u64(1..8));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..MOST_AFTER {
                    if cut.load(Ordering::Relaxed) {
                        break;
                    }
                    device.scan(&REPORT);
                    std::thread::sleep(Duration::from_millis(pace));
                }
            });
            disk.cut_power();
            cut.store(true, Ordering::Relaxed);
        });
        device.kill();
        disk.power_up();
    }
    line.set(Fault::None);
    device.replug();
    device.start();
    device.until_status("the backlog to drain", |status| status["pending"] == 0);
    let counts = judge(&device, &odoo);
    device.stop();
    (counts.beeps, counts.cases)
}
