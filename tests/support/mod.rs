//! A Catalog and a CDN on the loopback interface, for tests that need real sockets.
//!
//! ```ignore
//! let package = FileSpec::package("windows11.0-kb5043080-arm64", "msu", b"the bytes");
//! let update = UpdateSpec { files: vec![package], ..UpdateSpec::new(&id(1), "2024-09 … (KB5043080)") };
//! let loopback = Loopback::start(World::new().update(update));
//! loopback.rule(Rule::once("/Search.aspx", Action::ErrorPage));
//! // … run the program with --catalog-url {loopback.catalog_url()} --allow-host {loopback.file_host()} …
//! assert_eq!(loopback.requests().len(), 4);
//! ```
//!
//! - [`world`]: the content of the Catalog, written by the test;
//! - [`recording`]: the content from a recording folder in the program's own format;
//! - [`pages`]: the HTML and script of each kind of page, in both dialects;
//! - [`file_answer`]: package files, with HEAD and ranges;
//! - [`fault`]: fault injection; [`file_fault`]: faults of a CDN during a transfer;
//! - [`hostile`]: harmful pages;
//! - [`http`]: requests and answers as bytes, the only module that uses a stream;
//! - [`loopback`]: the two listeners and their recorded requests;
//! - [`tls`]: a certificate authority and server certificates, for TLS on both listeners;
//! - [`proxy`]: a proxy in front of the listeners;
//! - [`kill_loop`]: the program as a process, killed repeatedly during a fetch;
//! - [`kill_points`]: kills at exact system calls of a fetch, an export, and an import; [`kill_content`]: the
//!   compared content;
//! - [`power`]: the possible disk states after a power cut, from the program's [`system_calls`] and a [`disk_model`];
//! - [`traffic`]: counters of sent package file bytes, and an optional rate limit.
//!
//! These modules do not read a clock, and only a deliberately slow server sleeps. Every wait on a socket has a
//! timeout.
#![expect(clippy::expect_used, reason = "test code: clippy.toml allows it in #[test] functions only")]

#[cfg(unix)]
mod disk_model;
mod fault;
mod file_answer;
mod file_fault;
mod hostile;
mod http;
#[cfg(target_os = "linux")]
mod kill_content;
mod kill_loop;
#[cfg(target_os = "linux")]
pub(crate) mod kill_points;
mod loopback;
mod pages;
#[cfg(unix)]
mod power;
mod proxy;
mod recording;
#[cfg(test)]
mod selftest;
#[cfg(test)]
mod selftest_files;
#[cfg(unix)]
mod system_calls;
mod tls;
mod traffic;
mod world;

pub(crate) use fault::{Action, Hook, Rule};
pub(crate) use file_fault::FileFault;
pub(crate) use hostile::{HOSTILE_KB, hostile_pages, hostile_world};
pub(crate) use kill_loop::{KillTest, Restart};
#[cfg(target_os = "linux")]
pub(crate) use kill_points::{Job, can_trace};
pub(crate) use loopback::{Loopback, SeenRequest};
#[cfg(unix)]
pub(crate) use power::{Crash, RecordedRun, record};
pub(crate) use proxy::{Proxy, ProxyRequest};
pub(crate) use tls::Authority;
pub(crate) use world::{FileSpec, StatedDigest, UpdateSpec, World, id};
