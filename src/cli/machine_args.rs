//! The arguments that define a request: the goal, and the machine or image that it is for.
//!
//! A host file has the facts of its machine, and options override them. An invalid goal or host file is a usage error.

#![expect(clippy::doc_markdown, reason = "these comments are the help texts, which show no markup")]

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{ArgGroup, Args, ValueEnum};
use jiff::civil::Date;

use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::resolve::host::{self, Host};
use crate::resolve::{Freshness, GenerationChoice, Goal, Machine, Place, Policy, Request};
use crate::servicing::{Dotnet, Installation};
use crate::update::parse_age;
use crate::update::{Architecture, Build, Kb, Kind};

/// The goal of a request.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("goal").args(["kb", "latest", "enable"]))]
pub(super) struct GoalArgs {
    /// The KB
    #[arg(value_name = "KB")]
    pub(super) kb: Option<Kb>,
    /// Plan the latest update instead of a KB
    #[arg(long)]
    pub(super) latest: bool,
    /// Plan the enablement of a version instead of a KB, e.g. 25H2
    #[arg(long, value_name = "VERSION")]
    pub(super) enable: Option<String>,
    /// The releases that a goal can use [default: oob]
    #[arg(long, value_name = "POLICY")]
    policy: Option<PolicyArg>,
    /// The kind of the latest update, such as dotnet_cu or safeos_du [default: lcu]
    #[arg(long, value_name = "KIND", requires = "latest")]
    kind: Option<Kind>,
    /// Use this day as today: ignore everything published later, e.g. 2026-07-20
    #[arg(long, value_name = "DATE")]
    pub(super) as_of: Option<Date>,
    /// Exit with 10 if the facts about the family are older than this, e.g. 45d
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    pub(super) fail_if_older_than: Option<Duration>,
    /// Before an enablement package, plan only the update that brings its required build
    #[arg(long)]
    minimal: bool,
    /// Plan an update that Microsoft has withdrawn
    #[arg(long)]
    accept_withdrawn: bool,
    /// The issue of a KB that Microsoft issued again: its number, or all [default: the newest]
    #[arg(long, value_name = "N|all")]
    generation: Option<GenerationChoice>,
}

/// The facts of the machine.
#[derive(Debug, Args)]
pub(super) struct MachineArgs {
    /// The architecture, required if the KB has several
    #[arg(long, value_name = "ARCH", help_heading = "Machine")]
    pub(super) arch: Option<Architecture>,
    /// The product: "Windows 11 24H2", 25H2, 26200, server-2025; required if the KB has different sets
    #[arg(long, value_name = "PRODUCT", help_heading = "Machine")]
    pub(super) product: Option<String>,
    /// The current build of the device or image, e.g. 26100.863
    #[arg(long, value_name = "BUILD", help_heading = "Machine")]
    pub(super) baseline: Option<Build>,
    /// Client or server, if the build does not decide it
    #[arg(long, value_name = "WHICH", help_heading = "Machine")]
    installation: Option<InstallationArg>,
    /// The EditionID, e.g. EnterpriseS
    #[arg(long, value_name = "EDITION", help_heading = "Machine")]
    edition: Option<String>,
    /// The destination of the packages [default: online]
    #[arg(long = "for", value_name = "PLACE", help_heading = "Machine")]
    place: Option<PlaceArg>,
    /// Plan for features on demand or language packs that are being added
    #[arg(long, help_heading = "Machine")]
    fod: bool,
    /// The installed .NET Framework, e.g. 4.8 or the registry's 528372
    #[arg(long, value_name = "VERSION", help_heading = "Machine")]
    dotnet: Option<Dotnet>,
    /// Plan for a machine with Extended Security Updates
    #[arg(long, help_heading = "Machine", conflicts_with = "no_esu")]
    esu: bool,
    /// Plan for a machine without Extended Security Updates
    #[arg(long, help_heading = "Machine")]
    no_esu: bool,
    /// The output of collect.cmd from the machine; other options override it
    #[arg(long, value_name = "FILE", help_heading = "Machine")]
    host: Option<Utf8PathBuf>,
    /// A KB that is installed (repeatable)
    #[arg(long, value_name = "KB", help_heading = "Machine")]
    installed: Vec<Kb>,
}

/// `--installation`
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum InstallationArg {
    /// Windows 10, 11
    Client,
    /// Windows Server
    Server,
}

