//! Free ports.

use std::io;
use std::net::TcpListener;

/// A port on the loopback that was free a moment ago; another process may take it, so whoever uses it tries again.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
