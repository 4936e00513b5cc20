//! How big a tree would a page become? Answered from its bytes, before any tree is built.
//!
//! A parser of HTML repairs whatever it is given, and its repairs can be made to cost far more than the page: it
//! walks the open elements at every tag, and it opens formatting elements (`<b>`, `<a>`, …) again and again until
//! they are closed. So the scan finds tags exactly as the parser's tokenizer does (comments, quoted attributes,
//! raw text such as scripts) and then counts against the page, never for it:
//!
//! - An end tag closes only the element opened last. One that closes another leaves both open, for good.
//! - A table row and a cell count for the parts of a table that the parser adds on its own.
//! - A tag counts once more for each formatting element that is open.
//!
//! A well-nested page is not touched by this; the real ones stay far below the caps. Elements that change how tags
//! are found ([`REFUSED`]) are refused outright: no page of the Catalog has one. A property test holds the scan
//! against the tree of html5ever.

/// Levels of open elements; from design §7. The Catalog's own pages have some thirty.
pub(super) const DEPTH_CAP: usize = 256;
/// Tags, comments, and formatting elements opened again; from design §7. A page of 25 rows has some 1,200.
pub(super) const TAG_CAP: usize = 100_000;
/// Attributes of one tag. The parser compares each with all before it; the Catalog has at most eight.
const ATTRIBUTE_CAP: usize = 256;

/// No end tag: the parser closes them itself, wherever they stand.
const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];
/// What is in them is text up to their own end tag (`noscript` because the parser takes scripts as enabled).
const RAW: [&str; 9] =
    ["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript"];
/// The parser opens them again in every block until they are closed.
const FORMATTING: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];
/// Inside these, scripts and titles are not raw text or are ignored, or content is copied.
const REFUSED: [&str; 5] = ["svg", "math", "template", "frameset", "selectedcontent"];
/// What the parser may do at most for a formatting element that is closed out of turn: eight rounds of three copies.
const MISNESTED_COST: usize = 24;

/// What the scan has counted; never less than what the tree will have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Measure {
    /// The greatest number of elements open at one time.
    pub(super) depth: usize,
    /// Tags, comments, lone `<`, and formatting elements opened again.
    pub(super) tags: usize,
}

/// Why a page is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excess {
    pub(super) mark: &'static str,
    pub(super) expected: String,
    pub(super) found: String,
}

/// Measures a page, or says what about it is too much.
pub(super) fn measure(text: &str) -> Result<Measure, Excess> {
    let mut scan = Scan {
        bytes: text.as_bytes(),
        at: 0,
        open: Vec::new(),
        depth: 0,
        formatting: 0,
        found: Measure::default(),
    };
    while scan.skip_text() {
        scan.markup()?;
    }
    Ok(scan.found)
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The names of the elements taken as open.
    open: Vec<&'a [u8]>,
    /// The sum of the weights of `open`.
    depth: usize,
    /// How many of `open` are formatting elements.
    formatting: usize,
    found: Measure,
}

