//! Scripts for the machines behind the air gap, as text: one installs a package set, the other records the identity of
//! a machine.
//!
//! An install script is for one place: a running machine, or a mounted `install.wim`, `boot.wim`, or `winre.wim`. Each
//! place takes other packages, so a script refuses the other places before it changes anything. A plan that cannot be
//! carried out by a script has a reason ([`NoScript`]).
//!
//! An install script is beside the set's folder and needs only `cmd.exe`, from Windows 7 on, under any drive letter or
//! share. Promises:
//!
//! - Nothing changes before all checks have passed.
//! - A step that is already installed is skipped.
//! - A failure stops the remaining steps and is explained.
//! - The script may run again at any time.
//!
//! If a restart is due, the script reports it and ends. The next run continues from the state of the machine. The build
//! changes only at the restart, and an exit code of 0 does not prove an installation. The script never uses
//! `Add-WindowsPackage`, because it passes newer packages to the update agent, which a locked-down machine may not
//! start. The script never makes packages permanent.
//!
//! Pure: from a [`ScriptJob`] to text, with CR LF at the end of every line. The texts are templates beside this module
//! that a Windows administrator can read and edit. Text from titles and file names is made harmless first (`batch`).
//! Nothing fails here: the first lines of a script list the facts that it cannot check.

mod advice;
mod batch;
mod image;
mod job;
mod model;
mod no_script;
mod online;
#[cfg(test)]
mod tests;

pub use job::{FileLocations, script_job};
pub use model::{InstallTool, ScriptJob, ScriptStage, ScriptTarget};
pub use no_script::NoScript;

/// Returns the install script of a job.
pub fn install_script(job: &ScriptJob) -> String {
    match job.form {
        ScriptTarget::Online => online::script(job),
        ScriptTarget::Image => image::script(job, &image::INSTALL_WIM),
        ScriptTarget::Winpe => image::script(job, &image::BOOT_WIM),
        ScriptTarget::Winre => image::script(job, &image::WINRE_WIM),
    }
}

/// Returns `collect.cmd`, which writes the identity of a machine into a file for [`crate::resolve::host::parse`].
pub fn collect_script() -> String {
    batch::fill(include_str!("collect.cmd"), &[])
}
