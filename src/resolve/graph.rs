//! The dependency graph of KBs: the files that a file needs, and the updates that an update replaces.
//!
//! The two kinds of edges are separate: `needs` leads from file to file, `supersedes` from update to update.
//! A replaced update may still be needed. Each edge names its source. This module adds the edges of a set's
//! own dialog and of the tables, and the requirements of other KBs ([`requirements_of_all`]).
//!
//! The index adds the dates when an edge was first and last seen ([`Graph::add_needs`],
//! [`Graph::add_supersedes`]). Files that need each other in a cycle could never be installed.
//! [`Graph::check`] refuses them by name.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::graph_parts::{Edge, EdgeKind, Node, NodeKind, RecordedNeed, RecordedSupersedence, UpdateName};
use super::library::Library;
use super::member::Member;
use super::package_set::PackageSet;
use super::requirement::{Requirement, Rule};
use super::requirements::requirements_of_all;
use crate::error::{Error, ErrorKind, Result};
use crate::facts::{FileFacts, FileKey, SetFolder, Source};
use crate::servicing::Knowledge;
use crate::update::{Architecture, Build, Kb, classify};

/// The identity of an edge: from, to, kind, and source.
type EdgeKey = (String, String, EdgeKind, &'static str);

/// Nodes and edges, in an order that depends on them alone.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: BTreeMap<String, Node>,
    edges: BTreeMap<EdgeKey, Edge>,
    keys: BTreeSet<FileKey>,
}

impl Graph {
    /// Returns the graph of these KBs and of all their known requirements.
    pub fn of(kbs: &[Kb], library: &dyn Library, knowledge: &Knowledge) -> Result<Self> {
        let mut graph = Self::default();
        let mut open: Vec<(Kb, Option<PackageSet>)> = kbs.iter().map(|&kb| (kb, None)).collect();
        let mut done: BTreeSet<(Kb, SetFolder)> = BTreeSet::new();
        while let Some((kb, wanted_by)) = open.pop() {
            for set in library.sets(kb)?.iter() {
                let fits = wanted_by.as_ref().is_none_or(|wanted_by| is_for_same_machines(set, wanted_by));
                if !fits || !done.insert((kb, set.folder.clone())) {
                    continue;
                }
                graph.add_set(set);
                let needed = requirements_of_all(set, library, knowledge)?;
                for needed in needed.into_iter().filter(Requirement::is_of_other_kb) {
                    graph.add_needed(set, &needed, library)?;
                    open.push((needed.kb, Some(set.clone())));
                }
            }
        }
        for kb in graph.kbs() {
            graph.add_withdrawal(kb, knowledge);
        }
        for &kb in kbs {
            graph.add_withdrawal(kb, knowledge);
        }
        Ok(graph)
    }

