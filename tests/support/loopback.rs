//! The two listeners: one for the Catalog and one for the CDN, so that the host allow-lists are used.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::ServerConfig;

use super::fault::{self, Action, Rule};
use super::http::{Answer, Pairs, Request, Server, Site};
use super::pages;
use super::recording::Recording;
use super::traffic::Traffic;
use super::world::{ServedWorld, World};

/// The scheme, host, and port of both listeners.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    pub(super) scheme: &'static str,
    pub(super) catalog: String,
    pub(super) cdn: String,
}

/// The listener that received a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ListenerRole {
    Catalog,
    Cdn,
}

/// A received request, recorded even if a rule replaced its answer.
#[derive(Debug, Clone)]
pub(crate) struct SeenRequest {
    pub(crate) method: String,
    /// The path and query, undecoded.
    pub(crate) path_and_query: String,
    /// The decoded form, empty without a form body.
    pub(crate) form: Vec<(String, String)>,
    pub(crate) user_agent: Option<String>,
    pub(crate) accept_language: Option<String>,
    pub(crate) range: Option<String>,
    pub(crate) if_range: Option<String>,
    pub(crate) accept_encoding: Option<String>,
}

/// A running Catalog and CDN. Dropping it stops both.
#[derive(Debug)]
pub(crate) struct Loopback {
    shared: Arc<LoopbackState>,
    /// The servers, held for their `Drop`.
    _servers: [Server; 2],
}

impl Loopback {
    /// Starts the listeners with content written by the test.
    pub(crate) fn start(world: World) -> Self {
        Self::serve(Ipv4Addr::LOCALHOST.into(), None, |hosts| Content::World(ServedWorld::new(world, hosts)))
            .expect("a free port")
    }

    /// Starts the listeners over https, with this server certificate.
    pub(crate) fn start_tls(world: World, tls: &Arc<ServerConfig>) -> Self {
        Self::serve(Ipv4Addr::LOCALHOST.into(), Some(tls), |hosts| {
            Content::World(ServedWorld::new(world, hosts))
        })
        .expect("a free port")
    }

    /// Starts the listeners at `[::1]`, or returns `None` if the machine has no IPv6 loopback.
    pub(crate) fn start_ipv6(world: World) -> Option<Self> {
        Self::serve(Ipv6Addr::LOCALHOST.into(), None, |hosts| Content::World(ServedWorld::new(world, hosts)))
            .ok()
    }

    /// Starts the listeners with the answers of a recording folder in the program's own format.
    pub(crate) fn from_recording(dir: &Path) -> Self {
        Self::serve(Ipv4Addr::LOCALHOST.into(), None, |hosts| Content::Recording(Recording::load(dir, hosts)))
            .expect("a free port")
    }

    fn serve(
        address: IpAddr,
        tls: Option<&Arc<ServerConfig>>,
        content: impl FnOnce(&Hosts) -> Content,
    ) -> io::Result<Self> {
        let (catalog, cdn) = (TcpListener::bind((address, 0))?, TcpListener::bind((address, 0))?);
        let host = |listener: &TcpListener| listener.local_addr().expect("a bound listener").to_string();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let hosts = Hosts { scheme, catalog: host(&catalog), cdn: host(&cdn) };
        let shared = Arc::new(LoopbackState {
            content: Mutex::new(Arc::new(content(&hosts))),
            hosts,
            rules: Mutex::default(),
            seen: Mutex::default(),
            connections: AtomicU64::new(0),
            traffic: Traffic::default(),
        });
        let start = |listener, role| {
            Server::start(listener, Listener { role, shared: Arc::clone(&shared) }, tls.cloned())
        };
        let servers = [start(catalog, ListenerRole::Catalog), start(cdn, ListenerRole::Cdn)];
        Ok(Self { shared, _servers: servers })
    }

    /// Returns the value for `--catalog-url`: `http://127.0.0.1:PORT`.
    pub(crate) fn catalog_url(&self) -> String {
        format!("{}://{}", self.shared.hosts.scheme, self.shared.hosts.catalog)
    }

    /// Returns the number of connections to both listeners, including connections without a request.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Returns the value for `--allow-host`: `127.0.0.1:PORT` of the CDN.
    pub(crate) fn file_host(&self) -> String {
        self.shared.hosts.cdn.clone()
    }

