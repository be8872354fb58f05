//! A proxy to the server that fails on request.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// The fault of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The connection breaks within the request, which does not reach the server.
    Cut,
    /// The response is 503, and the request does not reach the server.
    Busy,
    /// The server executes it, and the connection breaks before the response.
    Lost,
    /// The server executes it, and the connection breaks within the response.
    Half,
}

/// A text of a request's first line, and what happens before the server hears of it.
type Before = (String, Box<dyn FnOnce() + Send>);

/// A proxy with a separate connection to the server for each request.
#[derive(Clone)]
pub(crate) struct Proxy(Arc<State>);

struct State {
    port: u16,
    server: u16,
    /// Parts of a request's first line, faults, and the number of times that they still occur.
    faults: Mutex<Vec<(String, Fault, usize)>>,
    seen: Mutex<Vec<String>>,
    before: Mutex<Option<Before>>,
    is_dead: AtomicBool,
    flying: AtomicUsize,
    most: AtomicUsize,
}

impl Proxy {
    pub(crate) fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let state = State {
            port: listener.local_addr().unwrap().port(),
            server,
            faults: Mutex::default(),
            seen: Mutex::default(),
            before: Mutex::default(),
            is_dead: AtomicBool::new(false),
            flying: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        };
        let proxy = Proxy(Arc::new(state));
        let accepting = proxy.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let state = Arc::clone(&accepting.0);
                // A broken connection is intended.
                thread::spawn(move || drop(state.pass(connection)));
            }
        });
        proxy
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port
    }

    /// Makes the next `times` requests whose first line contains `text` fail.
    pub(crate) fn break_at(&self, text: &str, fault: Fault, times: usize) {
        self.0.faults.lock().unwrap().push((text.to_owned(), fault, times));
    }

    /// Makes something happen before the next request whose first line has a text.
    pub(crate) fn before(&self, text: &str, act: impl FnOnce() + Send + 'static) {
        *self.0.before.lock().unwrap() = Some((text.to_owned(), Box::new(act)));
    }

    /// Makes every request fail from now on, or none any more.
    pub(crate) fn die(&self, is_dead: bool) {
        self.0.is_dead.store(is_dead, Ordering::SeqCst);
    }

    /// Returns the number of requests whose first line contains `text`.
    pub(crate) fn seen(&self, text: &str) -> usize {
        self.0.seen.lock().unwrap().iter().filter(|line| line.contains(text)).count()
    }

    /// Returns the highest number of concurrent requests with parts.
    pub(crate) fn most_parts(&self) -> usize {
        self.0.most.load(Ordering::SeqCst)
    }
}

impl State {
    fn pass(&self, mut client: TcpStream) -> io::Result<()> {
        let Some((head, body)) = read_head(&mut client)? else { return Ok(()) };
        let line = head.lines().next().unwrap_or_default().to_owned();
        let fault = self.fault_of(&line);
        if self.is_dead.load(Ordering::SeqCst) || matches!(fault, Some(Fault::Cut)) {
            let mut some = vec![0; (length(&head).saturating_sub(body.len())) / 2];
            client.read_exact(&mut some)?;
            return client.shutdown(Shutdown::Both);
        }
        self.seen.lock().unwrap().push(line.clone());
        let before = self.before.lock().unwrap().take_if(|(text, _)| line.contains(&**text));
        if let Some((_, act)) = before {
            act();
        }
        if !line.contains("partNumber=") {
            return self.answer(client, &head, body, fault);
        }
        self.most.fetch_max(self.flying.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let answered = self.answer(client, &head, body, fault);
        self.flying.fetch_sub(1, Ordering::SeqCst);
        answered
    }

    fn answer(
        &self,
        mut client: TcpStream,
        head: &str,
        mut body: Vec<u8>,
        fault: Option<Fault>,
    ) -> io::Result<()> {
        let rest = length(head).saturating_sub(body.len());
        (&mut client).take(rest as u64).read_to_end(&mut body)?;
        if matches!(fault, Some(Fault::Busy)) {
            let answer = "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            return client.write_all(answer.as_bytes());
        }
        let answer = self.asked(head, &body)?;
        match fault {
            Some(Fault::Lost) => client.shutdown(Shutdown::Both),
            Some(Fault::Half) => {
                client.write_all(answer.get(..answer.len() - 1).unwrap_or_default())?;
                client.shutdown(Shutdown::Both)
            }
            _ => client.write_all(&answer),
        }
    }

    fn fault_of(&self, line: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let found = faults.iter_mut().find(|(text, _, times)| *times > 0 && line.contains(text));
        found.map(|(_, fault, times)| {
            *times -= 1;
            *fault
        })
    }

    fn asked(&self, head: &str, body: &[u8]) -> io::Result<Vec<u8>> {
        let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server))?;
        let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        server.write_all(head.as_bytes())?;
        server.write_all(body)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

/// Reads the head of a request including its empty line, and the bytes of the body that came with it.
fn read_head(client: &mut TcpStream) -> io::Result<Option<(String, Vec<u8>)>> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            let body = bytes.split_off(end + 4);
            return Ok(Some((String::from_utf8_lossy(&bytes).into_owned(), body)));
        }
        match client.read(&mut piece)? {
            0 => return Ok(None),
            read => bytes.extend_from_slice(&piece[..read]),
        }
    }
}

fn length(head: &str) -> usize {
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    line.unwrap_or_default()
}
