//! HTTP/1.1 as bytes: reading one request, writing one answer, and a listener with a thread a connection.
//!
//! One request a connection (`Connection: close`). All bytes of an answer go out in [`write_answer`], so that
//! an answer that is cut, or promises another length than it has, is a value ([`Answer::promised`],
//! [`Framing`], [`Delivery`]) and needs no trick. Reading and writing take any stream, so that TLS can be put around
//! them; what only a socket can do (a reset, falling silent) is an [`Ending`] that the connection carries out.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;
use url::form_urlencoded;

use super::fault::Hook;

/// No read, write, or connect waits longer.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
const MAX_HEAD: u64 = 64 * 1024;
const MAX_FORM: u64 = 1024 * 1024;
/// The body is written, and counted, in pieces of this size: small enough that a count tells where a client stood.
const PIECE: usize = 16 * 1024;
/// While it is silent, the server looks this often whether the client is still there.
const BEAT: Duration = Duration::from_millis(20);
/// Between two bytes of an answer that never ends, so that a client can see each of them.
const DROP: Duration = Duration::from_millis(2);
/// So much of an endless body is sent before the client is found to read on for ever.
const MAX_ENDLESS: u64 = 64 * 1024 * 1024;
/// What an endless body keeps on its way, so that the count of what was sent tells what was read.
const ENDLESS_IN_FLIGHT: usize = 32 * 1024;

pub(super) type Pairs = Vec<(String, String)>;

/// One request as it came.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query, undecoded.
    pub(super) target: String,
    /// The path, undecoded.
    pub(super) path: String,
    /// The decoded query, in the order sent.
    pub(super) query: Pairs,
    /// Names in lower case.
    pub(super) headers: Pairs,
    /// The decoded form body, in the order sent; empty for another kind of body.
    pub(super) form: Pairs,
}

impl Request {
    /// The value of a header; `name` in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        value_of(&self.headers, name)
    }

    /// A query or form value; names compare without case.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter().chain(&self.form);
        pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(super) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

pub(super) fn value_of<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

pub(super) fn decode_pairs(text: &str) -> Pairs {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// How a client is told where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// By its Content-Length.
    Length,
    /// In chunks, the last of which is empty.
    Chunked,
    /// By the end of the stream, so that a cut looks like the end.
    Close,
}

/// How an answer is written, and how much of it.
#[derive(Debug, Clone)]
pub(super) enum Delivery {
    Whole,
    /// The head, so many bytes of the body, and then the end of the stream.
    CutAfter(usize),
    /// The body up to here, and what is behind it so many times.
    Repeat(usize, usize),
    /// The same, and then a reset.
    ResetAfter(usize),
    /// The same, and then nothing while the connection stays. The hook is called again and again until the client
    /// hangs up.
    StallAfter(usize, Hook),
    /// In pieces of so many bytes, with the hook before each.
    Drip(usize, Hook),
    /// A byte at a time, of a header or else of a body that never ends, with the hook before each.
    Dribble(bool, Hook),
    /// The body again and again, for as long as the client reads.
    Endless,
    /// The end of the stream at once.
    Nothing,
}

/// What becomes of the connection once an answer is written.
#[derive(Debug)]
pub(super) enum Ending {
    Close,
    Reset,
    /// Until the client hangs up.
    Silence(Hook),
}

/// One answer as it will be written.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Without Content-Length and Connection, which [`write_answer`] adds.
    pub(super) headers: Pairs,
    pub(super) body: Arc<[u8]>,
    /// The part of `body` that is the body of this answer.
    pub(super) part: Range<usize>,
    /// The Content-Length to state when it is not the length of `part`.
    pub(super) promised: Option<u64>,
    pub(super) framing: Framing,
    pub(super) delivery: Delivery,
    /// Whether the body is (a part of) a package file.
    pub(super) package: bool,
}

impl Answer {
    pub(super) fn new(status: u16, content_type: &str, body: impl Into<Arc<[u8]>>) -> Self {
        let body = body.into();
        Self {
            status,
            headers: vec![pair("Content-Type", content_type)],
            part: 0..body.len(),
            body,
            promised: None,
            framing: Framing::Length,
            delivery: Delivery::Whole,
            package: false,
        }
    }

    pub(super) fn page(html: String) -> Self {
        Self::new(200, "text/html; charset=utf-8", html.into_bytes())
    }

    pub(super) fn text(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text.as_bytes())
    }

    pub(super) fn redirect(location: &str) -> Self {
        Self::text(302, "moved\n").with("Location", location)
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push(pair(name, value));
        self
    }
}

