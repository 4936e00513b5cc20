//! Misbehaviour on command: a [`Rule`] says which requests, how often, and what happens instead.

use std::fmt;
use std::sync::Arc;

use super::file_fault::{self, FileFault};
use super::http::{Answer, Delivery, Framing, Request};
use super::pages;
use super::world::World;

/// What happens instead of the regular answer, or to it.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// 302 to the site's error page, which comes with status 200 and error number 8DDD0010.
    ErrorPage,
    /// This status, with these headers and a short text.
    Status(u16, Vec<(String, String)>),
    /// Status 200 with another body: content type and bytes, such as a proxy's login page.
    Body(&'static str, Vec<u8>),
    /// The connection ends without an answer.
    Close,
    /// The regular answer, its Content-Length included, cut after so many bytes of the body.
    CutAfter(usize),
    /// 302 to this location.
    Redirect(String),
    /// The page of a stall: a search page of usual size with neither rows nor the text that there are none.
    RowLess,
    /// A page that says that nothing was found.
    NothingFound,
    /// A download dialog without any update.
    EmptyDialog,
    /// The regular answer, its bytes changed.
    Edited(fn(Vec<u8>) -> Vec<u8>),
    /// The regular answer with another content type.
    ContentType(&'static str),
    /// The regular answer for a package file, with these faults one upon the other.
    File(Vec<FileFault>),
    /// A header that never ends, a byte at a time, and the hook before each.
    DribbleHead(Hook),
    /// The same of the body.
    DribbleBody(Hook),
    /// Something happens (time passes) before the regular answer.
    After(Hook),
    /// The Catalog has this content from now on, this answer included.
    Become(Box<World>),
    /// Status 200 with a page that is larger than a test wants to hold.
    Stream(Stream),
    /// The same, with this status as the answer: an address that expired, and a dialog that has a new one.
    Gone(u16, Box<World>),
}

/// Something that a test does in the middle of a request.
#[derive(Clone)]
pub(crate) struct Hook(pub(crate) Arc<dyn Fn() + Send + Sync>);

impl Hook {
    /// A hook that does this.
    pub(crate) fn new(what: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(what))
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hook")
    }
}

/// Something that a rule asks before it applies.
#[derive(Clone)]
pub(crate) struct Condition(pub(crate) Arc<dyn Fn() -> bool + Send + Sync>);

impl fmt::Debug for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Condition")
    }
}

/// A page of any length: some headers, a beginning, and a piece that comes again and again.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) beginning: Vec<u8>,
    pub(crate) piece: Vec<u8>,
    pub(crate) times: usize,
}

/// Which requests an [`Action`] applies to. Both listeners obey; the first rule that applies is taken.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// A part of path and query, undecoded; the empty text is in all.
    pub(crate) path_contains: String,
    /// Only this method.
    pub(crate) method: Option<&'static str>,
    /// How many requests it still applies to; `usize::MAX` is always.
    pub(crate) times: usize,
    /// Only while this is so.
    pub(crate) condition: Option<Condition>,
    pub(crate) action: Action,
}

impl Rule {
    /// For the next request to such a path.
    pub(crate) fn once(path_contains: &str, action: Action) -> Self {
        Self { path_contains: path_contains.to_owned(), method: None, times: 1, condition: None, action }
    }

    /// For every request to such a path.
    pub(crate) fn always(path_contains: &str, action: Action) -> Self {
        Self { times: usize::MAX, ..Self::once(path_contains, action) }
    }

    /// For every request to such a path while something is so.
    pub(crate) fn during(
        path_contains: &str,
        action: Action,
        condition: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { condition: Some(Condition(Arc::new(condition))), ..Self::always(path_contains, action) }
    }

    fn applies_to(&self, request: &Request) -> bool {
        // The error page itself is spared from ErrorPage: a redirect to itself would never end.
        let itself = matches!(self.action, Action::ErrorPage) && request.path == pages::ERROR_PATH;
        self.times > 0
            && !itself
            && self.method.is_none_or(|method| method == request.method)
            && request.target.contains(&self.path_contains)
            && self.condition.as_ref().is_none_or(|condition| condition.0())
    }
}

/// The action of the first rule that applies, which is one time fewer then.
pub(super) fn take(rules: &mut [Rule], request: &Request) -> Option<Action> {
    let rule = rules.iter_mut().find(|rule| rule.applies_to(request))?;
    if rule.times != usize::MAX {
        rule.times -= 1;
    }
    Some(rule.action.clone())
}

impl Action {
    /// The answer under this action; `regular` makes the one without it.
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
            Self::RowLess => Answer::page(pages::row_less(search)),
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
            Self::After(hook) => {
                hook.0();
                regular()
            }
            // The content was changed by whoever took the action.
            Self::Become(_) => regular(),
            Self::Stream(Stream { headers, beginning, piece, times }) => {
                let delivery = Delivery::Repeat(beginning.len(), times);
                let mut answer = Answer::new(200, "text/html; charset=utf-8", [beginning, piece].concat());
                answer.headers.extend(headers);
                Answer { delivery, ..answer }
            }
            Self::Gone(status, _) => Answer::text(status, "gone\n"),
        }
    }
}
