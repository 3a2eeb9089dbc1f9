//! Standard input as a scanner: one code a line. For trying things out, and for pipes.

use std::path::Path;

use tokio::io::AsyncReadExt;

use super::clock;
use super::source::{Outlet, Reading, Recorder};
use crate::domain::decode::frame::{Framer, Framing, Terminator};
use crate::domain::decode::trace::Happening;
use crate::domain::view::Hold;

const NODE: &str = "standard input";

pub async fn run(outlet: Outlet) {
    let mut input = tokio::io::stdin();
    let mut framer = Framer::new(Framing::ended_by(Terminator::Line));
    let mut recorder = Recorder::default();
    let mut buffer = [0; 4096];
    if !outlet.device(Path::new(NODE), Hold::Grabbed, NODE).await {
        return;
    }
    loop {
        let read = input.read(&mut buffer).await.unwrap_or(0);
        let at = clock::now();
        let frames = if read == 0 {
            framer.unplugged().into_iter().collect()
        } else {
            recorder.note(&outlet, at, || Happening::Bytes(buffer[..read].to_vec()));
            framer.feed(&buffer[..read], at)
        };
        for frame in frames {
            if !outlet.scan(frame, Reading { trace: recorder.take(), ..Reading::at(at) }).await {
                return;
            }
        }
        if read == 0 {
            outlet.device(Path::new(NODE), Hold::Failed, "end of input").await;
            return;
        }
    }
}
