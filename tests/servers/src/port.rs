//! Ports that are free.

use std::io;
use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below those that the kernel gives to whoever asks for any port, and to outgoing connections: the port of a server that was
/// killed is still free when it starts again.
const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;
/// So far apart do processes begin, so that those which run at the same time seldom meet.
const APART: u32 = 211;

/// How many were asked for here.
static ASKED: AtomicU32 = AtomicU32::new(0);

/// A port on the loopback that was free a moment ago; another process may take it, so whoever uses it tries again.
pub fn free_port() -> io::Result<u16> {
    let begin = process::id().wrapping_mul(APART);
    for _ in 0..COUNT {
        let place = begin.wrapping_add(ASKED.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let Ok(port) = u16::try_from(FIRST + place) else { continue };
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(port),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no port is free"))
}
