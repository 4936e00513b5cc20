//! A proxy on the loopback interface: forwards requests in absolute form, opens tunnels, and supports SOCKS 5 with
//! host names. It can require a user name and a password, and records the requests.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use data_encoding::BASE64;

use super::http::set_timeouts;
use super::loopback::lock;

/// A request to the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProxyRequest {
    /// The method: `GET`, `POST`, `CONNECT`, or `SOCKS`.
    pub(crate) method: String,
    /// The requested host and port.
    pub(crate) host: String,
    /// `true` if the request had the required login, or if the proxy requires none.
    pub(crate) known: bool,
}

/// A running proxy. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<ProxyState>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct ProxyState {
    login: Option<String>,
    names: Mutex<BTreeMap<String, String>>,
    refusal: Mutex<Option<(u16, String)>>,
    requests: Mutex<Vec<ProxyRequest>>,
}

impl Proxy {
    /// Starts a proxy without a login.
    pub(crate) fn start() -> Self {
        Self::listen(Ipv4Addr::LOCALHOST.into(), None)
    }

    /// Starts a proxy at `[::1]`.
    pub(crate) fn start_ipv6() -> Self {
        Self::listen(Ipv6Addr::LOCALHOST.into(), None)
    }

    /// Starts a proxy that requires this login, such as `user:password`.
    pub(crate) fn with_login(words: &str) -> Self {
        let login = format!("Basic {}", BASE64.encode(words.as_bytes()));
        Self::listen(Ipv4Addr::LOCALHOST.into(), Some(login))
    }

    fn listen(address: IpAddr, login: Option<String>) -> Self {
        let listener = TcpListener::bind((address, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let shared = Arc::new(ProxyState { login, ..ProxyState::default() });
        let stop = Arc::new(AtomicBool::new(false));
        let (of_thread, stopped) = (Arc::clone(&shared), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut threads = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let shared = Arc::clone(&of_thread);
                // A peer that disconnects ends the connection; the test detects it on its side.
                threads.push(std::thread::spawn(move || drop(serve(stream, &shared))));
            }
            for thread in threads {
                thread.join().expect("a thread of the proxy panicked");
            }
        });
        Self { address, shared, stop, thread: Some(thread) }
    }

    /// Makes the proxy answer everything with this status and page, and forward nothing.
    pub(crate) fn refuse_with(&self, status: u16, page: &str) {
        *lock(&self.shared.refusal) = Some((status, page.to_owned()));
    }

    /// Returns the host and port.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// Resolves the host and port `name` to `address`, only for this proxy.
    pub(crate) fn map_host(&self, name: &str, address: &str) {
        lock(&self.shared.names).insert(name.to_owned(), address.to_owned());
    }

    /// Returns all requests so far.
    pub(crate) fn requests(&self) -> Vec<ProxyRequest> {
        lock(&self.shared.requests).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let woken = TcpStream::connect(self.address).is_ok();
        let ended = self.thread.take().filter(|_| woken).map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "a thread of the proxy panicked or hangs");
        }
    }
}

impl ProxyState {
    fn connect(&self, host: &str) -> io::Result<TcpStream> {
        let known = lock(&self.names).get(host).cloned();
        let server = TcpStream::connect(known.as_deref().unwrap_or(host))?;
        set_timeouts(&server)?;
        Ok(server)
    }
}

fn serve(mut client: TcpStream, shared: &ProxyState) -> io::Result<()> {
    set_timeouts(&client)?;
    let mut first = [0; 1];
    client.peek(&mut first)?;
    if first == [5] {
        return serve_socks(client, shared);
    }
    // The head is read byte by byte, so that no bytes after it are consumed.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0; 1];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).map_err(io::Error::other)?;
    let (first, lines) = head.split_once("\r\n").unwrap_or_default();
    let words: Vec<&str> = first.split(' ').collect();
    let [method, target, _] = words.as_slice() else { return Ok(()) };
    let rest = target.strip_prefix("http://").unwrap_or(target);
    let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let sent = lines.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then_some(value)
    });
    let known = shared.login.as_deref().is_none_or(|login| sent == Some(login));
    lock(&shared.requests).push(ProxyRequest { method: (*method).to_owned(), host: host.to_owned(), known });
    if !known {
        let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\
                      Content-Length: 0\r\nConnection: close\r\n\r\n";
        return client.write_all(answer.as_bytes());
    }
    if let Some((status, page)) = lock(&shared.refusal).clone() {
        let length = page.len();
        let head = format!("HTTP/1.1 {status} No\r\nContent-Type: text/html\r\nContent-Length: {length}");
        return client.write_all(format!("{head}\r\nConnection: close\r\n\r\n{page}").as_bytes());
    }
    let with_port = if host.ends_with(|sign: char| sign.is_ascii_digit()) { "" } else { ":80" };
    let mut server = shared.connect(&format!("{host}{with_port}"))?;
    if *method == "CONNECT" {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    } else {
        let lines: String = lines
            .split_inclusive("\r\n")
            .filter(|line| !line.to_ascii_lowercase().starts_with("proxy-"))
            .collect();
        server.write_all(format!("{method} {path} HTTP/1.1\r\n{lines}").as_bytes())?;
    }
    copy_both_ways(&client, &server)
}

/// Serves SOCKS 5 (RFC 1928) without a login, for a name or an IPv4 address.
fn serve_socks(mut client: TcpStream, shared: &ProxyState) -> io::Result<()> {
    let mut stream = client.try_clone()?;
    let mut bytes = |count: u8| -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count.into()];
        stream.read_exact(&mut bytes)?;
        Ok(bytes)
    };
    let methods = bytes(2)?[1];
    bytes(methods)?;
    client.write_all(&[5, 0])?;
    let is_address = bytes(4)?[3] == 1;
    let host = if is_address {
        let address = bytes(4)?;
        Ipv4Addr::new(address[0], address[1], address[2], address[3]).to_string()
    } else {
        let length = bytes(1)?[0];
        String::from_utf8(bytes(length)?).map_err(io::Error::other)?
    };
    let port = bytes(2)?;
    let host = format!("{host}:{}", u16::from_be_bytes([port[0], port[1]]));
    lock(&shared.requests).push(ProxyRequest { method: "SOCKS".to_owned(), host: host.clone(), known: true });
    let server = shared.connect(&host)?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    copy_both_ways(&client, &server)
}

/// Copies in both directions until the server is done, then closes both sides.
fn copy_both_ways(mut client: &TcpStream, mut server: &TcpStream) -> io::Result<()> {
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let up = std::thread::spawn(move || drop(io::copy(&mut from_client, &mut to_server)));
    let copied = io::copy(&mut server, &mut client);
    drop(client.shutdown(Shutdown::Both));
    drop(server.shutdown(Shutdown::Both));
    up.join().expect("a thread of the proxy panicked");
    copied.map(drop)
}
