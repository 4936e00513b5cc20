//! The program itself, ended at any moment: what has a final name is right, and what was here is not fetched again.

use super::super::harness::Bench;
use super::super::support::{Killing, Restart};

#[test]
fn a_fetch_that_is_killed_goes_on_where_it_was() {
    // Small enough to be done in seconds. `benches/kill_and_resume.rs` is the same with 8 files of 32 MiB and 200 kills.
    const MIB: usize = 1024 * 1024;
    let killing = Killing {
        files: 8,
        bytes: 4 * MIB,
        kills: 12,
        // By connection, of which there are four.
        bytes_a_second: 2 * MIB as u64,
        seed: 6,
    };
    let bench = Bench::new();
    let found = killing.run(&bench.mirror());
    assert!(found.killed_at_work >= 8, "{found:?}");
    for restart in &found.restarts {
        let Restart { killed_at, wrong, finished, finished_served, most_again, .. } = restart;
        assert_eq!(*wrong, Vec::<String>::new(), "{restart:?}");
        assert_eq!(*finished_served, 0, "of {finished} files, after {killed_at}: {restart:?}");
        assert!(*most_again <= MIB as u64, "{restart:?}");
    }
    assert!(found.all_published, "{found:?}");
}
