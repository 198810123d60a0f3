//! Client against server: every transport, many sizes, streams cut anywhere.

use crate::support::{Way, events, feed, noise, payload, target};
use bytes::{BufMut, BytesMut};
use crypto::{AuthKey, Side};
use mtproto::limits::{
    ENVELOPE_HEADER_LEN, MESSAGE_HEADER_LEN, PACKET_LEN_MAX, RPC_RESULT_HEADER_LEN, TAILROOM,
    TRANSPORT_HEADROOM,
};
use mtproto::transport::{Framing, HEADROOM, Incoming, ServerTransport};
use mtproto::{Buffer, envelope};

/// Around the lengths where headers change, and the largest that clients send.
const LENS: [usize; 15] =
    [4, 8, 24, 40, 120, 124, 128, 504, 508, 512, 0xfff8, 0xfffc, 0x1_0000, 0x1_0004, 1 << 20];

/// The lengths that `way` can carry from a client: padding of the shortest cannot be told from them.
fn lens(way: Way) -> impl Iterator<Item = usize> {
    let min = if way.framing() == Framing::Padded { 24 } else { 4 };
    // Ciphers are slow in a test build: the longest packet travels in clear.
    let longest = (!way.client().kind().obfuscated).then_some(PACKET_LEN_MAX);
    LENS.into_iter().chain(longest).filter(move |len| *len >= min)
}

#[test]
fn requests_arrive() {
    for way in Way::all() {
        let (mut client, mut server) = (way.client(), Way::server());
        let mut stream = BytesMut::new();
        let mut expected = Vec::new();
        for (n, len) in lens(way).enumerate() {
            let quick_ack = n % 3 == 1 && way.framing() != Framing::Full;
            if n % 3 == 2 {
                let mut packet = BytesMut::new();
                packet.put_bytes(0xaa, HEADROOM);
                packet.put_slice(&payload(len));
                client.encode_in_place(&mut packet, &noise(n));
                stream.put_slice(&packet);
            } else {
                client.encode_packet(&payload(len), quick_ack, &noise(n), &mut stream);
            }
            expected.push((payload(len), quick_ack));
        }
        let pieces = stream.chunks(100_003);
        let received = feed(&mut server, pieces);
        assert!(received.packets == expected && received.error.is_none(), "{way:?}");
        assert_eq!(server.kind(), Some(client.kind()), "{way:?}");
        let dc = matches!(way, Way::Proxy(_)).then_some(target().1);
        assert_eq!(server.dc_id(), dc, "{way:?}");
        assert_eq!(server.take_init().is_some(), client.kind().obfuscated, "{way:?}");
    }
}

#[test]
fn requests_arrive_wherever_they_are_cut() {
    for way in Way::all() {
        let mut client = way.client();
        let mut stream = BytesMut::new();
        for n in 0..5 {
            client.encode_packet(&payload(24 + 32 * n), false, &noise(n), &mut stream);
        }
        let whole = feed(&mut Way::server(), [&stream[..]]);
        assert_eq!((whole.packets.len(), whole.error), (5, None), "{way:?}");
        assert_eq!(feed(&mut Way::server(), stream.chunks(1)), whole, "{way:?}");
        for at in 0..stream.len() {
            let (head, tail) = stream.split_at(at);
            assert_eq!(feed(&mut Way::server(), [head, tail]), whole, "{way:?} cut at {at}");
        }
    }
}

/// Whoever reads as many bytes as are missing has the packet and nothing of the next one. WebSockets tell nothing.
#[test]
fn what_is_missing_completes_a_packet() {
    for way in Way::all() {
        let (mut client, mut server, _) = connected(way);
        let mut stream = BytesMut::new();
        client.encode_packet(&payload(1024), false, &noise(1), &mut stream);
        let (packet_len, is_plain) = (stream.len(), !client.kind().websocket);
        client.encode_packet(&payload(40), false, &noise(2), &mut stream);
        let (mut input, mut told) = (BytesMut::new(), 0);
        for at in 0..packet_len {
            assert!(server.next_packet(&mut input).unwrap().is_none(), "{way:?}");
            match server.missing() {
                0 => assert!(at < 16 || !is_plain, "{way:?}: not known after {at}"),
                missing => {
                    assert_eq!(missing, packet_len - at, "{way:?}");
                    told += 1;
                }
            }
            input.extend_from_slice(&stream[at..=at]);
        }
        assert_eq!(told > 0, is_plain, "{way:?}");
        assert!(server.next_packet(&mut input).unwrap().is_some(), "{way:?}");
        assert!(input.is_empty() && server.missing() == 0, "{way:?}");
    }
}

/// A server to which a client has connected and sent one packet; what the server already said is in the buffer.
fn connected(way: Way) -> (mtproto::transport::ClientTransport, ServerTransport, BytesMut) {
    let (mut client, mut server) = (way.client(), Way::server());
    let mut stream = BytesMut::new();
    client.encode_packet(&payload(40), false, &noise(0), &mut stream);
    let received = feed(&mut server, [&stream[..]]);
    assert_eq!(received.packets.len(), 1, "{way:?}");
    (client, server, BytesMut::from(&received.output[..]))
}

