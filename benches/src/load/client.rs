//! The side that asks: as many connections as are wanted, each of which sends a request, waits for its
//! answer and sends the next.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::load::Asked;

const BODY: &str = r#"{"name":"Medical Cardiology EN","language":"en","base_model":"medical","description":"Custom model for cardiology consultations and reports"}"#;

/// The result of a load.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The time of each request that was answered rightly.
    pub latencies: Vec<Duration>,
    /// The number of requests that were answered with another status than the right one.
    pub failed: u64,
    /// The time that all requests took together.
    pub took: Duration,
}

impl Outcome {
    /// Right answers a second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// The latency that so large a part of the requests did not exceed.
    pub fn quantile(&self, part: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let index = (sorted.len() as f64 * part) as usize;
        sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// Asks for so long. Gets ask for the models up to `models`, one after the other.
pub fn load(
    server: SocketAddr,
    key: &str,
    asked: Asked,
    connections: usize,
    span: Duration,
    models: u64,
) -> io::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        let begun = Instant::now();
        let end = begun + span;
        for number in 0..connections as u64 {
            let key = key.to_owned();
            tasks.spawn(ask(server, key, asked, end, (number, connections as u64), models));
        }
        let mut outcome = Outcome::default();
        while let Some(done) = tasks.join_next().await {
            let (latencies, failed) = done.map_err(io::Error::other)??;
            outcome.latencies.extend(latencies);
            outcome.failed += failed;
        }
        outcome.took = begun.elapsed();
        Ok(outcome)
    })
}

/// One connection.
async fn ask(
    server: SocketAddr,
    key: String,
    asked: Asked,
    end: Instant,
    (first, step): (u64, u64),
    models: u64,
) -> io::Result<(Vec<Duration>, u64)> {
    let mut connection = Connection::open(server).await?;
    let (mut latencies, mut failed, mut number) = (Vec::new(), 0, first);
    let expected = if asked == Asked::Create { 201 } else { 200 };
    let mut request = create(&key);
    while Instant::now() < end {
        if asked == Asked::Get {
            request = get(&key, &format!("/{}", number % models.max(1) + 1));
        }
        number += step;
        let begun = Instant::now();
        if connection.ask(&request).await? == expected {
            latencies.push(begun.elapsed());
        } else {
            failed += 1;
        }
    }
    Ok((latencies, failed))
}

fn create(key: &str) -> String {
    format!(
        "POST /api/v3/custom_models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
        Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    )
}

fn get(key: &str, path: &str) -> String {
    format!(
        "GET /api/v3/custom_models{path} HTTP/1.1\r\nHost: localhost\r\n\
        Authorization: Bearer {key}\r\n\r\n"
    )
}

struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    async fn open(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, read: Vec::with_capacity(4096) })
    }

    /// Sends a request, reads its answer, which has a `Content-Length`, and says its status. Whoever asks shares the
    /// processors with whoever answers, so nothing here is made for a request but what is sent.
    async fn ask(&mut self, request: &str) -> io::Result<u16> {
        self.stream.write_all(request.as_bytes()).await?;
        self.read.clear();
        loop {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(status) = whole(&self.read) {
                return Ok(status);
            }
        }
    }
}

/// The status of an answer, once all of it is there.
fn whole(read: &[u8]) -> Option<u16> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(begin) = head.parse(read).ok()? else { return None };
    let mut headers = head.headers.iter();
    let length = headers.find(|it| it.name.eq_ignore_ascii_case("content-length"))?;
    let length: usize = std::str::from_utf8(length.value).ok()?.parse().ok()?;
    if read.len() >= begin + length { head.code } else { None }
}
