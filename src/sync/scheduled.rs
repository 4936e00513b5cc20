//! A scheduled run: search, crawl, plan, fetch with closure, publish, and report.
//!
//! - A run deletes nothing. Sets outside of the window are reported as kept.
//! - A run may be killed at any moment. Each KB is a separate fetch: first the configured KBs, then the newest updates
//!   of all profiles. Published sets stay published; the next run continues with the missing ones.
//! - A run requests only news. Searches always run. Details and files are requested only for entries that were revised
//!   or never read completely, and for sets with missing files.
//! - A KB that fails does not stop the others. After two consecutive queries without a response, no more queries are
//!   sent, because each one uses the complete retry budget.
//!
//! After a stop request, a run starts no further query and no further KB, and concludes as usual.
//!
//! The run holds the lock from its start, so a second run ends immediately.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::config::Profile;
use super::news::{PublishedFolders, read_published_folders, withdrawn};
use super::select::{Candidate, Selection, searches_for, select};
use super::window::{Window, queries};
use crate::catalog::Query;
use crate::clock::Time;
use crate::crawl::{Failure, JobOutcome, ListedUpdate, RunJob as _, Session, report_stop_once};
use crate::documents::{ExpectedUpdate, Health, News, OutsideSet, QueryRecord, SkipReason, StateDocument};
use crate::error::{Error, ErrorKind, Result};
use crate::facts::SetFolder;
use crate::fetch::{FetchJob, FetchOutcome, FetchRequest};
use crate::mirror::{Index, MirrorState};
use crate::servicing::{Knowledge, ProductFilter};
use crate::update::{Architecture, Kb, Month, UpdateId};

/// The input of a run.
#[derive(Debug, Clone)]
pub struct SyncRequest {
    /// The profiles.
    pub profiles: Vec<Profile>,
    /// The KBs outside of the profiles.
    pub kbs: Vec<Kb>,
    /// The architectures of these KBs; empty means all.
    pub architectures: Vec<Architecture>,
    /// The date that the run uses as today.
    pub today: Date,
    /// `true` to query and plan without downloading.
    pub dry_run: bool,
    /// The maximum number of bytes to download.
    pub max_bytes: Option<u64>,
}

/// The outcome of a run.
#[derive(Debug, Default)]
pub struct SyncOutcome {
    /// The queries.
    pub searches: Vec<QueryRecord>,
    /// The updates that the Catalog shows for each profile, by profile name.
    pub found: Vec<(String, Candidate)>,
    /// The combined outcome of all fetches.
    pub fetch: FetchOutcome,
    /// The updates that the profiles expect and the Catalog does not show.
    pub expected: Vec<ExpectedUpdate>,
    /// The sets outside of the window, which are kept.
    pub outside: Vec<OutsideSet>,
    /// The published KBs that were withdrawn.
    pub withdrawn: Vec<Kb>,
    /// The published KBs inside the window that the Catalog does not show.
    pub unlisted: Vec<Kb>,
    /// The news.
    pub news: News,
}

impl JobOutcome for SyncOutcome {
    fn done(&self) -> usize {
        let searched = self.searches.iter().filter(|search| search.rows.is_some()).count();
        searched + self.fetch.sets.iter().filter(|set| set.error.is_none()).count()
    }

    fn failures(&self) -> &[Failure] {
        &self.fetch.failures
    }

    fn failures_mut(&mut self) -> &mut Vec<Failure> {
        &mut self.fetch.failures
    }

    fn bytes_downloaded(&self) -> u64 {
        self.fetch.bytes_downloaded
    }
}

/// A fetch of the run.
struct FetchOrder {
    kb: Kb,
    /// The release date; `None` for a KB from the configuration.
    date: Option<Date>,
    request: FetchRequest,
}

/// The counter of consecutive failures to reach the Catalog.
#[derive(Default)]
struct FailureStreak(u8);

impl FailureStreak {
    fn record(&mut self, is_unreachable: bool) {
        self.0 = if is_unreachable { self.0.saturating_add(1) } else { 0 };
    }

    fn is_unreachable(&self) -> bool {
        self.0 >= 2
    }
}

