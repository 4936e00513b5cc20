//! HTTP/1.1 on the level of bytes: reading a request, writing an answer, and a listener with one thread per
//! connection.
//!
//! Each connection has one request (`Connection: close`). All bytes of an answer are sent by [`write_answer`], so an
//! answer that is cut or has a wrong Content-Length is plain data ([`Answer::promised`], [`Framing`], [`Delivery`]).
//! Reading and writing accept any stream, so TLS can wrap the socket. Actions that only a socket supports (a reset,
//! silence) are an [`Ending`] that the connection performs.

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

/// The timeout of every read, write, and connect.
const TIMEOUT: Duration = Duration::from_secs(20);
const MAX_HEAD: u64 = 64 * 1024;
const MAX_FORM: u64 = 1024 * 1024;
/// The size of the body pieces that are written and counted. It is small, so that the count shows the client's
/// position.
const PIECE_SIZE: usize = 16 * 1024;
/// The interval at which a silent server checks whether the client is still connected.
const SILENCE_CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// The pause between two bytes of an endless answer, so that a client can read each byte separately.
const BYTE_PAUSE: Duration = Duration::from_millis(2);
/// The limit of an endless body, after which the client counts as reading for ever.
const MAX_ENDLESS: u64 = 64 * 1024 * 1024;
/// The send buffer for an endless body, so that the count of sent bytes is close to the count of received bytes.
const ENDLESS_IN_FLIGHT: usize = 32 * 1024;

pub(super) type Pairs = Vec<(String, String)>;

/// A received request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    /// The path and query, undecoded.
    pub(super) target: String,
    /// The path, undecoded.
    pub(super) path: String,
    /// The decoded query, in the order sent.
    pub(super) query: Pairs,
    /// The headers, with names in lower case.
    pub(super) headers: Pairs,
    /// The decoded form body in the order sent, empty for other kinds of bodies.
    pub(super) form: Pairs,
}

impl Request {
    /// Returns the value of a header, or `None`. `name` must be in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        value_of(&self.headers, name)
    }

    /// Returns a query or form value, or `None`. Names are compared without case.
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

/// The mark of a body's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// The Content-Length.
    Length,
    /// Chunks, the last of them empty.
    Chunked,
    /// The end of the stream, which looks the same as a cut.
    Close,
}

/// The way in which an answer is written, and the part that is written.
#[derive(Debug, Clone)]
pub(super) enum Delivery {
    Whole,
    /// The head, this number of body bytes, and the end of the stream.
    CutAfter(usize),
    /// The body up to this position, then the rest repeated this number of times.
    Repeat(usize, usize),
    /// The head, this number of body bytes, and a reset.
    ResetAfter(usize),
    /// The head, this number of body bytes, and silence while the connection stays open. The hook is called
    /// repeatedly until the client closes the connection.
    StallAfter(usize, Hook),
    /// Pieces of this number of bytes, with the hook before each.
    Drip(usize, Hook),
    /// An endless header (`true`) or body (`false`), one byte at a time, with the hook before each.
    Dribble(bool, Hook),
    /// The body repeated for as long as the client reads.
    Endless,
    /// The immediate end of the stream.
    Nothing,
}

/// The action on the connection after an answer is written.
#[derive(Debug)]
pub(super) enum Ending {
    Close,
    Reset,
    /// Silence until the client closes the connection.
    Silence(Hook),
}

/// An answer to be written.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The headers without Content-Length and Connection, which [`write_answer`] adds.
    pub(super) headers: Pairs,
    pub(super) body: Arc<[u8]>,
    /// The part of `body` that is the body of this answer.
    pub(super) part: Range<usize>,
    /// The stated Content-Length, if it differs from the length of `part`.
    pub(super) promised: Option<u64>,
    pub(super) framing: Framing,
    pub(super) delivery: Delivery,
    /// `true` if the body is a package file or a part of one.
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

/// Reads one request. Returns `None` if the peer closed the connection, or sent an invalid or oversized request.
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

