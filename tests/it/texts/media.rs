//! The texts of keys, exports, media, and imports, and the pages that lie on a medium.

use camino::Utf8Path;
use scraper::{Html, Node};

use super::super::air_gap::KB;
use super::super::harness::{Bench, read_tree, text_of};
use super::{compare, fetched, fs, run, snap, snap_steps};

const EXPORT: [&str; 4] = ["export", KB, "--to", "@/stick"];

/// A mirror with keys and one KB.
fn connected() -> Bench {
    let bench = fetched(&[KB, "--arch", "arm64"]);
    run(&bench, None, &["keys", "init"]).exits(0);
    bench
}

/// The number of the current export key.
fn export_key(bench: &Bench) -> String {
    let keys = bench.json(&["keys", "list"]).exits(0).json();
    let keys = keys["keys"].as_array().unwrap().clone();
    text_of(&keys.iter().find(|key| key["role"] == "export").unwrap_or(&keys[0])["id"])
}

#[test]
fn keys() {
    snap_steps(
        "keys",
        || fetched(&[KB, "--arch", "arm64"]),
        &[
            &["keys", "show"],
            &["keys", "init"],
            &["keys", "init"],
            &["keys", "show"],
            &["keys", "list"],
            &["keys", "rotate"],
            &["keys", "move-root", "--to", "@"],
            &["keys", "list"],
            &["keys", "rotate"],
        ],
    );
    let bench = connected();
    let number = export_key(&bench);
    snap_steps("keys-distrust", Bench::in_short_folder, &[&["keys", "list"], &["keys", "distrust", &number]]);
}

#[test]
fn exports() {
    snap_steps(
        "export",
        connected,
        &[
            &["export", KB, "--to", "@/stick", "--dry-run"],
            &EXPORT,
            &EXPORT,
            &["export", "KB9999999", "--to", "@/stick"],
            &["check-medium", "@/stick", "--trust-on-first-use"],
            &["export", "--all", "--to", "@/stick", "--prune", "--dry-run"],
        ],
    );
}

/// The other side: a medium of a connected mirror, and a mirror that trusts its root key.
fn isolated() -> Bench {
    let connected = connected();
    run(&connected, None, &EXPORT).exits(0);
    let root = text_of(&connected.json(&["keys", "show"]).exits(0).json()["root"]);
    let isolated = Bench::in_short_folder();
    super::copy_folder(&connected.path("stick"), &isolated.path("stick"));
    run(&isolated, None, &["keys", "trust", &root]).exits(0);
    isolated
}

#[test]
fn imports() {
    snap_steps(
        "import",
        isolated,
        &[
            &["check-medium", "@/stick"],
            &["import", "@/stick"],
            &["import", "@/stick"],
            &["status"],
            &["list"],
            &["resolve", KB, "--arch", "x64"],
        ],
    );
}

/// The visible text of a page: one line for each block.
fn visible(page: &str) -> String {
    let page = Html::parse_document(page);
    let mut text = String::new();
    for node in page.tree.root().descendants() {
        match node.value() {
            Node::Text(words) => {
                let hidden = node.ancestors().any(|above| {
                    above
                        .value()
                        .as_element()
                        .is_some_and(|above| ["style", "script"].contains(&above.name()))
                });
                if !hidden {
                    text.push_str(&words.split_whitespace().collect::<Vec<_>>().join(" "));
                    text.push(' ');
                }
            }
            Node::Element(element)
                if ["p", "li", "tr", "h1", "h2", "h3", "div", "title", "pre"].contains(&element.name()) =>
            {
                text.push('\n');
            }
            _ => {}
        }
    }
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn texts_on_a_medium() {
    let bench = connected();
    run(&bench, None, &EXPORT).exits(0);
    let read = |path: &Utf8Path| fs::read_to_string(path).unwrap().replace('\r', "");
    let stick = bench.path("stick");
    compare("START-HERE.txt", &read(&stick.join("START-HERE.txt")));
    compare("index.html", &visible(&read(&stick.join("index.html"))));
    let names: Vec<String> = read_tree(&stick).into_keys().collect();
    for name in names.iter().filter(|name| ["verify.cmd", "verify.ps1"].iter().any(|end| name.ends_with(end)))
    {
        compare(&format!("medium-{}", name.replace('/', "-")), &read(&stick.join(name)));
    }
    compare("README.txt", &read(&bench.mirror().join("kb").join(KB).join("README.txt")));
    // No script or page was left out: new files of a medium need a snapshot.
    let is_text = |name: &&String| [".txt", ".html", ".cmd", ".ps1"].iter().any(|end| name.ends_with(end));
    let texts: Vec<&str> = names.iter().filter(is_text).map(String::as_str).collect();
    compare("medium-texts", &texts.join("\n"));
    snap("check-medium-untrusted", &bench_without_trust(&bench), &["check-medium", "@/stick"]);
}

/// A mirror that trusts no key, beside the same medium.
fn bench_without_trust(from: &Bench) -> Bench {
    let isolated = Bench::in_short_folder();
    super::copy_folder(&from.path("stick"), &isolated.path("stick"));
    isolated
}