    /// Replaces the content at the same URLs: a later day of the Catalog.
    pub(crate) fn replace(&self, world: World) {
        let world = ServedWorld::new(world, &self.shared.hosts);
        *lock(&self.shared.content) = Arc::new(Content::World(world));
    }

    /// Adds a rule after the existing rules.
    pub(crate) fn rule(&self, rule: Rule) {
        lock(&self.shared.rules).push(rule);
    }

    /// Removes all rules: the Catalog works again.
    pub(crate) fn clear_rules(&self) {
        lock(&self.shared.rules).clear();
    }

    /// Returns all requests so far to both listeners, in the order received.
    pub(crate) fn requests(&self) -> Vec<SeenRequest> {
        lock(&self.shared.seen).clone()
    }

    /// Returns the counters of sent body bytes of package files. They are exact for a body that was read to its end.
    /// If the client closes the connection early, bytes in transit count too.
    pub(crate) fn traffic(&self) -> &Traffic {
        &self.shared.traffic
    }

    /// Returns all body bytes of package files so far.
    pub(crate) fn bytes_served(&self) -> u64 {
        self.traffic().of("").served
    }

    /// Returns the same for the files whose path contains the text.
    pub(crate) fn bytes_served_of(&self, path_contains: &str) -> u64 {
        self.traffic().of(path_contains).served
    }

    /// Returns the Range headers of the requests whose path contains the text, in the order received; `None` requests
    /// the complete file.
    pub(crate) fn ranges_of(&self, path_contains: &str) -> Vec<Option<String>> {
        let seen = self.requests().into_iter();
        seen.filter(|seen| seen.path_and_query.contains(path_contains)).map(|seen| seen.range).collect()
    }
}

#[derive(Debug)]
enum Content {
    World(ServedWorld),
    Recording(Recording),
}

#[derive(Debug)]
struct LoopbackState {
    content: Mutex<Arc<Content>>,
    hosts: Hosts,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<SeenRequest>>,
    connections: AtomicU64,
    traffic: Traffic,
}

struct Listener {
    role: ListenerRole,
    shared: Arc<LoopbackState>,
}

impl Site for Listener {
    fn answer(&self, request: &Request) -> Answer {
        lock(&self.shared.seen).push(seen(request));
        let action = fault::take(&mut lock(&self.shared.rules), request);
        if let Some(Action::ReplaceWorld(world) | Action::Expired(_, world)) = &action {
            let world = ServedWorld::new((**world).clone(), &self.shared.hosts);
            *lock(&self.shared.content) = Arc::new(Content::World(world));
        }
        match action {
            Some(action) => action.apply(request, |request| self.regular_answer(request)),
            None => self.regular_answer(request),
        }
    }

    fn record_sent(&self, request: &Request, answer: &Answer, place: u64, bytes: usize) {
        if answer.package {
            let start = answer.part.start as u64 + place;
            self.shared.traffic.record_sent(&request.path, start..start + bytes as u64);
        }
    }

    fn connected(&self) {
        self.shared.connections.fetch_add(1, Ordering::SeqCst);
    }
}

impl Listener {
    fn regular_answer(&self, request: &Request) -> Answer {
        let content = Arc::clone(&lock(&self.shared.content));
        let answer = match content.as_ref() {
            Content::World(world) => world.answer(self.role, request),
            Content::Recording(recording) => recording.answer(self.role, request),
        };
        answer.unwrap_or_else(|| match request.path.as_str() {
            pages::ERROR_PATH => Answer::page(pages::error()),
            pages::THANKS_PATH => Answer::page(pages::thanks()),
            _ => Answer::text(404, &format!("not here: {} {}\n", request.method, request.target)),
        })
    }
}

fn seen(request: &Request) -> SeenRequest {
    let header = |name| request.header(name).map(str::to_owned);
    SeenRequest {
        method: request.method.clone(),
        path_and_query: request.target.clone(),
        form: Pairs::clone(&request.form),
        user_agent: header("user-agent"),
        accept_language: header("accept-language"),
        range: header("range"),
        if_range: header("if-range"),
        accept_encoding: header("accept-encoding"),
    }
}

/// Locks a mutex even if it is poisoned. A thread that panicked is reported when its server is dropped.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