/// Writes an answer by its [`Framing`] and [`Delivery`]. `count` is called with each piece of the body and its
/// position before the piece is sent, so that every received byte is counted.
pub(super) fn write_answer(
    stream: &mut impl Write,
    answer: &Answer,
    without_body: bool,
    count: impl Fn(u64, usize),
) -> io::Result<Ending> {
    let body = &answer.body[answer.part.clone()];
    let (written, size) = match &answer.delivery {
        Delivery::Nothing => return Ok(Ending::Close),
        Delivery::Whole | Delivery::Endless | Delivery::Repeat(..) => (body.len(), PIECE_SIZE),
        Delivery::Drip(size, _) => (body.len(), *size),
        Delivery::Dribble(is_head, between) => return dribble(stream, *is_head, between),
        Delivery::CutAfter(length) | Delivery::ResetAfter(length) | Delivery::StallAfter(length, _) => {
            ((*length).min(body.len()), PIECE_SIZE)
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
            for piece in (1..times).flat_map(|_| body[from..].chunks(PIECE_SIZE)) {
                count(place, piece.len());
                place += piece.len() as u64;
                write_piece(stream, answer.framing, piece)?;
            }
        }
        // An empty range repeated for ever would send nothing and never detect that the client is gone.
        if !matches!(answer.delivery, Delivery::Endless) || body[..written].is_empty() {
            break;
        }
        assert!(place < MAX_ENDLESS, "the client never stops reading an endless body");
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

/// Writes bytes until the client closes the connection, which must happen long before the end.
#[expect(clippy::disallowed_methods, reason = "a server that is slow on purpose")]
fn dribble(stream: &mut impl Write, is_head: bool, between: &Hook) -> io::Result<Ending> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n")?;
    stream.write_all(if is_head { b"X-Slow: " } else { b"Connection: close\r\n\r\n" })?;
    for _ in 0..TIMEOUT.as_millis() / BYTE_PAUSE.as_millis() {
        between.0();
        stream.write_all(b"a")?;
        stream.flush()?;
        std::thread::sleep(BYTE_PAUSE);
    }
    panic!("the client does not abort an endless answer");
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

/// A source of answers for a listener.
pub(super) trait Site: Send + Sync + 'static {
    fn answer(&self, request: &Request) -> Answer;
    /// Reports that body bytes, starting at this position, are about to be written.
    fn record_sent(&self, request: &Request, answer: &Answer, place: u64, bytes: usize);
    /// Reports a new connection before its first read.
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
    /// Starts the listener, with TLS on every connection if a configuration is given.
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
        // `accept` has no timeout, so a connection to the listener ends its wait.
        let woken = TcpStream::connect_timeout(&self.address, TIMEOUT).is_ok();
        let ended = self.thread.take().filter(|thread| woken || thread.is_finished()).map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "a thread of the loopback server panicked or hangs");
        }
    }
}

struct Connection {
    /// Only the thread owns the socket: a reset needs the last reference.
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
            // The peer closed the connection before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => panic!("the loopback server cannot accept: {error}"),
        };
        site.connected();
        let (site, tls) = (Arc::clone(site), tls.cloned());
        let stream = Arc::new(stream);
        let kept = Arc::downgrade(&stream);
        let thread = std::thread::spawn(move || {
            // A peer that disconnects is not an error of the server; the test detects it on its side.
            match serve(&stream, site.as_ref(), tls) {
                Ok(Ending::Reset) => drop(SockRef::from(&*stream).set_linger(Some(Duration::ZERO))),
                Ok(Ending::Silence(hook)) => wait_silently(&stream, &hook),
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

fn serve(socket: &TcpStream, site: &impl Site, tls: Option<Arc<ServerConfig>>) -> io::Result<Ending> {
    set_timeouts(socket)?;
    let mut plain = socket;
    let Some(config) = tls else { return serve_stream(&mut plain, socket, site) };
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, socket);
    let ending = serve_stream(&mut stream, socket, site)?;
    if matches!(ending, Ending::Close) {
        stream.conn.send_close_notify();
        stream.flush()?;
    }
    Ok(ending)
}

/// Sets timeouts for all waits on the stream.
pub(super) fn set_timeouts(stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.set_nodelay(true)
}

/// Serves a request over the socket or over TLS on the socket.
fn serve_stream(
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
        site.record_sent(&request, &answer, place, bytes);
    })
}

/// Sends nothing until the client closes the connection or the server is stopped.
fn wait_silently(mut stream: &TcpStream, hook: &Hook) {
    stream.set_read_timeout(Some(SILENCE_CHECK_INTERVAL)).expect("a timeout can be set");
    for _ in 0..TIMEOUT.as_millis() / SILENCE_CHECK_INTERVAL.as_millis() {
        hook.0();
        match stream.read(&mut [0]) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            _ => return,
        }
    }
    panic!("the client does not abort a silent connection");
}
