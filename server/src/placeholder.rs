//! Holds the server's place until the gateway is there: it listens, and answers nobody.

use std::net::{SocketAddr, TcpListener};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::config::Config;
use crate::keyfile;

/// A listener.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    local: SocketAddr,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    ///
    /// There is no key, or the address is taken.
    pub async fn start(config: Config) -> Result<Self, Box<dyn std::error::Error>> {
        let mut seed = [0; 32];
        #[expect(clippy::disallowed_methods, reason = "the key's randomness starts here")]
        getrandom::fill(&mut seed)?;
        keyfile::load_or_create(&config.data_dir, &mut ChaCha20Rng::from_seed(seed))?;
        let listener = TcpListener::bind(config.listen)
            .map_err(|error| format!("failed to listen on {}: {error}", config.listen))?;
        let local = listener.local_addr()?;
        Ok(Self { listener, local })
    }

    /// The address that is bound.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Stops listening.
    pub async fn shutdown(self) {
        drop(self.listener);
    }
}
