//! The words by which a plan is asked for, shared by every command that makes one: the goal, and what is known of the
//! machine. A host file gives what its machine said of itself; options go before it.

#![expect(clippy::doc_markdown, reason = "these comments are the help texts, which show no markup")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{ArgGroup, Args, ValueEnum};
use jiff::civil::Date;

use super::output::Output;
use super::setup::Setup;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::mirror::{IndexLibrary, Mirror};
use crate::resolve::host::{self, Host};
use crate::resolve::{
    Freshness, Goal, Library, Missing, Place, Plan, Policy, Request, Shelf, Side, Status, Step, resolve,
};
use crate::servicing::{Dotnet, Installation, Knowledge};
use crate::update::parse_age;
use crate::update::{Architecture, Build, Kb, Kind, human_size};

/// What is wanted.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("wanted").args(["kb", "latest", "enable"]))]
pub(super) struct GoalArgs {
    /// The KB
    #[arg(value_name = "KB")]
    pub(super) kb: Option<Kb>,
    /// The latest update in place of a KB
    #[arg(long)]
    pub(super) latest: bool,
    /// Switch a version on in place of a KB, e.g. 25H2
    #[arg(long, value_name = "VERSION")]
    pub(super) enable: Option<String>,
    /// Which releases a goal may choose [default: oob]
    #[arg(long, value_name = "POLICY")]
    policy: Option<PolicyArg>,
    /// Of the latest: this kind, such as dotnet_cu or safeos_du [default: lcu]
    #[arg(long, value_name = "KIND", requires = "latest")]
    kind: Option<Kind>,
    /// Take this day for today: nothing that was published later, e.g. 2026-07-20
    #[arg(long, value_name = "DATE")]
    pub(super) as_of: Option<Date>,
    /// Exit with 10 if what is known of the family is older than this, e.g. 45d
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    pub(super) fail_if_older_than: Option<Duration>,
    /// Before an enablement package: just the update that brings its floor
    #[arg(long)]
    minimal: bool,
    /// Plan an update although Microsoft pulled it
    #[arg(long)]
    accept_withdrawn: bool,
}

/// What is known of the machine.
#[derive(Debug, Args)]
pub(super) struct MachineArgs {
    /// The architecture; needed where the KB has several
    #[arg(long, value_name = "ARCH", help_heading = "Machine")]
    pub(super) arch: Option<Architecture>,
    /// The product: "Windows 11 24H2", 25H2, 26200, server-2025; needed where the KB has different sets
    #[arg(long, value_name = "PRODUCT", help_heading = "Machine")]
    pub(super) product: Option<String>,
    /// The build that the device or image is at, e.g. 26100.863
    #[arg(long, value_name = "BUILD", help_heading = "Machine")]
    pub(super) baseline: Option<Build>,
    /// Client or server, where the build alone does not tell
    #[arg(long, value_name = "WHICH", help_heading = "Machine")]
    installation: Option<InstallationArg>,
    /// The edition as EditionID names it, e.g. EnterpriseS
    #[arg(long, value_name = "EDITION", help_heading = "Machine")]
    edition: Option<String>,
    /// Where the packages go [default: online]
    #[arg(long = "for", value_name = "PLACE", help_heading = "Machine")]
    place: Option<PlaceArg>,
    /// Features on demand or language packs are being added
    #[arg(long, help_heading = "Machine")]
    fod: bool,
    /// The .NET Framework that is installed, e.g. 4.8 or the registry's 528372
    #[arg(long, value_name = "VERSION", help_heading = "Machine")]
    dotnet: Option<Dotnet>,
    /// The machine is prepared for Extended Security Updates
    #[arg(long, help_heading = "Machine", conflicts_with = "no_esu")]
    esu: bool,
    /// The machine has no Extended Security Updates
    #[arg(long, help_heading = "Machine")]
    no_esu: bool,
    /// What collect.cmd wrote on the machine; the other options go before it
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
    /// An offline install.wim
    Image,
    /// boot.wim
    Winpe,
    /// winre.wim
    Winre,
    /// The setup files of media
    Media,
    /// Nowhere yet: the complete set
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
    /// Second Tuesdays alone
    Security,
    /// Those and out-of-band releases
    Oob,
    /// Previews too
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
    /// Puts what the options say over a request.
    pub(super) fn apply(&self, mut request: Request) -> Request {
        request.architecture = self.arch.or(request.architecture);
        request.product = self.product.clone().or(request.product);
        request.baseline = self.baseline.or(request.baseline);
        request.installation = self.installation.map(Into::into).or(request.installation);
        request.edition = self.edition.clone().or(request.edition);
        request.place = self.place.map_or(request.place, Into::into);
        request.features_on_demand |= self.fod;
        request.dotnet = self.dotnet.clone().or(request.dotnet);
        if self.esu || self.no_esu {
            request.esu = Some(self.esu);
        }
        request.installed.extend(&self.installed);
        request
    }