#[test]
fn answers_arrive() {
    for way in Way::all() {
        let (mut client, mut server, mut stream) = connected(way);
        let mut expected = Vec::new();
        for (n, len) in lens(way).filter(|len| *len >= 24).enumerate() {
            if n % 2 == 0 {
                server.encode_packet(&payload(len), &noise(n), &mut stream);
            } else {
                let mut packet = BytesMut::new();
                packet.put_bytes(0xaa, HEADROOM);
                packet.put_slice(&payload(len));
                server.encode_in_place(&mut packet, &noise(n));
                stream.put_slice(&packet);
            }
            expected.push(Incoming::Packet(BytesMut::from(&payload(len)[..])));
            server.encode_quick_ack(n as u32, &noise(n), &mut stream);
            if way.framing() != Framing::Full {
                expected.push(Incoming::QuickAck(n as u32 | 0x8000_0000));
            }
        }
        server.encode_error(-404, &mut stream);
        expected.push(Incoming::Error(-404));
        assert!(events(&mut client, &stream).as_ref() == Ok(&expected), "{way:?}");
    }
}

/// `ENVELOPE_HEADER_LEN`, `TRANSPORT_HEADROOM`, `TAILROOM`: an answer gets every header, padding and trailer where it was encoded.
#[test]
fn answers_are_sealed_and_framed_in_place() {
    let key = AuthKey::new([7; 256]);
    for way in Way::all() {
        let (_, mut server, _) = connected(way);
        for (n, len) in (0..256).step_by(4).chain([64 * 1024, 1024 * 1024]).enumerate() {
            let mut answer = Buffer::from_body(&payload(len));
            let body = answer.as_slice().as_ptr() as usize;
            answer.prepend(&[1; RPC_RESULT_HEADER_LEN]);
            answer.prepend(&[2; MESSAGE_HEADER_LEN]);
            let before = answer.headroom();
            envelope::seal(&key, Side::Server, &mut answer, &[3; 28]).unwrap();
            assert_eq!(before - answer.headroom(), ENVELOPE_HEADER_LEN, "{way:?} {len}");
            assert_eq!(answer.headroom(), TRANSPORT_HEADROOM, "{way:?} {len}");
            let mut packet = answer.into_bytes_with_room(HEADROOM);
            server.encode_in_place(&mut packet, &noise(n));
            let start = packet.as_ptr() as usize;
            let (end, behind) = (start + packet.len(), body + len);
            assert!(start <= body && behind <= end, "{way:?} {len}: it was moved");
            assert!(end - behind <= TAILROOM, "{way:?} {len}: {} bytes behind", end - behind);
        }
    }
}

#[test]
fn answers_arrive_wherever_they_are_cut() {
    for way in Way::all() {
        let (_, mut server, mut stream) = connected(way);
        for n in 0..5 {
            server.encode_packet(&payload(24 + 32 * n), &noise(n), &mut stream);
            server.encode_quick_ack(n as u32, &noise(n), &mut stream);
        }
        let whole = events(&mut connected(way).0, &stream).unwrap();
        for at in 0..stream.len() {
            let mut client = connected(way).0;
            let (mut input, mut parts) = (BytesMut::new(), Vec::new());
            for piece in [&stream[..at], &stream[at..]] {
                input.put_slice(piece);
                while let Some(event) = client.next_event(&mut input).unwrap() {
                    parts.push(event);
                }
            }
            assert_eq!(parts, whole, "{way:?} cut at {at}");
        }
    }
}

/// A connection is handed to another thread between any two of its bytes, with what it has not read.
#[test]
fn connections_move_between_threads() {
    for way in Way::all() {
        let mut client = way.client();
        let mut stream = BytesMut::new();
        for n in 0..3 {
            client.encode_packet(&payload(40), false, &noise(n), &mut stream);
        }
        let (mut server, mut input, mut count) = (Way::server(), BytesMut::new(), 0);
        for piece in stream.chunks(29) {
            (server, input, count) = std::thread::scope(|scope| {
                let moved = scope.spawn(move || {
                    input.extend_from_slice(piece);
                    while server.next_packet(&mut input).unwrap().is_some() {
                        count += 1;
                    }
                    (server, input, count)
                });
                moved.join().unwrap()
            });
        }
        assert_eq!(count, 3, "{way:?}");
    }
}

#[test]
fn nothing_is_written_before_the_transport_is_known() {
    let mut server = Way::server();
    let mut out = BytesMut::new();
    server.encode_packet(&payload(40), &noise(0), &mut out);
    server.encode_error(-429, &mut out);
    server.encode_quick_ack(1, &noise(0), &mut out);
    server.encode_close(&mut out);
    assert!(out.is_empty());
    let mut packet = BytesMut::from(&[0; HEADROOM + 40][..]);
    server.encode_in_place(&mut packet, &noise(0));
    assert!(packet.is_empty());
    assert_eq!(server.kind(), None);
}