impl<'a> Scan<'a> {
    /// Goes behind the next `<`.
    fn skip_text(&mut self) -> bool {
        let rest = self.rest();
        let Some(offset) = rest.iter().position(|&byte| byte == b'<') else { return false };
        self.at += offset + 1;
        true
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn markup(&mut self) -> Result<(), Excess> {
        match self.rest() {
            [b'!', b'-', b'-', ..] => self.skip_comment(),
            [b'/', letter, ..] if letter.is_ascii_alphabetic() => {
                self.at += 1;
                let name = self.name();
                self.attributes()?;
                self.close(name);
            }
            // Comments to the parser: a doctype, `<?…>`, and `</` before anything but a letter.
            [b'!' | b'?' | b'/', ..] => self.skip_behind(b">"),
            [letter, ..] if letter.is_ascii_alphabetic() => {
                let name = self.name();
                self.attributes()?;
                self.open(name)?;
            }
            // A lone `<` is text, though a piece of its own to the parser: 2 MiB of them take it half a second.
            _ => {}
        }
        self.found.tags += 1 + self.formatting;
        if self.found.tags > TAG_CAP {
            return Err(excess("number of tags", TAG_CAP, self.found.tags));
        }
        Ok(())
    }

    /// A comment ends at `-->` or `--!>`; `<!-->` and `<!--->` are whole ones.
    fn skip_comment(&mut self) {
        self.at += 1;
        let rest = self.rest();
        let end = rest.windows(3).enumerate().find_map(|(offset, window)| match window {
            b"-->" => Some(offset + 3),
            b"--!" if offset >= 2 && rest.get(offset + 3) == Some(&b'>') => Some(offset + 4),
            _ => None,
        });
        self.at += end.unwrap_or(rest.len());
    }

    fn skip_behind(&mut self, end: &[u8]) {
        let rest = self.rest();
        self.at += find(rest, end).map_or(rest.len(), |offset| offset + end.len());
    }

    fn name(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|&byte| is_space(byte) || matches!(byte, b'/' | b'>'));
        let name = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.at += name.len();
        name
    }

    /// Goes behind the `>` of a tag, or to the end of the page.
    fn attributes(&mut self) -> Result<(), Excess> {
        let mut count = 0;
        loop {
            self.skip_while(|byte| is_space(byte) || byte == b'/');
            match self.rest() {
                [] => return Ok(()),
                [b'>', ..] => {
                    self.at += 1;
                    return Ok(());
                }
                _ => {}
            }
            count += 1;
            if count > ATTRIBUTE_CAP {
                return Err(excess("attributes of one tag", ATTRIBUTE_CAP, count));
            }
            // The first byte belongs to the name whatever it is, `=` and quotes too.
            self.at += 1;
            self.skip_while(|byte| !is_space(byte) && !matches!(byte, b'/' | b'>' | b'='));
            self.skip_while(is_space);
            if !self.rest().starts_with(b"=") {
                continue;
            }
            self.at += 1;
            self.skip_while(is_space);
            match self.rest() {
                [quote @ (b'"' | b'\''), ..] => {
                    self.at += 1;
                    self.skip_behind(&[*quote]);
                }
                _ => self.skip_while(|byte| !is_space(byte) && byte != b'>'),
            }
        }
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        let rest = self.rest();
        self.at += rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len());
    }

    fn open(&mut self, name: &'a [u8]) -> Result<(), Excess> {
        if let Some(element) = is_one_of(name, &REFUSED) {
            return Err(Excess {
                mark: "elements",
                expected: "none that changes how tags are read".to_owned(),
                found: format!("<{element}>"),
            });
        }
        if is_one_of(name, &VOID).is_some() {
            return Ok(());
        }
        self.open.push(name);
        self.depth += weight(name);
        self.formatting += usize::from(is_one_of(name, &FORMATTING).is_some());
        self.found.depth = self.found.depth.max(self.depth);
        if self.depth > DEPTH_CAP {
            return Err(excess("levels", DEPTH_CAP, self.depth));
        }
        if let Some(element) = is_one_of(name, &RAW) {
            return self.skip_raw_text(element);
        }
        Ok(())
    }

    /// Goes to the end tag of a raw text element.
    fn skip_raw_text(&mut self, element: &str) -> Result<(), Excess> {
        let rest = self.rest();
        let content = rest.get(..raw_text_end(rest, element)).unwrap_or_default();
        // `<!-- <script>` in a script: its first `</script>` would not be its end.
        if element == "script" && find(content, b"<!--").is_some() && find(content, b"<script").is_some() {
            return Err(Excess {
                mark: "scripts",
                expected: "none inside a script's comment".to_owned(),
                found: "one".to_owned(),
            });
        }
        self.at += content.len();
        Ok(())
    }

    fn close(&mut self, name: &[u8]) {
        let formatting = is_one_of(name, &FORMATTING).is_some();
        if self.open.last().is_some_and(|last| last.eq_ignore_ascii_case(name)) {
            self.open.pop();
            self.depth -= weight(name);
            self.formatting -= usize::from(formatting);
        } else if formatting {
            self.found.tags += MISNESTED_COST;
        }
    }
}

