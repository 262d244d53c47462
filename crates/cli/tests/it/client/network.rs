//! Proxies and certificates.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use crate::common::Home;

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
    let ca = home.write("ca.pem", include_str!("ca.pem"));
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