pub(super) fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Reads one request; `None` when the peer closed, or sent what is no request, or more than a test sends.
pub(super) fn read_request(stream: impl Read) -> io::Result<Option<Request>> {
    let mut reader = BufReader::new(stream.take(MAX_HEAD + MAX_FORM));
    let mut lines = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        length += reader.read_line(&mut line)? as u64;
        if !line.ends_with('\n') || length > MAX_HEAD {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let mut words = lines.first().map_or("", String::as_str).split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1")) = (words.next(), words.next(), words.next()) else {
        return Ok(None);
    };
    let headers: Pairs = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let content_length = value_of(&headers, "content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    if content_length > MAX_FORM {
        return Ok(None);
    }
    let mut body = Vec::new();
    reader.take(content_length).read_to_end(&mut body)?;
    if body.len() as u64 != content_length {
        return Ok(None);
    }
    let is_form = value_of(&headers, "content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Ok(Some(Request {
        method: method.to_owned(),
        target: target.to_owned(),
        path: path.to_owned(),
        query: decode_pairs(query),
        form: if is_form { decode_pairs(&String::from_utf8_lossy(&body)) } else { Vec::new() },
        headers,
    }))
}

/// Writes an answer as its [`Framing`] and [`Delivery`] say. `count` hears of each piece of the body, with its place in
/// the body, before it goes out, so that who has received an answer finds it counted.
pub(super) fn write_answer(
    stream: &mut impl Write,
    answer: &Answer,
    without_body: bool,
    count: impl Fn(u64, usize),
) -> io::Result<Ending> {
    let body = &answer.body[answer.part.clone()];
    let (written, size) = match &answer.delivery {
        Delivery::Nothing => return Ok(Ending::Close),
        Delivery::Whole | Delivery::Endless | Delivery::Repeat(..) => (body.len(), PIECE),
        Delivery::Drip(size, _) => (body.len(), *size),
        Delivery::Dribble(is_head, between) => return dribble(stream, *is_head, between),
        Delivery::CutAfter(length) | Delivery::ResetAfter(length) | Delivery::StallAfter(length, _) => {
            ((*length).min(body.len()), PIECE)
        }
    };
    write_head(stream, answer)?;
    if without_body {
        stream.flush()?;
        return Ok(Ending::Close);
    }
    let mut place = 0;
    loop {
        for piece in body[..written].chunks(size) {
            if let Delivery::Drip(_, between) = &answer.delivery {
                between.0();
            }
            count(place, piece.len());
            place += piece.len() as u64;
            write_piece(stream, answer.framing, piece)?;
        }
        if let Delivery::Repeat(from, times) = answer.delivery {
            for piece in (1..times).flat_map(|_| body[from..].chunks(PIECE)) {
                count(place, piece.len());
                place += piece.len() as u64;
                write_piece(stream, answer.framing, piece)?;
            }
        }
        // A range of no bytes repeated for ever sends nothing, and would never see that the client is gone.
        if !matches!(answer.delivery, Delivery::Endless) || body[..written].is_empty() {
            break;
        }
        assert!(place < MAX_ENDLESS, "the client reads an endless body on and on");
    }
    let whole = matches!(answer.delivery, Delivery::Whole | Delivery::Repeat(..) | Delivery::Drip(..));
    if whole && answer.framing == Framing::Chunked {
        stream.write_all(b"0\r\n\r\n")?;
    }
    stream.flush()?;
    Ok(match &answer.delivery {
        Delivery::ResetAfter(_) => Ending::Reset,
        Delivery::StallAfter(_, hook) => Ending::Silence(hook.clone()),
        _ => Ending::Close,
    })
}

fn write_head(stream: &mut impl Write, answer: &Answer) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
    let repeated = match answer.delivery {
        Delivery::Repeat(from, times) => (answer.part.len() - from) * times.saturating_sub(1),
        _ => 0,
    };
    let promised = answer.promised.unwrap_or((answer.part.len() + repeated) as u64).to_string();
    let framing = match answer.framing {
        Framing::Length => Some(pair("Content-Length", &promised)),
        Framing::Chunked => Some(pair("Transfer-Encoding", "chunked")),
        Framing::Close => None,
    };
    for (name, value) in answer.headers.iter().chain(&framing).chain(&[pair("Connection", "close")]) {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())
}

/// Until the client hangs up, which it has to do long before the end.
#[expect(clippy::disallowed_methods, reason = "a server that was told to be slow")]
fn dribble(stream: &mut impl Write, is_head: bool, between: &Hook) -> io::Result<Ending> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n")?;
    stream.write_all(if is_head { b"X-Slow: " } else { b"Connection: close\r\n\r\n" })?;
    for _ in 0..LONGEST_WAIT.as_millis() / DROP.as_millis() {
        between.0();
        stream.write_all(b"a")?;
        stream.flush()?;
        std::thread::sleep(DROP);
    }
    panic!("the client waits for an answer that never ends");
}

fn write_piece(stream: &mut impl Write, framing: Framing, piece: &[u8]) -> io::Result<()> {
    if framing != Framing::Chunked {
        return stream.write_all(piece);
    }
    let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
    stream.write_all(&chunk)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        302 => "Found",
        404 => "Not Found",
        407 => "Proxy Authentication Required",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        511 => "Network Authentication Required",
        _ => "Status",
    }
}

