//! XML of bounded size. A document type is refused, and with it every entity that a document defines.

use roxmltree::{Document, Node, ParsingOptions};

use super::fault::PackageFault;

/// The elements and texts of a document, at most. Real manifests have a few thousand. A node takes about 70 bytes.
const NODES: u32 = 100_000;

/// The attributes of a document, at most, counted as equals signs. An attribute takes about 50 bytes.
const ATTRIBUTES: usize = 100_000;

/// Parses the XML of a member.
pub(super) fn parse<'text>(text: &'text str, member: &str) -> Result<Document<'text>, PackageFault> {
    if text.bytes().filter(|byte| *byte == b'=').count() > ATTRIBUTES {
        return Err(PackageFault::damaged(member, "its XML has too many attributes"));
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options)
        .map_err(|error| PackageFault::damaged(member, format!("its XML is refused: {error}")))
}

/// Returns the child elements with a name, in any namespace.
pub(super) fn children<'a, 'text: 'a>(
    node: Node<'a, 'text>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'text>> {
    node.children().filter(move |child| is_element(*child, name))
}

/// Returns `true` if a node is an element with a name, in any namespace.
pub(super) fn is_element(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}
