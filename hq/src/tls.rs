//! HQ's own certificate, and the pin by which devices know it; no authority is asked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::PublicKeyData;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sync_protocol::chain::sha256;

use crate::keys::{self, KeysError};

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It could not be made.
    #[error("no certificate could be made: {0}")]
    Made(#[from] rcgen::Error),
    /// Its files.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A file could not be read.
    #[error("{file}: {source}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold it.
    #[error("{file} holds no certificate or key in PEM form")]
    NotPem {
        /// Which.
        file: PathBuf,
    },
    /// The two do not go together, or cannot be used.
    #[error("the certificate and key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// Returns the host of an address; `None` where it is none.
#[must_use]
pub fn host(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split_once(']')?.0,
        None => authority.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

/// Makes a certificate for `host` and returns its pin.
///
/// # Errors
/// [`TlsError`].
pub fn create(cert: &Path, key: &Path, host: &str) -> Result<[u8; 32], TlsError> {
    let made = rcgen::generate_simple_self_signed([host.to_owned()])?;
    keys::keep_secret(cert, made.cert.pem().as_bytes())?;
    keys::keep_secret(key, made.signing_key.serialize_pem().as_bytes())?;
    Ok(sha256(&[&made.signing_key.subject_public_key_info()]))
}

/// Reads a certificate and its key; returns what the server needs, and the pin.
///
/// # Errors
/// [`TlsError`].
pub fn read(cert: &Path, key: &Path) -> Result<(Arc<rustls::ServerConfig>, [u8; 32]), TlsError> {
    let chain = chain(cert)?;
    let pin = pin_of(&chain, cert)?;
    let pem = file(key)?;
    let secret = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| not_pem(key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, secret)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), pin))
}

/// Returns the pin of a certificate.
///
/// # Errors
/// [`TlsError::File`], [`TlsError::NotPem`].
pub fn pin(cert: &Path) -> Result<[u8; 32], TlsError> {
    pin_of(&chain(cert)?, cert)
}

fn chain(cert: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = file(cert)?;
    CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|_| not_pem(cert))
}

fn pin_of(chain: &[CertificateDer<'static>], cert: &Path) -> Result<[u8; 32], TlsError> {
    let first = chain.first().ok_or_else(|| not_pem(cert))?;
    let end = webpki::EndEntityCert::try_from(first).map_err(|_| not_pem(cert))?;
    Ok(sha256(&[&end.subject_public_key_info()]))
}

fn not_pem(file: &Path) -> TlsError {
    TlsError::NotPem { file: file.to_owned() }
}

fn file(file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|source| TlsError::File { file: file.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_made_here_has_the_pin_that_was_told() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        let pin = create(&cert, &key, "127.0.0.1").unwrap();
        assert_eq!(read(&cert, &key).unwrap().1, pin);
        assert!(matches!(read(&key, &cert), Err(TlsError::NotPem { .. })));
    }

    #[test]
    fn only_an_address_has_a_host() {
        assert_eq!(host("http://127.0.0.1:7400"), Some("127.0.0.1"));
        assert_eq!(host("https://[::1]:7400/x"), Some("::1"));
        assert_eq!(host("https://hq.example"), Some("hq.example"));
        for bad in ["", "hq.example", "http://", "http://:80", "ftp://x", "https://[::1"] {
            assert_eq!(host(bad), None, "{bad}");
        }
    }
}
