//! One scanner of the configuration, from its choice of devices to a reader for each of them.
//!
//! A reader ends with its device. The one who started it looks again when something was plugged in (see [`hotplug`]), and
//! on its own only where nothing tells that trying again makes sense: another program holds the device, or it fails
//! right after it was opened.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::devices::{Roots, resolved};
use super::hotplug::Hotplug;
use super::source::{Outlet, Reading};
use super::{clock, evdev, hidraw, serial, stdin};
use crate::domain::decode::frame::Frame;
use crate::domain::decode::rewrite::Rewrite;
use crate::domain::device::{Choice, Claim, Device, DeviceKind, owner};
use crate::domain::time::Deadline;
use crate::domain::view::Hold;

/// Devices that one scanner of the configuration may mean; a dozen equal scanners are twelve people's.
const MAX_READERS: usize = 8;
/// The pause before a device is opened again that failed, at first and at last.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LAST_WAIT: Duration = Duration::from_secs(30);
/// What `ps -L` and `top -H` call it; Linux cuts at 15 bytes.
const THREAD: &str = "scanners";
/// A reader that lived longer than this was no failure to begin with.
const LIVED: Duration = Duration::from_secs(2);

/// A `[[scanner]]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanner {
    pub name: String,
    pub source: Source,
    /// What makes this site's odd labels ordinary.
    pub rewrite: Arc<Rewrite>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Serial(serial::SerialConfig),
    Evdev(evdev::EvdevConfig),
    Hidraw(Choice),
    Stdin,
}

impl Source {
    /// What it means among the devices; standard input is none.
    pub fn claim(&self) -> Option<Claim> {
        let (kind, choice) = match self {
            Source::Serial(config) => (DeviceKind::Serial, &config.choice),
            Source::Evdev(config) => (DeviceKind::Keyboard, &config.choice),
            Source::Hidraw(choice) => (DeviceKind::HidPos, choice),
            Source::Stdin => return None,
        };
        Some(Claim { kind, choice: choice.clone() })
    }

    /// The word for it in the configuration.
    pub fn kind(&self) -> &'static str {
        self.claim().map_or("stdin", |claim| claim.kind.name())
    }
}

/// How a reader's work ended.
#[derive(Debug)]
pub enum Ended {
    /// It could not begin, and only a change of the device helps: it isn't there, or not for us.
    Blocked(String),
    /// It could not begin; trying again may help.
    Failed(String),
    /// The device went away, or was told to be let go.
    Gone,
    /// The agent is stopping.
    Stopping,
}

impl Ended {
    /// Why a device could not be opened or grabbed, for the person who plugs it in; `permission` is what is missing then.
    pub fn by(error: &io::Error, permission: &str) -> Ended {
        let is = |kind| error.kind() == kind;
        if is(ErrorKind::NotFound) {
            Ended::Blocked("not plugged in".to_owned())
        } else if is(ErrorKind::PermissionDenied) {
            Ended::Blocked(format!("no permission: {permission}"))
        } else if is(ErrorKind::ResourceBusy) {
            Ended::Failed("another program has grabbed it".to_owned())
        } else {
            Ended::Failed(error.to_string())
        }
    }

    /// The device is there no longer: what had come of a code by then is told as it is.
    pub async fn gone(why: &str, outlet: &Outlet, partial: Option<Frame>, reading: Reading) -> Ended {
        tracing::warn!(scanner = outlet.name(), why, "scanner went away");
        if let Some(frame) = partial
            && !outlet.scan(frame, reading).await
        {
            return Ended::Stopping;
        }
        Ended::Gone
    }
}

/// Where readers look for devices and how they notice changes.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub roots: Roots,
    pub hotplug: Hotplug,
    /// What every scanner of the configuration that is a device claims, in its order; this one's place is `mine`.
    pub claims: Arc<[Claim]>,
    /// Threads of ordinary priority.
    pub helpers: Handle,
}

