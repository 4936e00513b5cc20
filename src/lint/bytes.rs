//! Compares length and container of a file with the known values and with its own header.

use std::collections::BTreeSet;

use super::finding::{LintCode, LintFinding};
use super::folder::FolderEntry;
use super::known::CatalogFile;
use super::report::{CheckedProperty, FileCheck};
use crate::update::Kb;
use crate::update::container::{Container, Extent, extent, mismatch_reason};

/// Checks the length and the beginning of a file. Returns the compared properties and the first fault.
/// `sizes` are the possible lengths of the file. If a stated digest proves the content, only an empty file is a
/// fault.
pub(super) fn check(
    entry: &FolderEntry,
    kb: Option<Kb>,
    right: Option<&CatalogFile>,
    sizes: &BTreeSet<u64>,
    is_proven: bool,
) -> (FileCheck, Option<LintFinding>) {
    let mut check = FileCheck::new(&entry.name, kb);
    check.known_size = sizes.first().copied().filter(|_| sizes.len() == 1);
    let Some(head) = &entry.head else { return (check, None) };
    check.size = Some(head.size);
    check.container = Container::of(&head.first).map(Container::as_str);
    check.checked.push(CheckedProperty::Container);
    let extent = extent(&head.first, head.size);
    if !sizes.is_empty() {
        check.checked.push(CheckedProperty::Size);
    }
    if matches!(extent, Extent::Complete | Extent::Truncated { .. }) {
        check.checked.push(CheckedProperty::ContainerSize);
    }
    let finding = |code, message: String| Some(LintFinding::of_name(code, kb, &entry.name, message));
    if head.size == 0 {
        check.has_fault = true;
        return (
            check,
            finding(LintCode::Empty, "the file is empty: a copy or download was interrupted".to_owned()),
        );
    }
    if is_proven {
        return (check, None);
    }
    // A renamed file is compared with the extension of its correct name.
    let name = right.map_or(entry.name.as_str(), |right| right.name.as_str());
    let fault = if let Some(message) = mismatch_reason(name, &head.first) {
        finding(LintCode::NotAPackage, message)
    } else if !sizes.is_empty() && !sizes.contains(&head.size) {
        let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
        finding(
            LintCode::SizeMismatch,
            format!("the file has {} bytes; the Catalog's file has {}", head.size, sizes.join(" or ")),
        )
    } else {
        match extent {
            Extent::Truncated { stated } => finding(
                LintCode::SizeMismatch,
                format!(
                    "the file has {} bytes; its header states at least {stated}: the file is truncated",
                    head.size
                ),
            ),
            Extent::Broken => {
                finding(LintCode::NotAPackage, "the header of its container is damaged".to_owned())
            }
            Extent::Complete | Extent::Unknown => None,
        }
    };
    check.has_fault = fault.is_some();
    (check, fault)
}
