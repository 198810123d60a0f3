//! `messages.sendMedia` with addresses: the server fetches what is there.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use tl::api::{enums, types};

use crate::common::TestServer;
use crate::media::{document_of, fetch, location, photo_of, picture, refused, send};

use enums::{DocumentAttribute, InputMedia, InputPeer};

/// A web server that answers what `answer` makes of a path: status, headers, body.
fn serve(answer: impl Fn(&str) -> (&'static str, String, Vec<u8>) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a port");
    let reply = move |mut stream: TcpStream| -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let (status, headers, body) = answer(first.split(' ').nth(1).unwrap_or_default());
        let len = body.len();
        write!(stream, "HTTP/1.1 {status}\r\n{headers}Content-Length: {len}\r\n")?;
        stream.write_all(b"Connection: close\r\n\r\n")?;
        stream.write_all(&body)
    };
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            // Whoever went away is none of the server's business.
            let _ = reply(stream);
        }
    });
    address
}

fn photo_at(url: String) -> InputMedia<'static> {
    types::InputMediaPhotoExternal::new(url.leak()).into()
}

fn document_at(url: String) -> InputMedia<'static> {
    types::InputMediaDocumentExternal::new(url.leak()).into()
}

/// A photo and a document come from an address, are delivered, and can be fetched like any other.
#[tokio::test]
async fn what_is_at_an_address_is_sent() {
    let bytes: Vec<u8> = (0..700_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let body = bytes.clone();
    let web = serve(move |path| match path {
        "/moved" => ("302 Found", "Location: /a.png\r\n".to_owned(), Vec::new()),
        "/a.png" => ("200 OK", "Content-Type: image/png\r\n".to_owned(), picture(300, 200, 1)),
        _ => ("200 OK", "Content-Type: text/x-log; charset=utf-8\r\n".to_owned(), body.clone()),
    });
    let server = TestServer::start_with(|config| {
        config.media.external_fetch = true;
        config.media.external_allowed = vec![web];
    })
    .await;
    let (mut alice, mut bob) = (server.person("Alice").await, server.person("Bob").await);
    let to_bob = alice.peer(&bob).await;

    let media = photo_at(format!("http://{web}/moved"));
    let sent = send(&mut alice, &to_bob, media, "look").await;
    let got = bob.next_message().await;
    let photo = photo_of(&got);
    assert_eq!((got.message, photo.id), ("look", photo_of(&sent).id));
    let (hash, reference) = (photo.access_hash, photo.file_reference);
    let place = types::InputPhotoFileLocation::new(photo.id, hash, reference, "m");
    assert!(fetch(&mut bob, place.into()).await.starts_with(&[0xff, 0xd8]), "a JPEG");

    let media = document_at(format!("http://{web}/logs/today%20%231.log?all"));
    send(&mut alice, &to_bob, media, "").await;
    let document = document_of(&bob.next_message().await);
    assert_eq!((document.mime_type, document.size), ("text/x-log", 700_000));
    let name = types::DocumentAttributeFilename::new("today #1.log");
    assert_eq!(document.attributes, [DocumentAttribute::from(name)]);
    assert!(fetch(&mut bob, location(&document)).await == bytes, "other bytes");
}

/// What is not there, no picture, or where nobody may send the server.
#[tokio::test]
async fn addresses_are_refused() {
    let inner = serve(|_| ("200 OK", String::new(), picture(300, 200, 1)));
    let web = serve(move |path| match path {
        "/inner" => ("302 Found", format!("Location: http://{inner}/\r\n"), Vec::new()),
        "/text" => ("200 OK", String::new(), b"this is no picture".to_vec()),
        _ => ("404 Not Found", String::new(), b"nothing".to_vec()),
    });
    let server = TestServer::start_with(|config| {
        config.media.external_fetch = true;
        config.media.external_allowed = vec![web];
    })
    .await;
    let mut alice = server.person("Alice").await;
    let me = InputPeer::InputPeerSelf;
    for (media, error) in [
        (photo_at(format!("http://{web}/text")), "PHOTO_EXT_INVALID"),
        (photo_at(format!("http://{web}/none")), "WEBPAGE_CURL_FAILED"),
        (document_at(format!("http://{web}/none")), "WEBPAGE_CURL_FAILED"),
        (document_at(format!("http://{web}/inner")), "WEBPAGE_CURL_FAILED"),
        (document_at(format!("http://{inner}/")), "WEBPAGE_CURL_FAILED"),
        (document_at("ftp://example.org/".to_owned()), "EXTERNAL_URL_INVALID"),
        (document_at("example.org".to_owned()), "EXTERNAL_URL_INVALID"),
    ] {
        assert_eq!(refused(&mut alice, &me, media.clone()).await, error, "{media:?}");
    }
    assert!(alice.history(&me).await.is_empty(), "nothing was sent");
}
