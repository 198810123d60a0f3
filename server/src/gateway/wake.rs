//! Wakes a task of the same thread.

use std::{
    cell::Cell,
    task::{Context, Poll, Waker},
};

/// Wakes the one task that waits, or the next time that it would: what `tokio::sync::Notify` does for many on several
/// threads, without the place in a list that each who waits there takes.
#[derive(Default)]
pub(super) struct Wake {
    woken: Cell<bool>,
    waiting: Cell<Option<Waker>>,
}

impl Wake {
    /// Wakes it. Several calls before it runs are one.
    pub(super) fn notify_one(&self) {
        self.woken.set(true);
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }

    /// Ready once after [`Self::notify_one`].
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        if self.woken.take() {
            return Poll::Ready(());
        }
        self.waiting.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn nothing_is_lost_and_nothing_comes_twice() {
        let (wake, count) = (Wake::default(), Arc::new(Count::default()));
        let waker = Waker::from(Arc::clone(&count));
        let cx = Context::from_waker(&waker);
        wake.notify_one();
        wake.notify_one();
        assert_eq!(wake.poll(&cx), Poll::Ready(()));
        assert_eq!(wake.poll(&cx), Poll::Pending);
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        wake.notify_one();
        wake.notify_one();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(wake.poll(&cx), Poll::Ready(()));
        assert_eq!(wake.poll(&cx), Poll::Pending);
    }
}
