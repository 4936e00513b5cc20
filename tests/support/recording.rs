//! Answers from a recording folder: `index.jsonl` with a header line and then one line per answer, and the bodies.
//!
//! The Catalog listener answers requests by method, path, sorted query, and form. A repeated request gets the
//! recorded answers in order, then the last one again. An answer recorded after a redirect is served after a
//! redirect. Pages name the CDN listener in place of Microsoft's file hosts.
#![expect(clippy::disallowed_methods, reason = "a test reads a folder that it names itself")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use url::Url;

use super::file_answer::file_answer;
use super::http::{Answer, Pairs, Request, decode_pairs, pair};
use super::loopback::{Hosts, ListenerRole, lock};

const CATALOG_HOST: &str = "www.catalog.update.microsoft.com";
const FILE_HOSTS: [&str; 2] =
    ["catalog.sf.dl.delivery.mp.microsoft.com", "catalog.s.download.windowsupdate.com"];

/// Headers of the recorded transfer that do not apply to this transfer.
const SKIPPED_HEADERS: [&str; 6] =
    ["connection", "content-encoding", "content-length", "date", "location", "transfer-encoding"];

#[derive(Debug, Deserialize)]
struct IndexLine {
    method: String,
    url: String,
    form: Option<HashMap<String, String>>,
    status: u16,
    headers: HashMap<String, String>,
    final_url: Option<String>,
    body: Option<String>,
}

/// The lookup key of a request. The query and the form are sorted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct RequestKey {
    role: ListenerRole,
    method: String,
    path: String,
    query: Pairs,
    form: Pairs,
}

#[derive(Debug)]
struct RecordedAnswer {
    key: RequestKey,
    status: u16,
    headers: Pairs,
    /// The recorded Content-Length, for an answer to HEAD.
    length: Option<u64>,
    /// The location of the body, if it differs from the request.
    redirect: Option<Redirect>,
    body: Option<Arc<[u8]>>,
}

#[derive(Debug)]
struct Redirect {
    role: ListenerRole,
    /// The path and query.
    target: String,
}

#[derive(Debug)]
pub(super) struct Recording {
    answers: Vec<RecordedAnswer>,
    hosts: Hosts,
    /// The number of requests by key.
    request_counts: Mutex<HashMap<RequestKey, usize>>,
    /// The number of the last answer after a redirect, by its target.
    redirected: Mutex<HashMap<(ListenerRole, String), usize>>,
}

impl Recording {
    pub(super) fn load(dir: &Path, hosts: &Hosts) -> Self {
        let index = dir.join("index.jsonl");
        let text =
            std::fs::read_to_string(&index).unwrap_or_else(|error| panic!("{}: {error}", index.display()));
        let lines = text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty());
        let answers = lines
            .map(|(number, line)| {
                let line = serde_json::from_str(line)
                    .unwrap_or_else(|error| panic!("{}, line {}: {error}", index.display(), number + 1));
                RecordedAnswer::read(line, dir, hosts)
            })
            .collect();
        Self { answers, hosts: hosts.clone(), request_counts: Mutex::default(), redirected: Mutex::default() }
    }

    pub(super) fn answer(&self, role: ListenerRole, request: &Request) -> Option<Answer> {
        let behind_redirect = lock(&self.redirected).get(&(role, request.target.clone())).copied();
        if let Some(number) = behind_redirect {
            return Some(self.answers[number].answer(request));
        }
        let key = RequestKey {
            role,
            method: request.method.clone(),
            path: request.path.clone(),
            query: sorted(request.query.clone()),
            form: sorted(request.form.clone()),
        };
        let number = self.look_up(&key).or_else(|| {
            // A HEAD request that was not recorded is answered from the GET request.
            let get = RequestKey { method: "GET".to_owned(), ..key };
            self.look_up(&get).filter(|_| request.is_head())
        })?;
        let recorded = &self.answers[number];
        let Some(redirect) = &recorded.redirect else {
            return Some(recorded.answer(request));
        };
        lock(&self.redirected).insert((redirect.role, redirect.target.clone()), number);
        let location = match redirect.role {
            ListenerRole::Cdn => format!("http://{}{}", self.hosts.cdn, redirect.target),
            ListenerRole::Catalog => redirect.target.clone(),
        };
        Some(Answer::redirect(&location))
    }

    /// Returns the number of the answer for this repetition of the request, or `None` if it was not recorded.
    fn look_up(&self, key: &RequestKey) -> Option<usize> {
        let mut request_counts = lock(&self.request_counts);
        let before = request_counts.entry(key.clone()).or_default();
        let mut matching = self.answers.iter().enumerate().filter(|(_, recorded)| recorded.key == *key);
        let (number, _) = matching.clone().nth(*before).or_else(|| matching.next_back())?;
        *before += 1;
        Some(number)
    }
}

impl RecordedAnswer {
    fn read(line: IndexLine, dir: &Path, hosts: &Hosts) -> Self {
        let url = parse(&line.url);
        let role = role_of(&url);
        let body = line.body.map(|name| {
            let path = dir.join(name);
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        });
        let body = match role {
            ListenerRole::Catalog => body.map(|page| with_loopback_hosts(page, hosts)),
            ListenerRole::Cdn => body,
        };
        let length = line.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = length.and_then(|(_, value)| value.parse().ok());
        let headers = line
            .headers
            .iter()
            .filter(|(name, _)| !SKIPPED_HEADERS.contains(&name.to_ascii_lowercase().as_str()));
        let redirect =
            line.final_url.map(|url| parse(&url)).filter(|found| *found != url).map(|found| Redirect {
                role: role_of(&found),
                target: found[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
            });
        Self {
            key: RequestKey {
                role,
                method: line.method,
                path: url.path().to_owned(),
                query: sorted(decode_pairs(url.query().unwrap_or_default())),
                form: sorted(line.form.into_iter().flatten().collect()),
            },
            status: line.status,
            headers: headers.map(|(name, value)| pair(name, value)).collect(),
            length,
            redirect,
            body: body.map(Into::into),
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        match (&self.body, self.key.role) {
            (Some(bytes), ListenerRole::Cdn) if self.status == 200 => {
                file_answer(request, bytes, &self.headers)
            }
            (body, _) => {
                let body = body.clone().unwrap_or_default();
                let mut answer = Answer::new(self.status, "", body);
                answer.headers.clone_from(&self.headers);
                answer.promised = self.length.filter(|_| request.is_head());
                answer
            }
        }
    }
}

fn parse(url: &str) -> Url {
    Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn role_of(url: &Url) -> ListenerRole {
    if url.host_str() == Some(CATALOG_HOST) { ListenerRole::Catalog } else { ListenerRole::Cdn }
}

fn sorted(mut pairs: Pairs) -> Pairs {
    pairs.sort();
    pairs
}

fn with_loopback_hosts(page: Vec<u8>, hosts: &Hosts) -> Vec<u8> {
    let Ok(mut text) = String::from_utf8(page.clone()) else {
        return page;
    };
    for host in FILE_HOSTS {
        for scheme in ["https", "http"] {
            text = text.replace(&format!("{scheme}://{host}/"), &format!("http://{}/", hosts.cdn));
        }
    }
    text.into_bytes()
}
