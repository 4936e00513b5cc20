//! The program as a process, killed at any time: files under a final name are right, and received bytes are not
//! fetched again.

use super::super::harness::Bench;
use super::super::support::{KillTest, Restart};

#[test]
fn a_killed_fetch_is_resumed() {
    // The files are small enough for a test of seconds. `benches/kill_and_resume.rs` does the same with 8 files of 32
    // MiB and 200 kills.
    const MIB: usize = 1024 * 1024;
    let killing = KillTest {
        files: 8,
        bytes: 4 * MIB,
        kills: 12,
        // The rate applies to each of the four connections.
        bytes_a_second: 2 * MIB as u64,
        seed: 6,
    };
    let bench = Bench::new();
    let found = killing.run(&bench.mirror());
    assert!(found.kills_while_running >= 8, "{found:?}");
    for restart in &found.restarts {
        let Restart { killed_at, wrong, finished, finished_served, most_repeated, .. } = restart;
        assert_eq!(*wrong, Vec::<String>::new(), "{restart:?}");
        assert_eq!(*finished_served, 0, "of {finished} files, after {killed_at}: {restart:?}");
        assert!(*most_repeated <= MIB as u64, "{restart:?}");
    }
    assert!(found.all_published, "{found:?}");
}
