//! Tests of the state machine against servers that are values, without sockets and disks.

use proptest::prelude::*;

use super::*;
use crate::error::{ErrorKind, Fault as _, Retry};

const WHOLE: u64 = 1000;

fn bounds() -> Bounds {
    Bounds { size: Some(WHOLE), cap: Some(WHOLE) }
}

fn etag(name: &str) -> Validators {
    Validators::new(Some(&format!("\"{name}\"")), None)
}

fn begun(written: u64) -> Machine {
    Machine::new(bounds(), written, Some(WHOLE), etag("a"))
}

fn head(status: u16, length: u64) -> Head {
    Head { status, length: Some(length), validators: etag("a"), ..Head::default() }
}

fn part(first: u64, last: u64, total: u64) -> Head {
    let range = Some(ContentRange { first, last, total: Some(total) });
    Head { range, ..head(206, (last + 1).saturating_sub(first)) }
}

#[test]
fn content_range_headers_are_parsed() {
    let range = |first, last, total| Some(ContentRange { first, last, total });
    assert_eq!(ContentRange::parse("bytes 0-99/200"), range(0, 99, Some(200)));
    assert_eq!(ContentRange::parse(" bytes 5-5/*"), range(5, 5, None));
    assert_eq!(ContentRange::parse("bytes 9-5/200"), range(9, 5, Some(200)));
    for text in [
        "",
        "bytes */200",
        "bytes 1-2",
        "bytes -2/3",
        "bytes 1-/3",
        "bytes +1-2/3",
        "items 1-2/3",
        "bytes 1-2/x",
    ] {
        assert_eq!(ContentRange::parse(text), None, "{text}");
    }
}

#[test]
fn the_rest_is_requested_and_appended() {
    let mut machine = begun(400);
    assert_eq!(machine.request(), Part { from: 400, if_range: Some("\"a\"".to_owned()) });
    assert_eq!(machine.answered(&part(400, 999, WHOLE)).unwrap(), Step::Take { at: 400 });
    machine.took(600);
    assert_eq!(machine.body_ended().unwrap(), Step::Whole);
    assert!(machine.is_whole());
    // A complete file is not requested at all.
    assert!(begun(WHOLE).is_whole());
}

#[test]
fn a_response_that_ignores_the_range_replaces_the_file() {
    let mut machine = begun(400);
    assert_eq!(machine.answered(&head(200, WHOLE)).unwrap(), Step::Take { at: 0 });
    assert_eq!(machine.written(), 0);
}

#[test]
fn any_response_that_is_not_the_rest_starts_over() {
    let no_range = Head { range: None, ..part(400, 999, WHOLE) };
    let changed = Head { validators: etag("b"), ..part(400, 999, WHOLE) };
    let short = Head { length: Some(5), ..part(400, 999, WHOLE) };
    let unknown =
        Head { range: Some(ContentRange { first: 400, last: 999, total: None }), ..part(400, 999, WHOLE) };
    for (what, answer) in [
        ("wrong start", part(300, 999, WHOLE)),
        ("not to the end", part(400, 998, WHOLE)),
        ("wrong total", part(400, 1199, 1200)),
        ("inverted", part(400, 399, WHOLE)),
        ("no range", no_range),
        ("changed", changed),
        ("wrong length", short),
        ("no total", unknown),
        ("416", Head { status: 416, ..Head::default() }),
    ] {
        let mut machine = begun(400);
        let step = machine.answered(&answer).unwrap();
        assert!(matches!(step, Step::StartOver(_)), "{what}: {step:?}");
        assert_eq!(machine.request(), Part::default(), "{what}");
    }
    // The number of restarts is limited.
    let mut machine = begun(400);
    for _ in 0..RESTARTS {
        machine.answered(&part(300, 999, WHOLE)).unwrap();
        machine.answered(&head(200, WHOLE)).unwrap();
        machine.took(400);
    }
    assert!(machine.answered(&part(300, 999, WHOLE)).is_err());
}

