//! The switch that cuts the network: a TCP forwarder between the agent and its server. Cut means cut: new connections are
//! closed at once, and those that are open break in the middle.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

const MAX_CONNECTIONS: usize = 64;

#[derive(Clone, Debug)]
pub struct Cutter {
    connected: watch::Sender<bool>,
}

impl Cutter {
    /// Starts with the network up.
    pub fn new() -> Cutter {
        Cutter { connected: watch::Sender::new(true) }
    }

    pub fn is_connected(&self) -> bool {
        *self.connected.borrow()
    }

    pub fn connect(&self, connected: bool) {
        self.connected.send_replace(connected);
    }

    /// Forwards connections to `target` until `stop`.
    pub async fn serve(self, listener: TcpListener, target: SocketAddr, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let (Ok((inward, _)), Ok(place)) = (accepted, places.clone().acquire_owned().await) else { continue };
            let connected = self.connected.subscribe();
            tokio::spawn(async move {
                forward(inward, target, connected).await;
                drop(place);
            });
        }
    }
}

impl Default for Cutter {
    fn default() -> Cutter {
        Cutter::new()
    }
}

async fn forward(mut inward: TcpStream, target: SocketAddr, mut connected: watch::Receiver<bool>) {
    if !*connected.borrow_and_update() {
        return;
    }
    let Ok(mut outward) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ = connected.wait_for(|connected| !connected) => {}
        _ = copy_bidirectional(&mut inward, &mut outward) => {}
    }
}
