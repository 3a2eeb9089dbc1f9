//! The demo's receiver as a counterpart, in a thread of its own.

use std::net::SocketAddr;

use tallyman::demo::book::{Book, Case, PhotoCall};
use tallyman::demo::receiver::Receiver;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Device, until};

pub(crate) const CODE: &str = "7K2QF-0H3MN-9PRST-VWXYZ";

pub(crate) struct Counterpart {
    pub(crate) address: SocketAddr,
    receiver: Receiver,
    stop: CancellationToken,
}

impl Counterpart {
    pub(crate) fn start() -> Counterpart {
        let book = Book::new("urn:uuid:6f1d5c1e-2d53-4c0a-9c39-0d1b6f1e8a77".into(), CODE.into());
        let (receiver, stop) = (Receiver::new(book), CancellationToken::new());
        let (serving, stopping) = (receiver.clone(), stop.clone());
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                serving.serve(listener, stopping).await;
            });
        });
        Counterpart { address: told.recv().unwrap(), receiver, stop }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn revoke(&self) {
        self.receiver.book().revoke();
    }

    pub(crate) fn reinstate(&self) {
        self.receiver.book().reinstate();
    }

    /// Issues another code, for a new device or for the one that is named.
    pub(crate) fn invite(&self, code: &str, device: Option<&str>) {
        self.receiver.book().invite(code, device);
    }

    pub(crate) fn revoke_key(&self, kid: &str) {
        self.receiver.book().revoke_key(kid);
    }

    /// Goes on as another database.
    pub(crate) fn move_to(&self, audience: &str) {
        self.receiver.book().move_to(audience.to_owned());
    }

    pub(crate) fn reject(&self, rejects: bool) {
        self.receiver.book().reject(rejects);
    }

    /// How many packed requests came.
    pub(crate) fn packed(&self) -> u32 {
        self.receiver.packed()
    }

    pub(crate) fn cases(&self) -> Vec<Case> {
        self.receiver.book().cases().to_vec()
    }

    pub(crate) fn photo(&self, sha256: &str) -> Option<Vec<u8>> {
        self.receiver.book().photo(sha256).filter(|photo| photo.complete).map(|photo| photo.bytes.clone())
    }

    /// The calls about photos, in the order in which they came.
    pub(crate) fn photo_calls(&self) -> Vec<PhotoCall> {
        self.receiver.book().photo_calls().to_vec()
    }

    pub(crate) fn until_cases(&self, count: usize) -> Vec<Case> {
        until("the cases to arrive", || Some(self.cases()).filter(|cases| cases.len() >= count))
    }
}

impl Drop for Counterpart {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A device that knows the demo's warehouse and is enrolled at `url`.
pub(crate) fn enrolled(url: &str) -> Device {
    enrolled_with(|device| device.enrol(url, CODE))
}

/// A device that knows the demo's warehouse, enrolled as the test says.
pub(crate) fn enrolled_with(enrol: impl FnOnce(&Device)) -> Device {
    let device = Device::new("[catalog]\nfile = \"catalog.json\"");
    let catalog = serde_json::to_vec(&tallyman::demo::labels::catalog()).unwrap();
    std::fs::write(device.folder.path().join("catalog.json"), catalog).unwrap();
    enrol(&device);
    device
}
