//! The job of a script as a value: the machine that it is for, and the files in the order of installation. The texts that both
//! forms of a script share are made here.

use super::batch::{path, words};
use crate::servicing::Installation;
use crate::update::{Architecture, Kb};

/// How the machines of a family take a package while they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// DISM takes the `.msu`: Windows 10, Server 2016, and later.
    Dism,
    /// `wusa.exe`: Windows 8.1, Server 2012 R2, and before, whose DISM takes an `.msu` for images only.
    Wusa,
    /// The cabinet inside the `.msu`, by DISM: where wusa may not run, as in a remote session.
    Expand,
}

/// What is serviced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// The running machine, in two phases: install, and check after the restart.
    Online,
    /// A mounted `install.wim`, by DISM whatever the method of the family.
    Image,
}

/// One file of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The KB in its name.
    pub kb: Option<Kb>,
    /// What it is, for people: "servicing stack", "checkpoint", "target".
    pub role: String,
    /// Where it is, seen from the script's folder, with backslashes; may begin with `..\`.
    pub path: String,
    /// A machine at this revision or above does without it.
    pub needed_below: Option<u32>,
    /// The revision that it brings: a machine there has it.
    pub brings: Option<u32>,
    /// Whether a restart must come before the next stage.
    pub restart_after: bool,
    /// A file beside the target that DISM takes up by itself where it is needed, as a checkpoint: it must be there, and gets
    /// no call of its own.
    pub in_folder_of_target: bool,
    /// "Not applicable" is no failure: something newer may have replaced it, or it is one of several for different
    /// versions of .NET.
    pub may_not_apply: bool,
}

/// What a script is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The KB asked for.
    pub kb: Kb,
    /// The products as titles name them.
    pub product: String,
    /// The family, for people: "Windows 11 24H2, 25H2, 26H2".
    pub family: String,
    /// The architecture; `None` is not checked.
    pub architecture: Option<Architecture>,
    /// The builds that a machine of the family may state (`CurrentBuild`); where there are none they are not checked.
    pub builds: Vec<u32>,
    /// Client or server; `None` is not checked.
    pub installation: Option<Installation>,
    /// How the family's machines take a package.
    pub method: Method,
    /// What is serviced.
    pub form: Form,
    /// The revision after the last stage and the restart. Without one the script looks for the KB in the machine's own
    /// lists, which do not name every kind of package.
    pub expected_revision: Option<u32>,
    /// Editions (`EditionID`) that do not take the packages.
    pub editions_excluded: Vec<String>,
    /// The files, in the order of installation.
    pub stages: Vec<Stage>,
    /// Names of all files that may lie in the folder of the last stage, for families whose DISM takes up what lies
    /// there: anything else is refused. Empty: not checked.
    pub folder_files: Vec<String>,
    /// The bytes of all files; half of what must be free.
    pub total_bytes: Option<u64>,
    /// The date of the knowledge, and how fresh the facts are where the script is made on a known day.
    pub knowledge_date: String,
    /// The files are stand-ins: the script explains itself and installs nothing.
    pub is_demo: bool,
}

impl Job {
    /// "Windows 11 24H2, 25H2, 26H2, arm64".
    pub(super) fn subject(&self) -> String {
        let architecture = self.architecture.map(|of_job| format!(", {of_job}")).unwrap_or_default();
        format!("{}{architecture}", words(&self.family))
    }

    /// Stages that get a call of their own.
    pub(super) fn calls(&self) -> impl Iterator<Item = &Stage> {
        self.stages.iter().filter(|stage| !stage.in_folder_of_target)
    }

    /// One line per file that must be there.
    pub(super) fn file_checks(&self) -> String {
        let check = |stage: &Stage| {
            let path = path(&stage.path);
            format!("if not exist \"%HERE%{path}\" echo Missing: \"%HERE%{path}\"& set \"MISSING=1\"")
        };
        self.stages.iter().map(check).collect::<Vec<_>>().join("\n")
    }

    /// DISM takes up whatever lies in the folder of its target, so nothing else may lie there.
    ///
    /// A name that is found there is shown by the loop's own variable, which `cmd.exe` puts in after it has read the line. A name
    /// in a variable of the environment would be put in before: with a quotation mark, which NTFS takes from other systems, it would be
    /// a command. Without `eol=/` a name that begins with a semicolon would be passed over.
    pub(super) fn foreign_check(&self) -> String {
        /// As many names as fit into one line of a batch file.
        const MOST: usize = 30;
        let Some(folder) = self.target_folder() else { return String::new() };
        if self.folder_files.is_empty() || self.folder_files.len() > MOST {
            return String::new();
        }
        let known: Vec<String> =
            self.folder_files.iter().map(|name| format!("if /i not \"%%F\"==\"{}\"", path(name))).collect();
        let known = known.join(" ");
        format!(
            "set \"FOREIGN=\"\n\
             for /f \"eol=/ delims=\" %%F in ('dir /b /a-d \"%HERE%{folder}*.msu\" \"%HERE%{folder}*.cab\" 2^>nul') \
             do ({known} (echo Not of the set: \"%%F\"& set \"FOREIGN=1\"))\n\
             for /f \"eol=/ delims=\" %%D in ('dir /b /ad \"%HERE%{folder}\" 2^>nul') \
             do (echo Not of the set: \"%%D\\\"& set \"FOREIGN=1\")\n\
             if defined FOREIGN goto foreign"
        )
    }

