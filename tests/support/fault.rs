//! Fault injection: a [`Rule`] selects requests and the number of times, and replaces the answer.

use std::fmt;
use std::sync::Arc;

use super::file_fault::{self, FileFault};
use super::http::{Answer, Delivery, Framing, Request};
use super::pages;
use super::world::World;

/// The replacement of a regular answer, or a change to it.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// 302 to the Catalog's error page, which has status 200 and error number 8DDD0010.
    ErrorPage,
    /// An answer with this status, these headers, and a short text.
    Status(u16, Vec<(String, String)>),
    /// Status 200 with another body: content type and bytes, such as a proxy's login page.
    Body(&'static str, Vec<u8>),
    /// The connection is closed without an answer.
    Close,
    /// The regular answer with its Content-Length, cut after this number of body bytes.
    CutAfter(usize),
    /// 302 to this location.
    Redirect(String),
    /// A search page of usual size with neither rows nor the text about an empty result.
    WithoutRows,
    /// A page that reports an empty result.
    NothingFound,
    /// A download dialog without updates.
    EmptyDialog,
    /// The regular answer with changed bytes.
    Edited(fn(Vec<u8>) -> Vec<u8>),
    /// The regular answer with another content type.
    ContentType(&'static str),
    /// The regular answer for a package file, with all of these faults.
    File(Vec<FileFault>),
    /// A header that never ends, one byte at a time, with the hook before each byte.
    DribbleHead(Hook),
    /// A body that never ends, in the same way.
    DribbleBody(Hook),
    /// The hook runs before the regular answer, for example to advance the time.
    RunBefore(Hook),
    /// The Catalog has this content from now on, including this answer.
    ReplaceWorld(Box<World>),
    /// Status 200 with a page that is too large to hold in memory.
    Stream(Stream),
    /// An answer with this status and new content of the Catalog from now on: an expired URL, and a dialog with a new
    /// one.
    Expired(u16, Box<World>),
}

/// An action of a test during a request.
#[derive(Clone)]
pub(crate) struct Hook(pub(crate) Arc<dyn Fn() + Send + Sync>);

impl Hook {
    /// Returns a hook with this action.
    pub(crate) fn new(what: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(what))
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hook")
    }
}

/// A condition that is checked before a rule applies.
#[derive(Clone)]
pub(crate) struct Condition(pub(crate) Arc<dyn Fn() -> bool + Send + Sync>);

impl fmt::Debug for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Condition")
    }
}

/// A page of any length: headers, a beginning, and a repeated piece.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) beginning: Vec<u8>,
    pub(crate) piece: Vec<u8>,
    pub(crate) times: usize,
}

/// A selection of requests with an [`Action`]. Both listeners use the rules, and the first rule that applies is
/// taken.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// A part of the undecoded path and query. The empty text matches all requests.
    pub(crate) path_contains: String,
    /// The only method that matches, if any.
    pub(crate) method: Option<&'static str>,
    /// The number of requests that the rule still applies to; `usize::MAX` means always.
    pub(crate) times: usize,
    /// The condition under which the rule applies, if any.
    pub(crate) condition: Option<Condition>,
    pub(crate) action: Action,
}

impl Rule {
    /// Returns a rule for the next request with such a path.
    pub(crate) fn once(path_contains: &str, action: Action) -> Self {
        Self { path_contains: path_contains.to_owned(), method: None, times: 1, condition: None, action }
    }

    /// Returns a rule for every request with such a path.
    pub(crate) fn always(path_contains: &str, action: Action) -> Self {
        Self { times: usize::MAX, ..Self::once(path_contains, action) }
    }

    /// Returns a rule for every request with such a path while the condition holds.
    pub(crate) fn during(
        path_contains: &str,
        action: Action,
        condition: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { condition: Some(Condition(Arc::new(condition))), ..Self::always(path_contains, action) }
    }

    fn applies_to(&self, request: &Request) -> bool {
        // `ErrorPage` does not apply to the error page itself: its redirect would never end.
        let itself = matches!(self.action, Action::ErrorPage) && request.path == pages::ERROR_PATH;
        self.times > 0
            && !itself
            && self.method.is_none_or(|method| method == request.method)
            && request.target.contains(&self.path_contains)
            && self.condition.as_ref().is_none_or(|condition| condition.0())
    }
}

/// Returns the action of the first rule that applies, and reduces its count.
pub(super) fn take(rules: &mut [Rule], request: &Request) -> Option<Action> {
    let rule = rules.iter_mut().find(|rule| rule.applies_to(request))?;
    if rule.times != usize::MAX {
        rule.times -= 1;
    }
    Some(rule.action.clone())
}

impl Action {
    /// Returns the answer under this action. `answer` makes the regular answer.
    pub(super) fn apply(self, request: &Request, answer: impl Fn(&Request) -> Answer) -> Answer {
        let regular = || answer(request);
        let search = request.value("q").unwrap_or_default();
        match self {
            Self::ErrorPage => Answer::redirect(pages::ERROR_TARGET),
            Self::Status(status, headers) => {
                let mut answer = Answer::text(status, &format!("status {status} on command\n"));
                answer.headers.extend(headers);
                answer
            }
            Self::Body(content_type, bytes) => Answer::new(200, content_type, bytes),
            Self::Close => Answer { delivery: Delivery::Nothing, ..regular() },
            Self::CutAfter(length) => Answer { delivery: Delivery::CutAfter(length), ..regular() },
            Self::Redirect(location) => Answer::redirect(&location),
            Self::WithoutRows => Answer::page(pages::without_rows(search)),
            Self::NothingFound => Answer::page(pages::no_result(search, pages::Dialect::Browser)),
            Self::EmptyDialog => Answer::page(pages::empty_dialog()),
            Self::Edited(edit) => {
                let regular = regular();
                let bytes = edit(regular.body[regular.part.clone()].to_vec());
                Answer { part: 0..bytes.len(), body: bytes.into(), ..regular }
            }
            Self::ContentType(content_type) => {
                let mut answer = regular();
                answer.headers.retain(|(name, _)| name != "Content-Type");
                answer.with("Content-Type", content_type)
            }
            Self::File(faults) => file_fault::apply(&faults, request, answer),
            Self::DribbleHead(hook) => Answer { delivery: Delivery::Dribble(true, hook), ..regular() },
            Self::DribbleBody(hook) => {
                Answer { delivery: Delivery::Dribble(false, hook), framing: Framing::Close, ..regular() }
            }
            Self::RunBefore(hook) => {
                hook.0();
                regular()
            }
            // The caller that took the action has changed the content already.
            Self::ReplaceWorld(_) => regular(),
            Self::Stream(Stream { headers, beginning, piece, times }) => {
                let delivery = Delivery::Repeat(beginning.len(), times);
                let mut answer = Answer::new(200, "text/html; charset=utf-8", [beginning, piece].concat());
                answer.headers.extend(headers);
                Answer { delivery, ..answer }
            }
            Self::Expired(status, _) => Answer::text(status, "gone\n"),
        }
    }
}
