//! A graph in the language of Graphviz's `dot`: a box for a file, an ellipse for an update, a frame for a KB.
//! `needs` edges are solid and `supersedes` edges are dashed. The facts of an edge are extra attributes,
//! which `dot` ignores.
//!
//! Names and titles come from outside. Every text is quoted and escaped, so that it cannot end the quotes.

use std::collections::BTreeMap;
use std::fmt;

use super::graph::Graph;
use super::graph_parts::{Edge, EdgeKind, Node, NodeKind};
use crate::facts::Role;
use crate::update::{Architecture, Build, Kb, PackageName, human_size, is_hidden};

impl fmt::Display for Graph {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("digraph kbmirror {\n")?;
        out.write_str("  rankdir = LR;\n  node [fontname = \"sans-serif\", shape = box];\n")?;
        out.write_str("  edge [fontname = \"sans-serif\", fontsize = 10];\n")?;
        let mut of_kb: BTreeMap<Option<Kb>, Vec<&Node>> = BTreeMap::new();
        for node in self.nodes() {
            of_kb.entry(node.kb).or_default().push(node);
        }
        for (kb, nodes) in of_kb {
            let indent = if let Some(kb) = kb {
                writeln!(out, "  subgraph \"cluster_{kb}\" {{\n    label = \"{kb}\";")?;
                "    "
            } else {
                "  "
            };
            for node in nodes {
                write_node(node, indent, out)?;
            }
            if kb.is_some() {
                out.write_str("  }\n")?;
            }
        }
        for edge in self.edges() {
            write_edge(edge, out)?;
        }
        out.write_str("}\n")
    }
}

fn write_node(node: &Node, indent: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut lines = vec![match (&node.name, node.kb) {
        (Some(name), _) => shorten_digest(name),
        (None, Some(kb)) if node.kind == NodeKind::File => {
            format!("{kb} ({}, name not known)", node.architecture.map_or("any", Architecture::as_str))
        }
        (None, Some(kb)) => kb.to_string(),
        (None, None) => node.id.clone(),
    }];
    let build = node.build.as_ref().map(Build::to_string).filter(|build| !lines[0].contains(build));
    let size = node.size.map(human_size);
    let below: Vec<String> = build.into_iter().chain(size).collect();
    if !below.is_empty() {
        lines.push(below.join(", "));
    }
    let shape = match node.kind {
        NodeKind::File => "",
        NodeKind::Update => ", shape = ellipse",
    };
    let label: Vec<String> = lines.iter().map(|line| escape(line)).collect();
    writeln!(out, "{indent}{} [label = \"{}\"{shape}];", quote(&node.id), label.join("\\n"))
}

fn write_edge(edge: &Edge, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let style = match edge.kind {
        EdgeKind::Needs => "solid",
        EdgeKind::Supersedes => "dashed",
    };
    let what = edge.role.map_or(edge.kind.as_str(), Role::as_str);
    let condition = edge
        .condition
        .as_ref()
        .map(|condition| format!("\\n{}", escape(&condition.to_string())))
        .unwrap_or_default();
    write!(out, "  {} -> {} [", quote(&edge.from), quote(&edge.to))?;
    write!(out, "label = \"{what} ({}){condition}\", style = {style}", escape(edge.source.as_str()))?;
    write!(out, ", kind = {}", quote(edge.kind.as_str()))?;
    let role = edge.role.map(|role| role.as_str().to_owned());
    for (name, value) in [
        ("role", &role),
        ("condition", &edge.condition.as_ref().map(ToString::to_string)),
        ("source", &Some(edge.source.to_string())),
        ("first_seen", &edge.first_seen.map(|time| time.to_string())),
        ("last_seen", &edge.last_seen.map(|time| time.to_string())),
    ] {
        if let Some(value) = value {
            write!(out, ", {name} = {}", quote(value))?;
        }
    }
    out.write_str("];\n")
}

/// Returns a name with eight of the forty digits of its digest. The node's id contains the complete digest.
fn shorten_digest(name: &str) -> String {
    let digits = PackageName::parse(name).sha1.map(|sha1| sha1.to_string());
    let place = digits.as_ref().and_then(|digits| name.to_ascii_lowercase().rfind(digits.as_str()));
    match (place, digits) {
        (Some(place), Some(digits)) => {
            format!("{}\u{2026}{}", &name[..place + 8], &name[place + digits.len()..])
        }
        _ => name.to_owned(),
    }
}

fn quote(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

/// Returns a text for use between quotes: escapes quotes and backslashes, and replaces unprintable characters
/// with blanks.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '"' | '\\' => escaped.extend(['\\', letter]),
            _ if is_hidden(letter) => escaped.push(' '),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Source;
    use crate::resolve::{RecordedSupersedence, UpdateName};

    #[test]
    fn titles_cannot_end_their_quotes() {
        let name = |title: &str| UpdateName { id: None, title: title.to_owned(), kb: None };
        let mut graph = Graph::default();
        graph.add_supersedes(&[RecordedSupersedence {
            newer: name("a \"quoted\" title\\"),
            older: name("two\nlines } -> x; // <b>"),
            source: Source::Details,
            first_seen: "2026-11-23T08:00:00Z".parse().unwrap(),
            last_seen: "2026-11-23T08:00:00Z".parse().unwrap(),
        }]);
        let dot = graph.to_string();
        assert!(dot.contains(r#"label = "a \"quoted\" title\\", shape = ellipse"#), "{dot}");
        assert!(dot.contains(r#"label = "two lines } -> x; // <b>""#), "{dot}");
        assert!(dot.contains(r#"-> "title:two lines"#) && dot.contains("style = dashed"), "{dot}");
    }
}
