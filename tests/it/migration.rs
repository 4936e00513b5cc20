//! Mirrors written by version 0.1: read without changes, and migrated by the first command that writes.

use camino::{Utf8Path, Utf8PathBuf};

use super::harness::{Bench, copy_folder, items};

fn fixture(name: &str) -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v0.1").join(name)
}

/// Returns a bench with a copy of a mirror of version 0.1.
fn mirror_of_0_1(name: &str) -> Bench {
    let bench = Bench::new();
    copy_folder(&fixture(name), &bench.mirror());
    bench
}

fn schema(bench: &Bench) -> String {
    bench.rows("SELECT user_version FROM pragma_user_version").remove(0).remove(0)
}

#[test]
fn mirrors_of_0_1_are_readable_and_migrated_on_first_write() {
    for name in ["connected", "isolated"] {
        let bench = mirror_of_0_1(name);
        assert_eq!(schema(&bench), "3");
        // Commands that only read do not change the index, and `verify` reports no damage.
        for read in [&["list"][..], &["show", "KB5086672"], &["resolve", "KB5086672", "--arch", "arm64"]] {
            bench.json(read).exits(0);
        }
        let report = bench.json(&["verify"]).exits(0).json();
        assert_eq!(items(&report["findings"]).len(), 0, "{name}");
        assert_eq!(schema(&bench), "3", "a verification without findings must not write rows");

        let updates = bench.rows("SELECT update_id, title FROM v_updates ORDER BY 1");
        let sets = bench.rows(
            "SELECT kb, folder, place, role, name, sha256, present, state FROM v_sets ORDER BY 1, 2, 3",
        );
        assert!(!updates.is_empty() && sets.iter().all(|row| row[6] == "1"));
        let stick = bench.path("stick");
        copy_folder(&fixture("stick"), &stick);
        let root_key = fixture("connected/keys/root.pub");
        bench.run(&["keys", "trust", root_key.as_str()]).exits(0);
        bench.json(&["import", stick.as_str()]).exits(0);
        assert_eq!(schema(&bench), "4");
        assert_eq!(bench.rows("SELECT * FROM damage"), Vec::<Vec<String>>::new());
        assert_eq!(bench.rows("SELECT update_id, title FROM v_updates ORDER BY 1"), updates);
        let migrated = bench.rows(
            "SELECT kb, folder, place, role, name, sha256, present, state FROM v_sets ORDER BY 1, 2, 3",
        );
        assert_eq!(migrated, sets);
        bench.json(&["verify", "--deep"]).exits(0);
    }
}
