//! Fetching, from servers on loopback that are allowed by address and port.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use super::*;

/// What a server answers: a head and a body.
type Answer = (String, Vec<u8>);

/// Answers each connection with what `answer` makes of its path, until the test ends.
fn serve(answer: impl Fn(&str) -> Answer + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a port");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            // Whoever went away is none of the server's business.
            let _ = reply(stream, &answer);
        }
    });
    address
}

fn reply(mut stream: TcpStream, answer: &impl Fn(&str) -> Answer) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let (head, body) = answer(first.split(' ').nth(1).unwrap_or_default());
    stream.write_all(head.as_bytes())?;
    stream.write_all(b"Connection: close\r\n\r\n")?;
    stream.write_all(&body)
}

fn fine(mime: &str, body: &[u8]) -> Answer {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {mime}\r\nContent-Length: {}\r\n", body.len());
    (head, body.to_vec())
}

fn moved(to: &str) -> Answer {
    (format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n"), Vec::new())
}

fn fetcher(allowed: &[SocketAddr]) -> Fetcher {
    let allowed = allowed.to_vec();
    Fetcher::new(FetchOptions { enabled: true, allowed, ..FetchOptions::default() })
}

#[track_caller]
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

/// The error of fetching `path` of a server that answers so.
fn error_of(answer: impl Fn(&str) -> Answer + Send + 'static, path: &str) -> Error {
    let address = serve(answer);
    let url = format!("http://{address}{path}");
    block_on(fetcher(&[address]).fetch(&url, 100)).expect_err("nothing to be had")
}

#[test]
fn a_file() {
    let address = serve(|_| fine("image/PNG; charset=x", b"bytes"));
    let url = format!("http://{address}/a/b%20c%2f..%2Fd.png?q=/e#f");
    let fetched = block_on(fetcher(&[address]).fetch(&url, 5)).expect("a file");
    let name = "b c..d.png".to_owned();
    let expected =
        Fetched { bytes: Bytes::from_static(b"bytes"), mime: "image/png".to_owned(), name };
    assert_eq!(fetched, expected);
}

#[test]
fn redirects_are_followed() {
    // From a number to the one below, absolute and relative by turns.
    let address = serve(|path| match path[1..].parse::<u32>() {
        Ok(0) => moved("/last.txt"),
        Ok(number) if number % 2 == 0 => moved(&format!("/{}", number - 1)),
        Ok(number) => moved(&format!("{}", number - 1)),
        Err(_) => fine("", b"x"),
    });
    let fetch = |hops: u32| {
        block_on(fetcher(&[address]).fetch(&format!("http://{address}/{}", hops - 1), 5))
    };
    let fetched = fetch(FETCH_REDIRECT_COUNT_MAX).expect("a file");
    assert!(fetch(FETCH_REDIRECT_COUNT_MAX + 1).is_err());
    assert_eq!((&*fetched.mime, &*fetched.name), ("application/octet-stream", "last.txt"));
}

#[test]
fn redirects_end() {
    let error = error_of(|_| moved("/again"), "/");
    assert!(matches!(error, Error::Failed(_)), "{error:?}");
}

#[test]
fn redirects_are_checked() {
    // A server that may not be asked, to see that it is not.
    let inner = serve(|_| fine("", b"secret"));
    for target in [
        format!("http://{inner}/"),
        "http://127.0.0.1/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[::1]/".to_owned(),
        "http://[::ffff:127.0.0.1]/".to_owned(),
        "http://2130706433/".to_owned(),
        "http://0x7f.1/".to_owned(),
        "http://localhost/".to_owned(),
        "//10.0.0.1/".to_owned(),
        "http://user:password@1.1.1.1/".to_owned(),
        "ftp://1.1.1.1/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let to = target.clone();
        let error = error_of(move |_| moved(&to), "/");
        assert!(
            !matches!(error, Error::Status(_) | Error::Busy | Error::Off),
            "{target}: {error:?}"
        );
        if target.starts_with("http://1") || target.starts_with("http://[") {
            assert!(matches!(error, Error::Refused), "{target}: {error:?}");
        }
    }
}

#[test]
fn inner_addresses_are_refused() {
    let address = serve(|_| fine("", b"secret"));
    let urls = [format!("http://{address}/"), format!("http://localhost:{}/", address.port())];
    for url in
        urls.iter().map(String::as_str).chain(["http://0/", "http://10.0.0.1/", "https://127.1/"])
    {
        let error = block_on(fetcher(&[]).fetch(url, 100)).expect_err("refused");
        assert!(matches!(error, Error::Refused), "{url}: {error:?}");
    }
    // What is public has the ports of the web alone.
    let error = block_on(fetcher(&[]).fetch("http://1.1.1.1:25/", 100)).expect_err("refused");
    assert!(matches!(error, Error::Refused), "{error:?}");
}

#[test]
fn urls_that_are_none() {
    let long = format!("http://example.org/{}", "a".repeat(FETCH_URL_LEN_MAX));
    for url in [
        "",
        "http",
        "http://",
        "http:///x",
        "/x",
        "example.org",
        "ftp://example.org/",
        "file:///etc/passwd",
        "http://user@example.org/",
        "http://user:password@example.org/",
        "gopher://example.org/",
        "http://exa mple.org/",
        "javascript:alert(1)",
        "data:,x",
        &long,
    ] {
        let error = block_on(fetcher(&[]).fetch(url, 100)).expect_err("no URL");
        assert!(matches!(error, Error::Url), "{url}: {error:?}");
        assert_eq!(RpcError::from(error), RpcError::EXTERNAL_URL_INVALID);
    }
}

#[test]
fn off_is_off() {
    let off = Fetcher::new(FetchOptions::default());
    let error = block_on(off.fetch("http://example.org/", 100)).expect_err("off");
    assert!(matches!(error, Error::Off));
}

#[test]
fn lengths_are_bounded() {
    let exactly = serve(|_| fine("", &[7; 100]));
    let fetched = block_on(fetcher(&[exactly]).fetch(&format!("http://{exactly}/"), 100));
    assert_eq!(fetched.map(|fetched| fetched.bytes.len()).ok(), Some(100));

    // What is announced need not come.
    for len_max in [FETCH_PHOTO_LEN_MAX, FETCH_DOCUMENT_LEN_MAX] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", len_max + 1);
        let address = serve(move |_| (head.clone(), Vec::new()));
        let fetched = block_on(fetcher(&[address]).fetch(&format!("http://{address}/"), len_max));
        assert!(matches!(fetched, Err(Error::TooLong)), "{fetched:?}");
    }
    let announced = |_: &str| fine("", &[7; 101]);
    let unannounced = |_: &str| ("HTTP/1.1 200 OK\r\n".to_owned(), vec![7; 100_000]);
    assert!(matches!(error_of(announced, "/"), Error::TooLong));
    assert!(matches!(error_of(unannounced, "/"), Error::TooLong));
    assert!(matches!(error_of(|_| fine("", &[]), "/"), Error::Empty));
    assert!(matches!(
        error_of(|_| ("HTTP/1.1 404 No\r\n".to_owned(), vec![]), "/"),
        Error::Status(404)
    ));
    let head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n", "a".repeat(FETCH_HEAD_LEN_MAX));
    assert!(matches!(error_of(move |_| (head.clone(), vec![1]), "/"), Error::Failed(_)));
    let cut = |_: &str| ("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n".to_owned(), vec![7; 20]);
    let error = error_of(cut, "/");
    assert!(matches!(error, Error::Failed(_)), "{error:?}");
    assert_eq!(RpcError::from(error), RpcError::WEBPAGE_CURL_FAILED);
}

