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
//! - [`world`]: what the Catalog has, written by the test;
//! - [`recording`]: the same from a recording folder in the program's own format;
//! - [`pages`]: the HTML and script of each kind of page, in both dialects;
//! - [`file_answer`]: package files, with HEAD and ranges;
//! - [`fault`]: misbehaviour on command; [`file_fault`]: that of a CDN, in the middle of a file;
//! - [`hostile`]: pages made to do harm;
//! - [`http`]: requests and answers as bytes, the only place that touches a stream;
//! - [`loopback`]: the two listeners and what they have seen;
//! - [`tls`]: an authority and its certificates, to put TLS around both;
//! - [`proxy`]: a proxy on the way to them;
//! - [`killing`]: the program itself, killed again and again while it fetches;
//! - [`kill_points`]: the same at exact system calls, over a fetch, an export, and an import; [`kill_content`]: what is compared then;
//! - [`power`]: what may lie on a disk whose power is cut, from the [`system_calls`] of the program and a [`disk_model`];
//! - [`traffic`]: the bytes of package files that went out, counted, and slowed down where a test wants it.
//!
//! Nothing here reads a clock, and nothing sleeps but a server that was told to be slow; every wait on a socket has an end.
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
#[cfg(target_os = "linux")]
pub(crate) mod kill_points;
mod killing;
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
#[cfg(target_os = "linux")]
pub(crate) use kill_points::{Job, can_trace};
pub(crate) use killing::{Killing, Restart};
pub(crate) use loopback::{Loopback, Seen};
#[cfg(unix)]
pub(crate) use power::{Crash, Recorded, record};
pub(crate) use proxy::{Passed, Proxy};
pub(crate) use tls::Authority;
pub(crate) use world::{FileSpec, Stated, UpdateSpec, World, id};
