//! Tests of the state machine against servers that are values, without sockets and disks.

use proptest::prelude::*;

use super::*;
use crate::error::{ErrorKind, Fault as _, Retry};

const LENGTH: u64 = 1000;

fn bounds() -> SizeBounds {
    SizeBounds { size: Some(LENGTH), cap: Some(LENGTH) }
}

fn etag(name: &str) -> Validators {
    Validators::new(Some(&format!("\"{name}\"")), None)
}

fn machine_at(written: u64) -> TransferMachine {
    TransferMachine::new(bounds(), written, Some(LENGTH), etag("a"))
}

fn head(status: u16, length: u64) -> ResponseHead {
    ResponseHead { status, length: Some(length), validators: etag("a"), ..ResponseHead::default() }
}

fn part(first: u64, last: u64, total: u64) -> ResponseHead {
    let range = Some(ContentRange { first, last, total: Some(total) });
    ResponseHead { range, ..head(206, (last + 1).saturating_sub(first)) }
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
    let mut machine = machine_at(400);
    assert_eq!(machine.request(), FilePart { from: 400, if_range: Some("\"a\"".to_owned()) });
    assert_eq!(machine.handle_head(&part(400, 999, LENGTH)).unwrap(), TransferStep::Take { at: 400 });
    machine.count_bytes(600);
    assert_eq!(machine.body_ended().unwrap(), TransferStep::Complete);
    assert!(machine.is_complete());
    // A complete file is not requested at all.
    assert!(machine_at(LENGTH).is_complete());
}

#[test]
fn a_response_that_ignores_the_range_replaces_the_file() {
    let mut machine = machine_at(400);
    assert_eq!(machine.handle_head(&head(200, LENGTH)).unwrap(), TransferStep::Take { at: 0 });
    assert_eq!(machine.written(), 0);
}

#[test]
fn any_response_that_is_not_the_rest_starts_over() {
    let no_range = ResponseHead { range: None, ..part(400, 999, LENGTH) };
    let changed = ResponseHead { validators: etag("b"), ..part(400, 999, LENGTH) };
    let short = ResponseHead { length: Some(5), ..part(400, 999, LENGTH) };
    let unknown = ResponseHead {
        range: Some(ContentRange { first: 400, last: 999, total: None }),
        ..part(400, 999, LENGTH)
    };
    for (what, reply) in [
        ("wrong start", part(300, 999, LENGTH)),
        ("not to the end", part(400, 998, LENGTH)),
        ("wrong total", part(400, 1199, 1200)),
        ("inverted", part(400, 399, LENGTH)),
        ("no range", no_range),
        ("changed", changed),
        ("wrong length", short),
        ("no total", unknown),
        ("416", ResponseHead { status: 416, ..ResponseHead::default() }),
    ] {
        let mut machine = machine_at(400);
        let step = machine.handle_head(&reply).unwrap();
        assert!(matches!(step, TransferStep::StartOver(_)), "{what}: {step:?}");
        assert_eq!(machine.request(), FilePart::default(), "{what}");
    }
    // The number of restarts is limited.
    let mut machine = machine_at(400);
    for _ in 0..MAX_RESTARTS {
        machine.handle_head(&part(300, 999, LENGTH)).unwrap();
        machine.handle_head(&head(200, LENGTH)).unwrap();
        machine.count_bytes(400);
    }
    assert!(machine.handle_head(&part(300, 999, LENGTH)).is_err());
}

#[test]
fn impossible_lengths_are_refused_before_a_byte_is_taken() {
    for length in [0, 999, 1001, u64::MAX] {
        let error = machine_at(0).handle_head(&head(200, length)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity, "{length}");
    }
    let unknown = SizeBounds { size: None, cap: Some(LENGTH) };
    let mut machine = TransferMachine::new(unknown, 0, None, Validators::default());
    assert!(machine.handle_head(&head(200, LENGTH + 1)).is_err());
    assert!(machine.handle_head(&head(200, 10)).is_ok());
    let gzipped = ResponseHead { encoding: Some("gzip".to_owned()), ..head(200, LENGTH) };
    assert_eq!(machine_at(0).handle_head(&gzipped).unwrap_err().retry(), Retry::Soon);
    assert!(
        machine_at(0).handle_head(&part(10, 999, LENGTH)).is_err(),
        "a part in place of the complete file"
    );
    assert_eq!(machine_at(0).handle_head(&part(0, 999, LENGTH)).unwrap(), TransferStep::Take { at: 0 });
}

#[test]
fn a_truncated_body_is_resumed_and_an_empty_one_is_retried() {
    let mut machine = machine_at(0);
    machine.handle_head(&head(200, LENGTH)).unwrap();
    machine.count_bytes(10);
    assert_eq!(machine.body_ended().unwrap_err().retry(), Retry::Soon);
    assert_eq!(machine.request().from, 10);
    let mut machine =
        TransferMachine::new(SizeBounds { size: None, cap: Some(5) }, 0, None, Validators::default());
    machine.handle_head(&ResponseHead { status: 200, ..ResponseHead::default() }).unwrap();
    assert_eq!(machine.body_ended().unwrap_err().retry(), Retry::Soon);
}

#[test]
fn earlier_bytes_count_only_if_they_fit_the_file() {
    let of = |written, total| TransferMachine::new(bounds(), written, total, etag("a")).written();
    assert_eq!(of(400, Some(LENGTH)), 400);
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
    let mut machine = TransferMachine::new(bounds(), 400, Some(LENGTH), dated);
    let later = Validators::new(None, Some("Wed, 11 Sep 2024 17:00:00 GMT"));
    let step = machine.handle_head(&ResponseHead { validators: later, ..part(400, 999, LENGTH) }).unwrap();
    assert!(matches!(step, TransferStep::StartOver(_)));
}

