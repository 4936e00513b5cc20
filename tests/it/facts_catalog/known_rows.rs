//! The entries that the Catalog has for a KB of the knowledge: titles as Microsoft writes them, with the known files.

use kbmirror::resolve::{FactsLibrary, Library as _, PackageSet};
use kbmirror::servicing::Knowledge;
use kbmirror::update::{Kb, Kind, Month};

use super::Row;

/// Returns the entries of a KB: one for each product name and architecture, if all file names are known.
pub(super) fn rows_of_knowledge(kb: Kb, knowledge: &Knowledge) -> Vec<Row> {
    let sets = FactsLibrary::of_knowledge(knowledge).sets(kb).unwrap();
    let mut rows = Vec::new();
    for set in sets.iter() {
        let Some(files) = names_of(set) else { continue };
        for family in knowledge.families().iter().filter(|family| set.serves(family)) {
            for product in family.title_products() {
                let Some((title, products)) = title_of(set, &product) else { continue };
                let date =
                    set.month.map_or_else(|| "2026-06-09".to_owned(), |month| month.last_day().to_string());
                let classification = "Security Updates".to_owned();
                rows.push(Row {
                    title,
                    products,
                    classification,
                    date,
                    files: files.clone(),
                    supersedes: Vec::new(),
                });
            }
        }
    }
    rows
}

fn names_of(set: &PackageSet) -> Option<Vec<String>> {
    let mut names: Vec<String> = set
        .members
        .iter()
        .map(|member| member.file.known_name().map(str::to_owned))
        .collect::<Option<_>>()?;
    // The order of a dialog proves nothing.
    names.reverse();
    Some(names)
}

/// Returns the title and the products of an entry, or `None` for a kind whose entries have other forms.
fn title_of(set: &PackageSet, product: &str) -> Option<(String, String)> {
    let (kb, architecture) = (set.kb, set.architecture?);
    let month = set.month.as_ref().map(Month::to_string);
    let of_month = |text: String| month.as_ref().map_or(text.clone(), |month| format!("{month} {text}"));
    let for_systems = format!("for {product} for {architecture}-based Systems ({kb})");
    let family_products = product.split(", version").next().unwrap().to_owned();
    let (words, products) = match set.kind? {
        Kind::Lcu => (format!("Cumulative Update {for_systems}"), family_products),
        Kind::LcuPreview => (format!("Cumulative Update Preview {for_systems}"), family_products),
        Kind::Ssu => (format!("Servicing Stack Update {for_systems}"), family_products),
        Kind::MonthlyRollup => (format!("Security Monthly Quality Rollup {for_systems}"), family_products),
        Kind::SafeosDu => {
            (format!("Safe OS Dynamic Update {for_systems}"), "Windows Safe OS Dynamic Update".to_owned())
        }
        Kind::SetupDu => {
            (format!("Setup Dynamic Update {for_systems}"), "Windows 10 and later Dynamic Update".to_owned())
        }
        Kind::DuAmbiguous => (format!("Dynamic Update {for_systems}"), String::new()),
        kind @ (Kind::DotnetCu | Kind::DotnetPreview) => {
            let preview = if kind == Kind::DotnetPreview { " Preview" } else { "" };
            let text = format!(
                "Cumulative Update{preview} for .NET Framework 3.5 and 4.8.1 for {product} for {architecture} ({kb})"
            );
            (text, family_products)
        }
        Kind::EsuLicensing => (
            format!("Extended Security Updates (ESU) Licensing Preparation Package {for_systems}"),
            family_products,
        ),
        Kind::UpdateOther => (format!("Update {for_systems}"), family_products),
        _ => return None,
    };
    Some((of_month(words), products))
}
