//! Updates that only Windows Update delivers: hotpatches, and updates of the recovery environment of a running
//! machine. The Catalog has none of them, so an answer names the package that replaces them offline.

use super::answer::Status;
use super::context::ResolveContext;
use super::package_set::PackageSet;
use super::refusal::Refusal;
use crate::servicing::{Hotpatch, RecoveryUpdate};
use crate::update::{Kb, Kind};

/// Returns the refusal of an update that only Windows Update delivers, or `None` for other updates.
pub(super) fn windows_update_only_refusal(
    context: &ResolveContext<'_>,
    kb: Kb,
    sets: &[PackageSet],
) -> Option<Refusal> {
    let table = context.knowledge.withdrawn();
    if let Some(row) = table.recovery_update(kb) {
        return Some(recovery_refusal(context, row));
    }
    let row = table.hotpatch(kb);
    let is_hotpatch = |set: &PackageSet| set.kind == Some(Kind::Hotpatch);
    let is_titled = !sets.is_empty() && sets.iter().all(is_hotpatch);
    (row.is_some() || is_titled).then(|| hotpatch_refusal(context, kb, row))
}

fn hotpatch_refusal(context: &ResolveContext<'_>, kb: Kb, row: Option<&Hotpatch>) -> Refusal {
    let instead = row.and_then(|row| row.instead);
    let update = match instead {
        Some(instead) => format!("the cumulative update {instead}"),
        None => "the cumulative update of that month".to_owned(),
    };
    let advice = format!(
        "{kb} is a hotpatch, which only Windows Update delivers: install {update} instead, which needs a restart"
    );
    let refusal = Refusal::new(Status::UnavailableOffline, advice);
    let refusal = refusal.with_evidence(row.map(|row| context.row_evidence(&row.source)));
    Refusal { successor: instead, ..refusal }
}

fn recovery_refusal(context: &ResolveContext<'_>, row: &RecoveryUpdate) -> Refusal {
    let payload = match row.payload {
        Some(payload) => format!("the Safe OS dynamic update {payload}, or a later one,"),
        None => "the newest Safe OS dynamic update".to_owned(),
    };
    let advice = format!(
        "{} updates the recovery environment, and only Windows Update delivers it: apply {payload} to winre.wim (--for winre)",
        row.kb
    );
    let refusal = Refusal::new(Status::UnavailableOffline, advice);
    let refusal = refusal.with_evidence([context.row_evidence(&row.source)]);
    Refusal { successor: row.payload, ..refusal }
}