#[test]
fn differing_digests_are_retried_once() {
    let mut machine = machine_at(LENGTH);
    assert!(machine.reject_digests());
    assert_eq!(machine.request(), FilePart::default());
    assert!(!machine.reject_digests());
}

/// The next head and body of a server.
#[derive(Debug, Clone)]
enum ServerReply {
    /// A correct response, truncated after this number of bytes.
    Sound(u64),
    /// A response with any head.
    Strange(ResponseHead, u64),
    SwitchUrl,
}

fn replies() -> impl Strategy<Value = ServerReply> {
    let length = prop_oneof![Just(None), Just(Some(LENGTH)), (0..1200_u64).prop_map(Some)];
    let range = prop_oneof![
        Just(None),
        (0..1100_u64, 0..1100_u64, prop_oneof![Just(None), Just(Some(LENGTH)), (0..1200_u64).prop_map(Some)])
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
        |(status, length, range, validators, encoding)| ResponseHead {
            status,
            length,
            range,
            validators,
            encoding,
        },
    );
    prop_oneof![
        3 => (0..=LENGTH).prop_map(ServerReply::Sound),
        3 => (head, 0..1300_u64).prop_map(|(head, sent)| ServerReply::Strange(head, sent)),
        1 => Just(ServerReply::SwitchUrl),
    ]
}

proptest! {
    /// Every byte that the machine accepts lies at its place, for all servers: byte `n` on the disk was sent as byte
    /// `n`. The file counts as complete only with its full number of bytes.
    #[test]
    fn bytes_lie_where_the_server_said_they_belong(
        kept in 0..=LENGTH,
        total in prop_oneof![Just(None), (0..1200_u64).prop_map(Some)],
        script in prop::collection::vec(replies(), 0..12),
    ) {
        let mut machine = TransferMachine::new(bounds(), kept, total, etag("a"));
        let mut disk: Vec<u64> = (0..machine.written()).collect();
        for reply in script {
            if machine.is_complete() {
                break;
            }
            let request = machine.request();
            prop_assert_eq!(request.from, disk.len() as u64);
            let (head, sent) = match reply {
                ServerReply::Sound(sent) if request.from == 0 => (head(200, LENGTH), sent),
                ServerReply::Sound(sent) => (part(request.from, LENGTH - 1, LENGTH), sent),
                ServerReply::Strange(head, sent) => (head, sent),
                ServerReply::SwitchUrl => {
                    machine.switch_url();
                    continue;
                }
            };
            match machine.handle_head(&head) {
                Err(_) => {}
                Ok(TransferStep::Complete) => break,
                Ok(TransferStep::StartOver(_)) => disk.clear(),
                Ok(TransferStep::Take { at }) => {
                    if at == 0 {
                        disk.clear();
                    }
                    prop_assert_eq!(at, disk.len() as u64);
                    // The first byte of the body, according to the server.
                    let from = if head.status == 206 { head.range.unwrap().first } else { 0 };
                    prop_assert_eq!(at, from);
                    let max_size = machine.total().unwrap_or(LENGTH);
                    let sent = sent.min(head.length.unwrap_or(sent));
                    if at + sent > max_size {
                        let _error = machine.reject_excess();
                        disk.clear();
                        continue;
                    }
                    disk.extend(from..from + sent);
                    machine.count_bytes(sent);
                    let _whole_or_not = machine.body_ended();
                }
            }
        }
        prop_assert_eq!(machine.written(), disk.len() as u64);
        prop_assert!(disk.iter().copied().eq(0..disk.len() as u64));
        if machine.is_complete() {
            prop_assert_eq!(disk.len() as u64, LENGTH);
        }
    }
}

/// If no size is stated, the server's length is the bound; without a length nothing is accepted.
#[test]
fn a_file_of_unstated_size_is_bounded_by_the_server() {
    let unbounded =
        || TransferMachine::new(SizeBounds { size: None, cap: None }, 0, None, Validators::default());
    let without_length = ResponseHead { status: 200, ..ResponseHead::default() };
    assert_eq!(unbounded().handle_head(&without_length), Err(TransferFault::NoSize));
    // The length arrives with the bytes.
    let mut machine = unbounded();
    assert!(!machine.is_bounded());
    let head = ResponseHead { status: 200, length: Some(10), ..ResponseHead::default() };
    assert_eq!(machine.handle_head(&head), Ok(TransferStep::Take { at: 0 }));
    assert_eq!((machine.is_bounded(), machine.max_size()), (true, 10));
    // A length arrived first, and a different one later: the first one applies.
    let mut machine = unbounded();
    machine.limit_size(10);
    assert_eq!(machine.handle_head(&without_length), Ok(TransferStep::Take { at: 0 }));
    assert_eq!(machine.max_size(), 10);
    let longer = ResponseHead { status: 200, length: Some(11), ..ResponseHead::default() };
    assert_eq!(machine.handle_head(&longer), Err(TransferFault::WrongSize { offered: 11, stated: 10 }));
    // A server cannot raise the bound above the largest package.
    let mut machine = unbounded();
    machine.limit_size(u64::MAX);
    assert_eq!(machine.max_size(), LARGEST_PACKAGE);
    // The bound of the Catalog is never widened.
    let mut machine =
        TransferMachine::new(SizeBounds { size: None, cap: Some(5) }, 0, None, Validators::default());
    machine.limit_size(10);
    assert_eq!(machine.max_size(), 5);
}
