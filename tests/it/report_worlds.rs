//! Public reports of operators. Each has a Catalog (`world.json`) in `../shared/reports`, which is served from loopback.
//! The real program crawls or fetches it, and the plan on the closed side must be right.
#![expect(clippy::print_stdout, reason = "the new outputs are for people to judge")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

mod old_windows;
mod programs;
mod reissues;

use std::path::Path;

use data_encoding::{BASE64, HEXLOWER};
use kbmirror::update::classify;
use serde_json::Value;

use super::harness::{Bench, RunOutput, field_texts, items, sha1_hex, text_of};
use super::support::{FileSpec, Loopback, StatedDigest, UpdateSpec, World, id};

/// Returns the Catalog of a report, or `None` if the reports are not beside the project.
fn world_of(report: &str) -> Option<World> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reports").join(report).join("world.json");
    #[expect(clippy::disallowed_methods, reason = "the reports are read in place, outside of the project")]
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: ../shared/reports/{report}/world.json is missing");
        return None;
    };
    let world: Value = serde_json::from_str(&text).unwrap();
    Some(items(&world["updates"]).iter().fold(World::new(), |world, update| {
        let files = items(&update["files"]).iter().map(file_of).collect();
        world.update(UpdateSpec {
            products: text_of(&update["products"]),
            classification: text_of(&update["classification"]),
            last_updated: text_of(&update["date"]),
            ..entry(&text_of(&update["update_id"]), &text_of(&update["title"]), files)
        })
    }))
}

/// Returns an entry with the KB of its title.
fn entry(id: &str, title: &str, files: Vec<FileSpec>) -> UpdateSpec {
    let kb = classify(title, "", None).kb.map(|kb| kb.number().to_string());
    UpdateSpec { files, kbs: kb.into_iter().collect(), ..UpdateSpec::new(id, title) }
}

/// Returns a file: with a seed it has bytes, otherwise only a name with its digest.
fn file_of(file: &Value) -> FileSpec {
    let name = text_of(&file["name"]);
    let Some(seed) = file["seed"].as_str() else { return listed(&name, &text_of(&file["sha1"])) };
    let mut bytes = format!("{}{seed}", text_of(&file["magic"])).into_bytes();
    bytes.resize(usize::try_from(file["size"].as_u64().unwrap()).unwrap(), 0);
    FileSpec { name: name.replace("{sha1}", &sha1_hex(&bytes)), bytes, ..FileSpec::default() }
}

/// Returns a file without bytes, whose digest the dialog states.
fn listed(name: &str, sha1: &str) -> FileSpec {
    FileSpec {
        name: name.to_owned(),
        sha1_stated: StatedDigest::Text(BASE64.encode(&HEXLOWER.decode(sha1.as_bytes()).unwrap())),
        sha256_stated: StatedDigest::Empty,
        ..FileSpec::default()
    }
}

/// Returns a file with bytes of its own, named after its stem.
fn program(stem: &str, seed: &str) -> FileSpec {
    FileSpec::package(stem, "exe", format!("MZ{stem}{seed}").into_bytes())
}

/// A mirror that was crawled or fetched from a Catalog. The Catalog is stopped, so answers rest on the mirror.
struct Closed {
    bench: Bench,
    connected: RunOutput,
}

impl Closed {
    /// Runs a command on the connected side.
    fn after(world: World, command: &[&str]) -> Self {
        let bench = Bench::new();
        let loopback = Loopback::start(world);
        let (url, host) = (loopback.catalog_url(), loopback.file_host());
        let connected =
            bench.json(&[&["--catalog-url", &url, "--allow-host", &host], command].concat()).exits(0);
        Self { bench, connected }
    }

    /// Returns the plan for a request, and prints its heading.
    fn plan(&self, request: &[&str]) -> Value {
        let command = [&["--offline", "resolve"], request].concat();
        let text = self.bench.run(&command);
        println!("$ kbmirror {}\n{}", command.join(" "), text.stdout);
        self.bench.json(&command).json()
    }

    /// Returns the status of a plan, and its roles and KBs in order.
    fn answer(&self, request: &[&str]) -> (String, Vec<String>) {
        let plan = self.plan(request);
        let step = |step: &Value| {
            let kb = step["kb"].as_str().unwrap_or("-");
            let order = step["order"].as_u64().map_or_else(|| "?".to_owned(), |order| order.to_string());
            format!("{order} {} {kb}", text_of(&step["role"]))
        };
        (text_of(&plan["status"]), items(&plan["steps"]).iter().map(step).collect())
    }

    fn status(&self, request: &[&str]) -> String {
        self.answer(request).0
    }
}
