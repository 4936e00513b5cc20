//! Tests of the loopback Catalog itself with a plain socket, independent of the program.
#![expect(clippy::disallowed_methods, reason = "a recording is made in a temporary folder")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::{Action, FileSpec, Loopback, Rule, SeenRequest, StatedDigest, UpdateSpec, World, id};

const BYTES: &[u8] = b"0123456789";
/// The digests of `BYTES`, computed with sha1sum and openssl.
const SHA1: &str = "87acec17cd9dcd20a716cc2cf67417b71c8a7016";
const SHA1_BASE64: &str = "h6zsF82dzSCnFsws9nQXtxyKcBY=";
const SHA256_BASE64: &str = "hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=";

pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Reply {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a page is UTF-8")
    }

    pub(super) fn has_header(&self, line: &str) -> bool {
        self.head.lines().any(|found| found.eq_ignore_ascii_case(line))
    }
}

/// Sends one request and returns the complete answer, or `None` if the connection ends without an answer.
pub(super) fn exchange(
    host: &str,
    method: &str,
    target: &str,
    headers: &[&str],
    body: &str,
) -> Option<Reply> {
    let mut stream = send(host, method, target, headers, body);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the answer ends");
    reply(answer)
}

/// Opens a connection and sends a request.
pub(super) fn send(host: &str, method: &str, target: &str, headers: &[&str], body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host).expect("the loopback server listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
    let mut request =
        format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n", body.len());
    for header in headers {
        request.extend([*header, "\r\n"]);
    }
    request.extend(["\r\n", body]);
    stream.write_all(request.as_bytes()).expect("the request is taken");
    stream
}

/// Parses an answer.
pub(super) fn reply(mut answer: Vec<u8>) -> Option<Reply> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(answer[..end].to_vec()).expect("a head is text");
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Reply { status, head, body: answer.split_off(end + 4) })
}

fn get(host: &str, target: &str) -> Reply {
    exchange(host, "GET", target, &[], "").expect("an answer")
}

