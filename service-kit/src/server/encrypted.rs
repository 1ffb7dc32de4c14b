//! How a connection with TLS begins.
//!
//! **Invariant:** a handshake ends in time, whatever the other side does or does not.

use std::io;
use std::time::Duration;

use rustls::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::progress::Progress;
use crate::tls::ServerTls;

/// The first byte of a handshake.
const HANDSHAKE: u8 = 0x16;

/// How it began.
pub(super) enum Begun {
    /// With TLS.
    Tls(Box<TlsStream<Progress<TcpStream>>>),
    /// As a request begins that is spoken in clear.
    Clear(Progress<TcpStream>),
}

/// Begins a connection; nothing where the other side did not, or was not let in.
pub(super) async fn begin(
    stream: Progress<TcpStream>,
    tls: &ServerTls,
    within: Duration,
) -> Option<Begun> {
    let begun = timeout(within, shake_hands(stream, tls)).await;
    let (outcome, begun) = match begun {
        Ok(Ok(begun @ Begun::Tls(_))) => ("done", Some(begun)),
        Ok(Ok(begun @ Begun::Clear(_))) => ("clear_text", Some(begun)),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a connection did not begin");
            (why(&error), None)
        }
        Err(_) => ("late", None),
    };
    metrics::counter!("http_server_tls_handshakes_total", "outcome" => outcome).increment(1);
    begun
}

async fn shake_hands(stream: Progress<TcpStream>, tls: &ServerTls) -> io::Result<Begun> {
    let mut first = [0];
    if stream.socket().peek(&mut first).await? > 0 && is_of_a_request(first[0]) {
        return Ok(Begun::Clear(stream));
    }
    // The certificate of this moment: it may have been renewed since the last connection.
    let stream = TlsAcceptor::from(tls.config()).accept(stream).await?;
    Ok(Begun::Tls(Box::new(stream)))
}

/// Whether a request in clear begins so: with a method.
fn is_of_a_request(byte: u8) -> bool {
    byte != HANDSHAKE && byte.is_ascii_uppercase()
}

/// Why somebody was not let in, in a word.
fn why(error: &io::Error) -> &'static str {
    match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(Error::NoCertificatesPresented) => "no_certificate",
        Some(Error::InvalidCertificate(_)) => "certificate_refused",
        // The other side has seen our certificate.
        Some(Error::AlertReceived(_)) => "refused_by_client",
        _ => "broken",
    }
}
