//! The tree of a page, built within limits.
//!
//! A parser of HTML repairs every input, and the repairs can cost far more than the page. The parser walks the open
//! elements at every tag, and it reopens formatting elements (`<b>`, `<a>`, …) in every block until they are closed.
//! The page is therefore given to html5ever in pieces, and its sink counts the work:
//!
//! - [`STEP_CAP`] limits the calls of the parser: nodes made, pieces of text, and repairs.
//! - [`DEPTH_CAP`] limits the open elements, and with them the levels of the tree and the cost of one tag.
//! - [`ATTRIBUTE_CAP`] limits the attributes of one element.
//! - [`TAG_LENGTH_CAP`] limits the bytes of one tag or comment. html5ever compares each attribute of a tag with all
//!   previous ones and reports the tag only at its end. A count of attributes could therefore not stop it in time.
//!
//! The limits are checked after each piece, so a page exceeds them by the work of one piece at most. A page over a
//! limit is refused with the limit's name, and its tree is dropped. A page within the limits has the same tree as
//! without them.

use std::borrow::Cow;
use std::cell::{Cell, Ref};

use html5ever::QualName;
use html5ever::driver::{ParseOpts, Parser, parse_document};
use html5ever::interface::{Attribute, ElementFlags, NodeOrText, QuirksMode, Tracer, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink as _};
use scraper::{Html, HtmlTreeSink};

/// The most open elements below the body, with formatting elements counted twice. The Catalog's own pages have some
/// thirty.
const DEPTH_CAP: usize = 256;
/// The document, `html`, `head`, and `body`, which the parser holds besides all other elements.
const ALWAYS_HELD: usize = 4;
/// The most calls of the parser. A page of 25 rows takes some 5,000.
const STEP_CAP: usize = 100_000;
/// The most attributes of one element. The Catalog has at most eight.
const ATTRIBUTE_CAP: usize = 256;
/// The most bytes of one tag or comment. The Catalog's longest tag holds the state of its form, in 32 KiB.
const TAG_LENGTH_CAP: usize = 128 * 1024;
/// The bytes given to the parser between two checks. The formatting elements that one piece can reopen are at most the
/// number of its blocks, some 300, times [`DEPTH_CAP`].
const PIECE: usize = 1024;

/// The limit that a page exceeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excess {
    pub(super) mark: &'static str,
    pub(super) expected: String,
    pub(super) found: String,
}

/// Builds the tree of a page, or names the limit that the page exceeds.
pub(super) fn build(text: &str) -> Result<Html, Excess> {
    let mut parser = parse_document(CountingSink::default(), ParseOpts::default());
    let (mut rest, mut steps, mut length) = (text, 0, 0);
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.floor_char_boundary(PIECE));
        parser.process(StrTendril::from(piece));
        check(&parser)?;
        let work = &counted(&parser).steps;
        length = if work.get() == steps { length + piece.len() } else { 0 };
        if length > TAG_LENGTH_CAP {
            return Err(excess("length of one tag", TAG_LENGTH_CAP, length));
        }
        (rest, steps) = (behind, work.get());
    }
    Ok(parser.finish())
}

/// Refuses a tree over its limits.
fn check(parser: &Parser<CountingSink>) -> Result<(), Excess> {
    let sink = counted(parser);
    for (mark, cap, found) in [
        ("levels", DEPTH_CAP, open_elements(parser).saturating_sub(ALWAYS_HELD)),
        ("attributes of one tag", ATTRIBUTE_CAP, sink.attributes.get()),
        ("number of tags", STEP_CAP, sink.steps.get()),
    ] {
        if found > cap {
            return Err(excess(mark, cap, found));
        }
    }
    Ok(())
}

fn counted(parser: &Parser<CountingSink>) -> &CountingSink {
    &parser.tokenizer.sink.sink
}

/// Counts the elements that the parser holds: the open ones, and the formatting elements that it may open again.
fn open_elements(parser: &Parser<CountingSink>) -> usize {
    let count = ElementCount::default();
    parser.tokenizer.sink.trace_handles(&count);
    count.0.get()
}

/// The number of elements seen.
#[derive(Debug, Default)]
struct ElementCount(Cell<usize>);

impl Tracer for ElementCount {
    type Handle = NodeId;

    fn trace_handle(&self, _node: &NodeId) {
        self.0.update(|count| count + 1);
    }
}

