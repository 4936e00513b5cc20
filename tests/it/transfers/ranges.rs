//! Wrong answers to a range request, and files that change between two tries.

use super::super::support::FileFault;
use super::case::{ALL, Case, HALF, LENGTH, always, once, run_all};

const HALF_BYTES: u64 = HALF as u64;

fn cut() -> FileFault {
    FileFault::CutAfter(HALF)
}

#[test]
fn only_the_requested_range_is_appended() {
    let mut cases = Vec::new();
    for (name, fault) in [
        ("another start", FileFault::WrongStart),
        ("another total", FileFault::WrongTotal),
        ("an inverted range", FileFault::EmptyRange),
        ("no Content-Range", FileFault::NoContentRange),
        ("416", FileFault::Unsatisfiable),
        ("another tag", FileFault::OtherTag),
    ] {
        let fault = [fault];
        for (frequency, rule) in [("once", once(&fault)), ("always", always(&fault))] {
            let rules = vec![once(&[cut()]), rule];
            let case = Case::passes(&format!("{name} {frequency}"), rules, 3);
            // The bytes are the first half, the body of the wrong answer, and the complete file.
            cases.push(case.bytes(HALF_BYTES + ALL..=2 * ALL + 1));
        }
    }
    for (frequency, rule) in
        [("once", once(&[FileFault::NoRanges])), ("always", always(&[FileFault::NoRanges]))]
    {
        let rules = vec![once(&[cut()]), rule];
        let case = Case::passes(&format!("200 on a range {frequency}"), rules, 2);
        cases.push(case.bytes(HALF_BYTES + ALL..=HALF_BYTES + ALL));
    }
    run_all(&cases);
}

#[test]
fn a_complete_file_survives_the_answer_to_an_empty_range() {
    let end = || once(&[FileFault::Chunked, FileFault::CutAfter(LENGTH)]);
    let mut cases = Vec::new();
    for (name, rules) in [
        ("416 at the end", vec![end()]),
        ("an inverted range at the end once", vec![end(), once(&[FileFault::EmptyRange])]),
        ("an inverted range at the end always", vec![end(), always(&[FileFault::EmptyRange])]),
        ("200 at the end", vec![end(), always(&[FileFault::NoRanges])]),
    ] {
        let case = Case::passes(name, rules, 1).requests(1..=3).bytes(ALL..=2 * ALL);
        cases.push(case.clone());
        cases.push(case.paired());
    }
    run_all(&cases);
}

#[test]
fn a_changed_file_is_downloaded_from_the_beginning() {
    let mut cases = Vec::new();
    let new = FileFault::NewTag;
    let right_validators = vec![once(&[cut()]), once(std::slice::from_ref(&new))];
    let case = Case::passes("a new tag once", right_validators, 2);
    cases.push(case.bytes(HALF_BYTES + ALL..=HALF_BYTES + ALL));
    let right_validators = vec![once(&[new.clone(), cut()]), always(std::slice::from_ref(&new))];
    let case = Case::passes("a new tag with every answer", right_validators, 2);
    cases.push(case.bytes(HALF_BYTES + ALL..=HALF_BYTES + ALL));
    // The second half belongs to another file: with the right tag in one case, and without a tag in the other.
    let other = vec![once(&[FileFault::Flipped, cut()])];
    cases.push(Case::passes("half of another file", other, 3).bytes(2 * ALL..=2 * ALL));
    let other = vec![once(&[cut()]), once(&[FileFault::Flipped])];
    cases.push(Case::passes("the other half of another file", other, 3).bytes(2 * ALL..=2 * ALL));
    run_all(&cases);
}

#[test]
fn the_strong_validator_is_used() {
    let mut cases = Vec::new();
    for (name, fault) in [("a weak tag", FileFault::WeakTag), ("a date", FileFault::DateOnly)] {
        let rules = vec![once(&[fault.clone(), cut()]), always(std::slice::from_ref(&fault))];
        cases.push(Case::passes(name, rules, 2));
    }
    let nothing = FileFault::NoValidators;
    let rules = vec![once(&[nothing.clone(), cut()]), always(std::slice::from_ref(&nothing))];
    let case = Case::passes("no validator", rules, 2);
    cases.push(case.requests(2..=3).bytes(ALL..=HALF_BYTES + ALL));
    run_all(&cases);
}

#[test]
fn restarts_from_the_beginning_are_limited() {
    let mut cases = Vec::new();
    for (name, fault) in [
        ("a new tag and a cut with every answer", FileFault::NewTag),
        ("no ranges and a cut with every answer", FileFault::NoRanges),
        ("another start and a cut with every answer", FileFault::WrongStart),
        ("416 and a cut with every answer", FileFault::Unsatisfiable),
    ] {
        let case = Case::fails(name, vec![always(&[fault, cut()])], &[5, 6], &[], 2..=40);
        cases.push(case.bytes(0..=40 * ALL).waits(0..=600));
    }
    run_all(&cases);
}
