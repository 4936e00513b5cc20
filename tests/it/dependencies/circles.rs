//! Checks that the source files have no circular dependencies.
//!
//! A file depends on the file that defines a name it uses. `super::Name` is followed through the `use` lines of the
//! parent module to the child that defines the name. The `mod` lines of a module and its re-exports with `pub use` do
//! not count. Tests inside a file do not count either.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::sources;

type Module = Vec<String>;

/// The modules of the sources with their texts and re-exports.
struct Modules {
    texts: BTreeMap<Module, String>,
    /// The names that each module re-exports, with the module that defines each name.
    reexports: BTreeMap<Module, BTreeMap<String, Module>>,
}

fn module(words: &[&str]) -> Module {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Returns the paths of a use tree. `a::{b, c::{d, e}}` has three paths.
fn paths_of(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((before, rest)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap().trim().to_owned()];
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut parts, mut depth, mut part) = (Vec::new(), 0, String::new());
    for letter in inner.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(letter);
    }
    parts.push(part);
    let nonempty = parts.iter().filter(|part| !part.trim().is_empty());
    nonempty.flat_map(|part| paths_of(&format!("{before}{}", part.trim()))).collect()
}

/// Returns the paths of each `use` line of a text, with `true` if the line re-exports its names.
fn uses_of(text: &str) -> Vec<(bool, Vec<String>)> {
    let line = Regex::new(r"(?m)^[ \t]*(pub(?:\([^)]*\))? )?use ([^;]+);").unwrap();
    let spaces = Regex::new(r"\s+").unwrap();
    let found = line.captures_iter(text);
    found.map(|found| (found.get(1).is_some(), paths_of(&spaces.replace_all(&found[2], " ")))).collect()
}

fn without_uses(text: &str) -> String {
    Regex::new(r"(?m)^[ \t]*(?:pub(?:\([^)]*\))? )?use [^;]+;").unwrap().replace_all(text, "").into_owned()
}