fn excess(mark: &'static str, cap: usize, found: usize) -> Excess {
    Excess { mark, expected: format!("at most {cap}"), found: format!("{found} or more") }
}

type NodeId = <HtmlTreeSink as TreeSink>::Handle;

/// The sink of scraper, with counts of the expensive calls.
#[derive(Debug)]
struct CountingSink {
    tree: HtmlTreeSink,
    /// The number of nodes made, pieces of text, and repairs.
    steps: Cell<usize>,
    /// The greatest number of attributes of an element.
    attributes: Cell<usize>,
}

impl Default for CountingSink {
    fn default() -> Self {
        Self {
            tree: HtmlTreeSink::new(Html::new_document()),
            steps: Cell::default(),
            attributes: Cell::default(),
        }
    }
}

impl CountingSink {
    fn count(&self) {
        self.steps.update(|steps| steps + 1);
    }

    fn count_attributes(&self, number: usize) {
        self.attributes.set(self.attributes.get().max(number));
    }
}

impl TreeSink for CountingSink {
    type Handle = NodeId;
    type Output = Html;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Html {
        self.tree.finish()
    }

    fn parse_error(&self, message: Cow<'static, str>) {
        self.count();
        self.tree.parse_error(message);
    }

    fn get_document(&self) -> NodeId {
        self.tree.get_document()
    }

