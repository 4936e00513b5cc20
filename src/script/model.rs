//! The job of a script as a value: the target machine, and the files in the order of installation. The text blocks that
//! both script forms share are also here.

use super::batch::{path, sentence, words};
use crate::resolve::Place;
use crate::servicing::Installation;
use crate::update::{Architecture, Kb};

/// The tool that installs packages on a running machine of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstallTool {
    /// DISM accepts the `.msu`: Windows 10, Server 2016, and later.
    Dism,
    /// `wusa.exe`: Windows 8.1, Server 2012 R2, and earlier, whose DISM accepts an `.msu` for images only.
    Wusa,
    /// DISM with the cabinet from inside the `.msu`, if wusa cannot run, as in a remote session.
    Expand,
}

/// The target of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScriptTarget {
    /// The running machine, in two phases: installation, and a check after the restart.
    Online,
    /// A mounted `install.wim`. The script uses DISM, whatever the method of the family.
    Image,
    /// A mounted `boot.wim`.
    Winpe,
    /// A mounted `winre.wim`.
    Winre,
}

impl ScriptTarget {
    /// Returns the target of the scripts for a place, or `None` for a place on which no script installs packages.
    pub fn of_place(place: Place) -> Option<Self> {
        match place {
            Place::Online => Some(Self::Online),
            Place::Image => Some(Self::Image),
            Place::Winpe => Some(Self::Winpe),
            Place::Winre => Some(Self::Winre),
            Place::Media | Place::Mirror => None,
        }
    }

    /// Returns the name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "a running machine",
            Self::Image => "install.wim",
            Self::Winpe => "boot.wim",
            Self::Winre => "winre.wim",
        }
    }
}

/// A file of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptStage {
    /// The KB in the file name.
    pub kb: Option<Kb>,
    /// The role for people: "servicing stack", "checkpoint", "target".
    pub role: String,
    /// The path relative to the script, with backslashes; may begin with `..\`.
    pub path: String,
    /// The revision from which on a machine does not need the file.
    pub needed_below: Option<u32>,
    /// The revision after installation; a machine at this revision has the file installed.
    pub brings: Option<u32>,
    /// `true` if a restart must precede the next stage.
    pub restart_after: bool,
    /// `true` for a file beside the target that DISM installs by itself if needed, such as a checkpoint. The file must
    /// exist, and the script does not install it separately.
    pub in_folder_of_target: bool,
    /// `true` if "not applicable" is not a failure: a newer package may have replaced the file, or it is one of several
    /// for different versions of .NET.
    pub may_not_apply: bool,
}

/// The input of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptJob {
    /// The requested KB.
    pub kb: Kb,
    /// The product names in titles.
    pub product: String,
    /// The family name for people: "Windows 11 24H2, 25H2, 26H2".
    pub family: String,
    /// The architecture; `None` disables the check.
    pub architecture: Option<Architecture>,
    /// The builds that a machine of the family may report (`CurrentBuild`); an empty list disables the check.
    pub builds: Vec<u32>,
    /// Client or server; `None` disables the check.
    pub installation: Option<Installation>,
    /// The tool that installs packages on machines of the family.
    pub method: InstallTool,
    /// The target of the script.
    pub form: ScriptTarget,
    /// The revision after the last stage and the restart. Without it, the script looks for the KB in the machine's
    /// package lists, which do not contain every kind of package.
    pub expected_revision: Option<u32>,
    /// The editions (`EditionID`) to which the packages do not apply.
    pub editions_excluded: Vec<String>,
    /// The files, in the order of installation.
    pub stages: Vec<ScriptStage>,
    /// The names of all files allowed in the folder of the last stage, for families whose DISM installs the files
    /// beside the target. Other files are refused. An empty list disables the check.
    pub folder_files: Vec<String>,
    /// The needs of the place beside the packages, as sentences.
    pub notes: Vec<String>,
    /// The total number of bytes; the script requires twice as many free bytes.
    pub total_bytes: Option<u64>,
    /// The date of the knowledge, with the freshness of the facts if the day of the script is known.
    pub knowledge_date: String,
    /// `true` if the files are stand-ins: the script explains itself and installs nothing.
    pub is_demo: bool,
}

