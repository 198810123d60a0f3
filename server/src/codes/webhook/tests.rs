//! A receiver that answers as it is told, and what it then got to see.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::codes::{Code, CodeKind};
use crate::config::Secret;

const SECRET: &str = "0123456789abcdef";

/// What a receiver saw of one post: head and body.
type Post = (String, String);

/// Answers one post after the other with these statuses (0: hangs up), then no more.
fn receiver(statuses: &'static [u16]) -> (String, Receiver<Post>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/codes", listener.local_addr().unwrap());
    let (seen, posts) = channel();
    thread::spawn(move || {
        for &status in statuses {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap() > 0 {}
            let mut lines = head.lines().map(str::to_lowercase);
            let len = lines.find_map(|it| it.strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; len.unwrap_or(0)];
            stream.read_exact(&mut body).unwrap();
            seen.send((head, String::from_utf8(body).unwrap())).unwrap();
            if status != 0 {
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nLocation: /other\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                );
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    (url, posts)
}

fn queue(url: String, retry_count_max: u32) -> Handle {
    let secret = Secret::new(SECRET.into());
    let config = Webhook { url, secret, retry_count_max, timeout_s: 5 };
    Handle::start_with(&config, Duration::from_millis(1)).unwrap()
}

fn delivery(lifetime_s: i64) -> Delivery {
    let (phone, code) = ("15550100".into(), Code::from_stored("12345"));
    Delivery { phone, code, kind: CodeKind::Login, expires_at: unix_time() + lifetime_s }
}

/// Posts one code to a receiver that answers with `statuses`; returns how many posts it got.
#[track_caller]
fn check(statuses: &'static [u16], retry_count_max: u32, lifetime_s: i64, expected: usize) {
    let (url, posts) = receiver(statuses);
    let queue = queue(url, retry_count_max);
    queue.push(delivery(lifetime_s)).unwrap();
    for at in 0..expected {
        posts
            .recv_timeout(Duration::from_secs(20))
            .unwrap_or_else(|_| panic!("post {at} is missing"));
    }
    let more = posts.recv_timeout(Duration::from_millis(50));
    assert!(more.is_err(), "more than {expected} posts");
    queue.close();
}

#[test]
fn posted_once_where_it_is_taken() {
    check(&[204, 200], 4, 300, 1);
}

#[test]
fn repeated_until_taken() {
    check(&[500, 429, 408, 0, 200, 200], 4, 300, 5);
}

#[test]
fn repeated_no_more_often_than_configured() {
    check(&[500, 500, 500, 500], 2, 300, 3);
    check(&[503, 200], 0, 300, 1);
}

#[test]
fn not_repeated_where_that_is_no_use() {
    check(&[404, 200], 4, 300, 1);
    check(&[302, 200], 4, 300, 1);
}

#[test]
fn not_repeated_once_expired() {
    check(&[500, 200], 4, 0, 1);
}

#[test]
fn the_post() {
    let (url, posts) = receiver(&[200]);
    let queue = queue(url, 0);
    let sent = delivery(300);
    queue.push(sent.clone()).unwrap();
    let (head, body) = posts.recv_timeout(Duration::from_secs(20)).unwrap();
    let expires_at = sent.expires_at;
    let expected = format!(
        r#"{{"code":"12345","expires_at":{expires_at},"kind":"login","phone":"15550100"}}"#
    );
    assert_eq!(body, expected);
    assert!(head.starts_with("POST /codes HTTP/1.1\r\n"), "{head}");
    let head = head.to_lowercase();
    let header = |name: &str| {
        let start = format!("{}: ", name.to_lowercase());
        head.lines().find_map(|line| line.strip_prefix(&start)).unwrap().to_owned()
    };
    assert_eq!(header("content-type"), "application/json");
    let timestamp = header(TIMESTAMP_HEADER);
    assert_eq!(header(SIGNATURE_HEADER), signature(SECRET.as_bytes(), &timestamp, &body));
}

/// Computed with `openssl dgst -sha256 -hmac`.
#[test]
fn known_signature() {
    let expected = "sha256=019bd88c9d604b700296ad7f8e73d0b75bee32ba4318d8e72464dd49556e441a";
    assert_eq!(signature(SECRET.as_bytes(), "1700000000", r#"{"code":"12345"}"#), expected);
}

#[test]
fn bounded_and_closed() {
    // A listener that never accepts: the attempts hang until they time out.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let queue = queue(format!("http://{}/", listener.local_addr().unwrap()), 0);
    let mut taken = 0;
    while queue.push(delivery(300)).is_ok() {
        taken += 1;
        assert!(taken <= WAITING_COUNT_MAX + WORKER_COUNT, "the queue has no bound");
    }
    assert!(taken >= WAITING_COUNT_MAX);
    queue.close();
    assert!(queue.0.lock().waiting.is_empty());
    assert_eq!(queue.push(delivery(300)), Err(SendError::Busy));
}

/// A receiver that speaks no TLS: the attempt fails, and nothing else does.
#[test]
fn https_is_built_in() {
    let (url, posts) = receiver(&[]);
    drop(posts);
    let queue = queue(url.replace("http://", "https://"), 0);
    let Outcome::Repeat(reason) = queue.0.post(&delivery(300)) else { panic!("it went through") };
    assert!(!reason.contains("not enabled"), "{reason}");
    queue.close();
}

#[test]
fn earliest_first() {
    let start = now();
    let job = |after_s| Job {
        due: start + Duration::from_secs(after_s),
        attempt: 0,
        delivery: delivery(300),
    };
    let mut heap: BinaryHeap<_> = [job(3), job(1), job(2)].into_iter().collect();
    let order: Vec<_> =
        std::iter::from_fn(|| heap.pop()).map(|it| (it.due - start).as_secs()).collect();
    assert_eq!(order, [1, 2, 3]);
}
