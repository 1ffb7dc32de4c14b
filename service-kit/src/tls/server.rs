//! TLS at an address of our own.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;

use super::pem::{authorities, certified};
use super::provider::provider;
use crate::watched::{NamedFile, Watched, WrongFile};

/// What is spoken within TLS: what is spoken without it.
const SPOKEN: &[u8] = b"http/1.1";

/// What a process shows, and whom it lets connect. All in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTlsFiles {
    /// Its certificate, followed by those that lead to who signed it: `tls_cert_file`.
    pub certificate: PathBuf,
    /// The key of that certificate: `tls_key_file`.
    pub key: PathBuf,
    /// Who signs the certificates of those who may connect; without it everybody may: `tls_client_ca_file`.
    pub client_authorities: Option<PathBuf>,
}

/// TLS, by files that are read again when they change. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ServerTls(Watched<ServerConfig>);

impl ServerTls {
    /// Reads the files, and goes on to; what is wrong with them is an error only now.
    pub fn start(files: ServerTlsFiles) -> Result<Self, WrongFile> {
        let certificate = NamedFile::new("tls_cert_file", files.certificate);
        let key = NamedFile::new("tls_key_file", files.key);
        let clients =
            files.client_authorities.map(|path| NamedFile::new("tls_client_ca_file", path));
        let all = [certificate.clone(), key.clone()].into_iter().chain(clients.clone()).collect();
        let make = move |found: &[Vec<u8>]| {
            let clients = clients.as_ref().map(|file| (file, found[2].as_slice()));
            config((&certificate, &found[0]), (&key, &found[1]), clients)
        };
        Watched::start(all, make).map(Self)
    }

    /// As it is now, for one connection.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.0.current()
    }
}

fn config(
    certificate: (&NamedFile, &[u8]),
    key: (&NamedFile, &[u8]),
    clients: Option<(&NamedFile, &[u8])>,
) -> Result<ServerConfig, WrongFile> {
    let shown = Arc::new(SingleCertAndKey::from(certified(certificate, key)?));
    let config = ServerConfig::builder_with_provider(provider());
    let config = config.with_safe_default_protocol_versions();
    let config = config.map_err(|error| certificate.0.wrong(error.to_string()))?;
    let mut config = match clients {
        None => config.with_no_client_auth().with_cert_resolver(shown),
        Some((file, text)) => {
            let trusted = Arc::new(authorities(file, text)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(trusted, provider()).build();
            let verifier = verifier.map_err(|error| file.wrong(error.to_string()))?;
            let mut config = config.with_client_cert_verifier(verifier).with_cert_resolver(shown);
            // A session that is taken up again would not be asked for its certificate, which may have ended meanwhile.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
            config
        }
    };
    config.alpn_protocols = vec![SPOKEN.to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use test_servers::{Authority, Usage};

    use super::*;

    struct Folder {
        folder: tempfile::TempDir,
        files: ServerTlsFiles,
    }

    impl Folder {
        fn new(clients: bool) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            let files = ServerTlsFiles {
                certificate: path("cert.pem"),
                key: path("key.pem"),
                client_authorities: clients.then(|| path("clients.pem")),
            };
            let authority = Authority::new("a test").unwrap();
            let signed = authority.sign(&["localhost"], Usage::Both).unwrap();
            signed.write(&files.certificate, &files.key).unwrap();
            authority.write(&path("clients.pem")).unwrap();
            Self { folder, files }
        }

        fn said(&self) -> String {
            ServerTls::start(self.files.clone()).unwrap_err().to_string()
        }

        fn write(path: &Path, text: &str) {
            std::fs::write(path, text).unwrap();
        }
    }

    #[tokio::test]
    async fn files_that_fit_are_taken_and_a_client_s_certificate_is_asked_for_where_one_is_named() {
        for clients in [false, true] {
            let folder = Folder::new(clients);
            let tls = ServerTls::start(folder.files.clone()).unwrap();
            assert_eq!(tls.config().send_tls13_tickets == 0, clients);
        }
    }

    #[tokio::test]
    async fn what_can_t_be_used_is_named_with_file_and_setting() {
        let folder = Folder::new(true);
        let other = Authority::new("other").unwrap().sign(&["localhost"], Usage::Both).unwrap();
        let (certificate, key) = (folder.files.certificate.clone(), folder.files.key.clone());
        let clients = folder.folder.path().join("clients.pem");
        let whole = |path: &Path| std::fs::read_to_string(path).unwrap();
        let (was_key, was_certificate) = (whole(&key), whole(&certificate));

        Folder::write(&key, &other.key);
        let said = folder.said();
        assert!(
            said.starts_with(&format!("tls_key_file: {} is not the key", key.display())),
            "{said}"
        );
        for wrong in ["", "no PEM", &was_certificate] {
            Folder::write(&key, wrong);
            let said = folder.said();
            assert!(
                said.starts_with("tls_key_file: ") && said.contains("no private key"),
                "{said}"
            );
        }
        Folder::write(&key, &was_key);
        for wrong in ["", &was_key, &was_certificate[..60]] {
            Folder::write(&certificate, wrong);
            let said = folder.said();
            let named = format!("tls_cert_file: {} ", certificate.display());
            assert!(said.starts_with(&named), "{said}");
        }
        Folder::write(&certificate, &was_certificate);
        Folder::write(&clients, "");
        let said = folder.said();
        assert!(
            said.starts_with("tls_client_ca_file: ") && said.contains("no certificate"),
            "{said}"
        );
        std::fs::remove_file(&clients).unwrap();
        assert!(folder.said().contains("tls_client_ca_file"), "{}", folder.said());
    }
}
