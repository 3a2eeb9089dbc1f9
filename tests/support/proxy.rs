//! A TCP proxy that misbehaves as networks do. It sits between the agent and its server.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: bytes go both ways.
    None,
    /// The server gets the request, commits and answers; the answer never arrives.
    DropReply,
    /// Nobody answers at all.
    Refuse,
    /// The line dies when so many bytes went to the server, in the middle of whatever is under way, and stays dead.
    DieAfter(u64),
    /// One request and its answer, then the connection is closed, as some servers do.
    CloseEach,
    /// Somebody else answers, with this.
    Say(String),
    /// A firewall forbids requests that have this in them, in lower case; the others pass.
    Forbid(&'static str),
    /// Those that have this in them go to another server; the others pass.
    Divert(&'static str, SocketAddr),
}

impl Fault {
    pub fn captive_portal() -> Fault {
        Fault::Say(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>Welcome to our WiFi!</html>"
                .into(),
        )
    }

    pub fn html_404() -> Fault {
        let body = "HTTP/1.1 404 NOT FOUND\r\ncontent-type: text/html; charset=utf-8\r\nconnection: close\r\n\r\n<h1>Not Found</h1>";
        Fault::Say(body.into())
    }
}

const FORBIDDEN: &str =
    "HTTP/1.1 403 Forbidden\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<h1>Forbidden</h1>";

pub struct Proxy {
    pub address: SocketAddr,
    target: Arc<Mutex<SocketAddr>>,
    fault: Arc<Mutex<Fault>>,
    requests: Arc<AtomicU32>,
    sent: Arc<AtomicU64>,
}

impl Proxy {
    pub fn before(target: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (fault, requests) = (Arc::new(Mutex::new(Fault::None)), Arc::new(AtomicU32::new(0)));
        let target = Arc::new(Mutex::new(target));
        let sent = Arc::new(AtomicU64::new(0));
        let (targets, faults, counted, passed) = (target.clone(), fault.clone(), requests.clone(), sent.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let (fault, target) = (faults.lock().unwrap().clone(), *targets.lock().unwrap());
                let (faults, passed) = (faults.clone(), passed.clone());
                thread::spawn(move || {
                    // A broken connection is what this is for.
                    let _ = if let Fault::DieAfter(limit) = fault {
                        die_after(limit, &stream, target, &faults, &passed)
                    } else {
                        serve(stream, target, fault, passed)
                    };
                });
            }
        });
        Proxy { address, target, fault, requests, sent }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    /// Forwards to another server from here on, as a wrong DNS entry would.
    pub fn redirect(&self, target: SocketAddr) {
        *self.target.lock().unwrap() = target;
    }

    /// How many bytes went to the server since the start.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub fn fault(&self) -> Fault {
        self.fault.lock().unwrap().clone()
    }

    /// How many connections came since the start.
    pub fn connections(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// Passes bytes on until `limit` of them went to the server, then hangs up on both sides and refuses from there on.
fn die_after(
    limit: u64,
    inward: &TcpStream,
    target: SocketAddr,
    fault: &Mutex<Fault>,
    passed: &AtomicU64,
) -> std::io::Result<()> {
    let outward = TcpStream::connect(target)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = std::io::copy(&mut &outward, &mut &*inward);
            let _ = inward.shutdown(Shutdown::Both);
        });
        let mut buffer = [0; 16 << 10];
        while let Ok(read @ 1..) = (&*inward).read(&mut buffer) {
            let before = passed.load(Ordering::Relaxed);
            let through = usize::try_from(limit.saturating_sub(before)).unwrap_or(read).min(read);
            passed.fetch_add(through as u64, Ordering::Relaxed);
            if (&outward).write_all(&buffer[..through]).is_err() || through < read {
                *fault.lock().unwrap() = Fault::Refuse;
                break;
            }
        }
        let _ = outward.shutdown(Shutdown::Both);
        let _ = inward.shutdown(Shutdown::Both);
    });
    Ok(())
}

fn serve(mut inward: TcpStream, target: SocketAddr, fault: Fault, passed: Arc<AtomicU64>) -> std::io::Result<()> {
    match fault {
        Fault::Refuse | Fault::DieAfter(_) => Ok(()),
        Fault::Say(answer) => {
            let _ = read_request(&mut inward)?;
            inward.write_all(answer.as_bytes())?;
            inward.shutdown(Shutdown::Write)
        }
        Fault::DropReply => {
            let request = read_request(&mut inward)?;
            let mut outward = TcpStream::connect(target)?;
            outward.write_all(&request)?;
            // Wait for the whole answer, so that the server has committed, then hang up on the device.
            outward.set_read_timeout(Some(Duration::from_secs(30)))?;
            let _ = read_request(&mut outward)?;
            inward.shutdown(Shutdown::Both)
        }
        Fault::CloseEach | Fault::Forbid(_) | Fault::Divert(..) => {
            let request = read_request(&mut inward)?;
            if let Fault::Divert(what, other) = fault
                && String::from_utf8_lossy(&request).to_lowercase().contains(what)
            {
                let mut outward = TcpStream::connect(other)?;
                outward.write_all(&request)?;
                // The device may hang up first.
                let (mut from_device, to_other) = (inward.try_clone()?, outward.try_clone()?);
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from_device, &mut std::io::sink());
                    let _ = to_other.shutdown(Shutdown::Both);
                });
                let said = std::io::copy(&mut outward, &mut inward);
                let _ = inward.shutdown(Shutdown::Both);
                return said.map(drop);
            }
            if matches!(fault, Fault::Forbid(what) if String::from_utf8_lossy(&request).to_lowercase().contains(what)) {
                inward.write_all(FORBIDDEN.as_bytes())?;
                return inward.shutdown(Shutdown::Write);
            }
            let mut outward = TcpStream::connect(target)?;
            outward.write_all(&request)?;
            let answer = read_request(&mut outward)?;
            inward.write_all(&answer)?;
            inward.shutdown(Shutdown::Both)
        }
        Fault::None => {
            let mut outward = TcpStream::connect(target)?;
            let (mut from_device, mut to_server) = (inward.try_clone()?, outward.try_clone()?);
            let up = thread::spawn(move || {
                let mut buffer = [0; 16 << 10];
                while let Ok(read @ 1..) = from_device.read(&mut buffer) {
                    passed.fetch_add(read as u64, Ordering::Relaxed);
                    if to_server.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                }
                let _ = to_server.shutdown(Shutdown::Write);
            });
            let _ = std::io::copy(&mut outward, &mut inward);
            let _ = inward.shutdown(Shutdown::Write);
            let _ = up.join();
            Ok(())
        }
    }
}

/// Reads one HTTP message: its head, and as much body as content-length says.
pub fn read_request(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![];
    let mut buffer = [0; 65536];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return Ok(bytes);
            }
        }
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(bytes);
        }
        bytes.extend_from_slice(&buffer[..read]);
    }
}
