//! Tests of the loopback CDN's faults with a plain socket.

use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::selftest::{Reply, exchange, reply, send};
use super::{Action, FileFault, FileSpec, Hook, Loopback, Rule, UpdateSpec, World, id};

const BYTES: &[u8] = b"0123456789";
const PATH: &str = "/d/package.cab";

fn loopback() -> Loopback {
    let file = FileSpec {
        url: Some(format!("http://{{cdn}}{PATH}")),
        ..FileSpec::package("windows11.0-kb5043080-arm64", "msu", BYTES)
    };
    Loopback::start(
        World::new().update(UpdateSpec { files: vec![file], ..UpdateSpec::new(&id(1), "One (KB1)") }),
    )
}

fn under(loopback: &Loopback, faults: &[FileFault], headers: &[&str]) -> TcpStream {
    loopback.rule(Rule::once(PATH, Action::File(faults.to_vec())));
    send(&loopback.file_host(), "GET", PATH, headers, "")
}

/// Returns the complete answer under faults.
fn answer_under(loopback: &Loopback, faults: &[FileFault], headers: &[&str]) -> Reply {
    let mut bytes = Vec::new();
    under(loopback, faults, headers).read_to_end(&mut bytes).expect("the answer ends");
    reply(bytes).expect("an answer")
}

const RANGE: &str = "Range: bytes=4-";

#[test]
fn a_body_can_end_in_several_ways() {
    let loopback = loopback();
    let cut = answer_under(&loopback, &[FileFault::CutAfter(3)], &[]);
    assert!(cut.has_header("Content-Length: 10") && cut.body == b"012");
    let chunked = answer_under(&loopback, &[FileFault::Chunked], &[]);
    assert!(chunked.has_header("Transfer-Encoding: chunked") && !chunked.head.contains("Content-Length"));
    assert_eq!(chunked.body, b"a\r\n0123456789\r\n0\r\n\r\n");
    let cut = answer_under(&loopback, &[FileFault::Chunked, FileFault::CutAfter(10)], &[]);
    assert_eq!(cut.body, b"a\r\n0123456789\r\n", "the end is missing");
    let bare = answer_under(&loopback, &[FileFault::CloseDelimited, FileFault::CutAfter(3)], &[]);
    assert!(!bare.head.contains("Content-Length") && !bare.head.contains("Transfer-Encoding"));
    assert_eq!(bare.body, b"012");
    let shorter = answer_under(&loopback, &[FileFault::Shorter(4)], &[]);
    assert!(shorter.has_header("Content-Length: 6") && shorter.body == b"012345");
    let shorter = answer_under(&loopback, &[FileFault::Shorter(4)], &[RANGE]);
    assert!(shorter.has_header("Content-Range: bytes 4-5/10") && shorter.body == b"45");
    let longer = answer_under(&loopback, &[FileFault::Longer(2)], &[]);
    assert!(longer.has_header("Content-Length: 12") && longer.body == b"0123456789\0\0");
    let flipped = answer_under(&loopback, &[FileFault::Flipped], &[RANGE]);
    assert_eq!(flipped.body, b"556789");
    let said = answer_under(&loopback, &[FileFault::GzipHeaderOnly], &[]);
    assert!(said.has_header("Content-Encoding: gzip") && said.body == BYTES);
    let gzipped = answer_under(&loopback, &[FileFault::Gzipped], &[]);
    assert!(gzipped.has_header("Content-Encoding: gzip") && gzipped.body.starts_with(&[0x1f, 0x8b]));
}

#[test]
fn a_stall_lasts_until_the_client_disconnects() {
    let loopback = loopback();
    let mut bytes = Vec::new();
    let reset = under(&loopback, &[FileFault::ResetAfter(3)], &[]).read_to_end(&mut bytes);
    assert_eq!(reset.expect_err("no end").kind(), ErrorKind::ConnectionReset);
    assert!(bytes.ends_with(b"012"), "{}", String::from_utf8_lossy(&bytes));

    let called = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&called);
    let count = Hook::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let mut stalled = under(&loopback, &[FileFault::StallAfter(3, count.clone())], &[]);
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n012") {
        let mut byte = [0];
        stalled.read_exact(&mut byte).expect("the first bytes arrive");
        bytes.extend(byte);
    }
    stalled.set_nonblocking(true).expect("a socket can be non-blocking");
    assert_eq!(stalled.read(&mut [0]).expect_err("nothing").kind(), ErrorKind::WouldBlock);
    drop(stalled);
    called.store(0, Ordering::SeqCst);
    let dripped = answer_under(&loopback, &[FileFault::Drip(4, count)], &[]);
    assert_eq!(dripped.body, BYTES);
    assert!(called.load(Ordering::SeqCst) >= 3, "before every piece");
}

#[test]
fn an_endless_body_continues_until_the_client_stops() {
    let loopback = loopback();
    let mut endless = under(&loopback, &[FileFault::Endless], &[]);
    let mut bytes = vec![0; 100_000];
    endless.read_exact(&mut bytes).expect("there is always more");
    drop(endless);
    let served = loopback.bytes_served();
    assert!((30_000..2_000_000).contains(&served), "{served}");
}