/// What a listener asks for its answers.
pub(super) trait Site: Send + Sync + 'static {
    fn answer(&self, request: &Request) -> Answer;
    /// So many bytes of the answer's body, from this place in it on, are about to be written.
    fn sending(&self, request: &Request, answer: &Answer, place: u64, bytes: usize);
    /// A connection was accepted; nothing of it has been read yet.
    fn connected(&self);
}

/// A listener with its threads. Dropping it closes every connection and waits for the threads.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// With TLS around every connection where a configuration is given.
    pub(super) fn start(listener: TcpListener, site: impl Site, tls: Option<Arc<ServerConfig>>) -> Self {
        let address = listener.local_addr().expect("a bound listener has an address");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread =
            std::thread::spawn(move || accept_all(&listener, &Arc::new(site), tls.as_ref(), &stopped));
        Self { address, stop, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Accepting has no time limit; a connection of our own ends the wait.
        let woken = TcpStream::connect_timeout(&self.address, LONGEST_WAIT).is_ok();
        let ended = self.thread.take().filter(|thread| woken || thread.is_finished()).map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "a thread of the loopback server panicked or hangs");
        }
    }
}

struct Connection {
    /// The thread's own: a socket that is to be reset must be nobody else's.
    stream: Weak<TcpStream>,
    thread: JoinHandle<()>,
}

fn accept_all(
    listener: &TcpListener,
    site: &Arc<impl Site>,
    tls: Option<&Arc<ServerConfig>>,
    stop: &AtomicBool,
) {
    let mut connections: Vec<Connection> = Vec::new();
    loop {
        let accepted = listener.accept();
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let (done, open) = connections.into_iter().partition(|connection| connection.thread.is_finished());
        connections = open;
        join(done);
        let stream = match accepted {
            Ok((stream, _)) => stream,
            // The peer was gone before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => panic!("the loopback server cannot accept: {error}"),
        };
        site.connected();
        let (site, tls) = (Arc::clone(site), tls.cloned());
        let stream = Arc::new(stream);
        let kept = Arc::downgrade(&stream);
        let thread = std::thread::spawn(move || {
            // A peer that goes away in mid-talk is no fault of the server; the test sees it on its side.
            match converse(&stream, site.as_ref(), tls) {
                Ok(Ending::Reset) => drop(SockRef::from(&*stream).set_linger(Some(Duration::ZERO))),
                Ok(Ending::Silence(hook)) => stay_silent(&stream, &hook),
                Ok(Ending::Close) | Err(_) => drop(stream.shutdown(Shutdown::Both)),
            }
        });
        connections.push(Connection { stream: kept, thread });
    }
    for stream in connections.iter().filter_map(|connection| connection.stream.upgrade()) {
        drop(stream.shutdown(Shutdown::Both));
    }
    join(connections);
}

fn join(connections: Vec<Connection>) {
    for connection in connections {
        if let Err(panic) = connection.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

fn converse(socket: &TcpStream, site: &impl Site, tls: Option<Arc<ServerConfig>>) -> io::Result<Ending> {
    limit_waits(socket)?;
    let mut plain = socket;
    let Some(config) = tls else { return converse_over(&mut plain, socket, site) };
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, socket);
    let ending = converse_over(&mut stream, socket, site)?;
    if matches!(ending, Ending::Close) {
        stream.conn.send_close_notify();
        stream.flush()?;
    }
    Ok(ending)
}

/// No wait on this stream is endless.
pub(super) fn limit_waits(stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(LONGEST_WAIT))?;
    stream.set_write_timeout(Some(LONGEST_WAIT))?;
    stream.set_nodelay(true)
}

/// Over the socket itself, or what is around it.
fn converse_over(
    stream: &mut (impl Read + Write),
    socket: &TcpStream,
    site: &impl Site,
) -> io::Result<Ending> {
    let Some(request) = read_request(&mut *stream)? else {
        return write_answer(stream, &Answer::text(400, "no request\n"), false, |_, _| ());
    };
    let answer = site.answer(&request);
    if matches!(answer.delivery, Delivery::Endless) {
        SockRef::from(socket).set_send_buffer_size(ENDLESS_IN_FLIGHT)?;
    }
    write_answer(stream, &answer, request.is_head(), |place, bytes| {
        site.sending(&request, &answer, place, bytes);
    })
}

/// Says nothing until the client hangs up, or the server is stopped.
fn stay_silent(mut stream: &TcpStream, hook: &Hook) {
    stream.set_read_timeout(Some(BEAT)).expect("a timeout can be set");
    for _ in 0..LONGEST_WAIT.as_millis() / BEAT.as_millis() {
        hook.0();
        match stream.read(&mut [0]) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            _ => return,
        }
    }
    panic!("the client waits for a server that says nothing");
}