impl From<InstallationArg> for Installation {
    fn from(argument: InstallationArg) -> Self {
        match argument {
            InstallationArg::Client => Self::Client,
            InstallationArg::Server => Self::Server,
        }
    }
}

/// `--for`
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum PlaceArg {
    /// A running machine
    Online,
    /// A mounted install.wim
    Image,
    /// A mounted boot.wim
    Winpe,
    /// A mounted winre.wim; its build is the baseline, not that of the machine
    Winre,
    /// The setup files of media
    Media,
    /// A mirror: the complete set
    Mirror,
}

impl From<PlaceArg> for Place {
    fn from(argument: PlaceArg) -> Self {
        match argument {
            PlaceArg::Online => Self::Online,
            PlaceArg::Image => Self::Image,
            PlaceArg::Winpe => Self::Winpe,
            PlaceArg::Winre => Self::Winre,
            PlaceArg::Media => Self::Media,
            PlaceArg::Mirror => Self::Mirror,
        }
    }
}

/// `--policy`
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum PolicyArg {
    /// Security releases on second Tuesdays only
    Security,
    /// Also out-of-band releases
    Oob,
    /// Also previews
    Preview,
}

impl From<PolicyArg> for Policy {
    fn from(argument: PolicyArg) -> Self {
        match argument {
            PolicyArg::Security => Self::Security,
            PolicyArg::Oob => Self::Oob,
            PolicyArg::Preview => Self::Preview,
        }
    }
}

impl MachineArgs {
    /// Returns the machine. Options override the host file.
    fn machine(&self) -> Result<Machine> {
        let host = self.host()?;
        let host = host.as_ref().map(Machine::from).unwrap_or_default();
        let mut installed = host.installed;
        installed.extend(&self.installed);
        Ok(Machine {
            architecture: self.arch.or(host.architecture),
            baseline: self.baseline.or(host.baseline),
            installation: self.installation.map(Into::into).or(host.installation),
            edition: self.edition.clone().or(host.edition),
            place: self.place.map_or(host.place, Into::into),
            features_on_demand: self.fod,
            dotnet: self.dotnet.clone().or(host.dotnet),
            esu: (self.esu || self.no_esu).then_some(self.esu),
            installed,
        })
    }

    /// Reads the host file, or returns `None` if no file is named.
    pub(super) fn host(&self) -> Result<Option<Host>> {
        self.host.as_deref().map(read_host).transpose()
    }
}

/// Reads a file that `collect.cmd` wrote.
fn read_host(path: &Utf8Path) -> Result<Host> {
    /// The largest host file. A machine with some thousand packages has 200 KB.
    const CAP: u64 = 16 << 20;
    let bytes = disk::read(path, CAP).map_err(|error| error.with_kind(ErrorKind::Usage))?;
    // An editor on Windows may save the file as UTF-16.
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => {
            let units = rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        other => String::from_utf8_lossy(other).into_owned(),
    };
    host::parse(&text).map_err(|error| error.context(path))
}

impl GoalArgs {
    /// Refuses an answer whose facts are older than the operator allows.
    pub(super) fn expect_fresh(&self, fresh: &Freshness) -> Result<()> {
        expect_fresh(fresh, self.fail_if_older_than)
    }

    /// Returns the request for the goal on the machine.
    pub(super) fn request(&self, machine: &MachineArgs) -> Result<Request> {
        let goal = match (self.kb, self.latest, &self.enable) {
            (Some(kb), ..) => Goal::Kb(kb),
            (None, true, _) => Goal::Latest(self.kind),
            (None, false, Some(release)) => Goal::Enable(release.clone()),
            (None, false, None) => {
                return Err(Error::usage("the goal is missing: a KB, --latest, or --enable"));
            }
        };
        Ok(Request {
            policy: self.policy.map_or_else(Policy::default, Into::into),
            as_of: self.as_of,
            minimal: self.minimal,
            accept_withdrawn: self.accept_withdrawn,
            generation: self.generation.unwrap_or_default(),
            product: machine.product.clone(),
            machine: machine.machine()?,
            ..Request::of(goal)
        })
    }
}

/// Refuses an answer whose facts are older than the operator allows, or of unknown age.
pub(super) fn expect_fresh(fresh: &Freshness, most: Option<Duration>) -> Result<()> {
    let Some(doubt) = most.and_then(|most| fresh.age_issue(most)) else { return Ok(()) };
    Err(Error::new(ErrorKind::Unresolved, format!("--fail-if-older-than: {}", fresh.sentence(doubt))))
}
