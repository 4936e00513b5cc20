//! Scripts for the machines behind the gap, as text: one that installs a package set, and one that writes down what
//! a machine is.
//!
//! An install script lies beside the set's folder and runs with nothing but `cmd.exe`, from Windows 7 on, under any
//! drive letter or share. It promises: nothing is changed before every check has passed; a step that the machine has
//! is skipped; a failure stops the rest and is explained; it may be run again at any time. Where a restart is due it
//! says so and ends, and the next run goes on from what the machine then is, because a build changes only with the
//! restart and an exit code of 0 is no proof. `Add-WindowsPackage` is never used: it hands newer packages to the
//! update agent, which a locked-down machine may not start. Nothing is ever made permanent.
//!
//! Pure: from a [`Job`] to text, with CR LF at the end of every line. The texts are templates beside this module, which
//! a Windows administrator could read and mend; what comes from titles and file names is made harmless first
//! (`batch`). Nothing fails here: what a script cannot check on a machine it says in its opening lines.

mod advice;
mod batch;
mod image;
mod job;
mod model;
mod online;
#[cfg(test)]
mod tests;

pub use job::{Places, job};
pub use model::{Form, Job, Method, Stage};

/// The install script of a job.
pub fn install_script(job: &Job) -> String {
    match job.form {
        Form::Online => online::script(job),
        Form::Image => image::script(job),
    }
}

/// `collect.cmd`, which writes what a machine is into a file for [`crate::resolve::host::parse`].
pub fn collect_script() -> String {
    batch::fill(include_str!("collect.cmd"), &[])
}