    /// What the host file says, where one is named.
    pub(super) fn host(&self) -> Result<Option<Host>> {
        self.host.as_deref().map(read_host).transpose()
    }
}

/// Reads what `collect.cmd` wrote.
fn read_host(path: &Utf8Path) -> Result<Host> {
    /// A machine with some thousand packages has 200 KB.
    const CAP: u64 = 16 << 20;
    let bytes = disk::read(path, CAP).map_err(|error| error.with_kind(ErrorKind::Usage))?;
    // Windows programs write UTF-16 when somebody edited the file there.
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => {
            let units = rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        other => String::from_utf8_lossy(other).into_owned(),
    };
    host::parse(&text).map_err(|error| error.context(path))
}

/// Puts what a machine said of itself under a request.
fn with_host(mut request: Request, host: &Host) -> Request {
    request.architecture = host.architecture;
    request.baseline = host.build;
    request.installation = host.installation;
    request.edition.clone_from(&host.edition);
    request.dotnet = host.dotnet_release.and_then(Dotnet::of_release);
    request.installed.clone_from(&host.installed);
    request
}

/// What a host file makes one mind about a plan for its machine.
pub(super) fn mind_host(host: &Host, plan: &mut Plan) {
    if plan.status != Status::Install {
        return;
    }
    let name = host.computer.as_deref().unwrap_or("the machine");
    if host.pending_restart == Some(true) {
        plan.warnings.push(format!("{name} waits for a restart: restart it before anything is installed"));
    }
    // Servicing unpacks what it installs (Microsoft asks for two to three times the package).
    if let (Some(free), Some(total)) = (host.free_bytes, plan.total_bytes)
        && free < total.saturating_mul(2)
    {
        plan.warnings.push(format!(
            "{name} has {} free on its system drive, and twice the {} of the set are wanted",
            human_size(free),
            human_size(total)
        ));
    }
}

impl GoalArgs {
    /// Refuses an answer whose facts are older than the caller allows.
    pub(super) fn expect_fresh(&self, fresh: &Freshness) -> Result<()> {
        expect_fresh(fresh, self.fail_if_older_than)
    }

    /// The request for the goal on the machine.
    pub(super) fn request(&self, machine: &MachineArgs) -> Result<Request> {
        let goal = match (self.kb, self.latest, &self.enable) {
            (Some(kb), ..) => Goal::Kb(kb),
            (None, true, _) => Goal::Latest(self.kind),
            (None, false, Some(release)) => Goal::Enable(release.clone()),
            (None, false, None) => {
                return Err(Error::usage("what is wanted is missing: a KB, --latest, or --enable"));
            }
        };
        let request = Request {
            policy: self.policy.map_or_else(Policy::default, Into::into),
            as_of: self.as_of,
            minimal: self.minimal,
            accept_withdrawn: self.accept_withdrawn,
            ..Request::of(goal)
        };
        let request = match machine.host()? {
            Some(host) => with_host(request, &host),
            None => request,
        };
        Ok(machine.apply(request))
    }
}

/// Refuses an answer whose facts are older than the caller allows, or of an age that is not known.
pub(super) fn expect_fresh(fresh: &Freshness, most: Option<Duration>) -> Result<()> {
    let Some(doubt) = most.and_then(|most| fresh.older_than(most)) else { return Ok(()) };
    Err(Error::new(ErrorKind::Unresolved, format!("--fail-if-older-than: {}", fresh.sentence(doubt))))
}