impl Modules {
    fn new(sources: &BTreeMap<String, String>) -> Self {
        let tests = Regex::new(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*mod \w+ \{").unwrap();
        let mut texts = BTreeMap::new();
        for (name, text) in sources {
            let name = name.trim_end_matches(".rs").trim_end_matches("/mod");
            if name != "lib" && name != "main" {
                let own = tests.split(text).next().unwrap().to_owned();
                texts.insert(name.split('/').map(str::to_owned).collect(), own);
            }
        }
        let mut modules = Self { texts, reexports: BTreeMap::new() };
        for (own, text) in &modules.texts {
            let mut names = BTreeMap::new();
            for path in uses_of(text).into_iter().flat_map(|(_, paths)| paths) {
                let words: Vec<&str> = path.trim_start_matches("self::").split("::").collect();
                let child = [own.clone(), module(&words[..1])].concat();
                if words.len() > 1 && modules.texts.contains_key(&child) {
                    let definition = [own.clone(), module(&words[..words.len() - 1])].concat();
                    names.insert(words[words.len() - 1].to_owned(), definition);
                }
            }
            modules.reexports.insert(own.clone(), names);
        }
        modules
    }

    /// Returns the module that defines the target of a path.
    fn definition(&self, from: &[String], words: &[&str]) -> Module {
        let (mut own, mut words) = (from.to_vec(), words);
        while let Some((first, rest)) = words.split_first() {
            let child = [own.clone(), module(&[first])].concat();
            if self.texts.contains_key(&child) {
                (own, words) = (child, rest);
                continue;
            }
            let reexports = self.reexports.get(&own).and_then(|names| names.get(*first));
            let Some(definition) = reexports else { break };
            let mut definition = definition.clone();
            while !self.texts.contains_key(&definition) {
                definition.pop();
            }
            if definition == own {
                break;
            }
            own = definition;
        }
        own
    }

    /// Returns the modules of the same room that a module uses.
    fn used_by(&self, own: &Module, text: &str) -> BTreeSet<Module> {
        let is_parent = self.texts.keys().any(|other| other.len() == own.len() + 1 && other.starts_with(own));
        let mut paths: Vec<String> = Vec::new();
        for (is_reexport, found) in uses_of(text) {
            if !(is_reexport && is_parent) {
                paths.extend(found);
            }
        }
        let code = without_uses(text);
        let path = Regex::new(r"(^|[^:\w])(\w+(?:::\w+)+)").unwrap();
        paths.extend(path.captures_iter(&code).map(|found| found[2].to_owned()));
        let mut used = BTreeSet::new();
        for path in paths {
            let mut words: Vec<&str> = path.split("::").collect();
            let mut base = own.clone();
            match words[0] {
                "crate" => {
                    base.clear();
                    words.remove(0);
                }
                "super" | "self" => {
                    while words.first().is_some_and(|word| ["super", "self"].contains(word)) {
                        if words.remove(0) == "super" {
                            base.pop();
                        }
                    }
                }
                first if self.texts.contains_key(&[base.clone(), module(&[first])].concat()) => {}
                _ => continue,
            }
            let definition = self.definition(&base, &words);
            if definition != *own && definition.first() == own.first() && self.texts.contains_key(&definition)
            {
                used.insert(definition);
            }
        }
        used
    }
}

/// Returns the circles of a graph: the sorted groups of nodes that reach each other.
fn circles(edges: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<Vec<String>> {
    let reached = |from: &Module| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(node) = next.pop() {
            for to in edges.get(&node).into_iter().flatten() {
                if seen.insert(to.clone()) {
                    next.push(to.clone());
                }
            }
        }
        seen
    };
    let reach: BTreeMap<&Module, BTreeSet<Module>> = edges.keys().map(|node| (node, reached(node))).collect();
    let mut found = BTreeSet::new();
    for (node, reached) in &reach {
        if reached.contains(*node) {
            let group = reached.iter().filter(|other| reach[other].contains(*node));
            found.insert(group.map(|other| other.join("/")).collect::<Vec<String>>());
        }
    }
    found.into_iter().collect()
}

fn circles_of(sources: &BTreeMap<String, String>) -> Vec<Vec<String>> {
    let modules = Modules::new(sources);
    let used = |(own, text): (&Module, &String)| (own.clone(), modules.used_by(own, text));
    let edges: BTreeMap<Module, BTreeSet<Module>> = modules.texts.iter().map(used).collect();
    circles(&edges)
}

#[test]
fn source_files_have_no_circular_dependencies() {
    assert_eq!(circles_of(&sources()), Vec::<Vec<String>>::new());
}

#[test]
fn a_circular_dependency_is_found() {
    let of = |files: &[(&str, &str)]| {
        circles_of(&files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    };
    let circle = [vec!["a/one".to_owned(), "a/two".to_owned()]];
    let one = ("a/one.rs", "use super::two::Two;\npub struct One;");
    let root = ("a/mod.rs", "mod one;\nmod two;\npub use one::One;\npub use two::Two;");
    assert_eq!(of(&[root, one, ("a/two.rs", "pub struct Two;")]), Vec::<Vec<String>>::new());
    for two in
        ["use super::one::One;", "use super::One;", "use crate::a::{One};", "fn f() { super::one::g() }"]
    {
        assert_eq!(of(&[root, one, ("a/two.rs", two)]), circle, "{two}");
    }
    let parent = ("a/mod.rs", "mod one;\nuse self::one::One;\npub fn f() {}");
    let child = ("a/one.rs", "use super::f;\npub struct One;");
    assert_eq!(of(&[parent, child]), [vec!["a".to_owned(), "a/one".to_owned()]]);
    let tests = ("a/one.rs", "pub struct One;\n#[cfg(test)]\nmod tests {\n    use super::super::f;\n}");
    assert_eq!(of(&[parent, tests]), Vec::<Vec<String>>::new());
}