impl ScriptJob {
    /// Returns the target: "Windows 11 24H2, 25H2, 26H2, arm64".
    pub(super) fn subject(&self) -> String {
        let architecture = self.architecture.map(|of_job| format!(", {of_job}")).unwrap_or_default();
        format!("{}{architecture}", words(&self.family))
    }

    /// Returns the stages that the script installs separately.
    pub(super) fn calls(&self) -> impl Iterator<Item = &ScriptStage> {
        self.stages.iter().filter(|stage| !stage.in_folder_of_target)
    }

    /// Returns one check per required file.
    pub(super) fn file_checks(&self) -> String {
        let check = |stage: &ScriptStage| {
            let path = path(&stage.path);
            format!("if not exist \"%HERE%{path}\" echo Missing: \"%HERE%{path}\"& set \"MISSING=1\"")
        };
        self.stages.iter().map(check).collect::<Vec<_>>().join("\n")
    }

    /// Returns the check for foreign files beside the target, because DISM installs every package in that folder.
    ///
    /// The loop variable shows a found name, and `cmd.exe` expands this variable after it has parsed the line. A name
    /// in an environment variable would be expanded before parsing. A name with a quotation mark, which NTFS accepts
    /// from other systems, would then run as a command. Without `eol=/`, the loop would skip a name that begins with a
    /// semicolon.
    pub(super) fn foreign_check(&self) -> String {
        /// The maximum number of names that fit into one line of a batch file.
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
             do ({known} (echo Foreign file: \"%%F\"& set \"FOREIGN=1\"))\n\
             for /f \"eol=/ delims=\" %%D in ('dir /b /ad \"%HERE%{folder}\" 2^>nul') \
             do (echo Foreign folder: \"%%D\\\"& set \"FOREIGN=1\")\n\
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
             echo The folder of the set contains foreign files: see above.\n\
             echo DISM would install them, too. Nothing was changed. Move them out of \"%HERE%{folder}\"\n\
             exit /b 17\n"
        )
    }

    /// Returns the folder of the last file with its final backslash, or `None` if the file is beside the script.
    pub(super) fn target_folder(&self) -> Option<String> {
        let target = self.calls().last()?;
        let (folder, _) = target.path.rsplit_once('\\')?;
        Some(format!("{}\\", path(folder)))
    }

    /// Returns the state of the other steps after a failure, as a sentence.
    pub(super) fn rest_of_steps(&self) -> &'static str {
        if self.calls().count() > 1 {
            " Earlier steps stay installed; later steps were not started."
        } else {
            ""
        }
    }

    pub(super) fn demo_refusal(&self) -> String {
        if !self.is_demo {
            return String::new();
        }
        "echo DEMO: the files of this set are small stand-ins from a demonstration, not Microsoft's packages.\n\
         echo Nothing was changed, and nothing can be installed. The lines below show the steps of a real set.\n\
         exit /b 18\n"
            .to_owned()
    }

    /// Returns the header comment: target, files, and exit codes.
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
            let alone = if stage.in_folder_of_target { "; DISM installs it if needed" } else { "" };
            let needed = needed.unwrap_or_default();
            lines.push(format!("  {number}. {}{needed}{alone}{restart}", stage.title()));
            lines.push(format!("     {}", path(&stage.path)));
        }
        lines.push(String::new());
        lines.extend(usage.iter().map(|&line| line.to_owned()));
        if !not_checked.is_empty() {
            lines.extend([String::new(), "Not checked:".to_owned()]);
            lines.extend(not_checked.iter().map(|what| format!("  {what}")));
        }
        if !self.notes.is_empty() {
            lines.extend([String::new(), "Also needed:".to_owned()]);
            lines.extend(self.notes.iter().map(|note| format!("  {}", sentence(note))));
        }
        lines.extend([String::new(), "Exit codes:".to_owned()]);
        lines.extend(codes.iter().map(|(code, meaning)| format!("  {code:<5} {meaning}")));
        lines.iter().map(|line| format!("rem {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }
}

impl ScriptStage {
    /// Returns role and KB: "servicing stack KB5088064".
    pub(super) fn title(&self) -> String {
        let kb = self.kb.map(|kb| format!(" {kb}")).unwrap_or_default();
        format!("{}{kb}", words(&self.role))
    }

    /// Returns the revision from which on a machine does not need the file, or `None` if every machine needs it.
    pub(super) fn unneeded_from(&self) -> Option<u32> {
        [self.needed_below, self.brings].into_iter().flatten().min()
    }
}
