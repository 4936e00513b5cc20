//! The definition of the command line. Parsing, help, completions, and manual pages come from it.

#![expect(clippy::doc_markdown, reason = "these comments are the help texts, which show no markup")]

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;

use super::machine_args::{GoalArgs, InstallationArg, MachineArgs, PlaceArg};
use super::media_args::{CheckMediumArgs, ExportArgs, ImportArgs, KeysArgs};
use super::search_args::{SearchArgs, kind_parser};

use crate::net::{INTERACTIVE_RETRY_BUDGET, UNATTENDED_RETRY_BUDGET};
use crate::resolve::GenerationChoice;
use crate::update::{Architecture, Build, Kb, Kind, UpdateId};
use crate::update::{parse_age, parse_bytes};

/// Mirrors Windows updates from the Microsoft Update Catalog and resolves which files a KB needs, in which order, and
/// why.
#[derive(Debug, Parser)]
#[command(name = "kbmirror", version, max_term_width = 100)]
pub(super) struct Cli {
    /// The command.
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Query the Catalog for updates
    Search(SearchArgs),
    /// Record the updates and files of KBs in the index
    ///
    /// Records updates, files, and the graph. Downloads no package file.
    Crawl(CrawlArgs),
    /// Download, check, and publish KBs as folders
    ///
    /// Queries the Catalog, resolves the files of each KB, downloads and checks them, and publishes a folder for each
    /// package set.
    Fetch(FetchArgs),
    /// Show all known facts about a KB or an update
    Show(ShowArgs),
    /// List the published package sets
    List,
    /// Plan which files a KB needs, in which order, and why
    ///
    /// Reads the index and the knowledge. Does not query the Catalog.
    Resolve(ResolveArgs),
    /// Make, show, trust, and revoke the keys that sign media
    Keys(KeysArgs),
    /// Write published KBs to a medium
    Export(ExportArgs),
    /// Check a medium without changing anything
    CheckMedium(CheckMediumArgs),
    /// Check a medium and add its KBs to the mirror
    Import(ImportArgs),
    /// Write the script that installs a KB, or one that collects facts
    ///
    /// Writes the script that installs the files of a plan, or with --collect the script that collects the facts of a
    /// machine.
    ///
    /// A script is for one place: a running machine (--for online), or a mounted install.wim (--for image), boot.wim
    /// (--for winpe), or winre.wim (--for winre). It refuses the other places with exit code 12. The script for
    /// winre.wim also takes the SSU-*.cab from inside the cumulative update of the month.
    ///
    /// No script exists for media, whose setup files are expanded, and for files of unknown order.
    Script(ScriptArgs),
    /// Put the files of a plan into an empty folder
    ///
    /// Puts exactly the files of a plan into an empty folder, and its script beside the folder. The script is for the
    /// place of --for, as with the command script; media and files of unknown order have none.
    Stage(StageArgs),
    /// Write a configuration for a new mirror
    Init(InitArgs),
    /// Update the mirror by its configuration
    ///
    /// Deletes nothing.
    Sync(SyncArgs),
    /// Report the age, last runs, damage, and news of the mirror
    Status(StatusArgs),
    /// Read every file again and compare it with the index
    ///
    /// Records damage in the index. Changes no package file.
    Verify(VerifyArgs),
    /// Restore damaged or missing files
    ///
    /// Restores files from media, folders, and the Catalog's servers. Never deletes the only copy of a file.
    Repair(RepairArgs),
    /// Move published KBs to trash/
    ///
    /// Moves published KBs to trash/. Later runs of sync and import do not add these KBs again.
    Forget(ForgetArgs),
    /// Print a schedule of sync for systemd, cron, or Windows
    ///
    /// Installs nothing.
    Schedule(ScheduleArgs),
    /// Print the JSON Schema of a document, or list the documents
    Schema(SchemaArgs),
    /// Check if DISM can use a folder as a set
    ///
    /// Names the files that are missing, foreign, or duplicate.
    Lint(LintArgs),
    /// Show the metadata inside package files
    ///
    /// Reads the container, the identity, the parents, and the digests of package files. Uses neither a mirror nor a
    /// network, and writes nothing.
    Inspect(InspectArgs),
    /// Explain a plan as a tree of reasons
    ///
    /// Reads the index and the knowledge. Does not query the Catalog.
    Why(WhyArgs),
    /// Print which file needs which, and which update replaces which
    ///
    /// Reads the index and the knowledge. Does not query the Catalog.
    Graph(GraphArgs),
    /// Show and check the knowledge tables
    Knowledge(KnowledgeArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// Print the manual page of a command, or write all pages
    Man(ManArgs),
}

impl Command {
    /// Returns the default retry budget of the command.
    pub(super) fn patience(&self) -> Duration {
        match self {
            Self::Sync(_) => UNATTENDED_RETRY_BUDGET,
            _ => INTERACTIVE_RETRY_BUDGET,
        }
    }
}

/// `completions`
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell that loads them
    #[arg(value_name = "SHELL")]
    pub(super) shell: clap_complete::Shell,
}

