//! Answers to a range that are not what was asked for, and files that change between two tries.

use super::super::support::FileFault;
use super::case::{ALL, Case, HALF, LENGTH, always, once, run_all};

const HALF_BYTES: u64 = HALF as u64;

fn cut() -> FileFault {
    FileFault::CutAfter(HALF)
}

#[test]
fn only_the_range_that_was_asked_for_is_appended() {
    let mut cases = Vec::new();
    for (name, fault) in [
        ("another start", FileFault::WrongStart),
        ("another total", FileFault::WrongTotal),
        ("an inverted range", FileFault::Inverted),
        ("no Content-Range", FileFault::NoContentRange),
        ("416", FileFault::Unsatisfiable),
        ("another tag", FileFault::OtherTag),
    ] {
        let fault = [fault];
        for (often, rule) in [("once", once(&fault)), ("always", always(&fault))] {
            let rules = vec![once(&[cut()]), rule];
            let case = Case::passes(&format!("{name} {often}"), rules, 3);
            // The half that was there, what came of the wrong answer, and all of it.
            cases.push(case.bytes(HALF_BYTES + ALL..=2 * ALL + 1));
        }
    }
    for (often, rule) in [("once", once(&[FileFault::NoRanges])), ("always", always(&[FileFault::NoRanges]))]
    {
        let rules = vec![once(&[cut()]), rule];
        let case = Case::passes(&format!("200 on a range {often}"), rules, 2);
        cases.push(case.bytes(HALF_BYTES + ALL..=HALF_BYTES + ALL));
    }
    run_all(&cases);
}

#[test]
fn a_whole_file_whose_end_was_not_told_is_not_spoiled_by_the_answer_to_what_is_left() {
    let end = || once(&[FileFault::Chunked, FileFault::CutAfter(LENGTH)]);
    let mut cases = Vec::new();
    for (name, rules) in [
        ("416 at the end", vec![end()]),
        ("an inverted range at the end once", vec![end(), once(&[FileFault::Inverted])]),
        ("an inverted range at the end always", vec![end(), always(&[FileFault::Inverted])]),
        ("200 at the end", vec![end(), always(&[FileFault::NoRanges])]),
    ] {
        let case = Case::passes(name, rules, 1).requests(1..=3).bytes(ALL..=2 * ALL);
        cases.push(case.clone());
        cases.push(case.paired());
    }
    run_all(&cases);
}

#[test]
fn a_file_that_changed_is_begun_anew() {
    let mut cases = Vec::new();
    let new = FileFault::NewTag;
    let honest = vec![once(&[cut()]), once(std::slice::from_ref(&new))];
    let case = Case::passes("a new tag once", honest, 2);
    cases.push(case.bytes(HALF_BYTES + ALL..=HALF_BYTES + ALL));
    let honest = vec![once(&[new.clone(), cut()]), always(std::slice::from_ref(&new))];
    let case = Case::passes("a new tag with every answer", honest, 2);
    cases.push(case.bytes(HALF_BYTES + ALL..=HALF_BYTES + ALL));
    // The first half was of another file, and then of this one: with the right tag, and with none.
    let other = vec![once(&[FileFault::Flipped, cut()])];
    cases.push(Case::passes("half of another file", other, 3).bytes(2 * ALL..=2 * ALL));
    let other = vec![once(&[cut()]), once(&[FileFault::Flipped])];
    cases.push(Case::passes("the other half of another file", other, 3).bytes(2 * ALL..=2 * ALL));
    run_all(&cases);
}

#[test]
fn the_validator_that_is_strong_enough_is_used() {
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
fn beginning_anew_has_an_end() {
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
