//! The server's side of the socket: one request a connection.
//!
//! Only the user that the server runs as may connect: the socket has mode 0600 from its first moment on.

use std::{
    fs, io,
    os::unix::{fs::PermissionsExt as _, net::UnixStream as Probe},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Semaphore, mpsc},
    time::timeout,
};

use super::{Line, Request, SOCKET_FILE, desk::Desk};
use crate::limits;

/// A socket in the data folder, removed at the end.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // It may have been removed by somebody else.
        let _ = fs::remove_file(&self.path);
    }
}

impl Socket {
    /// Listens in `data`. What a server that crashed left there is replaced.
    ///
    /// # Errors
    ///
    /// Another server listens there, or the folder's name is too long for a socket.
    pub(crate) fn open(data: &Path) -> io::Result<Self> {
        let path = data.join(SOCKET_FILE);
        if Probe::connect(&path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens there"));
        }
        // Nobody can find it before it has its mode and its name.
        let new = data.join(format!("{SOCKET_FILE}.new"));
        let _ = fs::remove_file(&new);
        let listener = UnixListener::bind(&new)?;
        let ready = fs::set_permissions(&new, fs::Permissions::from_mode(0o600))
            .and_then(|()| fs::rename(&new, &path));
        if let Err(error) = ready {
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        Ok(Self { listener, path })
    }

    /// Serves connections until it is dropped.
    pub(crate) async fn run(self, desk: Arc<Desk>) {
        let free = Arc::new(Semaphore::new(limits::ADMIN_CONNECTION_COUNT_MAX));
        loop {
            let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let desk = Arc::clone(&desk);
                    tokio::spawn(async move {
                        let _permit = permit;
                        if let Err(error) = converse(stream, &desk).await {
                            tracing::debug!(%error, "an operator's connection ended");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "failed to accept an operator's connection");
                    tokio::time::sleep(limits::TICK).await;
                }
            }
        }
    }
}

async fn converse(stream: UnixStream, desk: &Desk) -> io::Result<()> {
    let (input, mut output) = stream.into_split();
    let mut input = BufReader::new(input.take(limits::ADMIN_REQUEST_LEN_MAX));
    let mut line = String::new();
    timeout(limits::ADMIN_PATIENCE, input.read_line(&mut line)).await??;
    let request = match Request::from_json(line.trim_end()) {
        Ok(request) => request,
        Err(reason) => return write(&mut output, &Line::Failed(reason)).await,
    };
    let (lines, mut told) = mpsc::channel(16);
    let serving = async move { desk.serve(request, &lines).await };
    let telling = async {
        while let Some(line) = told.recv().await {
            write(&mut output, &line).await?;
        }
        Ok(())
    };
    tokio::select! {
        ((), told) = async { tokio::join!(serving, telling) } => told,
        () = is_gone(input.into_inner().into_inner()) => Ok(()),
    }
}

/// Waits until the operator hangs up.
async fn is_gone(mut input: OwnedReadHalf) {
    let mut rest = [0; 64];
    while matches!(input.read(&mut rest).await, Ok(len) if len > 0) {}
}

async fn write(output: &mut OwnedWriteHalf, line: &Line) -> io::Result<()> {
    let mut text = line.to_json().to_string();
    text.push('\n');
    timeout(limits::ADMIN_PATIENCE, output.write_all(text.as_bytes())).await?
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::limits::{ADMIN_PATIENCE, ADMIN_REQUEST_LEN_MAX};
    use crate::media::stage::Stage;

    /// `ADMIN_PATIENCE`: who says nothing, or does not end what it says, is left after that time; who speaks before is answered.
    #[tokio::test(start_paused = true)]
    async fn operators_are_not_waited_for_for_ever() {
        let stage = Stage::new();
        let desk = Desk::on(&stage);
        for said in ["", "{", "{}\n"] {
            let (mut operator, served) = UnixStream::pair().unwrap();
            operator.write_all(said.as_bytes()).await.unwrap();
            let begun = Instant::now();
            let result = converse(served, &desk).await;
            if said.ends_with('\n') {
                assert!(result.is_ok() && begun.elapsed().is_zero(), "{result:?}");
            } else {
                assert_eq!(result.unwrap_err().kind(), io::ErrorKind::TimedOut);
                assert_eq!(begun.elapsed(), ADMIN_PATIENCE);
            }
        }
        let (mut operator, served) = UnixStream::pair().unwrap();
        let patient = tokio::spawn(async move {
            tokio::time::sleep(ADMIN_PATIENCE - std::time::Duration::from_millis(1)).await;
            operator.write_all(b"{\"command\":\"status\"}\n").await.unwrap();
            let mut answer = String::new();
            operator.read_to_string(&mut answer).await.unwrap();
            answer
        });
        converse(served, &desk).await.unwrap();
        let answer = patient.await.unwrap();
        assert!(answer.contains("blobs_here"), "{answer}");
    }

    /// The same of who does not take what it is told.
    #[tokio::test(start_paused = true)]
    async fn operators_who_do_not_read_are_left() {
        let (operator, served) = UnixStream::pair().unwrap();
        let (_input, mut output) = served.into_split();
        let begun = Instant::now();
        let much = Line::Note("x".repeat(4 << 20));
        let error = write(&mut output, &much).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed(), ADMIN_PATIENCE);
        drop(operator);
    }

    /// `ADMIN_REQUEST_LEN_MAX`: a request of that length is read, of a longer one no more than that.
    #[tokio::test]
    async fn requests_are_short() {
        let stage = Stage::new();
        let desk = Desk::on(&stage);
        let request = r#"{"command":"status"}"#;
        for (len, answer) in
            [(ADMIN_REQUEST_LEN_MAX, "blobs_here"), (ADMIN_REQUEST_LEN_MAX + 1, "no JSON")]
        {
            let (mut operator, served) = UnixStream::pair().unwrap();
            let padding = " ".repeat(len as usize - request.len());
            operator.write_all(format!("{padding}{request}\n").as_bytes()).await.unwrap();
            converse(served, &desk).await.unwrap();
            let mut told = Vec::new();
            // What was not read resets the connection behind the answer.
            while matches!(operator.read_buf(&mut told).await, Ok(len) if len > 0) {}
            let told = String::from_utf8(told).unwrap();
            assert!(told.contains(answer), "{len}: {told}");
        }
    }
}