/// `man`
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The command, such as fetch or keys init [default: kbmirror itself]
    #[arg(value_name = "COMMAND", conflicts_with = "to")]
    pub(super) command: Vec<String>,
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "DIR")]
    pub(super) to: Option<Utf8PathBuf>,
}

/// `crawl`
#[derive(Debug, Args)]
pub(super) struct CrawlArgs {
    /// KB numbers, or the words of a query
    #[arg(required = true, value_name = "KB|QUERY")]
    pub(super) what: Vec<String>,
    /// Only this architecture (repeatable)
    #[arg(long, value_name = "ARCH")]
    pub(super) arch: Vec<Architecture>,
    /// Read details and files of every entry again, also of entries read today
    #[arg(long)]
    pub(super) refresh: bool,
}

/// `fetch`
#[derive(Debug, Args)]
pub(super) struct FetchArgs {
    /// The KBs
    #[arg(required = true, value_name = "KB")]
    pub(super) kbs: Vec<Kb>,
    /// Only this architecture (repeatable) [default: all]
    #[arg(long, value_name = "ARCH")]
    pub(super) arch: Vec<Architecture>,
    /// Only sets for this product: "Windows 11 24H2", 25H2, 26200, server-2025, or one of the Catalog's (repeatable)
    /// [default: all]
    #[arg(long, value_name = "PRODUCT")]
    pub(super) product: Vec<String>,
    /// Only this kind, such as lcu or dynamic_cu (repeatable) [default: all but copies for Windows Setup]
    #[arg(long, value_name = "KIND", value_parser = kind_parser(), ignore_case = true)]
    pub(super) kind: Vec<Kind>,
    /// The issue of a KB that Microsoft issued again: its number, or all [default: the newest]
    #[arg(long, value_name = "N|all")]
    pub(super) generation: Option<GenerationChoice>,
    /// Publish files for which the Catalog states no digest
    #[arg(long)]
    pub(super) accept_unverified: bool,
    /// Stop after this many bytes, e.g. 20G; the next run continues
    #[arg(long, value_name = "N", value_parser = parse_bytes)]
    pub(super) max_bytes: Option<u64>,
    /// Leave out prerequisites with KBs of their own, such as servicing stacks
    #[arg(long)]
    pub(super) no_closure: bool,
    /// Read details and files of every entry again, also of entries read today
    #[arg(long)]
    pub(super) refresh: bool,
    /// Print what would be fetched; download nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// `show`
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// A KB number or an update id
    #[arg(value_name = "KB|UPDATE-ID")]
    pub(super) what: Subject,
    /// Query the Catalog and show how the index differs; writes nothing
    #[arg(long)]
    pub(super) catalog: bool,
}

/// The subject of `show`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject {
    /// A KB.
    Kb(Kb),
    /// An update.
    Update(UpdateId),
}

impl std::str::FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Update(id));
        }
        text.parse().map(Self::Kb).map_err(|_| format!("{text:?} is neither a KB number nor an update id"))
    }
}