/// Executes a scheduled run.
pub(super) async fn run_sync(session: &mut Session, request: &SyncRequest) -> Result<SyncOutcome> {
    let knowledge = session.knowledge();
    let before = read_published_folders(session.mirror()?.index())?;
    session.trust_unrevised();
    warn_of_clock(session)?;
    let mut outcome = SyncOutcome::default();
    let removed = match session.mirror()?.load_state()? {
        MirrorState::Known(state) => state,
        MirrorState::Lost => {
            let state = session.layout().state();
            session.warn(format!(
                "{state} is missing: KBs that were removed on purpose are unknown and may be downloaded again"
            ));
            StateDocument::new()
        }
    };
    let mut orders = Vec::new();
    let mut windows: Vec<(&Profile, Window)> = Vec::new();
    let mut unlisted = BTreeSet::new();
    let mut failure_streak = FailureStreak::default();
    for profile in &request.profiles {
        if let Some(warning) = profile.family.provisional_warning() {
            session.warn(warning);
        }
        let window = Window::back(request.today, profile.months)
            .ok_or_else(|| Error::usage(format!("{} is outside of the supported dates", request.today)))?;
        windows.push((profile, window));
        let Some((selection, shown, complete)) =
            search(session, profile, &window, &knowledge, &mut outcome, &mut failure_streak).await?
        else {
            continue;
        };
        if complete {
            let index = session.mirror()?.index();
            for PublishedKb { kb, month, is_searched } in published_kbs(profile, index, &knowledge, &before)?
            {
                if is_searched && window.contains(month) && !shown.contains(&kb) {
                    unlisted.insert(kb);
                }
            }
        }
        for mut candidate in selection.candidates {
            if candidate.unwanted.is_none() {
                let mut order = fetch_order(profile, &candidate);
                if drop_removed(&mut order, profile.architectures.as_slice(), &removed) {
                    candidate.unwanted = Some(SkipReason::Removed);
                    session.phase(format!("skipping {}: it was removed on purpose", candidate.kb));
                } else {
                    orders.push(order);
                }
            }
            outcome.found.push((profile.name.clone(), candidate));
        }
        outcome.expected.extend(selection.expected);
    }
    for &kb in &request.kbs {
        let architectures = request.architectures.clone();
        let own = FetchRequest { kbs: vec![kb], architectures, closure: true, ..FetchRequest::default() };
        let mut order = FetchOrder { kb, date: None, request: own };
        if drop_removed(&mut order, &[], &removed) {
            session.warn(format!("skipped {kb} from the configuration: it was removed on purpose"));
        } else {
            orders.push(order);
        }
    }
    // A budget or a full disk excludes the oldest updates.
    orders.sort_by_key(|order| (order.date.is_some(), std::cmp::Reverse(order.date)));
    outcome.unlisted = unlisted.into_iter().collect();
    fetch_all(session, request, orders, &mut outcome, &mut failure_streak).await?;
    conclude(session, request, &windows, &before, &mut outcome)?;
    Ok(outcome)
}

/// Runs the queries of a profile. Returns the selection, all KBs that the Catalog shows, and whether every query was
/// complete. Returns `None` if no query was answered.
async fn search(
    session: &mut Session,
    profile: &Profile,
    window: &Window,
    knowledge: &Knowledge,
    outcome: &mut SyncOutcome,
    failure_streak: &mut FailureStreak,
) -> Result<Option<(Selection, BTreeSet<Kb>, bool)>> {
    let mut rows: BTreeMap<UpdateId, ListedUpdate> = BTreeMap::new();
    let (mut all, mut answered) = (true, false);
    for words in queries(profile, window) {
        if failure_streak.is_unreachable() {
            return Ok(None);
        }
        if let Err(error) = session.check_stop() {
            outcome.fetch.failures.push(Failure::new(format!("{} {words:?}", profile.name), &error));
            return Ok(None);
        }
        session.phase(format!("querying the Catalog for {words:?}"));
        let mut searched =
            QueryRecord { profile: profile.name.clone(), query: words.clone(), rows: None, complete: false };
        match session.list_updates(&Query::new(&words)?).await {
            Ok((found, complete)) => {
                failure_streak.record(false);
                answered = true;
                all &= complete;
                searched.rows = Some(found.len());
                searched.complete = complete;
                rows.extend(found);
            }
            Err(error) => {
                failure_streak.record(error.kind() == ErrorKind::Unreachable);
                all = false;
                outcome.fetch.failures.push(Failure::new(format!("{} {words:?}", profile.name), &error));
            }
        }
        outcome.searches.push(searched);
    }
    let rows: Vec<ListedUpdate> = rows.into_values().collect();
    let mut selection = select(profile, window, &rows, knowledge);
    // A missing update may be in the response of a failed query.
    selection.expected.retain(|_| all);
    let shown = rows.iter().filter_map(|row| row.class.kb).collect();
    Ok(answered.then_some((selection, shown, all)))
}