#[test]
fn impossible_lengths_are_refused_before_a_byte_is_taken() {
    for length in [0, 999, 1001, u64::MAX] {
        let error = begun(0).answered(&head(200, length)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity, "{length}");
    }
    let unknown = Bounds { size: None, cap: Some(WHOLE) };
    let mut machine = Machine::new(unknown, 0, None, Validators::default());
    assert!(machine.answered(&head(200, WHOLE + 1)).is_err());
    assert!(machine.answered(&head(200, 10)).is_ok());
    let gzipped = Head { encoding: Some("gzip".to_owned()), ..head(200, WHOLE) };
    assert_eq!(begun(0).answered(&gzipped).unwrap_err().retry(), Retry::Soon);
    assert!(begun(0).answered(&part(10, 999, WHOLE)).is_err(), "a part in place of the complete file");
    assert_eq!(begun(0).answered(&part(0, 999, WHOLE)).unwrap(), Step::Take { at: 0 });
}

#[test]
fn a_truncated_body_is_resumed_and_an_empty_one_is_retried() {
    let mut machine = begun(0);
    machine.answered(&head(200, WHOLE)).unwrap();
    machine.took(10);
    assert_eq!(machine.body_ended().unwrap_err().retry(), Retry::Soon);
    assert_eq!(machine.request().from, 10);
    let mut machine = Machine::new(Bounds { size: None, cap: Some(5) }, 0, None, Validators::default());
    machine.answered(&Head { status: 200, ..Head::default() }).unwrap();
    assert_eq!(machine.body_ended().unwrap_err().retry(), Retry::Soon);
}

#[test]
fn earlier_bytes_count_only_if_they_fit_the_file() {
    let of = |written, total| Machine::new(bounds(), written, total, etag("a")).written();
    assert_eq!(of(400, Some(WHOLE)), 400);
    assert_eq!(of(400, None), 400);
    assert_eq!(of(400, Some(1200)), 0);
    assert_eq!(of(1001, None), 0);
    assert_eq!(of(400, Some(300)), 0);
}

#[test]
fn weak_and_malformed_entity_tags_are_ignored() {
    for tag in ["W/\"a\"", "a", "\"\"", ""] {
        assert_eq!(Validators::new(Some(tag), None).etag, None, "{tag}");
    }
    let dated = Validators::new(Some("W/\"a\""), Some("Tue, 10 Sep 2024 17:00:00 GMT"));
    assert_eq!(dated.if_range(), Some("Tue, 10 Sep 2024 17:00:00 GMT"));
    let mut machine = Machine::new(bounds(), 400, Some(WHOLE), dated);
    let later = Validators::new(None, Some("Wed, 11 Sep 2024 17:00:00 GMT"));
    let step = machine.answered(&Head { validators: later, ..part(400, 999, WHOLE) }).unwrap();
    assert!(matches!(step, Step::StartOver(_)));
}

#[test]
fn differing_digests_are_retried_once() {
    let mut machine = begun(WHOLE);
    assert!(machine.differs());
    assert_eq!(machine.request(), Part::default());
    assert!(!machine.differs());
}

/// The next head and body of a server.
#[derive(Debug, Clone)]
enum Answer {
    /// A correct response, truncated after this number of bytes.
    Sound(u64),
    /// A response with any head.
    Strange(Head, u64),
    Elsewhere,
}

fn answers() -> impl Strategy<Value = Answer> {
    let length = prop_oneof![Just(None), Just(Some(WHOLE)), (0..1200_u64).prop_map(Some)];
    let range = prop_oneof![
        Just(None),
        (0..1100_u64, 0..1100_u64, prop_oneof![Just(None), Just(Some(WHOLE)), (0..1200_u64).prop_map(Some)])
            .prop_map(|(first, last, total)| Some(ContentRange { first, last, total })),
    ];
    let validators = prop_oneof![
        Just(Validators::default()),
        Just(etag("a")),
        Just(etag("b")),
        Just(Validators::new(None, Some("x")))
    ];
    let status = prop_oneof![Just(200_u16), Just(206), Just(416)];
    let encoding = prop_oneof![4 => Just(None), 1 => Just(Some("gzip".to_owned()))];
    let head = (status, length, range, validators, encoding).prop_map(
        |(status, length, range, validators, encoding)| Head { status, length, range, validators, encoding },
    );
    prop_oneof![
        3 => (0..=WHOLE).prop_map(Answer::Sound),
        3 => (head, 0..1300_u64).prop_map(|(head, sent)| Answer::Strange(head, sent)),
        1 => Just(Answer::Elsewhere),
    ]
}