/// `resolve`
#[derive(Debug, Args)]
pub(super) struct ResolveArgs {
    /// The goal.
    #[command(flatten)]
    pub(super) goal: GoalArgs,
    /// The facts of the machine.
    #[command(flatten)]
    pub(super) machine: MachineArgs,
    /// Plan with the files in this folder only
    #[arg(long, value_name = "DIR")]
    pub(super) available: Option<Utf8PathBuf>,
    /// Answer the requests in this file, one JSON object per line; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "kb", "latest", "enable", "policy", "kind", "minimal", "accept_withdrawn", "generation", "arch", "product",
        "baseline", "installation", "edition", "place", "fod", "dotnet", "esu", "no_esu", "host", "installed", "available",
    ])]
    pub(super) batch: Option<Utf8PathBuf>,
}

/// `script`
#[derive(Debug, Args)]
pub(super) struct ScriptArgs {
    /// The goal.
    #[command(flatten)]
    pub(super) goal: GoalArgs,
    /// The facts of the machine.
    #[command(flatten)]
    pub(super) machine: MachineArgs,
    /// Write the script that collects the facts of a machine, for --host
    #[arg(long, conflicts_with_all = ["kb", "latest", "enable"])]
    pub(super) collect: bool,
    /// Write the script into this file [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub(super) to: Option<Utf8PathBuf>,
}

/// `stage`
#[derive(Debug, Args)]
pub(super) struct StageArgs {
    /// The goal.
    #[command(flatten)]
    pub(super) goal: GoalArgs,
    /// The facts of the machine.
    #[command(flatten)]
    pub(super) machine: MachineArgs,
    /// The folder, which is empty or does not exist; the script is written beside it
    #[arg(long, value_name = "DIR")]
    pub(super) to: Utf8PathBuf,
}

/// `lint`
#[derive(Debug, Args)]
pub(super) struct LintArgs {
    /// The folder
    #[arg(value_name = "DIR")]
    pub(super) dir: Utf8PathBuf,
    /// The update to install [default: that of the set folder, else the cumulative update of the highest build]
    #[arg(long, value_name = "KB")]
    pub(super) target: Option<Kb>,
    /// The architecture [default: that of the target, or of most files]
    #[arg(long, value_name = "ARCH")]
    pub(super) arch: Option<Architecture>,
    /// The current build of the device or image; without it the set must be complete for every build
    #[arg(long, value_name = "BUILD")]
    pub(super) baseline: Option<Build>,
    /// Client or server, if the build does not decide it
    #[arg(long, value_name = "WHICH")]
    pub(super) installation: Option<InstallationArg>,
    /// The destination of the packages
    #[arg(long = "for", value_name = "PLACE", default_value = "online")]
    pub(super) place: PlaceArg,
    /// Plan for features on demand or language packs that are being added
    #[arg(long)]
    pub(super) fod: bool,
    /// A KB that is already installed, such as a servicing stack (repeatable)
    #[arg(long, value_name = "KB")]
    pub(super) installed: Vec<Kb>,
    /// Read the contents and compare their digests, not only names, sizes, and container types
    #[arg(long)]
    pub(super) deep: bool,
    /// Use this day as today for the age of the facts
    #[arg(long, value_name = "DATE")]
    pub(super) as_of: Option<Date>,
    /// Exit with 10 if the facts about the family are older than this, e.g. 45d
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    pub(super) fail_if_older_than: Option<Duration>,
}

/// `inspect`
#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// The package files, or folders of them
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<Utf8PathBuf>,
}

/// `knowledge`
#[derive(Debug, Args)]
pub(super) struct KnowledgeArgs {
    /// The subcommand.
    #[command(subcommand)]
    pub(super) what: KnowledgeCommand,
}

/// The subcommands of `knowledge`.
#[derive(Debug, Subcommand)]
pub(super) enum KnowledgeCommand {
    /// List the tables, or print the text of one
    Show {
        /// A table, such as releases or checkpoints.toml
        #[arg(value_name = "TABLE")]
        table: Option<String>,
        /// Write the text of the table into this file [default: stdout]
        #[arg(long, value_name = "FILE", requires = "table")]
        to: Option<Utf8PathBuf>,
    },
    /// Check the tables for contradictions
    Check,
}

