//! Listens, and decides who may connect.

use std::{
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use dashmap::DashMap;
use socket2::{Domain, Protocol, Socket, Type};

use crate::limits::UNSENT_LEN_MAX;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A listening socket on `address` that others of this process may share (`SO_REUSEPORT`).
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = if address.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    // A server that is started again may have connections of its last life in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    // Its connections have it, too. Otherwise the system takes megabytes for who reads slowly, and then nothing for minutes.
    #[cfg(target_os = "linux")]
    socket.set_tcp_notsent_lowat(UNSENT_LEN_MAX)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Counts connections, in all and by address.
#[derive(Debug)]
pub(crate) struct Admission {
    all_max: usize,
    per_ip_max: usize,
    all: AtomicUsize,
    per_ip: DashMap<IpAddr, usize>,
}

/// A connection's place among those counted; gives it back when dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    ip: IpAddr,
}

impl Admission {
    pub(crate) fn new(all_max: usize, per_ip_max: usize) -> Self {
        Self { all_max, per_ip_max, all: AtomicUsize::new(0), per_ip: DashMap::new() }
    }

    /// Counts a connection from `ip`, or refuses it. The network of an address of IPv6 counts, as one has all of it.
    pub(super) fn admit(self: &Arc<Self>, ip: IpAddr) -> Option<Admitted> {
        let ip = match ip.to_canonical() {
            IpAddr::V6(ip) => IpAddr::from(Ipv6Addr::from(ip.to_bits() >> 64 << 64)),
            ip => ip,
        };
        let mut count = self.per_ip.entry(ip).or_default();
        if *count >= self.per_ip_max || self.all.load(Ordering::Relaxed) >= self.all_max {
            let is_empty = *count == 0;
            drop(count);
            if is_empty {
                self.per_ip.remove_if(&ip, |_, count| *count == 0);
            }
            return None;
        }
        *count += 1;
        self.all.fetch_add(1, Ordering::Relaxed);
        Some(Admitted { admission: Arc::clone(self), ip })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.admission.all.fetch_sub(1, Ordering::Relaxed);
        if let Some(mut count) = self.admission.per_ip.get_mut(&self.ip) {
            *count = count.saturating_sub(1);
        }
        self.admission.per_ip.remove_if(&self.ip, |_, count| *count == 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UNSENT_LEN_MAX` holds for each connection that is accepted.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_holds_little_unsent() {
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let _peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let lowat = socket2::SockRef::from(&accepted).tcp_notsent_lowat().unwrap();
        assert_eq!(lowat, UNSENT_LEN_MAX);
    }

    #[test]
    fn connections_are_counted_and_given_back() {
        let admission = Arc::new(Admission::new(3, 2));
        let [a, b] = [[127, 0, 0, 1], [127, 0, 0, 2]].map(IpAddr::from);
        let first = admission.admit(a);
        let second = admission.admit(a);
        assert!(first.is_some() && second.is_some());
        assert!(admission.admit(a).is_none(), "two of one address");
        let third = admission.admit(b);
        assert!(third.is_some());
        assert!(admission.admit(b).is_none(), "three in all");
        drop(first);
        assert!(admission.admit(b).is_some());
        drop((second, third));
        assert!(admission.per_ip.is_empty());
    }

    /// Whoever has one address of IPv6 has at least 2^64 of them.
    #[test]
    fn a_network_counts_as_one() {
        let ip = |text: &str| -> IpAddr { text.parse().unwrap() };
        for (one, other, are_one) in [
            ("2001:db8::1", "2001:db8::2", true),
            ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("192.0.2.1", "192.0.2.2", false),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
        ] {
            let admission = Arc::new(Admission::new(9, 1));
            let first = admission.admit(ip(one));
            assert!(first.is_some());
            assert_eq!(admission.admit(ip(other)).is_none(), are_one, "{one} and {other}");
            drop(first);
            assert!(admission.per_ip.is_empty());
        }
    }
}