fn catalog_host(loopback: &Loopback) -> String {
    loopback.catalog_url().trim_start_matches("http://").to_owned()
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

fn dialog_form(id: &str) -> String {
    let json = json!([{ "size": 0, "languages": "", "uidInfo": id, "updateID": id }]).to_string();
    url::form_urlencoded::Serializer::new(String::new()).append_pair("updateIDs", &json).finish()
}

fn dialog(loopback: &Loopback, id: &str) -> String {
    let reply = exchange(&catalog_host(loopback), "POST", "/DownloadDialog.aspx", &[FORM], &dialog_form(id))
        .expect("an answer");
    assert_eq!(reply.status, 200);
    reply.text().to_owned()
}

fn package() -> FileSpec {
    FileSpec::package("windows11.0-kb5043080-arm64", "msu", BYTES)
}

fn last_seen(loopback: &Loopback) -> SeenRequest {
    loopback.requests().pop().expect("a request")
}

/// Returns the path of the first file of a dialog on the CDN.
fn first_path(loopback: &Loopback, dialog: &str) -> String {
    let start = format!("files[0].url = 'http://{}", loopback.file_host());
    let (_, rest) = dialog.split_once(&start).expect("a file on the CDN");
    rest.split_once('\'').expect("the end of the text").0.to_owned()
}

fn many(count: u32) -> World {
    (0..count).fold(World::new(), |world, number| {
        world.update(UpdateSpec::new(
            &id(number),
            &format!("Update number {number} (KB{})", 5_000_000 + number),
        ))
    })
}

#[test]
fn a_search_page_has_the_rows_that_match() {
    let update = UpdateSpec {
        products: "Windows 11,Upgrade & Servicing Drivers".to_owned(),
        files: vec![package(), FileSpec::package("x", "cab", vec![0; 1_600_000])],
        ..UpdateSpec::new(&id(7), "Cumulative \"Update\" for arm64 (KB5043080)")
    };
    let loopback =
        Loopback::start(World::new().update(update).update(UpdateSpec::new(&id(8), "Another (KB5043081)")));
    let host = catalog_host(&loopback);

    let page = get(&host, "/Search.aspx?q=kb5043080+%22servicing+drivers%22&p=0");
    assert_eq!(page.status, 200);
    assert!(page.has_header("Content-Type: text/html; charset=utf-8"));
    let text = page.text();
    let seven = id(7);
    for part in [
        r#"<span id="ctl00_catalogBody_searchDuration">1 - 1 of 1 (page 1 of 1)</span>"#,
        r#"id="ctl00_catalogBody_updateMatches" style="#,
        &format!(r#"<tr id="{seven}_R0" style="border-width:0px;">"#),
        &format!(r#"id="{seven}_C7_R0""#),
        "Cumulative &quot;Update&quot; for arm64 (KB5043080)\r\n",
        "Upgrade & Servicing Drivers",
        &format!(r#"<span id="{seven}_size">1.5 MB</span>"#),
        &format!(r#"id="{seven}_originalSize">1600010</span>"#),
        r#"id="ctl00_catalogBody_nextPage""#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains(&id(8)) && !text.contains("noResultText") && !text.contains("nextPageLink"));

    let none = get(&host, "/Search.aspx?q=KB5043080+-arm64");
    assert!(
        none.text().contains("ctl00_catalogBody_noResultText")
            && none.text().contains("catalogBody_noResults")
    );
    assert!(!none.text().contains("updateMatches") && !none.text().contains("searchDuration"));
}

#[test]
fn paging_alternates_the_dialects_and_ends() {
    let loopback = Loopback::start(many(30));
    let host = catalog_host(&loopback);
    let rows = |text: &str| text.matches("<tr id=\"").count() - text.matches("<tr id=\"headerRow").count();

    let first = get(&host, "/Search.aspx?q=update");
    assert_eq!(rows(first.text()), 25);
    assert!(
        first.text().contains(">1 - 25 of 30 (page 1 of 2)<") && first.text().contains("_nextPageLinkText")
    );
    assert!(first.text().contains("aspNetHidden"));
    let second = get(&host, "/Search.aspx?p=1&q=update");
    assert_eq!(rows(second.text()), 5);
    assert!(
        second.text().contains(">26 - 30 of 30 (page 2 of 2)<") && !second.text().contains("nextPageLink")
    );
    assert!(second.text().contains("_prevPageLinkText") && second.text().contains("bordercolor=\"Gray\""));
    assert!(
        second.text().contains(&format!("<tr id=\"{}_R0\">", id(25)))
            && !second.text().contains("aspNetHidden")
    );
    let past = get(&host, "/Search.aspx?q=update&p=2");
    assert!(!past.text().contains("updateMatches") && !past.text().contains("noResult"));

    loopback.replace(many(1001));
    let last = get(&host, "/Search.aspx?q=update&p=39");
    assert!(last.text().contains(">976 - 1000 of 1000 (page 40 of 40)<"));
    assert!(last.text().contains("ctl00_catalogBody_textMoreResults"));
}

#[test]
fn details_list_related_updates_and_unknown_ids_redirect() {
    let update = UpdateSpec {
        classification: "Updates".to_owned(),
        last_updated: "4/11/2023".to_owned(),
        superseded_by: vec![(id(2), "The next".to_owned())],
        supersedes: vec!["The one before".to_owned()],
        kbs: vec!["5025239".to_owned(), "5025240".to_owned()],
        ..UpdateSpec::new(&id(1), "2023-04 Cumulative Update")
    };
    let loopback =
        Loopback::start(World::new().update(update).update(UpdateSpec::new(&id(2), "The next (KB1)")));
    let host = catalog_host(&loopback);

    let page = get(&host, &format!("/ScopedViewInline.aspx?updateid={}", id(1)));
    for part in [
        r#"<span id="ScopedViewHandler_titleText">2023-04 Cumulative Update</span>"#,
        r#"<span id="ScopedViewHandler_date">4/11/2023</span>"#,
        &format!(r#"<span id="ScopedViewHandler_UpdateID">{}</span>"#, id(1)),
        &format!(r#"<a href="ScopedViewInline.aspx?updateid={}">The next</a>"#, id(2)),
        "The one before",
        "5025239,\r\n        5025240",
    ] {
        assert!(page.text().contains(part), "{part} in {}", page.text());
    }
    let next = get(&host, &format!("/ScopedViewInline.aspx?updateid={}", id(2)));
    assert!(next.text().contains("<div id=\"supersededbyInfo\">\r\n    n/a"));

    let unknown = get(&host, &format!("/ScopedViewInline.aspx?updateid={}", id(3)));
    assert_eq!(unknown.status, 302);
    assert!(unknown.has_header("Location: /Thanks.aspx?id=190"));
    let thanks = get(&host, "/Thanks.aspx?id=190");
    assert_eq!(thanks.status, 200);
    assert!(
        thanks.text().contains("ctl00_catalogBody_thanksNoUpdate")
            && thanks.text().contains("class=\"thanks\"")
    );
}

#[test]
fn a_dialog_lists_the_files_as_they_are_stated() {
    let old = FileSpec {
        name: "old's.cab".to_owned(),
        bytes: BYTES.to_vec(),
        sha1_stated: StatedDigest::Empty,
        sha256_stated: StatedDigest::NoLine,
        url: Some("http://{catalog}/d/old's.cab".to_owned()),
        ..FileSpec::default()
    };
    let wrong = FileSpec { sha1_stated: StatedDigest::Text("AAAA".to_owned()), ..package() };
    let update =
        UpdateSpec { files: vec![package(), old, wrong], ..UpdateSpec::new(&id(1), "It's (KB5043080)") };
    let loopback = Loopback::start(World::new().update(update));

    let text = dialog(&loopback, &id(1));
    let name = format!("windows11.0-kb5043080-arm64_{SHA1}.msu");
    let catalog = catalog_host(&loopback);
    for part in [
        &format!("downloadInformation[0].updateID ='{}';", id(1)),
        "downloadInformation[0].enTitle ='It\\'s (KB5043080)';",
        &format!("/public/{name}';"),
        &format!("downloadInformation[0].files[0].digest = '{SHA1_BASE64}';"),
        &format!("downloadInformation[0].files[0].sha256 = '{SHA256_BASE64}';"),
        &format!("downloadInformation[0].files[0].fileName = '{name}';"),
        &format!("files[1].url = 'http://{catalog}/d/old\\'s.cab';"),
        "files[1].digest = '';",
        "files[2].digest = 'AAAA';",
        "downloadInformation[0].allFilesExist = false;",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("files[1].sha256"));
    assert_eq!(get(&catalog, "/d/old's.cab").body, BYTES);

    let unknown = dialog(&loopback, &id(2));
    assert!(
        unknown.contains("var downloadInformation = new Array();")
            && !unknown.contains("downloadInformation[0]")
    );

    let seen = loopback.requests();
    assert_eq!(seen.len(), 3);
    assert_eq!((seen[0].method.as_str(), seen[0].path_and_query.as_str()), ("POST", "/DownloadDialog.aspx"));
    assert_eq!(seen[0].form[0].0, "updateIDs");
    assert!(seen[0].form[0].1.contains(&id(1)));
}

#[test]
fn files_are_served_completely_or_in_ranges_and_counted() {
    let changed = FileSpec { served: Some(b"flipped!!!".to_vec()), ..package() };
    let loopback = Loopback::start(
        World::new()
            .update(UpdateSpec { files: vec![package()], ..UpdateSpec::new(&id(1), "True (KB1)") })
            .update(UpdateSpec { files: vec![changed], ..UpdateSpec::new(&id(2), "Flipped (KB2)") }),
    );
    let host = loopback.file_host();
    let path = first_path(&loopback, &dialog(&loopback, &id(1)));
    let part =
        |range: &str| exchange(&host, "GET", &path, &[&format!("Range: {range}")], "").expect("an answer");

    let head = exchange(&host, "HEAD", &path, &["User-Agent: test", "Accept-Language: en-US"], "")
        .expect("an answer");
    assert!(head.status == 200 && head.body.is_empty());
    assert!(head.has_header("Content-Length: 10") && head.has_header("Accept-Ranges: bytes"));
    assert_eq!(loopback.bytes_served(), 0);
    let seen = last_seen(&loopback);
    assert_eq!((seen.user_agent.as_deref(), seen.accept_language.as_deref()), (Some("test"), Some("en-US")));

    assert_eq!(get(&host, &path).body, BYTES);
    assert_eq!(loopback.bytes_served(), 10);
    let middle = part("bytes=4-6");
    assert!(middle.status == 206 && middle.has_header("Content-Range: bytes 4-6/10"));
    assert_eq!(middle.body, b"456");
    assert_eq!(last_seen(&loopback).range.as_deref(), Some("bytes=4-6"));
    assert_eq!(part("bytes=7-").body, b"789");
    assert_eq!(part("bytes=-2").body, b"89");
    assert_eq!(part("bytes=0-1,3-4").status, 200);
    let beyond = part("bytes=10-");
    assert!(beyond.status == 416 && beyond.has_header("Content-Range: bytes */10"));
    assert_eq!(loopback.bytes_served(), 10 + 3 + 3 + 2 + 10);

    let tag = head.head.lines().find_map(|line| line.strip_prefix("ETag: ")).expect("a tag");
    let if_range = |tag: &str| {
        exchange(&host, "GET", &path, &["Range: bytes=4-", &format!("If-Range: {tag}")], "")
            .expect("an answer")
            .status
    };
    assert_eq!((if_range(tag), if_range("\"other\"")), (206, 200));

    let flipped = dialog(&loopback, &id(2));
    assert!(flipped.contains(SHA1_BASE64));
    assert_eq!(get(&host, &first_path(&loopback, &flipped)).body, b"flipped!!!");
    assert_eq!(get(&host, "/Search.aspx?q=true").status, 404, "the CDN has no pages");
}

#[test]
fn rules_replace_answers_the_given_number_of_times() {
    let loopback = Loopback::start(
        World::new().update(UpdateSpec { files: vec![package()], ..UpdateSpec::new(&id(1), "One (KB1)") }),
    );
    let host = catalog_host(&loopback);
    let path = first_path(&loopback, &dialog(&loopback, &id(1)));

    loopback.rule(Rule::once("/Search.aspx", Action::ErrorPage));
    let moved = get(&host, "/Search.aspx?q=one");
    assert!(moved.status == 302 && moved.has_header("Location: /Error.aspx?id=-1914896368"));
    let error = get(&host, "/Error.aspx?id=-1914896368");
    assert!(error.status == 200 && error.text().contains("id=\"errorPageDisplayedError\""));
    assert!(error.text().contains("Error number: </span>8DDD0010]"));
    assert!(get(&host, "/Search.aspx?q=one").text().contains("searchDuration"), "the rule is used up");

    let wait = vec![("Retry-After".to_owned(), "7".to_owned())];
    let busy = Rule { times: 2, ..Rule::once("q=two", Action::Status(503, wait)) };
    loopback.rule(busy);
    loopback.rule(Rule::once("q=two", Action::Body("text/html", b"<h1>Log in</h1>".to_vec())));
    loopback.rule(Rule::once("q=two", Action::Redirect("http://elsewhere.invalid/".to_owned())));
    let replies = [(); 4].map(|()| get(&host, "/Search.aspx?q=two"));
    assert_eq!(replies.each_ref().map(|reply| reply.status), [503, 503, 200, 302]);
    assert!(replies[0].has_header("Retry-After: 7"));
    assert_eq!(replies[2].body, b"<h1>Log in</h1>");
    assert!(replies[3].has_header("Location: http://elsewhere.invalid/"));

    loopback.rule(Rule { method: Some("GET"), ..Rule::always("/files/", Action::CutAfter(4)) });
    for _ in 0..2 {
        let cut = get(&loopback.file_host(), &path);
        assert!(cut.has_header("Content-Length: 10"));
        assert_eq!(cut.body, b"0123");
    }
    assert_eq!(loopback.bytes_served(), 8);
    assert!(exchange(&loopback.file_host(), "HEAD", &path, &[], "").is_some());
    loopback.rule(Rule::always("", Action::Close));
    assert!(exchange(&loopback.file_host(), "HEAD", &path, &[], "").is_none());
}

/// Writes a recording with a search, a dialog, a removed update, two answers to one request, and a file.
fn record(dir: &Path) {
    let site = "https://www.catalog.update.microsoft.com";
    let file = "https://catalog.sf.dl.delivery.mp.microsoft.com/filestreamingservice/files/1/public/a.msu";
    let old = "http://catalog.s.download.windowsupdate.com/d/old.cab";
    let line = |method: &str, url: &str, final_url: &str, body: Option<&str>| {
        json!({ "method": method, "url": url, "form": null, "status": 200, "headers": { "content-type": "text/html" },
            "final_url": final_url, "body": body, "provenance": "reconstructed" })
    };
    let search = format!("{site}/Search.aspx?p=0&q=a+b");
    let removed = format!("{site}/ScopedViewInline.aspx?updateid={}", id(9));
    let dialog = format!("{site}/DownloadDialog.aspx");
    let mut dialog_line = line("POST", &dialog, &dialog, Some("dialog.html"));
    let asked =
        url::form_urlencoded::parse(dialog_form(&id(1)).as_bytes()).into_owned().next().expect("a pair");
    dialog_line["form"] = json!({ asked.0: asked.1 });
    let mut head_line = line("HEAD", old, old, None);
    head_line["headers"]["content-length"] = json!("5000000000");
    let lines = [
        json!({ "format": 1, "recording": "a test's" }),
        line("GET", &search, &search, Some("first.html")),
        line("GET", &search, &search, Some("second.html")),
        line("GET", &removed, &format!("{site}/Thanks.aspx?id=190"), Some("thanks.html")),
        dialog_line,
        line("GET", file, file, Some("a.msu")),
        head_line,
    ];
    let index: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
    let dialog_text = format!("url = '{file}'; url = '{old}';");
    for (name, text) in [
        ("index.jsonl", index.concat().as_str()),
        ("first.html", "first"),
        ("second.html", "second"),
        ("thanks.html", "no such update"),
        ("dialog.html", &dialog_text),
        ("a.msu", "0123456789"),
    ] {
        std::fs::write(dir.join(name), text).expect("a temporary folder can be written");
    }
}

#[test]
fn a_recording_is_answered_by_path_query_and_form() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    record(dir.path());
    let loopback = Loopback::from_recording(dir.path());
    let host = catalog_host(&loopback);
    let cdn = loopback.file_host();

    let replies = [(); 3].map(|()| get(&host, "/Search.aspx?q=a%20b&p=0").body);
    assert_eq!(replies, [b"first".to_vec(), b"second".to_vec(), b"second".to_vec()]);

    let removed = get(&host, &format!("/ScopedViewInline.aspx?updateid={}", id(9)));
    assert!(removed.status == 302 && removed.has_header("Location: /Thanks.aspx?id=190"));
    assert_eq!(get(&host, "/Thanks.aspx?id=190").text(), "no such update");

    let text = dialog(&loopback, &id(1));
    let path = "/filestreamingservice/files/1/public/a.msu";
    assert_eq!(text, format!("url = 'http://{cdn}{path}'; url = 'http://{cdn}/d/old.cab';"));
    let other =
        exchange(&host, "POST", "/DownloadDialog.aspx", &[FORM], &dialog_form(&id(2))).expect("an answer");
    assert_eq!((other.status, other.text()), (404, "not here: POST /DownloadDialog.aspx\n"));

    assert_eq!(get(&cdn, path).body, BYTES);
    let head = exchange(&cdn, "HEAD", path, &[], "").expect("an answer");
    assert!(head.status == 200 && head.has_header("Content-Length: 10"));
    let tail = exchange(&cdn, "GET", path, &["Range: bytes=8-"], "").expect("an answer");
    assert_eq!((tail.status, tail.body.as_slice()), (206, b"89".as_slice()));
    let old = exchange(&cdn, "HEAD", "/d/old.cab", &[], "").expect("an answer");
    assert!(old.has_header("Content-Length: 5000000000"), "a HEAD answer may be recorded without a body");
    assert_eq!(get(&host, path).status, 404, "files are on the CDN");

    loopback.rule(Rule::once("q=a", Action::ErrorPage));
    assert_eq!(get(&host, "/Search.aspx?p=0&q=a+b").status, 302);
    assert!(get(&host, "/Error.aspx?id=-1914896368").text().contains("8DDD0010"));
}

#[test]
fn stopping_does_not_wait_for_a_silent_client() {
    let loopback = Loopback::start(World::new());
    let mut silent = TcpStream::connect(loopback.file_host()).expect("the loopback server listens");
    assert_eq!(get(&loopback.file_host(), "/").status, 404, "the silent client was accepted before");
    drop(loopback);
    let mut rest = Vec::new();
    assert!(matches!(silent.read_to_end(&mut rest), Ok(_) | Err(_)));
}
