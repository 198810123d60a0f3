//! The operator's side: asks a running server, or does it here if there is none, and shows what is told.

use std::io::{self, IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
    sync::mpsc,
};

use super::{Line, Request, SOCKET_FILE, desk::people_len};
use crate::{config::Config, upkeep::Alone};

/// What cannot be asked, for the operator.
type Failure = Box<dyn std::error::Error>;

/// Asks `request`, shows how far it is, and prints the answer. Answers whether nothing is wrong.
///
/// # Errors
///
/// It was not done.
pub(crate) async fn ask(config: &Config, request: Request) -> Result<bool, Failure> {
    let mut screen = Screen::new();
    match UnixStream::connect(config.data_dir.join(SOCKET_FILE)).await {
        Ok(stream) => ask_server(stream, request, &mut screen).await,
        // There is no server, or one that crashed.
        Err(_) => ask_here(config, request, &mut screen).await,
    }
}

async fn ask_server(
    stream: UnixStream,
    request: Request,
    screen: &mut Screen,
) -> Result<bool, Failure> {
    let (input, mut output) = stream.into_split();
    output.write_all(format!("{}\n", request.to_json()).as_bytes()).await?;
    let mut lines = BufReader::new(input).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(ok) = screen.show(&serde_json::from_str(&line)?)? {
            return Ok(ok);
        }
    }
    Err("the server stopped before it was done".into())
}

async fn ask_here(config: &Config, request: Request, screen: &mut Screen) -> Result<bool, Failure> {
    let alone = Alone::open(config)?;
    let (lines, mut told) = mpsc::channel::<Line>(16);
    let desk = alone.desk();
    let serving = tokio::spawn(async move { desk.serve(request, &lines).await });
    let mut outcome = None;
    while let Some(line) = told.recv().await {
        match screen.show(&line.to_json()) {
            Ok(None) => {}
            shown => outcome = Some(shown),
        }
    }
    // It told the end; a panic is told by the missing one.
    let _ = serving.await;
    alone.close();
    match outcome {
        Some(Ok(Some(ok))) => Ok(ok),
        Some(Err(error)) => Err(error),
        _ => Err("it ended before it was done".into()),
    }
}

/// Where things are shown: progress and what is wrong on standard error, the answer on standard output.
struct Screen {
    bar: Option<ProgressBar>,
    stage: String,
    /// Without a terminal: how many tenths were told.
    tenths: u64,
}

impl Screen {
    fn new() -> Self {
        let bar = io::stderr().is_terminal().then(ProgressBar::no_length);
        Self { bar, stage: String::new(), tenths: 0 }
    }

    /// Shows a line; the last one says whether nothing is wrong.
    fn show(&mut self, line: &Value) -> Result<Option<bool>, Failure> {
        if let Some(progress) = line.get("progress") {
            self.progress(progress);
        } else if let Some(text) = line.get("found").and_then(Value::as_str) {
            self.say(text)?;
        } else if let Some(text) = line.get("note").and_then(Value::as_str) {
            self.say(&format!("Note: {text}."))?;
        } else if let Some(done) = line.get("done") {
            self.clear();
            let text = done.get("text").and_then(Value::as_array);
            let mut out = io::stdout().lock();
            for line in text.into_iter().flatten().filter_map(Value::as_str) {
                writeln!(out, "{line}")?;
            }
            out.flush()?;
            return Ok(Some(done.get("wrong").and_then(Value::as_u64) == Some(0)));
        } else if let Some(reason) = line.get("failed").and_then(Value::as_str) {
            self.clear();
            return Err(reason.into());
        }
        Ok(None)
    }

    fn say(&self, text: &str) -> io::Result<()> {
        match &self.bar {
            Some(bar) => bar.suspend(|| writeln!(io::stderr(), "{text}")),
            None => writeln!(io::stderr(), "{text}"),
        }
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn progress(&mut self, progress: &Value) {
        let number = |name: &str| progress.get(name).and_then(Value::as_u64).unwrap_or_default();
        let stage = progress.get("stage").and_then(Value::as_str).unwrap_or_default();
        let (done, total) = (number("done"), number("total"));
        let bytes = progress.get("bytes").and_then(Value::as_bool).unwrap_or_default();
        let is_new = self.stage != stage;
        if is_new {
            stage.clone_into(&mut self.stage);
            self.tenths = 0;
        }
        let Some(bar) = &self.bar else {
            let tenths = (done.saturating_mul(10)).checked_div(total).unwrap_or_default();
            if is_new || tenths > self.tenths {
                self.tenths = tenths;
                let people = |value| if bytes { people_len(value) } else { value.to_string() };
                let text = match total {
                    0 => format!("{stage}: {}", people(done)),
                    total => format!("{stage}: {} of {}", people(done), people(total)),
                };
                // Standard error may be gone; there is nobody else to tell.
                let _ = self.say(&text);
            }
            return;
        };
        if is_new {
            let template = match (total, bytes) {
                (0, _) => "{msg}: {human_pos}",
                (_, true) => {
                    "{msg} {wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left"
                }
                (_, false) => "{msg} {wide_bar} {human_pos} of {human_len}",
            };
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(stage.to_owned());
        }
        if total > 0 {
            bar.set_length(total);
        }
        bar.set_position(done);
    }
}