#[test]
fn range_faults_give_wrong_answers() {
    let loopback = loopback();
    let cases: [(FileFault, u16, Option<&str>, &[u8]); 7] = [
        (FileFault::NoRanges, 200, None, BYTES),
        (FileFault::WrongStart, 206, Some("bytes 3-9/10"), b"3456789"),
        (FileFault::WrongTotal, 206, Some("bytes 4-9/11"), b"456789"),
        (FileFault::EmptyRange, 206, Some("bytes 4-3/10"), b""),
        (FileFault::NoContentRange, 206, None, b"456789"),
        (FileFault::Unsatisfiable, 416, Some("bytes */10"), b""),
        (FileFault::OtherTag, 206, Some("bytes 4-9/10"), b"456789"),
    ];
    for (fault, status, range, body) in cases {
        let ranged = answer_under(&loopback, std::slice::from_ref(&fault), &[RANGE]);
        assert_eq!((ranged.status, ranged.body.as_slice()), (status, body), "{fault:?}");
        let found = ranged.head.lines().find_map(|line| line.strip_prefix("Content-Range: "));
        assert_eq!(found, range, "{fault:?}");
        let whole = answer_under(&loopback, std::slice::from_ref(&fault), &[]);
        assert_eq!(
            (whole.status, whole.body.as_slice()),
            (200, BYTES),
            "{fault:?}: the request has no range"
        );
    }
    let beyond = answer_under(&loopback, &[FileFault::EmptyRange], &["Range: bytes=10-"]);
    assert!(beyond.status == 206 && beyond.has_header("Content-Range: bytes 10-9/10"));
}

#[test]
fn validators_follow_the_fault() {
    let loopback = loopback();
    let regular = exchange(&loopback.file_host(), "GET", PATH, &[], "").expect("an answer");
    let value = |reply: &Reply, name: &str| {
        let line = reply.head.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        line.map(|value| value.trim_start_matches(": ").to_owned())
    };
    let (tag, date) = (value(&regular, "ETag").unwrap_or_default(), value(&regular, "Last-Modified"));
    let date = date.unwrap_or_default();
    let with_tag = format!("If-Range: {tag}");
    let with_weak = format!("If-Range: W/{tag}");
    let with_date = format!("If-Range: {date}");
    // The statuses for a range with the tag, with the weak tag, and with the date.
    let cases: [(FileFault, [u16; 3], Option<String>, bool); 4] = [
        (FileFault::WeakTag, [200, 200, 206], Some(format!("W/{tag}")), true),
        (FileFault::DateOnly, [200, 200, 206], None, true),
        (FileFault::NoValidators, [200, 200, 200], None, false),
        (FileFault::OtherTag, [206, 200, 206], Some(tag.clone()), true),
    ];
    for (fault, statuses, shown, dated) in cases {
        let under = |condition: &str| {
            answer_under(&loopback, std::slice::from_ref(&fault), &[RANGE, condition]).status
        };
        assert_eq!([under(&with_tag), under(&with_weak), under(&with_date)], statuses, "{fault:?}");
        assert_eq!(answer_under(&loopback, std::slice::from_ref(&fault), &[RANGE]).status, 206, "{fault:?}");
        let whole = answer_under(&loopback, std::slice::from_ref(&fault), &[]);
        assert_eq!(
            (value(&whole, "ETag"), value(&whole, "Last-Modified").is_some()),
            (shown, dated),
            "{fault:?}"
        );
    }
    let first = answer_under(&loopback, &[FileFault::NewTag], &[RANGE, &with_tag]);
    let second = answer_under(&loopback, &[FileFault::NewTag], &[RANGE]);
    assert_eq!((first.status, second.status), (200, 206));
    assert_ne!(value(&first, "ETag"), value(&second, "ETag"));
    let seen = loopback.requests();
    assert_eq!(seen.last().and_then(|seen| seen.if_range.clone()), None);
    assert_eq!(seen[seen.len() - 2].if_range.as_deref(), Some(tag.as_str()));
}

#[test]
fn bytes_and_repeated_bytes_are_counted_by_path() {
    let loopback = loopback();
    let host = loopback.file_host();
    let get = |headers: &[&str]| exchange(&host, "GET", PATH, headers, "").expect("an answer").status;
    answer_under(&loopback, &[FileFault::CutAfter(6)], &[]);
    let sent = loopback.traffic().of("package");
    assert_eq!((sent.served, sent.repeated), (6, 0));
    assert_eq!(get(&[RANGE]), 206);
    let sent = loopback.traffic().of("package");
    assert_eq!((sent.served, sent.repeated), (12, 2), "the fifth and sixth byte were sent twice");
    assert_eq!(get(&["Range: bytes=0-1"]), 206);
    assert_eq!(loopback.traffic().of("package").repeated, 4);
    assert_eq!((loopback.bytes_served_of(PATH), loopback.bytes_served_of("other")), (14, 0));
    assert_eq!(loopback.ranges_of(PATH), [None, Some("bytes=4-".to_owned()), Some("bytes=0-1".to_owned())]);
    assert!(loopback.traffic().wait_for_bytes(14) && !loopback.traffic().wait_for_bytes(15));
    loopback.traffic().limit_rate(1_000_000);
    assert_eq!(get(&[]), 200);
}