    pub(super) fn foreign_label(&self) -> String {
        if self.foreign_check().is_empty() {
            return String::new();
        }
        let folder = self.target_folder().unwrap_or_default();
        format!(
            ":foreign\n\
             echo The folder of the set holds something that is not of it: see above.\n\
             echo DISM would take that up as well, so nothing was changed. Move it out of \"%HERE%{folder}\"\n\
             exit /b 17\n"
        )
    }

    /// The folder of the last file with its closing backslash; `None` when it lies beside the script.
    pub(super) fn target_folder(&self) -> Option<String> {
        let target = self.calls().last()?;
        let (folder, _) = target.path.rsplit_once('\\')?;
        Some(format!("{}\\", path(folder)))
    }

    /// What a failure leaves of the other steps.
    pub(super) fn rest_of_steps(&self) -> &'static str {
        if self.calls().count() > 1 {
            " What came before it stays; what comes after it was not begun."
        } else {
            ""
        }
    }

    pub(super) fn demo_refusal(&self) -> String {
        if !self.is_demo {
            return String::new();
        }
        "echo DEMO: the files of this set are small stand-ins from a demonstration, not Microsoft's packages.\n\
         echo Nothing was changed, and nothing here can be installed. The lines below show what a real set would do.\n\
         exit /b 18\n"
            .to_owned()
    }

    /// The opening comment: what for, which files, which exit codes.
    pub(super) fn header(
        &self,
        what: &str,
        usage: &[&str],
        codes: &[(&str, &str)],
        not_checked: &[String],
    ) -> String {
        let mut lines = vec![format!("kbmirror: {} for {what}.", self.kb)];
        if self.is_demo {
            lines.push("DEMO: the files are stand-ins; this script refuses to install them.".to_owned());
        }
        lines.push(String::new());
        let builds: Vec<String> = self.builds.iter().map(ToString::to_string).collect();
        let mut of = vec![self.subject()];
        if !builds.is_empty() {
            of.push(format!("build {}", builds.join(" or ")));
        }
        of.extend(self.installation.map(|installation| installation.as_str().to_owned()));
        lines.push(format!("For:       {}", of.join("; ")));
        if !self.product.is_empty() {
            lines.push(format!("Products:  {}", words(&self.product)));
        }
        if let Some(revision) = self.expected_revision {
            lines.push(format!("Brings:    revision {revision} (the number after the dot in winver)"));
        }
        lines.push(format!("Knowledge: {}", words(&self.knowledge_date)));
        lines.extend([String::new(), "Files, in the order of installation:".to_owned()]);
        for (number, stage) in (1_usize..).zip(&self.stages) {
            let needed = stage.needed_below.map(|below| format!("; needed below revision {below}"));
            let restart = if stage.restart_after { "; then a restart" } else { "" };
            let alone = if stage.in_folder_of_target { "; DISM takes it by itself" } else { "" };
            let needed = needed.unwrap_or_default();
            lines.push(format!("  {number}. {}{needed}{alone}{restart}", stage.what()));
            lines.push(format!("     {}", path(&stage.path)));
        }
        lines.push(String::new());
        lines.extend(usage.iter().map(|&line| line.to_owned()));
        if !not_checked.is_empty() {
            lines.extend([String::new(), "Not checked:".to_owned()]);
            lines.extend(not_checked.iter().map(|what| format!("  {what}")));
        }
        lines.extend([String::new(), "Exit codes:".to_owned()]);
        lines.extend(codes.iter().map(|(code, meaning)| format!("  {code:<5} {meaning}")));
        lines.iter().map(|line| format!("rem {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }
}

impl Stage {
    /// "servicing stack KB5088064".
    pub(super) fn what(&self) -> String {
        let kb = self.kb.map(|kb| format!(" {kb}")).unwrap_or_default();
        format!("{}{kb}", words(&self.role))
    }

    /// The revision from which on a machine does without it.
    pub(super) fn unneeded_from(&self) -> Option<u32> {
        [self.needed_below, self.brings].into_iter().flatten().min()
    }
}
