//! Proxies and certificates.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::common::Home;

/// Of `localhost`, signed by itself; its key is of no use for anything else.
const CERTIFICATE: &str = include_str!("localhost.pem");
const KEY: &str = include_str!("localhost.key.pem");

/// A login over TLS, for as many connections as come; the answer is the address.
fn login_over_tls() -> String {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let (listener, config) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(config));
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            // Who does not trust the certificate leaves before a word is said.
            if stream.read(&mut [0; 4_096]).is_ok() {
                let reply =
                    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\na.b.c";
                stream.write_all(reply).unwrap();
                stream.conn.send_close_notify();
                stream.flush().unwrap();
            }
        }
    });
    format!("https://localhost:{port}")
}

#[test]
fn a_certificate_is_trusted_if_a_file_says_so() {
    let url = login_over_tls();
    let mut home = Home::new();
    home.set("DEV2PROD_PASSWORD", "s3cret");
    home.write("ca.pem", CERTIFICATE);
    let login = ["login", "prod", &url, "--login", "ann"];
    home.run(&[&login[..], &["--ca-file", "ca.pem"]].concat())
        .ok();
    let saved = std::fs::read_to_string(home.file(".config/dev2prod/servers.toml")).unwrap();
    let ca = home.file("ca.pem");
    assert!(
        saved.contains(ca.to_str().unwrap()),
        "commands run in other folders: {saved}"
    );

    let other = home.run(&login);
    assert!(matches!(other.code, Some(2 | 5)), "{other}");
}

#[test]
fn https_goes_through_the_proxy_that_the_environment_names() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = proxy.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap())
            .read_line(&mut line)
            .unwrap();
        stream
            .write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
        line
    });
    let mut home = Home::new();
    home.set("HTTPS_PROXY", format!("http://{address}"));
    home.set("DEV2PROD_LOGIN", "ann");
    home.set("DEV2PROD_PASSWORD", "s3cret");
    // Some certificate has to be trusted on a machine that has none of its own.
    let ca = home.write("ca.pem", CERTIFICATE);
    home.set("DEV2PROD_CA_FILE", ca.to_str().unwrap());
    let ran = home.run(&[
        "export",
        "--server",
        "https://company.invalid",
        "--tenant",
        "1",
    ]);
    assert_eq!(
        asked.join().unwrap(),
        "CONNECT company.invalid:443 HTTP/1.1\r\n"
    );
    assert_eq!(ran.code, Some(5), "{ran}");
    assert!(!ran.stderr.contains("s3cret"), "{ran}");
}

#[test]
fn a_file_without_certificates_is_refused() {
    let mut home = Home::new();
    home.set("DEV2PROD_TOKEN", "t");
    home.write("ca.pem", "nothing of the kind");
    let arguments = [
        "export",
        "--server",
        "https://company.invalid",
        "--tenant",
        "1",
        "--ca-file",
    ];
    for file in ["ca.pem", "no-such.pem"] {
        let ran = home.run(&[&arguments[..], &[file]].concat());
        assert_eq!(ran.code, Some(2), "{ran}");
    }
}
