//! The checks of a target before the first byte: that it can be written, the largest file, room, and names. What is
//! tried for that goes away at once.

use camino::Utf8Path;

use super::copy::on_medium;
use super::found::PROBE;
use super::plan::ExportPlan;
use super::target::Target;
use crate::disk;
use crate::documents::Room;
use crate::error::{Error, ErrorKind, Result};
use crate::update::human_size;

/// FAT32 takes a byte less than 4 GiB; below that every file system of media does.
const SMALL_LIMIT: u64 = u32::MAX as u64;

/// The room for pages, tables, and the copy of the earlier description, beside listing and manifest: some 2 MB were measured.
const TABLES: u64 = 4 << 20;

/// Returns `true` if an export fits only after obsolete files are removed.
fn needs_obsolete(room: Room) -> bool {
    room.free < room.needed
}

fn is_enough(room: Room) -> bool {
    room.free.saturating_add(room.obsolete) >= room.needed
}

impl<'a> Target<'a> {
    /// Checks everything beforehand.
    pub(super) fn preflight(&mut self, plan: &ExportPlan) -> Result<()> {
        let there = self.existing();
        disk::check_writable(there).map_err(|error| {
            error.with_kind(ErrorKind::Medium).hint("the medium is read-only or not yours to write")
        })?;
        self.refuse_too_large(plan, there)?;
        let room = self.room(plan)?;
        self.expect_room(room, plan)?;
        self.removes_first = needs_obsolete(room);
        self.probe_names(there)
    }

    /// Returns the folder that is there: the medium, or the one in which it will be made.
    fn existing(&self) -> &'a Utf8Path {
        if disk::exists(self.root) { self.root } else { disk::parent(self.root) }
    }

    /// Returns the room that the export needs and finds.
    pub(super) fn room(&self, plan: &ExportPlan) -> Result<Room> {
        let mut absent = 0_u64;
        for (path, file) in &plan.payload {
            let signed = self.found.earlier.as_ref().and_then(|earlier| earlier.manifest.get(path));
            let is_there = self.found.present.get(path) == Some(&file.size)
                && signed.is_none_or(|signed| *signed == file.sha256);
            if !is_there {
                absent += file.size;
            }
        }
        let scripts: u64 = plan.scripts.values().map(|script| script.len() as u64).sum();
        let mut tools = 0;
        for from in plan.tools.values() {
            tools += disk::file_size(from)?.unwrap_or_default();
        }
        Ok(Room {
            needed: disk::with_overhead(absent) + TABLES + scripts + tools,
            free: disk::available_space(self.existing())?,
            obsolete: self.obsolete.values().sum(),
        })
    }

    /// Refuses an export that does not fit.
    pub(super) fn expect_room(&self, room: Room, plan: &ExportPlan) -> Result<()> {
        if is_enough(room) {
            return Ok(());
        }
        let free = room.free.saturating_add(room.obsolete);
        let mut error = Error::new(
            ErrorKind::NoSpace,
            format!(
                "{} has {} free, and {} are needed",
                self.root,
                human_size(free),
                human_size(room.needed)
            ),
        );
        let kept: u64 = plan.sets.iter().filter(|set| !set.is_selected).map(|set| set.bytes).sum();
        if kept > 0 {
            error = error.hint(format!(
                "--prune removes package sets that were not selected: {} of other sets are on the medium",
                human_size(kept)
            ));
        }
        Err(error
            .hint("choose fewer KBs or one architecture (--arch), or a larger medium; nothing was written"))
    }

    /// Refuses a file that the file system cannot take, whatever room there is.
    fn refuse_too_large(&self, plan: &ExportPlan, there: &Utf8Path) -> Result<()> {
        let largest = plan.payload.iter().max_by_key(|(path, file)| (file.size, *path));
        if let Some((path, file)) = largest.filter(|(_, file)| file.size > SMALL_LIMIT)
            && !disk::takes_file_of(there, file.size)?
        {
            return Err(Error::new(
                ErrorKind::NoSpace,
                format!(
                    "{path} has {}, and the file system of {} takes no file of that size",
                    human_size(file.size),
                    self.root
                ),
            )
            .hint("FAT32 ends at 4 GiB a file: format the medium as exFAT or NTFS; nothing was written"));
        }
        Ok(())
    }

    /// Tries a file name with all letters that sets have, in their greatest length.
    fn probe_names(&self, folder: &Utf8Path) -> Result<()> {
        /// Every letter that the name policy allows besides letters and digits.
        const LETTERS: &str = "_()+,=@ -";
        let name = format!("{PROBE}{LETTERS}{}.msu", "0".repeat(120 - PROBE.len() - LETTERS.len() - 4));
        let path = folder.join(name);
        disk::write_atomic(&path, b"probe").map_err(|error| {
            on_medium(error, &path).context(format!("{} does not take the names of package files", self.root))
        })?;
        disk::remove_file(&path)
    }
}
