//! The checks of a target before the first write: write access, the largest file, free space, and file names. Files
//! that are created for a check are removed.

use super::found::PROBE;
use super::planned::TargetPlan;
use crate::disk;
use crate::documents::ExportSpace;
use crate::error::{Error, ErrorKind, Result};
use crate::update::human_size;

/// The largest file on FAT32: one byte less than 4 GiB. Every file system of media supports files up to this size.
const SMALL_LIMIT: u64 = u32::MAX as u64;

/// The space for pages, tables, and the backup of the earlier description. Measured: about 2 MB.
const TABLES: u64 = 4 << 20;

impl TargetPlan<'_> {
    /// Checks the target. Returns `true` if obsolete files must be removed before new ones are written.
    pub(super) fn preflight(&self) -> Result<bool> {
        /// Every character that the name policy allows, except for letters and digits.
        const LETTERS: &str = "_()+,=@ -";
        self.target.expect_writable()?;
        self.refuse_too_large()?;
        let space = self.space()?;
        self.expect_space(space)?;
        // The maximum length of file names of sets.
        let zeros = "0".repeat(120 - PROBE.len() - LETTERS.len() - 4);
        self.target.try_name(&format!("{PROBE}{LETTERS}{zeros}.msu"))?;
        Ok(space.free < space.needed)
    }

    /// Returns the space that the export needs and the space that is available.
    pub(super) fn space(&self) -> Result<ExportSpace> {
        let mut absent = 0_u64;
        for (path, file) in &self.plan.payload {
            let is_signed = self.earlier_digest(path).is_none_or(|signed| signed == file.sha256);
            if !(is_signed && self.is_there(path, file.size)) {
                absent += file.size;
            }
        }
        let scripts: u64 = self.plan.scripts.values().map(|script| script.len() as u64).sum();
        let mut tools = 0;
        for from in self.plan.tools.values() {
            tools += disk::file_size(from)?.unwrap_or_default();
        }
        Ok(ExportSpace {
            needed: disk::with_overhead(absent) + TABLES + scripts + tools,
            free: self.target.free_space()?,
            obsolete: self.obsolete.values().sum(),
        })
    }

    /// Refuses an export that does not fit on the target.
    pub(super) fn expect_space(&self, space: ExportSpace) -> Result<()> {
        let free = space.free.saturating_add(space.obsolete);
        if free >= space.needed {
            return Ok(());
        }
        let mut error = Error::new(
            ErrorKind::NoSpace,
            format!(
                "{} has {} free, and {} are needed",
                self.target.root(),
                human_size(free),
                human_size(space.needed)
            ),
        );
        let kept: u64 = self.plan.sets.iter().filter(|set| !set.is_selected).map(|set| set.bytes).sum();
        if kept > 0 {
            error = error.hint(format!(
                "use --prune to remove the package sets that were not selected: {} on the medium",
                human_size(kept)
            ));
        }
        Err(error
            .hint("choose fewer KBs or one architecture (--arch), or a larger medium; nothing was written"))
    }

    /// Refuses a file that is too large for the file system, whatever the free space.
    fn refuse_too_large(&self) -> Result<()> {
        let largest = self.plan.payload.iter().max_by_key(|(path, file)| (file.size, *path));
        if let Some((path, file)) = largest.filter(|(_, file)| file.size > SMALL_LIMIT)
            && !self.target.supports_file_size(file.size)?
        {
            return Err(Error::new(
                ErrorKind::NoSpace,
                format!(
                    "{path} has {}, and the file system of {} does not support files of that size",
                    human_size(file.size),
                    self.target.root()
                ),
            )
            .hint(
                "format the medium as exFAT or NTFS: FAT32 is limited to 4 GiB per file; nothing was written",
            ));
        }
        Ok(())
    }
}
