//! Resolves a KB with the built-in knowledge only. Prints the required files in order, each with its reason.
//!
//! `cargo run --example resolve -- KB5086672 arm64 26100.863`
#![expect(clippy::print_stdout, reason = "an example prints its result")]
#![expect(clippy::disallowed_methods, reason = "an example reads its arguments")]

use kbmirror::{Architecture, Build, FactsLibrary, Kb, Knowledge, Machine, Request, resolve};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let mut word = |default: &str| words.next().unwrap_or_else(|| default.to_owned());
    let kb: Kb = word("KB5086672").parse()?;
    let architecture: Architecture = word("arm64").parse()?;
    let baseline: Build = word("26100.863").parse()?;

    let knowledge = Knowledge::built_in()?;
    let machine =
        Machine { architecture: Some(architecture), baseline: Some(baseline), ..Machine::default() };
    let request = Request { machine, ..Request::new(kb) };
    let plan = resolve(&request, &FactsLibrary::of_knowledge(&knowledge), &knowledge)?;

    println!("{kb} for {architecture} on build {baseline}: {:?}", plan.status);
    for (number, step) in (1..).zip(&plan.steps) {
        let name = step.name.as_deref().unwrap_or("a file of unknown name");
        println!("{number}. {name} ({}): {}", step.role, step.because);
    }
    for warning in &plan.warnings {
        println!("warning: {warning}");
    }
    Ok(())
}