    /// Returns the nodes, by id.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// Returns the edges, by their start and end.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges.values()
    }

    /// Returns the KBs of all nodes.
    pub fn kbs(&self) -> BTreeSet<Kb> {
        self.nodes.values().filter_map(|node| node.kb).collect()
    }

    /// Returns the index keys of the files in the graph.
    pub fn file_keys(&self) -> &BTreeSet<FileKey> {
        &self.keys
    }

    /// Adds edges between files from the index. An existing edge gets its dates.
    pub fn add_needs(&mut self, seen: &[RecordedNeed]) {
        for edge in seen {
            let (from, to) = (self.add_file(&edge.file, None), self.add_file(&edge.needs, None));
            let known = self.add_edge(from, to, EdgeKind::Needs, edge.source);
            known.role.get_or_insert(edge.role);
            known.first_seen = Some(edge.first_seen);
            known.last_seen = Some(edge.last_seen);
        }
    }

    /// Adds edges between updates from the index.
    pub fn add_supersedes(&mut self, seen: &[RecordedSupersedence]) {
        for edge in seen {
            let (from, to) = (self.add_update(&edge.newer), self.add_update(&edge.older));
            let known = self.add_edge(from, to, EdgeKind::Supersedes, edge.source);
            known.first_seen = Some(edge.first_seen);
            known.last_seen = Some(edge.last_seen);
        }
    }

    /// Refuses files that need each other in a cycle, by name.
    pub fn check(&self) -> Result<()> {
        let Some(cycle) = self.find_cycle() else { return Ok(()) };
        let named = |id: &str| self.nodes.get(id).and_then(|node| node.name.clone()).unwrap_or(id.to_owned());
        let names: Vec<String> = cycle.iter().map(|id| named(id)).collect();
        let message = format!("files need each other in a cycle: {}", names.join(" needs "));
        Err(Error::new(ErrorKind::Unresolved, message)
            .hint("find the wrong edge: run kbmirror knowledge check for the tables, or kbmirror crawl KB --refresh for the Catalog"))
    }

    /// Returns a cycle along `needs` edges, or `None` if the graph has no cycle.
    fn find_cycle(&self) -> Option<Vec<String>> {
        let mut needs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for edge in self.edges.values().filter(|edge| edge.kind == EdgeKind::Needs) {
            needs.entry(&edge.from).or_default().insert(&edge.to);
        }
        // A file whose needed files are all removed can be installed and is removed too. The remaining files
        // lead to a cycle.
        loop {
            let left: BTreeSet<&str> = needs.keys().copied().collect();
            for to in needs.values_mut() {
                to.retain(|id| left.contains(id));
            }
            let before = needs.len();
            needs.retain(|_, to| !to.is_empty());
            if needs.len() == before {
                break;
            }
        }
        let mut way = vec![*needs.keys().next()?];
        loop {
            let next = *needs.get(way.last()?)?.iter().next()?;
            if let Some(begin) = way.iter().position(|id| *id == next) {
                let cycle = way[begin..].iter().copied().chain([next]);
                return Some(cycle.map(str::to_owned).collect());
            }
            way.push(next);
        }
    }

    fn add_set(&mut self, set: &PackageSet) {
        let ids: Vec<String> =
            set.members.iter().map(|member| self.add_file(&member.file, member.build)).collect();
        for needs in &set.needs {
            let (Some(from), Some(to)) = (ids.get(needs.from), ids.get(needs.to)) else { continue };
            let edge = self.add_edge(from.clone(), to.clone(), EdgeKind::Needs, needs.source);
            edge.role = Some(needs.role);
        }
    }

    /// Adds edges from a set's own files to those of a KB that it needs.
    fn add_needed(&mut self, set: &PackageSet, needed: &Requirement, library: &dyn Library) -> Result<()> {
        let sets = library.sets(needed.kb)?;
        let mut files: Vec<(FileFacts, Option<Build>)> = sets
            .iter()
            .filter(|other| is_for_same_machines(other, set))
            .flat_map(|other| other.members.iter().filter(|member| member.role.is_update()))
            .map(|member| (member.file.clone(), member.build))
            .collect();
        if files.is_empty() {
            let floor = match needed.rule {
                Rule::EnablementFloor { floor } | Rule::PreparationFloor { floor } => Some(floor),
                _ => None,
            };
            files.push((FileFacts::unnamed(needed.kb, set.architecture), floor));
        }
        let own: Vec<&Member> = set.members.iter().filter(|member| member.role.is_update()).collect();
        for member in own {
            let from = self.add_file(&member.file, member.build);
            for (file, build) in &files {
                let to = self.add_file(file, *build);
                let edge = self.add_edge(from.clone(), to, EdgeKind::Needs, Source::Knowledge);
                edge.role = Some(needed.role);
                edge.condition = Some(&needed.when).filter(|when| when.excludes_some_machines()).cloned();
            }
        }
        Ok(())
    }

    /// Adds the replacement of withdrawn KBs. Knowledge names KBs, not entries, and so do these edges.
    fn add_withdrawal(&mut self, kb: Kb, knowledge: &Knowledge) {
        for row in knowledge.withdrawn().all().iter().filter(|row| row.kb == kb || row.successor == kb) {
            let from = self.add_kb(row.successor);
            let to = self.add_kb(row.kb);
            self.add_edge(from, to, EdgeKind::Supersedes, Source::Knowledge);
        }
    }

    fn add_file(&mut self, file: &FileFacts, build: Option<Build>) -> String {
        self.keys.extend(file.key);
        let id = match (file.known_name(), file.kb) {
            (None, Some(kb)) => {
                format!("file:{kb}:{}", file.architecture.map_or("any", Architecture::as_str))
            }
            _ => file.identity(),
        };
        let node = self.nodes.entry(id.clone()).or_insert_with(|| Node {
            kb: file.kb,
            name: file.known_name().map(str::to_owned),
            architecture: file.architecture,
            sha1: file.sha1,
            sha256: file.sha256,
            size: file.size,
            present: Some(file.present),
            ..Node::new(id.clone(), NodeKind::File)
        });
        node.build = node.build.max(build);
        id
    }

    fn add_update(&mut self, update: &UpdateName) -> String {
        let id = match update.id {
            Some(id) => format!("update:{id}"),
            None => format!("title:{}", update.title),
        };
        self.nodes.entry(id.clone()).or_insert_with(|| {
            let class = classify(&update.title, "", None);
            Node {
                kb: update.kb.or(class.kb),
                name: Some(update.title.clone()),
                architecture: class.architecture,
                build: class.build,
                update_id: update.id,
                ..Node::new(id.clone(), NodeKind::Update)
            }
        });
        id
    }

    fn add_kb(&mut self, kb: Kb) -> String {
        let id = format!("kb:{kb}");
        let node = || Node { kb: Some(kb), ..Node::new(id.clone(), NodeKind::Update) };
        self.nodes.entry(id.clone()).or_insert_with(node);
        id
    }

    fn add_edge(&mut self, from: String, to: String, kind: EdgeKind, source: Source) -> &mut Edge {
        let key = (from.clone(), to.clone(), kind, source.as_str());
        self.edges.entry(key).or_insert_with(|| Edge {
            from,
            to,
            kind,
            role: None,
            condition: None,
            source,
            first_seen: None,
            last_seen: None,
        })
    }
}

impl Serialize for Graph {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut fields = serializer.serialize_struct("Graph", 2)?;
        fields.serialize_field("nodes", &self.nodes.values().collect::<Vec<_>>())?;
        fields.serialize_field("edges", &self.edges.values().collect::<Vec<_>>())?;
        fields.end()
    }
}

/// Returns `true` if a set of another KB is for the machines of this set.
fn is_for_same_machines(other: &PackageSet, set: &PackageSet) -> bool {
    let architecture =
        other.architecture.is_none() || set.architecture.is_none() || other.architecture == set.architecture;
    let family = other.families.is_empty()
        || set.families.is_empty()
        || other.families.iter().any(|family| set.families.iter().any(|own| own.id == family.id));
    architecture && family && other.is_main()
}