/// Starts a task for each scanner, on a thread that has nothing else to do; they end with `stop`. `outlet` gives each its own
/// way to the loop.
///
/// The kernel keeps 64 events of a keyboard, 21 ms of a fast one, and drops the rest. Whatever holds up the other threads for
/// longer, a photo or a page of memory that must come from the disk, must not hold up this one; nor may other programs: three
/// seconds after a scanner was plugged in, udev's workers end one after the other, which on one processor took 20 ms.
///
/// # Errors
/// When the system gives no thread or no epoll.
pub fn start(
    scanners: Vec<Scanner>,
    roots: &Roots,
    outlet: impl Fn(&str) -> Outlet,
    stop: &CancellationToken,
) -> io::Result<()> {
    let (inputs, devices): (Vec<_>, Vec<_>) = scanners
        .into_iter()
        .map(|scanner| (outlet(&scanner.name).with_rules(scanner.rewrite), scanner.source))
        .partition(|(_, source)| *source == Source::Stdin);
    for (outlet, _) in inputs {
        let stop = stop.clone();
        // Whoever writes there waits for us: nothing is lost if that takes a while.
        tokio::spawn(async move { stop.run_until_cancelled(stdin::run(outlet)).await });
    }
    let (roots, stop, helpers) = (roots.clone(), stop.clone(), Handle::current());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
        go_first();
        runtime.block_on(async move {
            let mut keepers = keepers(devices, roots, &helpers);
            let all = async { while keepers.join_next().await.is_some() {} };
            stop.run_until_cancelled(all).await;
        });
    })?;
    Ok(())
}

/// Puts this thread before all that has no such priority. A nice value would not do it: the kernel shares the processor among
/// sessions first (autogroup), and only within one of them by niceness.
fn go_first() {
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::RoundRobin);
    if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy) {
        tracing::debug!(?error, "scanners are read with the same priority as everything else (see LimitRTPRIO=)");
    }
}

/// A keeper for each scanner that is a device. `helpers` do what takes longer than a scan may wait.
fn keepers(scanners: Vec<(Outlet, Source)>, roots: Roots, helpers: &Handle) -> JoinSet<()> {
    let claims = scanners.iter().filter_map(|(_, source)| source.claim()).collect();
    let around = Surroundings { roots, hotplug: Hotplug::start(), claims, helpers: helpers.clone() };
    let mut keepers = JoinSet::new();
    for (mine, (outlet, source)) in scanners.into_iter().enumerate() {
        let Some(claim) = source.claim() else { continue };
        let keeper = Keeper {
            around: around.clone(),
            mine,
            claim,
            source: Arc::new(source),
            outlet,
            readers: HashMap::new(),
            known: evdev::Known::default(),
        };
        keepers.spawn(keeper.run());
    }
    keepers
}

/// Keeps a reader on every device of one scanner.
struct Keeper {
    around: Surroundings,
    mine: usize,
    claim: Claim,
    source: Arc<Source>,
    outlet: Outlet,
    readers: HashMap<PathBuf, Reader>,
    known: evdev::Known,
}

/// What is known of one device.
enum Reader {
    Reading {
        let_go: CancellationToken,
        since: Duration,
        wait: Duration,
        said: String,
    },
    /// Tried again at the deadline, or when something changes.
    Resting {
        until: Option<Deadline>,
        wait: Duration,
        said: String,
    },
}