fn fetch_order(profile: &Profile, candidate: &Candidate) -> FetchOrder {
    let architectures = if candidate.architectures.is_empty() {
        profile.architectures.clone()
    } else {
        candidate.architectures_for(profile)
    };
    // A KB may have several kinds: the update, and its copy for Windows Setup.
    let mut kinds = profile.kinds.clone();
    kinds.push(candidate.kind);
    let request = FetchRequest {
        kbs: vec![candidate.kb],
        architectures,
        products: vec![ProductFilter::of_family(&profile.family)],
        kinds,
        closure: true,
        ..FetchRequest::default()
    };
    FetchOrder { kb: candidate.kb, date: Some(candidate.date), request }
}

/// Warns if the clock is behind the end of the last run, because ages and windows would be wrong.
fn warn_of_clock(session: &mut Session) -> Result<()> {
    let last = Health::before(session.layout())?.last_attempt;
    if let Some(last) = last.and_then(|last| last.parse::<Time>().ok())
        && last > session.now()
    {
        let now = session.now();
        session.warn(format!(
            "the clock went backwards: the time is {now}, but the last sync ended at {last}; ages and months are wrong"
        ));
    }
    Ok(())
}

/// Removes from an order the architectures that the operator has removed on purpose. Returns `true` if none is left.
fn drop_removed(order: &mut FetchOrder, all: &[Architecture], state: &StateDocument) -> bool {
    let own: Vec<_> = state.removed.iter().filter(|one| one.kb == order.kb).collect();
    if own.iter().any(|one| one.architecture.is_none()) {
        return true;
    }
    let gone: Vec<Architecture> = own.iter().filter_map(|one| one.architecture).collect();
    if gone.is_empty() {
        return false;
    }
    let architectures = &mut order.request.architectures;
    if architectures.is_empty() {
        // An empty list means all architectures: those of the profile, or every known one.
        let all = if all.is_empty() { &Architecture::ALL[..] } else { all };
        architectures.extend(all);
    }
    architectures.retain(|architecture| !gone.contains(architecture));
    architectures.is_empty()
}

/// Fetches one KB after the other, until all are done, the budget is used up, or the Catalog is unreachable.
async fn fetch_all(
    session: &mut Session,
    request: &SyncRequest,
    orders: Vec<FetchOrder>,
    outcome: &mut SyncOutcome,
    failure_streak: &mut FailureStreak,
) -> Result<()> {
    let mut left = request.max_bytes;
    for FetchOrder { kb, request: mut own, .. } in orders {
        if failure_streak.is_unreachable() {
            session.warn(format!("skipped {kb}: the Catalog cannot be reached"));
            continue;
        }
        if let Err(error) = session.check_stop() {
            outcome.fetch.failures.push(Failure::new(kb.to_string(), &error));
            break;
        }
        own.max_bytes = left;
        let job = FetchJob { request: own, dry_run: request.dry_run };
        let mut fetched = job.work(session).await?;
        let has_missing_files = fetched.plan.sets.iter().any(|set| !set.absent.is_empty());
        let spent = if request.dry_run {
            fetched.plan.absent_bytes().unwrap_or_default()
        } else {
            fetched.bytes_downloaded
        };
        left = left.map(|left| left.saturating_sub(spent));
        let has = |kind| fetched.failures.iter().any(|failure| failure.kind == kind);
        failure_streak.record(!has_missing_files && has(ErrorKind::Unreachable) && fetched.sets.is_empty());
        let is_over = has(ErrorKind::Budget) || has(ErrorKind::NoSpace);
        merge(&mut outcome.fetch, &mut fetched);
        if is_over {
            break;
        }
    }
    Ok(())
}

/// Adds a fetch to the combined outcome. A set that several KBs need is counted once.
fn merge(all: &mut FetchOutcome, one: &mut FetchOutcome) {
    for set in one.sets.drain(..) {
        match all.sets.iter_mut().find(|known| known.planned.row.id == set.planned.row.id) {
            Some(known) => known.planned.needed_by.extend(set.planned.needed_by),
            None => all.sets.push(set),
        }
    }
    for set in one.plan.sets.drain(..) {
        if !all.plan.sets.iter().any(|known| known.row.id == set.row.id) {
            all.plan.sets.push(set);
        }
    }
    all.plan.excluded.append(&mut one.plan.excluded);
    all.failures.append(&mut one.failures);
    all.bytes_downloaded += one.bytes_downloaded;
}