proptest! {
    /// Every byte that the machine accepts lies at its place, for all servers: byte `n` on the disk was sent as byte
    /// `n`. The file counts as complete only with its full number of bytes.
    #[test]
    fn bytes_lie_where_the_server_said_they_belong(
        kept in 0..=WHOLE,
        total in prop_oneof![Just(None), (0..1200_u64).prop_map(Some)],
        script in prop::collection::vec(answers(), 0..12),
    ) {
        let mut machine = Machine::new(bounds(), kept, total, etag("a"));
        let mut disk: Vec<u64> = (0..machine.written()).collect();
        for answer in script {
            if machine.is_whole() {
                break;
            }
            let request = machine.request();
            prop_assert_eq!(request.from, disk.len() as u64);
            let (head, sent) = match answer {
                Answer::Sound(sent) if request.from == 0 => (head(200, WHOLE), sent),
                Answer::Sound(sent) => (part(request.from, WHOLE - 1, WHOLE), sent),
                Answer::Strange(head, sent) => (head, sent),
                Answer::Elsewhere => {
                    machine.turn_to_another_address();
                    continue;
                }
            };
            match machine.answered(&head) {
                Err(_) => {}
                Ok(Step::Whole) => break,
                Ok(Step::StartOver(_)) => disk.clear(),
                Ok(Step::Take { at }) => {
                    if at == 0 {
                        disk.clear();
                    }
                    prop_assert_eq!(at, disk.len() as u64);
                    // The first byte of the body, according to the server.
                    let from = if head.status == 206 { head.range.unwrap().first } else { 0 };
                    prop_assert_eq!(at, from);
                    let most = machine.total().unwrap_or(WHOLE);
                    let sent = sent.min(head.length.unwrap_or(sent));
                    if at + sent > most {
                        let _error = machine.too_much();
                        disk.clear();
                        continue;
                    }
                    disk.extend(from..from + sent);
                    machine.took(sent);
                    let _whole_or_not = machine.body_ended();
                }
            }
        }
        prop_assert_eq!(machine.written(), disk.len() as u64);
        prop_assert!(disk.iter().copied().eq(0..disk.len() as u64));
        if machine.is_whole() {
            prop_assert_eq!(disk.len() as u64, WHOLE);
        }
    }
}

/// If no size is stated, the server's length is the bound; without a length nothing is accepted.
#[test]
fn a_file_of_unstated_size_is_bounded_by_the_server() {
    let unbounded = || Machine::new(Bounds { size: None, cap: None }, 0, None, Validators::default());
    let without_length = Head { status: 200, ..Head::default() };
    assert_eq!(unbounded().answered(&without_length), Err(TransferFault::NoSize));
    // The length arrives with the bytes.
    let mut machine = unbounded();
    assert!(!machine.is_bounded());
    let head = Head { status: 200, length: Some(10), ..Head::default() };
    assert_eq!(machine.answered(&head), Ok(Step::Take { at: 0 }));
    assert_eq!((machine.is_bounded(), machine.most()), (true, 10));
    // A length arrived first, and a different one later: the first one applies.
    let mut machine = unbounded();
    machine.bound_by(10);
    assert_eq!(machine.answered(&without_length), Ok(Step::Take { at: 0 }));
    assert_eq!(machine.most(), 10);
    let longer = Head { status: 200, length: Some(11), ..Head::default() };
    assert_eq!(machine.answered(&longer), Err(TransferFault::WrongSize { offered: 11, stated: 10 }));
    // A server cannot raise the bound above the largest package.
    let mut machine = unbounded();
    machine.bound_by(u64::MAX);
    assert_eq!(machine.most(), LARGEST_PACKAGE);
    // The bound of the Catalog is never widened. % download/mod.rs
    let mut machine = Machine::new(Bounds { size: None, cap: Some(5) }, 0, None, Validators::default());
    machine.bound_by(10);
    assert_eq!(machine.most(), 5);
}
