//! Reads a mirror through the library. Prints the published sets, and the number of their files in the pool.
//!
//! `cargo run --example read_mirror -- ./mirror`
#![expect(clippy::print_stdout, reason = "an example prints its result")]
#![expect(clippy::disallowed_methods, reason = "an example reads its arguments")]

use kbmirror::{Layout, Mirror, Result};

fn main() -> Result<()> {
    let root = std::env::args().nth(1).unwrap_or_else(|| "./mirror".to_owned());
    let mirror = Mirror::open(Layout::new(root.into(), None))?;

    for set in mirror.index().sets(None)? {
        let present = set.members.iter().filter(|member| member.file.present).count();
        println!("{} {}: {present} of {} files", set.kb, set.folder, set.members.len());
        for member in &set.members {
            println!("    {} ({})", member.file.name, member.role);
        }
    }
    Ok(())
}