/// Says on stderr how old the facts of an answer are, where they are not fresh and no warning of the answer says it already.
pub(super) fn note_age(fresh: &Freshness, warnings: &[String], output: &mut Output) {
    let sentence = fresh.doubt().map(|doubt| fresh.sentence(doubt));
    if let Some(sentence) = sentence.filter(|sentence| !warnings.contains(sentence)) {
        output.note(format!("warning: {sentence}"));
    }
}

/// The names of the files in a folder.
pub(super) fn names_in(folder: &Utf8PathBuf) -> Result<Vec<String>> {
    if !disk::is_folder(folder)? {
        return Err(Error::usage(format!("{folder} is no folder"))
            .hint("--available names the folder with the files at hand"));
    }
    disk::list(folder)
}

/// Names what of a plan is not here, where nothing can be brought here; whether all of it is.
pub(super) fn mind_absent(plan: &mut Plan) -> bool {
    if plan.status != Status::Install {
        return true;
    }
    let absent: Vec<&Step> = plan.steps.iter().filter(|step| !step.present).collect();
    if absent.is_empty() {
        return true;
    }
    // By the KB whose set has the file: a checkpoint comes with its target.
    let kbs: BTreeSet<String> = absent
        .iter()
        .filter_map(|step| step.set.as_ref().map(|(kb, _)| *kb).or(step.kb))
        .map(|kb| kb.to_string())
        .collect();
    let kbs: Vec<String> = kbs.into_iter().collect();
    let missing = |step: &&Step| Missing { kb: step.kb, role: step.role, name: step.name.clone() };
    plan.missing = absent.iter().map(missing).collect();
    plan.warnings.push(format!(
        "not here: {}; bring it on a medium: kbmirror export {} --to DIR on the connected side",
        kbs.join(", "),
        kbs.join(" ")
    ));
    false
}

/// What plans are made from: the index layered over the knowledge, or the knowledge alone where there is no mirror.
pub(super) struct Sources {
    pub(super) mirror: Option<Mirror>,
    pub(super) knowledge: Arc<Knowledge>,
    pub(super) side: Side,
}

impl Sources {
    /// The mirror, where there is one, and the knowledge.
    pub(super) fn open(setup: &Setup) -> Result<Self> {
        let mirror = match setup.mirror() {
            Ok(mirror) => Some(mirror),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let side = setup.side(mirror.as_ref())?;
        Ok(Self { mirror, knowledge: setup.knowledge()?, side })
    }

    /// Whether what is not in the mirror cannot be had: the mirror came on media, or there is no network by the caller's
    /// word.
    pub(super) fn is_cut_off(&self, setup: &Setup) -> Result<bool> {
        match &self.mirror {
            Some(mirror) => Ok(setup.is_offline() || mirror.is_imported()?),
            None => Ok(setup.is_offline()),
        }
    }

    /// Runs something that looks things up.
    pub(super) fn with_library<T>(&self, work: impl FnOnce(&dyn Library) -> Result<T>) -> Result<T> {
        match &self.mirror {
            Some(mirror) => work(&IndexLibrary::new(mirror.index(), &self.knowledge).on(self.side)),
            None => work(&Shelf::of_knowledge(&self.knowledge).on(self.side)),
        }
    }

    /// The plan for a request. A KB that nobody knows is an error that names the way to know it.
    pub(super) fn plan(&self, request: &Request, setup: &Setup) -> Result<Plan> {
        let request = Request { today: Some(setup.today()), ..request.clone() };
        let mut plan = self.with_library(|library| resolve(&request, library, &self.knowledge))?;
        if let Some(mirror) = &self.mirror {
            super::damage::warn_of_folders(&mut plan, mirror)?;
        }
        if !plan.unheard_of {
            return Ok(plan);
        }
        let kb = plan.kb.map_or_else(String::new, |kb| kb.to_string());
        let is_listed = match (&self.mirror, plan.kb) {
            (Some(mirror), Some(kb)) => mirror.index().knows_kb(kb)?,
            _ => false,
        };
        let message = match (is_listed, &self.mirror) {
            (true, _) => format!("the index knows {kb} and none of its files"),
            (false, Some(_)) => format!("neither the index nor the knowledge has anything of {kb}"),
            (false, None) => {
                format!(
                    "there is no mirror at {}, and the knowledge has nothing of {kb}",
                    setup.layout().root()
                )
            }
        };
        Err(Error::new(ErrorKind::NotFound, message).hint(self.side.to_know(kb)))
    }
}
