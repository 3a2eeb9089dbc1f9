//! Notices that the network changed, without asking again and again: rtnetlink (RFC 3549, man 7 rtnetlink) tells of every
//! interface, address and route that comes or goes.
//!
//! What changed is not read: it may be all that was missing, and the next request finds out.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;

/// A link that comes up brings its addresses and routes with it; they are told together.
const SETTLE: Duration = Duration::from_millis(200);
/// RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_IFADDR and RTMGRP_IPV6_ROUTE of linux/rtnetlink.h.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
/// How many messages are thrown away before the change is told: a router's table may never stop moving.
const AT_ONCE: usize = 1024;
/// A message that doesn't fit is cut, which does no harm here.
const BUFFER: usize = 512;

/// Starts the task that listens, within a runtime; it ends with the receiver. Where there is no netlink, in some
/// containers, nothing is ever told: a wait is then as long as it was meant to be.
pub fn changes() -> watch::Receiver<u64> {
    let (changed, changes) = watch::channel(0);
    match open() {
        Ok(socket) => drop(tokio::spawn(listen(socket, changed))),
        Err(error) => tracing::warn!(%error, "no netlink: a network that comes back is noticed by the next try alone"),
    }
    changes
}

fn open() -> io::Result<AsyncFd<OwnedFd>> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    // Protocol 0 of this family is NETLINK_ROUTE.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
    bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
    super::ready::readable(socket)
}

async fn listen<T: AsFd + AsRawFd>(socket: AsyncFd<T>, changed: watch::Sender<u64>) {
    loop {
        let settled = tokio::select! {
            () = changed.closed() => return,
            settled = settle(&socket) => settled,
        };
        if let Err(error) = settled {
            tracing::warn!(%error, "netlink failed: a network that comes back is noticed by the next try alone");
            return;
        }
        changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// Waits for a change and throws away what was said of it.
async fn settle<T: AsFd + AsRawFd>(socket: &AsyncFd<T>) -> io::Result<()> {
    let mut ready = socket.readable().await?;
    tokio::time::sleep(SETTLE).await;
    let mut buffer = [0; BUFFER];
    for _ in 0..AT_ONCE {
        match recv(socket.get_ref(), &mut buffer[..], RecvFlags::empty()) {
            // ENOBUFS: there was more than the kernel would keep. That is a change, too.
            Ok(_) | Err(Errno::NOBUFS | Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                ready.clear_ready();
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rustix::net::{SendFlags, send, socketpair};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// A socket that says what the test says, in netlink's place, and the changes that are told.
    fn pretend() -> (OwnedFd, watch::Receiver<u64>) {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (kernel, ours) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        let (changed, changes) = watch::channel(0);
        tokio::spawn(listen(super::super::ready::readable(ours).unwrap(), changed));
        (kernel, changes)
    }

    #[tokio::test]
    async fn many_messages_at_once_are_one_change_and_later_ones_another() {
        let (kernel, mut changes) = pretend();
        for round in 1..=2 {
            for _ in 0..50 {
                send(&kernel, &[7; 2 * BUFFER], SendFlags::empty()).unwrap();
            }
            tokio::time::timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
            assert_eq!(*changes.borrow_and_update(), round);
        }
    }

    #[tokio::test]
    async fn the_kernels_netlink_is_there_and_a_quiet_one_wakes_nobody() {
        let socket = open().unwrap();
        let mut buffer = [0; BUFFER];
        let nothing = recv(socket.get_ref(), &mut buffer[..], RecvFlags::empty());
        assert!(matches!(nothing, Err(Errno::AGAIN) | Ok(_)), "{nothing:?}");
    }

    #[tokio::test]
    async fn the_listener_ends_with_its_receiver() {
        let (kernel, changes) = pretend();
        drop(changes);
        let ended = async {
            while send(&kernel, &[7], SendFlags::NOSIGNAL).is_ok() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.unwrap();
    }
}
