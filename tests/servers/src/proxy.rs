//! A TCP proxy that can fall silent: it keeps every connection open and forwards nothing, as a network does that lost its
//! way. What it holds back while silent is lost.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forwards {
    /// As if it were not there.
    Everything,
    /// Requests arrive, answers don't.
    Requests,
    /// Nothing arrives, and nobody is told.
    Nothing,
}

/// The proxy; it ends, and every connection with it, when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

#[derive(Debug)]
struct State(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    forwards: Forwards,
    ended: bool,
    open: Vec<TcpStream>,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// Forwards a free port of the loopback to this one.
    pub fn to(server: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let inner = Inner { forwards: Forwards::Everything, ended: false, open: Vec::new() };
        let state = Arc::new(State(Mutex::new(inner)));
        let accepting = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.lock().ended {
                    break;
                }
                // A server that is away is one that hangs up.
                let _ = connect(client, server, &accepting);
            }
        });
        Ok(Self { port, state })
    }

    /// Where it listens on the loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// An address on the server, by way of the proxy.
    pub fn url(&self, url: &str, server: u16) -> String {
        url.replace(&format!(":{server}"), &format!(":{}", self.port))
    }

    /// Lets so much through from now on. A connection that lost something in either direction is silent in both when
    /// everything gets through again: no TCP goes on in one.
    pub fn set(&self, forwards: Forwards) {
        self.state.lock().forwards = forwards;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut inner = self.state.lock();
        inner.ended = true;
        for connection in inner.open.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
        drop(inner);
        // Whoever waits for the next connection finds out.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn connect(client: TcpStream, server: u16, state: &Arc<State>) -> io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server))?;
    for end in [&client, &server] {
        end.set_nodelay(true)?;
        let end = end.try_clone()?;
        state.lock().open.push(end);
    }
    let (requests, answers) = ((client.try_clone()?, server.try_clone()?), (server, client));
    let (up, down) = (Arc::clone(state), Arc::clone(state));
    let lost = Arc::<AtomicBool>::default();
    let lost_too = Arc::clone(&lost);
    thread::spawn(move || pump(requests, &up, &lost, |now| now != Forwards::Nothing));
    thread::spawn(move || pump(answers, &down, &lost_too, |now| now == Forwards::Everything));
    Ok(())
}

/// Forwards one direction. Once something was lost, here or on the way back, the connection is half open: this direction is
/// silent for ever when it lost something itself, and also when everything else gets through again.
fn pump(
    (mut from, mut to): (TcpStream, TcpStream),
    state: &State,
    lost: &AtomicBool,
    passes: fn(Forwards) -> bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    let mut silent = false;
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let now = state.lock().forwards;
        silent |= !passes(now) || (now == Forwards::Everything && lost.load(Ordering::Relaxed));
        lost.fetch_or(silent, Ordering::Relaxed);
        if !silent && to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    if !silent {
        let _ = to.shutdown(Shutdown::Write);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn echo() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || io::copy(&mut stream.try_clone().unwrap(), &mut stream));
            }
        });
        port
    }

    fn asked(stream: &mut TcpStream) -> io::Result<u8> {
        let mut answer = [0];
        stream.write_all(b"?")?;
        stream.read_exact(&mut answer)?;
        Ok(answer[0])
    }

    #[test]
    fn it_forwards_falls_silent_and_ends() {
        let proxy = Proxy::to(echo()).unwrap();
        let open = || TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap();
        let (mut before, mut after) = (open(), open());
        assert_eq!(asked(&mut before).unwrap(), b'?');
        proxy.set(Forwards::Nothing);
        before.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert!(asked(&mut before).is_err(), "it holds the answer back");
        proxy.set(Forwards::Everything);
        assert!(asked(&mut before).is_err(), "what is half open stays so");
        assert_eq!(asked(&mut after).unwrap(), b'?');
        drop(proxy);
        assert!(asked(&mut after).is_err());
    }
}