#[test]
fn places_are_bounded() {
    // Accepts and never answers, until the test is over.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a port");
    let fetcher = fetcher(&[address]);
    let url = format!("http://{address}/");
    block_on(async {
        let mut waiting: Vec<_> =
            (0..FETCH_JOBS_MAX).map(|_| Box::pin(fetcher.fetch(&url, 1))).collect();
        for fetch in &mut waiting {
            let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(fetch.as_mut().poll(cx)));
            assert!(polled.await.is_pending());
        }
        let refused = fetcher.fetch(&url, 1).await.expect_err("there is no place");
        assert!(matches!(refused, Error::Busy));
        assert_eq!(RpcError::from(refused), RpcError::flood_wait(FETCH_RETRY_S));
        drop(listener);
    });
}

/// `FETCH_TIME_MAX`, shortened.
#[test]
fn nobody_waits_for_ever() {
    assert_eq!(FetchOptions::default().time_max, FETCH_TIME_MAX);
    // Accepts and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a port");
    let time_max = Duration::from_millis(10);
    let fetcher = Fetcher::new(FetchOptions { enabled: true, allowed: vec![address], time_max });
    let error = block_on(fetcher.fetch(&format!("http://{address}/"), 1)).expect_err("no answer");
    assert!(matches!(error, Error::Failed(_)), "{error:?}");
}

#[test]
fn types_and_names() {
    for (value, expected) in [
        ("image/jpeg", "image/jpeg"),
        (" Text/HTML ;x", "text/html"),
        ("application/vnd.a+b", "application/vnd.a+b"),
        ("", "application/octet-stream"),
        ("image", "application/octet-stream"),
        ("image/", "application/octet-stream"),
        ("a/b/c", "application/octet-stream"),
        ("im age/x", "application/octet-stream"),
        ("\u{e9}/x", "application/octet-stream"),
    ] {
        assert_eq!(mime_of(value), expected, "{value}");
    }
    for (path, expected) in [
        ("/", ""),
        ("/a", "a"),
        ("/a/b.c", "b.c"),
        ("/%", "%"),
        ("/%2", "%2"),
        ("/%zz%41", "%zzA"),
        ("/%00%0a%5cx", "x"),
        ("/%c3%a9", "\u{e9}"),
        ("/%ff", "\u{fffd}"),
    ] {
        assert_eq!(name_of(path), expected, "{path}");
    }
    let long = format!("/{}", "%c3%a9".repeat(200));
    assert_eq!(name_of(&long), "\u{e9}".repeat(ATTRIBUTE_TEXT_LEN_MAX / 2));
}
