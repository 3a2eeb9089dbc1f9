//! Standard input as a scanner: one code a line. For trying things out, and for pipes.

use tokio::io::AsyncReadExt;

use super::clock;
use super::source::Outlet;
use crate::domain::decode::frame::{Framer, Framing, Terminator};

pub async fn run(outlet: Outlet) {
    let mut input = tokio::io::stdin();
    let mut framer = Framer::new(Framing::ended_by(Terminator::Line));
    let mut buffer = [0; 4096];
    if !outlet.state(true, "standard input").await {
        return;
    }
    loop {
        let read = input.read(&mut buffer).await.unwrap_or(0);
        let frames = if read == 0 {
            framer.unplugged().into_iter().collect()
        } else {
            framer.feed(&buffer[..read], clock::now())
        };
        for frame in frames {
            if !outlet.scan(frame).await {
                return;
            }
        }
        if read == 0 {
            outlet.state(false, "end of input").await;
            return;
        }
    }
}
