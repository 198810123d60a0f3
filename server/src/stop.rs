//! How tasks of the server's own are told to end.

use std::time::Duration;

use tokio::sync::watch;

/// Tells tasks to stop; dropping it tells them, too.
pub(crate) struct Stopper(watch::Sender<bool>);

/// What a task is told by.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stopper {
    pub(crate) fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Whether it is time to stop.
    pub(crate) fn is_set(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Waits for the time to stop.
    pub(crate) async fn wait(&self) {
        let mut receiver = self.0.clone();
        // An error: whoever could tell is gone.
        let _ = receiver.wait_for(|stop| *stop).await;
    }

    /// Waits for `pause`, or until it is time to stop; tells whether it is.
    pub(crate) async fn within(&self, pause: Duration) -> bool {
        tokio::time::timeout(pause, self.wait()).await.is_ok()
    }
}
