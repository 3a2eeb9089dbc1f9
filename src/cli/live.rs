//! Live scans for the terminal: from the running agent, which makes no reports of them meanwhile, or without one from the
//! scanners themselves, opened here.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Failure, local, process};
use crate::config::Config;
use crate::domain::decode::decode;
use crate::domain::tester::Tested;
use crate::io::devices::Roots;
use crate::io::scanner;
use crate::io::source::{Inward, Outlet};
use crate::wire::scans_v1::{ScansV1, TestedV1};

/// Scans that wait to be looked at; a terminal is faster than any scanner.
const WAITING: usize = 64;

/// What a live view tells the one who watches it.
#[derive(Debug)]
pub(super) enum Seen {
    Scan(Box<TestedV1>),
    /// For the person at the terminal.
    Hint(String),
}

/// Lets `look` see all that the scanners do, until it returns or a signal stops the view; it then gets no more.
pub(super) fn look<T>(
    config: Config,
    look: impl AsyncFnOnce(mpsc::Receiver<Seen>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    // Asked before our own runtime starts: the answer is waited for on this thread.
    let running = local::is_running(&config.state_dir);
    process::block_on(async {
        let stop = CancellationToken::new();
        process::stop_on_signal(&stop)?;
        let (seen, live) = mpsc::channel(WAITING);
        let watch = async {
            if running {
                return ask(config, seen, &stop).await;
            }
            read(config, seen, &stop).await;
            Ok(())
        };
        let (watched, looked) = tokio::join!(watch, look(live));
        watched.and(looked)
    })
}

/// By the running agent's eyes, until `stop`, or until nobody listens there any more.
async fn ask(config: Config, seen: mpsc::Sender<Seen>, stop: &CancellationToken) -> Result<(), Failure> {
    let tester = format!("terminal-{}", std::process::id());
    let followed = tokio::select! {
        () = stop.cancelled() => Ok(()),
        () = seen.closed() => Ok(()),
        followed = follow(&config.state_dir, &tester, &seen) => followed,
    };
    // So that the one who looks ends as well.
    drop(seen);
    let path = format!("/scans/leave?tester={tester}");
    // Should this fail, the agent stops waiting for us by itself.
    let _ = tokio::task::spawn_blocking(move || local::post_json::<bool>(&config.state_dir, &path)).await;
    followed
}

async fn follow(state_dir: &Path, tester: &str, seen: &mpsc::Sender<Seen>) -> Result<(), Failure> {
    let asked = async |after: Option<u64>| {
        let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
        let (state_dir, path) = (state_dir.to_owned(), format!("/scans?tester={tester}{after}"));
        let asked = tokio::task::spawn_blocking(move || local::get_json::<ScansV1>(&state_dir, &path)).await;
        asked
            .map_err(Failure::other)??
            .ok_or_else(|| Failure::other("the agent knows no tests; is it an older version?"))
    };
    let mut after = asked(None).await?.last;
    let words = "The agent shows its scans here. They make NO REPORTS until you stop this with Ctrl-C.";
    let mut listening = seen.send(Seen::Hint(words.to_owned())).await.is_ok();
    while listening {
        let new = asked(Some(after)).await?;
        after = new.last;
        for scan in new.scans {
            listening &= seen.send(Seen::Scan(Box::new(scan))).await.is_ok();
        }
    }
    Ok(())
}

/// With our own hands.
async fn read(config: Config, seen: mpsc::Sender<Seen>, stop: &CancellationToken) {
    let (inputs, mut inward) = mpsc::channel(WAITING);
    let tested = Arc::new(AtomicBool::new(true));
    let outlet = |name: &str| Outlet::new(name, inputs.clone(), tested.clone());
    let words = "No agent runs; the scanners are read here. Stop with Ctrl-C.".to_owned();
    if seen.send(Seen::Hint(words)).await.is_err() {
        return;
    }
    // The readers end with this view, whoever ends it.
    let ours = stop.child_token();
    let _readers = ours.clone().drop_guard();
    scanner::start(config.scanners, &Roots::default(), outlet, &ours);
    let mut number = 0;
    loop {
        let next = tokio::select! {
            () = stop.cancelled() => return,
            () = seen.closed() => return,
            next = inward.recv() => next,
        };
        let told = match next {
            Some(Inward::Scan(mut scanned)) => {
                number += 1;
                let steps = std::mem::take(&mut scanned.raw.trace);
                Seen::Scan(Box::new(TestedV1::from(&Tested { number, scan: decode(scanned.raw), steps })))
            }
            Some(Inward::Scanner(view)) => {
                let state = if view.connected { "connected" } else { "away" };
                Seen::Hint(format!("scanner {:?}: {state}, {}", view.name, view.detail))
            }
            Some(Inward::Page(_) | Inward::Tester { .. }) => continue,
            None => return,
        };
        if seen.send(told).await.is_err() {
            return;
        }
    }
}
