//! Certificates that must not be believed.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{impatient, report};
use crate::receiver::{CODE, Counterpart, enrolled_with};

/// TLS before the receiver, with whatever certificate the test wants to show.
struct Front {
    address: SocketAddr,
    shows: Arc<Mutex<Arc<ServerConfig>>>,
    /// Connections whose handshake was finished: from then on, the other end could read.
    believed: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
}

impl Front {
    fn before(target: SocketAddr, shows: ServerConfig) -> Front {
        let shows = Arc::new(Mutex::new(Arc::new(shows)));
        let (believed, refused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (tell, told) = std::sync::mpsc::channel();
        let (shown, counts) = (shows.clone(), (believed.clone(), refused.clone()));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                while let Ok((inward, _)) = listener.accept().await {
                    let (acceptor, counts) = (TlsAcceptor::from(shown.lock().unwrap().clone()), counts.clone());
                    tokio::spawn(async move {
                        let Ok(mut inward) = acceptor.accept(inward).await else {
                            counts.1.fetch_add(1, Ordering::SeqCst);
                            return;
                        };
                        counts.0.fetch_add(1, Ordering::SeqCst);
                        let mut outward = TcpStream::connect(target).await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut inward, &mut outward).await;
                    });
                }
            });
        });
        Front { address: told.recv().unwrap(), shows, believed, refused }
    }

    fn show(&self, certificate: ServerConfig) {
        *self.shows.lock().unwrap() = Arc::new(certificate);
    }
}

struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Ca {
    fn new() -> Ca {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Ca { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for `name` that is good from the start of one year to the start of another.
    fn issues(&self, name: &str, from: i32, to: i32) -> ServerConfig {
        let (params, key) = (params(name, from, to), KeyPair::generate().unwrap());
        server(params.signed_by(&key, &self.issuer).unwrap(), &key)
    }
}

fn params(name: &str, from: i32, to: i32) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    params
}

fn server(certificate: rcgen::Certificate, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap()
}

#[test]
fn a_certificate_that_is_wrong_in_any_way_gets_no_request_and_no_token() {
    let odoo = Counterpart::start();
    let (ours, theirs) = (Ca::new(), Ca::new());
    let good = || ours.issues("localhost", 2000, 2099);
    let front = Front::before(odoo.address, good());
    let mut device = enrolled_with(|device| {
        std::fs::write(device.folder.path().join("ca.pem"), &ours.pem).unwrap();
        impatient(device);
        let config = std::fs::read_to_string(device.config()).unwrap();
        std::fs::write(device.config(), config.replace("[odoo]", "[odoo]\nca_file = \"ca.pem\"")).unwrap();
        device.enrol(&format!("https://localhost:{}", front.address.port()), CODE);
    });
    let believed = front.believed.load(Ordering::SeqCst);
    let alone = KeyPair::generate().unwrap();
    let self_signed = params("localhost", 2000, 2099).self_signed(&alone).unwrap();
    for (name, shown) in [
        ("of another CA", theirs.issues("localhost", 2000, 2099)),
        ("for another name", ours.issues("odoo.example.com", 2000, 2099)),
        ("expired", ours.issues("localhost", 2000, 2001)),
        ("not yet good", ours.issues("localhost", 2098, 2099)),
        ("self-signed", server(self_signed, &alone)),
    ] {
        front.show(shown);
        let refused = front.refused.load(Ordering::SeqCst);
        device.start();
        device.scan(&["EMP-7"]);
        report(&device);
        let waiting = device.beeped().len();
        let status = device.until_status(name, |status| status["last_error"]["code"] == "tls");
        assert_eq!((&status["pending"], &status["parked"]), (&waiting.into(), &0.into()), "{name}");
        assert!(front.refused.load(Ordering::SeqCst) > refused, "{name}");
        device.stop();
    }
    assert_eq!(front.believed.load(Ordering::SeqCst), believed, "a handshake was finished");
    front.show(good());
    device.start();
    device.until_status("the backlog to drain", |status| status["delivered"] == 5);
    assert_eq!(odoo.cases().len(), 5);
}