fn conclude(
    session: &mut Session,
    request: &SyncRequest,
    windows: &[(&Profile, Window)],
    before: &PublishedFolders,
    outcome: &mut SyncOutcome,
) -> Result<()> {
    let knowledge = session.knowledge();
    let time = session.now().to_string();
    report_stop_once(session, &mut outcome.fetch.failures);
    let index = session.mirror()?.index();
    let after = read_published_folders(index)?;
    outcome.withdrawn = withdrawn(&after, &knowledge);
    outcome.news = News::of_run(before, &outcome.fetch.sets, &outcome.fetch.failures, index, time)?;
    let of_run: BTreeSet<Kb> =
        outcome.fetch.sets.iter().map(|set| set.planned.row.kb).chain(request.kbs.iter().copied()).collect();
    let mut outside: BTreeMap<(Kb, SetFolder), Option<Month>> = BTreeMap::new();
    for (profile, window) in windows {
        for PublishedKb { kb, month, .. } in published_kbs(profile, index, &knowledge, &after)? {
            for set in index.published_sets(kb)?.iter().filter(|set| is_for(set, profile)) {
                let known = outside.entry((kb, set.folder.clone())).or_insert(Some(month));
                // A set inside of any window is inside.
                if month >= window.first || of_run.contains(&kb) {
                    *known = None;
                }
            }
        }
    }
    let named = |((kb, folder), month): ((Kb, SetFolder), Option<Month>)| {
        Some(OutsideSet { kb, folder: format!("kb/{kb}/{folder}"), month: month? })
    };
    outcome.outside = outside.into_iter().filter_map(named).collect();
    Ok(())
}

fn is_for(set: &crate::mirror::index::SetRow, profile: &Profile) -> bool {
    let family = profile.family.folder.as_str();
    // The folder of a set without a known family begins with its product and its version.
    let is_named = || {
        let word = set.architecture.map_or("any", Architecture::as_str);
        profile.family.is_provisional() && set.folder.as_str().starts_with(&format!("{family}-{word}"))
    };
    let is_own = set.family.as_ref().map_or_else(is_named, |own| own == family);
    is_own && set.architecture.is_none_or(|own| profile.architectures.contains(&own))
}

/// A published KB.
struct PublishedKb {
    kb: Kb,
    month: Month,
    /// `true` if the searches of the profile show the KB.
    is_searched: bool,
}

/// Returns the published KBs of a profile's family whose months are known.
fn published_kbs(
    profile: &Profile,
    index: &Index,
    knowledge: &Knowledge,
    folders: &PublishedFolders,
) -> Result<Vec<PublishedKb>> {
    let kbs: BTreeSet<Kb> = folders.keys().map(|(kb, _)| *kb).collect();
    let mut published = Vec::new();
    for kb in kbs {
        if !index.published_sets(kb)?.iter().any(|set| is_for(set, profile)) {
            continue;
        }
        let facts = index.facts_of(&BTreeSet::from([kb]))?;
        let of_titles = facts.updates.iter().filter_map(|update| update.month).max();
        let release = knowledge.releases().of_kb_for(kb, &profile.family).last().copied();
        let of_release = release.and_then(|release| Month::of(release.date.or(release.first_seen)?));
        if let Some(month) = of_titles.or(of_release) {
            let mut kinds = facts.updates.iter().filter_map(|update| update.kind);
            let is_searched = kinds.any(|kind| searches_for(profile, kind));
            published.push(PublishedKb { kb, month, is_searched });
        }
    }
    Ok(published)
}

/// Returns the reason why a candidate is not fetched, for people.
pub fn exclusion_text(candidate: &Candidate) -> &'static str {
    match candidate.unwanted {
        None => "wanted",
        Some(SkipReason::Policy) => "excluded by the policy",
        Some(SkipReason::Architecture) => "not yet available for the architecture",
        Some(SkipReason::Later) => "later than the requested day",
        Some(SkipReason::Withdrawn) => "withdrawn by Microsoft",
        Some(SkipReason::Removed) => "removed on purpose",
    }
}
