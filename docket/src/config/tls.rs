//! TLS, in the words of every process that listens and of whatever asks others.

use std::path::PathBuf;

use anyhow::Result;
use service_kit::tls::{ClientTlsFiles, ServerTls, ServerTlsFiles};

use super::missing::WrongSettings;

/// What a process shows, and whom it lets connect.
#[derive(Debug, Clone, Default, PartialEq, clap::Args)]
#[expect(clippy::struct_field_names, reason = "each is a flag of a process that has others")]
pub(crate) struct ServerTlsArgs {
    /// File with the certificate (PEM) to show, followed by those that lead to who signed it; then TLS is spoken and nothing else
    #[arg(long, env = "DOCKET_TLS_CERT_FILE", value_name = "FILE")]
    tls_cert_file: Option<PathBuf>,
    /// File with the key (PEM) of that certificate
    #[arg(long, env = "DOCKET_TLS_KEY_FILE", value_name = "FILE")]
    tls_key_file: Option<PathBuf>,
    /// File with the certificates (PEM) of who signs those of clients; then nobody connects without one
    #[arg(long, env = "DOCKET_TLS_CLIENT_CA_FILE", value_name = "FILE")]
    tls_client_ca_file: Option<PathBuf>,
}

impl ServerTlsArgs {
    /// The files, if TLS is to be spoken.
    pub(crate) fn files(&self) -> Result<Option<ServerTlsFiles>> {
        let (certificate, key) = (self.tls_cert_file.clone(), self.tls_key_file.clone());
        let client_authorities = self.tls_client_ca_file.clone();
        match both(("tls_cert_file", certificate), ("tls_key_file", key))? {
            Some((certificate, key)) => {
                Ok(Some(ServerTlsFiles { certificate, key, client_authorities }))
            }
            None if client_authorities.is_some() => {
                let alone = "tls_client_ca_file is set, and tls_cert_file is not: without TLS nobody shows a certificate";
                Err(WrongSettings::new(alone).into())
            }
            None => Ok(None),
        }
    }

    /// TLS, if it is to be spoken.
    pub(crate) fn start(&self) -> Result<Option<ServerTls>> {
        let started = self.files()?.map(ServerTls::start).transpose();
        started.map_err(|wrong| WrongSettings::new(wrong.to_string()).into())
    }
}

/// Whom to believe, and what to show, where others are asked over HTTP.
#[derive(Debug, Clone, Default, PartialEq, clap::Args)]
#[expect(clippy::struct_field_names, reason = "each is a flag of a process that has others")]
pub(crate) struct ClientTlsArgs {
    /// File with the certificates (PEM) of who signed those of whom is asked with https [default: whom this machine trusts]
    #[arg(long, env = "DOCKET_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// File with the certificate (PEM) to show to whom is asked, followed by those that lead to who signed it
    #[arg(long, env = "DOCKET_CLIENT_CERT_FILE", value_name = "FILE")]
    client_cert_file: Option<PathBuf>,
    /// File with the key (PEM) of that certificate
    #[arg(long, env = "DOCKET_CLIENT_KEY_FILE", value_name = "FILE")]
    client_key_file: Option<PathBuf>,
}

impl ClientTlsArgs {
    /// The same without a certificate to show.
    pub(crate) fn without_identity(&self) -> Self {
        Self { ca_file: self.ca_file.clone(), ..Self::default() }
    }

    /// The files.
    pub(crate) fn files(&self) -> Result<ClientTlsFiles> {
        let (certificate, key) = (self.client_cert_file.clone(), self.client_key_file.clone());
        let identity = both(("client_cert_file", certificate), ("client_key_file", key))?;
        Ok(ClientTlsFiles { authorities: self.ca_file.clone(), identity })
    }
}

/// A certificate and its key are set together.
fn both(
    (of_certificate, certificate): (&str, Option<PathBuf>),
    (of_key, key): (&str, Option<PathBuf>),
) -> Result<Option<(PathBuf, PathBuf)>> {
    let (is, is_not) = match (certificate, key) {
        (Some(certificate), Some(key)) => return Ok(Some((certificate, key))),
        (None, None) => return Ok(None),
        (Some(_), None) => (of_certificate, of_key),
        (None, Some(_)) => (of_key, of_certificate),
    };
    let alone = format!("{is} is set, and {is_not} is not: a certificate goes with its key");
    Err(WrongSettings::new(alone).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(set: [bool; 3]) -> Result<Option<ServerTlsFiles>, String> {
        let [tls_cert_file, tls_key_file, tls_client_ca_file] =
            set.map(|set| set.then(|| "a.pem".into()));
        let args = ServerTlsArgs { tls_cert_file, tls_key_file, tls_client_ca_file };
        args.files().map_err(|error| error.to_string())
    }

    #[test]
    fn a_certificate_goes_with_its_key_and_asking_for_one_with_showing_one() {
        assert_eq!(server([false, false, false]), Ok(None));
        assert!(server([true, true, false]).unwrap().is_some());
        assert!(server([true, true, true]).unwrap().unwrap().client_authorities.is_some());
        let said = server([true, false, true]).unwrap_err();
        assert!(said.starts_with("tls_cert_file is set, and tls_key_file is not"), "{said}");
        let said = server([false, true, false]).unwrap_err();
        assert!(said.starts_with("tls_key_file is set, and tls_cert_file is not"), "{said}");
        let said = server([false, false, true]).unwrap_err();
        assert!(said.starts_with("tls_client_ca_file is set, and tls_cert_file is not"), "{said}");
        let args = ClientTlsArgs { client_key_file: Some("a".into()), ..ClientTlsArgs::default() };
        let said = args.files().unwrap_err();
        assert!(
            said.is::<WrongSettings>() && said.to_string().contains("client_cert_file"),
            "{said}"
        );
    }
}