/// `graph`
#[derive(Debug, Args)]
pub(super) struct GraphArgs {
    /// The KBs
    #[arg(required = true, value_name = "KB")]
    pub(super) kbs: Vec<Kb>,
    /// The format: for Graphviz, or for programs [default: dot]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<GraphFormat>,
}

/// `--format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum GraphFormat {
    /// The language of Graphviz: kbmirror graph KB5086672 | dot -Tsvg
    Dot,
    /// Nodes and edges
    Json,
}

/// `why`
#[derive(Debug, Args)]
pub(super) struct WhyArgs {
    /// The goal.
    #[command(flatten)]
    pub(super) goal: GoalArgs,
    /// The facts of the machine.
    #[command(flatten)]
    pub(super) machine: MachineArgs,
    /// Plan with the files in this folder only
    #[arg(long, value_name = "DIR")]
    pub(super) available: Option<Utf8PathBuf>,
}

/// `init`
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The product to mirror: the folder name of a family, a product with its version, a version, or a build, e.g.
    /// 25H2 or server-2025
    #[arg(long, value_name = "PRODUCT", default_value = "windows-11-24h2")]
    pub(super) product: String,
    /// Only this architecture (repeatable) [default: x64]
    #[arg(long, value_name = "ARCH")]
    pub(super) arch: Vec<Architecture>,
}

/// `sync`
#[derive(Debug, Args)]
pub(super) struct SyncArgs {
    /// Print what would be fetched; download nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Stop after this many bytes, e.g. 20G; the next run continues
    #[arg(long, value_name = "N", value_parser = parse_bytes)]
    pub(super) max_bytes: Option<u64>,
    /// Use this day as today: months count back from it, and nothing later is fetched
    #[arg(long, value_name = "DATE")]
    pub(super) as_of: Option<Date>,
    /// Read details and files of every entry again, also of unchanged entries
    #[arg(long)]
    pub(super) refresh: bool,
}

/// `status`
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Show the news of the last run
    #[arg(long)]
    pub(super) news: bool,
}

/// `verify`
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Only the published sets of these KBs
    #[arg(value_name = "KB")]
    pub(super) kbs: Vec<Kb>,
    /// Compare both digests
    #[arg(long)]
    pub(super) deep: bool,
}

/// `repair`
#[derive(Debug, Args)]
pub(super) struct RepairArgs {
    /// Only the published sets of these KBs
    #[arg(value_name = "KB")]
    pub(super) kbs: Vec<Kb>,
    /// Restore files from this medium or folder; the digest decides, no signature is needed (repeatable)
    #[arg(long, value_name = "DIR")]
    pub(super) from: Vec<Utf8PathBuf>,
    /// Use the damage that earlier commands recorded; do not verify first
    #[arg(long)]
    pub(super) recorded: bool,
    /// Rebuild the index from kb/, pool/, and state.json first; the old index is kept in quarantine/
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) rebuild_index: bool,
    /// Print what would be restored; change no file
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// `forget`
#[derive(Debug, Args)]
pub(super) struct ForgetArgs {
    /// The KBs
    #[arg(value_name = "KB", required = true)]
    pub(super) kbs: Vec<Kb>,
    /// Only this architecture (repeatable) [default: all]
    #[arg(long, value_name = "ARCH")]
    pub(super) arch: Vec<Architecture>,
    /// Let later runs add the KBs again; restores nothing by itself
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) undo: bool,
    /// Print what would be removed; change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// `schema`
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// The name of a document [default: list all documents]
    #[arg(value_name = "NAME")]
    pub(super) name: Option<String>,
}

/// `schedule`
#[derive(Debug, Args)]
pub(super) struct ScheduleArgs {
    /// Print a service and a timer for systemd (the default)
    #[arg(long, group = "scheduler")]
    pub(super) systemd: bool,
    /// Print lines for a crontab
    #[arg(long, group = "scheduler")]
    pub(super) cron: bool,
    /// Print a task for Windows, as XML
    #[arg(long, group = "scheduler")]
    pub(super) windows_task: bool,
    /// Write into this file, or the two units of systemd into this folder [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub(super) to: Option<Utf8PathBuf>,
}
