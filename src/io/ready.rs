//! Waiting until a device or an inotify can be read.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Hands a descriptor that is already non-blocking to the runtime; only within one. `AsFd` is asked for because a type
/// that lends its descriptor safely keeps it open, the same one, for as long as it lives: what tokio's `unsafe`
/// successor of this call wants to be promised.
#[expect(
    deprecated,
    reason = "the safe call is deprecated for types that swap their descriptor; the bound excludes them"
)]
pub fn readable<T: AsFd + AsRawFd>(inner: T) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(inner, Interest::READABLE)
}