impl Keeper {
    async fn run(mut self) {
        let mut tasks: JoinSet<(PathBuf, Ended)> = JoinSet::new();
        let mut changed = true;
        let mut told = false;
        loop {
            // Watched first and looked at afterwards, so that nothing comes unnoticed in between.
            self.around.hotplug.watch(&self.around.roots.folders(self.claim.kind, &self.claim.choice));
            let devices = self.look().await;
            if !self.sort_out(&devices, changed).await {
                return;
            }
            self.begin(devices, &mut tasks);
            if !std::mem::replace(&mut told, true) && self.readers.is_empty() && !self.outlet.tell().await {
                return;
            }
            let pause = self.pause();
            changed = tokio::select! {
                () = self.around.hotplug.changed() => true,
                Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
                    let Ok((target, ended)) = ended else { return };
                    if !self.ended(&target, ended).await {
                        return;
                    }
                    false
                }
                () = tokio::time::sleep(pause.unwrap_or(Duration::MAX)), if pause.is_some() => false,
            };
        }
    }

    /// The devices that are this scanner's, now.
    async fn look(&self) -> Vec<Device> {
        let (roots, claims) = (self.around.roots.clone(), self.around.claims.clone());
        let (claim, mine) = (self.claim.clone(), self.mine);
        // Reading sysfs takes a millisecond or two, which no scan should wait for.
        let looked = self.around.helpers.spawn_blocking(move || {
            let (all, claims) = (roots.list(), resolved(&claims));
            match &claim.choice {
                Choice::Path(path) => {
                    let at = roots.at(claim.kind, path, &all);
                    let ours = |device: &Device| owner(device, &all, &claims).is_some_and(|has| has == mine);
                    at.into_iter().filter(|device| device.parent.is_none() || ours(device)).collect()
                }
                Choice::Usb { .. } | Choice::Any => {
                    let ours = all.iter().filter(|device| owner(device, &all, &claims) == Some(mine));
                    ours.take(MAX_READERS).cloned().collect::<Vec<_>>()
                }
            }
        });
        looked.await.unwrap_or_default()
    }

    /// Forgets devices that are gone, and lets go of one whose name now leads to another. False when the agent stops.
    async fn sort_out(&mut self, devices: &[Device], changed: bool) -> bool {
        let is_there = |target: &PathBuf| devices.iter().any(|device| device.target == *target);
        let moved = matches!(self.claim.choice, Choice::Path(_)) && !devices.is_empty();
        let mut gone = Vec::new();
        self.readers.retain(|target, reader| match reader {
            Reader::Reading { let_go, .. } => {
                if moved && !is_there(target) {
                    let_go.cancel();
                }
                true
            }
            Reader::Resting { until, .. } => {
                if changed {
                    *until = Some(Deadline(Duration::ZERO));
                }
                let stays = is_there(target);
                if !stays {
                    gone.push(target.clone());
                }
                stays
            }
        });
        for target in gone {
            if !self.outlet.no_device(&target).await {
                return false;
            }
        }
        true
    }

    /// Starts a reader on every device that has none and whose time has come.
    fn begin(&mut self, devices: Vec<Device>, tasks: &mut JoinSet<(PathBuf, Ended)>) {
        let now = clock::now();
        for device in devices {
            let (wait, said) = match self.readers.get(&device.target) {
                Some(Reader::Reading { .. }) => continue,
                Some(Reader::Resting { until, .. }) if until.is_none_or(|until| !until.is_past(now)) => continue,
                Some(Reader::Resting { wait, said, .. }) => (*wait, said.clone()),
                None => (FIRST_WAIT, String::new()),
            };
            let let_go = CancellationToken::new();
            let reader = Reader::Reading { let_go: let_go.clone(), since: now.boot, wait, said };
            self.readers.insert(device.target.clone(), reader);
            let (source, outlet, known) = (self.source.clone(), self.outlet.clone(), self.known.clone());
            let roots = self.around.roots.clone();
            tasks.spawn(async move {
                let ended = match &*source {
                    Source::Serial(config) => serial::read(config, &device, &outlet, &let_go).await,
                    Source::Evdev(config) => evdev::read(config, &device, &outlet, &let_go, &known).await,
                    Source::Hidraw(_) => hidraw::read(&roots, &device, &outlet, &let_go).await,
                    Source::Stdin => Ended::Stopping,
                };
                (device.target, ended)
            });
        }
    }

    /// A reader has ended: when is the device tried again? False when the agent stops.
    async fn ended(&mut self, target: &PathBuf, ended: Ended) -> bool {
        let now = clock::now();
        let (lived, wait, said) = match self.readers.remove(target) {
            Some(Reader::Reading { since, wait, said, .. }) => (now.boot.saturating_sub(since), wait, said),
            Some(Reader::Resting { .. }) | None => return true,
        };
        let (why, again) = match ended {
            Ended::Stopping => return false,
            Ended::Gone if lived >= LIVED => ("unplugged".to_owned(), Some(FIRST_WAIT)),
            Ended::Gone => ("unplugged".to_owned(), Some(wait)),
            Ended::Failed(why) => (why, Some(wait)),
            Ended::Blocked(why) => (why, None),
        };
        let next = if lived >= LIVED { FIRST_WAIT } else { (wait * 2).min(LAST_WAIT) };
        // Once is enough: a scanner that another program holds may be held for hours.
        if lived >= LIVED || why != said {
            tracing::warn!(scanner = self.outlet.name(), device = %target.display(), why, "scanner is not read");
        }
        let until = again.map(|again| now.plus(again));
        self.readers.insert(target.clone(), Reader::Resting { until, wait: next, said: why.clone() });
        self.outlet.device(target, Hold::Failed, why).await
    }

    /// How long until a device is tried again, when one is.
    fn pause(&self) -> Option<Duration> {
        let now = clock::now();
        let deadlines = self.readers.values().filter_map(|reader| match reader {
            Reader::Resting { until, .. } => until.map(|until| until.remaining(now)),
            Reader::Reading { .. } => None,
        });
        deadlines.min()
    }
}
