//! Certificates of one test: who signs them, and files of them for processes and clients.

use std::path::PathBuf;

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Client, Identity};
use test_servers::{Authority, Certificate, Usage};
use tokio::process::Command;

use crate::platform::Data;

/// Where everybody of a test is.
const HERE: [&str; 2] = ["127.0.0.1", "localhost"];

/// An authority, and what it signed for this machine.
pub(crate) struct Certificates {
    folder: Data,
    authority: Authority,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let (folder, authority) = (Data::new(), Authority::new("a test").unwrap());
        authority.write(&folder.path().join("ca.pem")).unwrap();
        let certificates = Self { folder, authority };
        certificates.renew();
        certificates.sign("client", Usage::Both);
        certificates
    }

    /// Signs a new certificate for the servers of this machine, in the place of the one before.
    pub(crate) fn renew(&self) {
        self.sign("server", Usage::Both);
    }

    /// Signs a certificate for this machine: `NAME.pem`, `NAME.key`.
    pub(crate) fn sign(&self, name: &str, usage: Usage) {
        let files = (self.file(&format!("{name}.pem")), self.file(&format!("{name}.key")));
        self.authority.sign(&HERE, usage).unwrap().write(&files.0, &files.1).unwrap();
    }

    /// One for a server that keeps its files itself.
    pub(crate) fn for_server(&self) -> Certificate {
        self.authority.sign(&HERE, Usage::Server).unwrap()
    }

    /// A file of these: `ca.pem`, `server.pem`, `server.key`, `client.pem`, `client.key`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The process shows a certificate.
    pub(crate) fn shown_by(&self, command: &mut Command) {
        command.env("DOCKET_TLS_CERT_FILE", self.file("server.pem"));
        command.env("DOCKET_TLS_KEY_FILE", self.file("server.key"));
    }

    /// And lets in who shows one.
    pub(crate) fn asked_for_by(&self, command: &mut Command) {
        command.env("DOCKET_TLS_CLIENT_CA_FILE", self.file("ca.pem"));
    }

    /// The process believes who shows one.
    pub(crate) fn believed_by(&self, command: &mut Command) {
        command.env("DOCKET_CA_FILE", self.file("ca.pem"));
    }

    /// And shows its own.
    pub(crate) fn known_to_others(&self, command: &mut Command) {
        command.env("DOCKET_CLIENT_CERT_FILE", self.file("client.pem"));
        command.env("DOCKET_CLIENT_KEY_FILE", self.file("client.key"));
    }

    /// A client that believes these, shows `NAME.pem` if one is named, and this token if there is one.
    pub(crate) fn client(&self, shows: Option<&str>, token: Option<&str>) -> Client {
        let ca = reqwest::Certificate::from_pem(self.authority.pem().as_bytes()).unwrap();
        let mut client = Client::builder().no_proxy().tls_certs_only([ca]);
        if let Some(name) = shows {
            let read = |end: &str| std::fs::read(self.file(&format!("{name}.{end}"))).unwrap();
            let pem = [read("pem"), read("key")].concat();
            client = client.identity(Identity::from_pem(&pem).unwrap());
        }
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().unwrap();
            client = client.default_headers(HeaderMap::from_iter([(AUTHORIZATION, value)]));
        }
        client.build().unwrap()
    }
}