/// The element itself and those that the parser may add around it: `tbody` for a row, `tbody` and `tr` for a cell.
fn weight(name: &[u8]) -> usize {
    if is_one_of(name, &["td", "th"]).is_some() {
        3
    } else if name.eq_ignore_ascii_case(b"tr") {
        2
    } else {
        1
    }
}

fn excess(mark: &'static str, cap: usize, found: usize) -> Excess {
    Excess { mark, expected: format!("at most {cap}"), found: format!("{found} or more") }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0C')
}

fn is_one_of(name: &[u8], names: &[&'static str]) -> Option<&'static str> {
    names.iter().copied().find(|other| name.eq_ignore_ascii_case(other.as_bytes()))
}

/// Where the end tag of a raw text element begins, or where the page ends.
fn raw_text_end(text: &[u8], element: &str) -> usize {
    let mut at = 0;
    while let Some(offset) = text.get(at..).and_then(|rest| find(rest, b"</")) {
        at += offset;
        if text.get(at + 2..).is_some_and(|name| starts_with_name(name, element)) {
            return at;
        }
        at += 2;
    }
    text.len()
}

fn starts_with_name(text: &[u8], name: &str) -> bool {
    let Some((head, tail)) = text.split_at_checked(name.len()) else { return false };
    let ends = tail.first().is_some_and(|&byte| is_space(byte) || matches!(byte, b'/' | b'>'));
    head.eq_ignore_ascii_case(name.as_bytes()) && ends
}

/// Where a text of ASCII begins, letters in either case.
fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use scraper::Html;

    use super::*;

    fn depth_of(text: &str) -> usize {
        measure(text).unwrap().depth
    }

    #[test]
    fn nesting_is_counted() {
        assert_eq!(measure("").unwrap(), Measure::default());
        assert_eq!(measure("<p>a</p><P>b</p >").unwrap(), Measure { depth: 1, tags: 4 });
        assert_eq!(depth_of("<div><p><br><img src='x'><input/></p></div><div></div>"), 2);
        assert_eq!(depth_of("<table><tr><td>x</td></tr></table>"), 6, "tbody is added by the parser");
        assert_eq!(depth_of("a < b <= c <3 <"), 0, "a lone < is text");
        assert_eq!(depth_of("<div/><div/>"), 2, "a slash closes nothing in HTML");
    }

    #[test]
    fn what_looks_like_a_tag_and_is_none() {
        assert_eq!(depth_of("<!-- <div> -->"), 0);
        assert_eq!(depth_of("<!--><div>"), 1);
        assert_eq!(depth_of("<!---><div>"), 1);
        assert_eq!(depth_of("<!--!><div>--><p>"), 1);
        assert_eq!(depth_of("<!-- --!><div>"), 1);
        assert_eq!(depth_of("<!doctype html \"><div>"), 1);
        assert_eq!(depth_of("<?x <div> ?></1 <div>></>"), 0, "all end at the first >");
        assert_eq!(depth_of("<script>if (i<argArray.length) write('<div>'); // </scripts></SCRIPT ><p>"), 1);
        assert_eq!(depth_of("<title></div><b></title><p></p>"), 1);
        assert_eq!(depth_of("<a title='>' href=\"<div>\" x=<div>y</a>"), 1);
        assert_eq!(depth_of("<a =\"><div>"), 2, "a quote in a name is no quote");
        assert_eq!(depth_of("<a b=c\"><div>"), 2, "a quote inside a value without quotes is no quote");
        assert_eq!(depth_of("<a b = \"><div>"), 1, "counted, though the parser drops a tag without an end");
    }

    #[test]
    fn an_end_tag_out_of_turn_closes_nothing() {
        assert_eq!(depth_of(&"<object></i></b>".repeat(50)), 50);
        assert_eq!(depth_of(&"<div><table></div>".repeat(50)), 100);
    }

    #[test]
    fn too_much_is_refused_and_named() {
        let mark = |text: &str| measure(text).unwrap_err().mark;
        assert_eq!(mark(&"<div>".repeat(257)), "levels");
        assert!(measure(&"<div>".repeat(256)).is_ok());
        assert_eq!(mark(&"<br>".repeat(100_001)), "number of tags");
        assert_eq!(mark(&"<!---->".repeat(100_001)), "number of tags");
        assert_eq!(mark(&"< ".repeat(100_001)), "number of tags");
        assert_eq!(mark(&format!("<p>{}</p>", "<p>x".repeat(256))), "levels");
        assert_eq!(mark(&format!("<div {}>", "a ".repeat(257))), "attributes of one tag");
        assert_eq!(mark("<SVG><title><div>"), "elements");
        assert_eq!(mark("<script><!-- <script></script> --></script>"), "scripts");
        let reopened = format!("<div>{}</div>", "<b>".repeat(200));
        assert_eq!(mark(&format!("{reopened}{}", "<div>x</div>".repeat(1000))), "number of tags");
    }

    /// A scan that were quadratic would not come back from these.
    #[test]
    fn hostile_pages_of_full_size_are_measured_at_once() {
        let cap = 2 * 1024 * 1024;
        for piece in [
            "<", "<!-->", "<!--", "</", "<a", "<a b=\"", "</script", "<script>", "<!--!>", "<a >", "<b></i>",
            "\"",
        ] {
            let page = piece.repeat(cap / piece.len());
            let _result = measure(&page);
        }
    }

    /// The elements of a tree and the levels of the deepest one.
    fn tree_size(text: &str) -> (usize, usize) {
        let html = Html::parse_document(text);
        let elements = html.tree.nodes().filter(|node| node.value().is_element());
        elements.fold((0, 0), |(count, depth), node| (count + 1, depth.max(node.ancestors().count())))
    }

    /// Pieces that make a parser of HTML repair, hide, and move things; a comma after each.
    const PIECES: &str = "<div>,</div>,<p>,</p>,<b>,</b>,<b a=1>,<b a=2>,<i>,</i>,<a>,</a>,<nobr>,</nobr>,<table>,</table>,\
        <tr>,</tr>,<td>,</td>,<th>,<tbody>,</tbody>,<caption>,</caption>,<colgroup>,<col>,<object>,</object>,<button>,\
        </button>,<form>,</form>,<select>,</select>,<option>,</option>,<li>,</li>,<dd>,<h1>,</h1>,<h2>,<br>,</br>,\
        <input a='>'>,<img a=\"<div>\">,<title>,</title>,<textarea>,</textarea>,<script>,</script>,<style>,</style>,\
        <noscript>,</noscript>,<!--,-->,<!-->,--!>,<body>,</body>,<x y=\",\">,text";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn a_tree_is_never_greater_than_what_was_measured(
            pieces in prop::collection::vec(prop::sample::select(PIECES.split(',').collect::<Vec<_>>()), 0..80)
        ) {
            let text = pieces.concat();
            let Ok(measure) = measure(&text) else { return Ok(()) };
            let (elements, depth) = tree_size(&text);
            // html, head, body; and a colgroup that the parser adds.
            prop_assert!(depth <= measure.depth + 4, "{depth} levels, {measure:?}: {text}");
            prop_assert!(elements <= 3 * measure.tags + 3, "{elements} elements, {measure:?}: {text}");
        }

        #[test]
        fn no_text_is_too_strange(text in any::<String>(), soup in "[<>/!\\-a-c=\"' ]{0,60}") {
            let _result = (measure(&text), measure(&soup));
        }
    }
}