    fn elem_name<'a>(&'a self, target: &'a NodeId) -> Ref<'a, QualName> {
        self.tree.elem_name(target)
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> NodeId {
        self.count();
        self.count_attributes(attributes.len());
        self.tree.create_element(name, attributes, flags)
    }

    fn create_comment(&self, text: StrTendril) -> NodeId {
        self.count();
        self.tree.create_comment(text)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> NodeId {
        self.count();
        self.tree.create_pi(target, data)
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        self.count();
        self.tree.append(parent, child);
    }

    fn append_based_on_parent_node(&self, element: &NodeId, previous: &NodeId, child: NodeOrText<NodeId>) {
        self.count();
        self.tree.append_based_on_parent_node(element, previous, child);
    }

    fn append_doctype_to_document(&self, name: StrTendril, public_id: StrTendril, system_id: StrTendril) {
        self.count();
        self.tree.append_doctype_to_document(name, public_id, system_id);
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        self.tree.get_template_contents(target)
    }

    fn same_node(&self, one: &NodeId, other: &NodeId) -> bool {
        self.tree.same_node(one, other)
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.tree.set_quirks_mode(mode);
    }

    fn append_before_sibling(&self, sibling: &NodeId, child: NodeOrText<NodeId>) {
        self.count();
        self.tree.append_before_sibling(sibling, child);
    }

    fn add_attrs_if_missing(&self, target: &NodeId, attributes: Vec<Attribute>) {
        self.count();
        self.tree.add_attrs_if_missing(target, attributes);
        let tree = self.tree.0.borrow();
        if let Some(element) = tree.tree.get(*target).and_then(|node| node.value().as_element()) {
            self.count_attributes(element.attrs().count());
        }
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.count();
        self.tree.remove_from_parent(target);
    }

    fn reparent_children(&self, node: &NodeId, parent: &NodeId) {
        self.count();
        self.tree.reparent_children(node, parent);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mark(text: &str) -> &'static str {
        build(text).map(|html| html.tree.nodes().len()).unwrap_err().mark
    }

    fn numbered(numbers: std::ops::Range<usize>, before: &str, after: &str) -> String {
        numbers.fold(String::new(), |text, number| text + before + &number.to_string() + after)
    }

    #[test]
    fn an_excess_is_refused_with_the_name_of_the_limit() {
        assert!(build(&"<div>".repeat(256)).is_ok());
        assert_eq!(mark(&"<div>".repeat(257)), "levels");
        assert_eq!(mark(&"<div>".repeat(300_000)), "levels");
        assert_eq!(mark(&"<object></i></b>".repeat(257)), "levels");
        assert_eq!(mark(&format!("<p>{}</p>", "<b x>".repeat(600))), "levels");
        assert_eq!(mark(&"<br>".repeat(100_001)), "number of tags");
        assert_eq!(mark(&"<!---->".repeat(100_001)), "number of tags");
        assert_eq!(mark(&"< ".repeat(100_001)), "number of tags");
        assert_eq!(mark(&"</x>".repeat(100_001)), "number of tags");
        let reopened = numbered(0..100, "<b ", ">");
        assert_eq!(mark(&format!("<div>{reopened}</div>{}", "<p>x</p>".repeat(2_000))), "number of tags");
    }

    #[test]
    fn the_attributes_of_an_element_are_limited_over_all_its_tags() {
        let attributes = |numbers| numbered(numbers, "a", " ");
        assert!(build(&format!("<div {}>", attributes(0..256))).is_ok());
        assert_eq!(mark(&format!("<div {}>", attributes(0..257))), "attributes of one tag");
        let merged = format!("<body {}><body {}>", attributes(0..200), attributes(200..400));
        assert_eq!(mark(&merged), "attributes of one tag");
    }

    #[test]
    fn the_length_of_a_tag_or_comment_is_limited() {
        let state = "x".repeat(100 * 1024);
        assert!(
            build(&format!("<input value='{state}'><script>{state}{state}</script><!--{state}-->")).is_ok()
        );
        for open in ["<a ", "<a b='", "<!--", "</a ", "<!doctype "] {
            assert_eq!(mark(&format!("{open}{state}{state}")), "length of one tag", "{open}");
        }
    }

    /// The following pages would each take minutes if a limit were missing.
    #[test]
    fn hostile_pages_of_full_size_are_handled_quickly() {
        let cap = 2 * 1024 * 1024;
        for piece in [
            "<",
            "<!-->",
            "<!--",
            "</",
            "<a",
            "<a b=\"",
            "</script",
            "<script>",
            "<!--!>",
            "<a >",
            "<b></i>",
            "\"",
            "<p><b>",
            "<svg>",
            "<svg><p>",
            "<math><mi>",
            "<template>",
            "<select><option>",
            "<table><b>",
            "&lt;",
            "<html a>",
            "<nobr>",
            "<a><div>",
            "<frameset>",
            "<form>",
            "<button><b>",
        ] {
            let page = piece.repeat(cap / piece.len());
            let _result = build(&page);
        }
        let distinct = numbered(0..100_000, "<b a", ">");
        let _result = build(&distinct);
        let foster = "<div><table></div>".repeat(40_000) + &"<form>".repeat(200_000);
        let _result = build(&foster);
        let attributes = numbered(0..400_000, "a", " ");
        assert_eq!(mark(&format!("<a {attributes}>")), "length of one tag");
    }

    /// Pieces that make a parser of HTML repair, hide, and move things, separated by commas.
    const PIECES: &str = "<div>,</div>,<p>,</p>,<b>,</b>,<b a=1>,<b a=2>,<i>,</i>,<a>,</a>,<nobr>,</nobr>,<table>,</table>,\
        <tr>,</tr>,<td>,</td>,<th>,<tbody>,</tbody>,<caption>,</caption>,<colgroup>,<col>,<object>,</object>,<button>,\
        </button>,<form>,</form>,<select>,</select>,<option>,</option>,<li>,</li>,<dd>,<h1>,</h1>,<h2>,<br>,</br>,\
        <input a='>'>,<img a=\"<div>\">,<title>,</title>,<textarea>,</textarea>,<script>,</script>,<style>,</style>,\
        <noscript>,</noscript>,<!--,-->,<!-->,--!>,<body>,</body>,<x y=\",\">,<svg>,</svg>,<math>,<template>,\
        </template>,<html b>,text,é";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn the_limits_do_not_change_a_tree(
            pieces in prop::collection::vec(prop::sample::select(PIECES.split(',').collect::<Vec<_>>()), 0..400)
        ) {
            let text = pieces.concat();
            match build(&text) {
                Ok(html) => {
                    prop_assert!(html == Html::parse_document(&text), "{text}");
                    let depth = html.tree.nodes().map(|node| node.ancestors().count()).max();
                    prop_assert!(depth.unwrap_or(0) <= 2 * DEPTH_CAP + ALWAYS_HELD, "{text}");
                }
                Err(excess) => prop_assert_eq!(excess.mark, "levels", "{}", text),
            }
        }

        #[test]
        fn any_text_is_accepted_without_a_panic(text in any::<String>(), soup in "[<>/!\\-a-c=\"' ]{0,60}") {
            let _result = (build(&text), build(&soup));
        }
    }
}
