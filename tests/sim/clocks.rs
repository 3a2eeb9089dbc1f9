//! The clocks of a simulated device: the true time, what its boot clock and its wall clock make of it, and what befalls them.
//!
//! They draw from a stream of their own, so that a life's other events stay what they were.

use std::time::Duration;

use tallyman::domain::time::{Now, Wall};
use tallyman::wire::event_v1::EventV1;
use tallyman::wire::journal_v2::Record;
use tallyman::wire::jws;

const HOUR: i64 = 3_600_000;
/// What a boot takes until the agent starts.
const BOOT: Duration = Duration::from_secs(20);
/// How fast a boot clock may be wrong: what the product says that quartz does.
const DRIFT_PPM: i64 = 100;

pub(crate) struct Clocks {
    rng: fastrand::Rng,
    truth: i64,
    boot: Duration,
    boots: u32,
    /// What the device's wall clock is off by.
    off: i64,
    drift_ppm: i64,
    /// The time that the device saved last, for a start without a battery.
    saved: i64,
    /// When, on the boot clock, NTP sets the wall clock.
    ntp: Option<Duration>,
}

impl Clocks {
    pub(crate) fn new(seed: u64) -> Clocks {
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x00c1_0c45);
        let truth = 1_795_400_000_000;
        let drift_ppm = rng.i64(-DRIFT_PPM..=DRIFT_PPM);
        Clocks { rng, truth, boot: BOOT, boots: 1, off: 0, drift_ppm, saved: truth, ntp: None }
    }

    pub(crate) fn now(&self) -> Now {
        Now { boot: self.boot, wall: Wall(self.truth + self.off) }
    }

    pub(crate) fn truth(&self) -> Wall {
        Wall(self.truth)
    }

    /// A start of the agent alone is in the same boot.
    pub(crate) fn boot_id(&self) -> String {
        format!("boot-{}", self.boots)
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let micros = i64::try_from(time.as_micros()).unwrap();
        self.truth += micros / 1000;
        let shown = micros + micros * self.drift_ppm / 1_000_000;
        self.boot += Duration::from_micros(u64::try_from(shown).unwrap());
        if self.ntp.take_if(|at| *at <= self.boot).is_some() {
            self.set_by_ntp();
        }
        // The system saves the time now and then.
        if self.rng.u8(..8) == 0 {
            self.saved = self.truth + self.off;
        }
    }

    /// Somebody, or something, sets the wall clock to anything.
    pub(crate) fn set_to(&mut self, off: i64) {
        self.off = off;
    }

    /// A person is in the middle of a report when the clock is set, now and then.
    pub(crate) fn step_between_scans(&mut self) {
        match self.rng.u8(..64) {
            0 => self.set_by_ntp(),
            1 => self.off += self.rng.i64(-HOUR..HOUR),
            _ => {}
        }
    }

    fn set_by_ntp(&mut self) {
        self.off = self.rng.i64(-50..50);
    }

    /// The power was off for a while. `empty`: so is the clock's battery.
    pub(crate) fn reboot(&mut self, empty: bool) {
        let shown = self.truth + self.off;
        // Mostly a short cut, now and then a weekend.
        let short = self.rng.u8(..4) > 0;
        let away = if short { self.rng.i64(1_000..600_000) } else { self.rng.i64(HOUR..72 * HOUR) };
        let boot = i64::try_from(BOOT.as_millis()).unwrap();
        self.truth += away + boot;
        self.boot = BOOT;
        self.boots += 1;
        self.off = match self.rng.u8(..3) {
            _ if empty => boot - self.truth,
            // No battery: it goes on where it was saved, or where it was when the power went.
            0 => self.saved + boot - self.truth,
            1 => shown + boot - self.truth,
            _ => self.off,
        };
        // With a network in reach, the clock is set soon after the start, or while somebody works.
        let soon = if self.rng.bool() { 1 } else { 200 };
        self.ntp = self.rng.bool().then(|| BOOT + Duration::from_secs(self.rng.u64(0..=soon)));
    }
}

/// How many events said how exact their times are, and how many that they don't know.
#[derive(Default)]
pub(crate) struct TimesTold {
    pub(crate) exact: u64,
    pub(crate) unknown: u64,
}

impl TimesTold {
    /// What an event claims of its times must be so: its own, sealed now, and those of its scans.
    pub(crate) fn judge(&mut self, record: &Record, truth: Wall, scanned: &[Wall]) {
        let Record::Event(event) = record else { panic!("no event is to be saved: {record:?}") };
        let event: EventV1 = serde_json::from_slice(&jws::payload(&event.jws).unwrap()).unwrap();
        let Some(uncertainty) = event.data.clock.uncertainty_ms else { return self.unknown += 1 };
        self.exact += 1;
        let holds = |what: &str, told: &str, truth: Wall| {
            let off = Wall::parse(told).unwrap().0.abs_diff(truth.0);
            assert!(off <= uncertainty, "{what} {told} is off by {off} ms, said to be within {uncertainty}: {event:?}");
        };
        holds("the event's time", &event.time, truth);
        for scan in &event.data.scans {
            holds("a scan's time", &scan.at, scanned[scan.source.parse::<usize>().unwrap()]);
        }
    }
}
