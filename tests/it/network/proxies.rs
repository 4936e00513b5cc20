//! Proxies: from an option or the environment, with a login, and proxies that refuse requests.

use std::fs;
use std::time::Duration;

use super::super::harness::{Bench, RunOutput, failure, read_tree};
use super::super::support::{Action, Authority, Loopback, Proxy, ProxyRequest, Rule};
use super::{FETCH, KB, LOGIN, failure_text, hints, pem, published, run_against, world};

#[test]
fn a_configured_proxy_is_used_for_all_requests() {
    let (loopback, proxy) = (Loopback::start(world()), Proxy::start());
    let named = format!("http://{}", proxy.host());
    let mut by_variable = Bench::new();
    by_variable.env.insert("KBMIRROR_PROXY".to_owned(), proxy.host());
    // The program's own settings take precedence over the general variables of the environment.
    by_variable.env.insert("HTTP_PROXY".to_owned(), "http://192.0.2.1:1".to_owned());
    by_variable.env.insert("NO_PROXY".to_owned(), "*".to_owned());
    let by_file = Bench::new();
    by_file.configure(&format!("format = 1\n[network]\nproxy = \"{named}\"\n"));
    for (bench, options) in [(Bench::new(), &["--proxy", &named][..]), (by_variable, &[]), (by_file, &[])] {
        let before = proxy.requests().len();
        run_against(&bench, &loopback, options, &FETCH).exits(0);
        assert_eq!(published(&bench).len(), 1);
        let requests = proxy.requests().split_off(before);
        assert_eq!(requests.len(), 4, "search, details, dialog, and file: {requests:?}");
        assert_eq!(requests.last().unwrap().host, loopback.file_host());
    }
    assert_eq!(loopback.connections(), 12, "all connections must come from the proxy");
}

#[test]
fn proxy_variables_of_the_environment_are_respected() {
    let (loopback, proxy) = (Loopback::start(world()), Proxy::start());
    let address = loopback.catalog_url().replace("http://", "");
    proxy.map_host("catalog.invalid:80", &address);
    let search = |variables: &[(&str, &str)]| {
        let mut bench = Bench::new();
        bench.env = variables.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect();
        let before = proxy.requests().len();
        let options = ["--json", "--patience", "0", "--catalog-url", "http://catalog.invalid", "search", KB];
        (bench.run(&options).code, proxy.requests().len() - before)
    };
    let (host, with_scheme) = (proxy.host(), format!("http://{}", proxy.host()));
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        assert_eq!(search(&[(name, &with_scheme)]), (0, 1), "{name}");
        assert_eq!(search(&[(name, &host)]), (0, 1), "{name}");
    }
    // Cases: a proxy for another scheme, an exception, an empty value, an invalid value, and none of them.
    assert_eq!(search(&[("HTTPS_PROXY", &with_scheme)]), (6, 0));
    assert_eq!(search(&[("HTTP_PROXY", &with_scheme), ("no_proxy", "example, .invalid")]), (6, 0));
    assert_eq!(search(&[("HTTP_PROXY", "")]), (6, 0));
    assert_eq!(search(&[("HTTP_PROXY", "nonsense://x")]), (2, 0));
    assert_eq!(search(&[]), (6, 0));

    // Loopback URLs bypass proxies of the environment, because a proxy cannot reach this machine's loopback.
    let mut bench = Bench::new();
    bench.env.insert("ALL_PROXY".to_owned(), with_scheme);
    let before = proxy.requests().len();
    run_against(&bench, &loopback, &[], &FETCH).exits(0);
    assert_eq!(proxy.requests().len(), before);
}

#[test]
fn socks_proxies_work() {
    let (loopback, proxy) = (Loopback::start(world()), Proxy::start());
    proxy.map_host("catalog.invalid:80", &loopback.catalog_url().replace("http://", ""));
    let named = format!("socks5h://{}", proxy.host());
    let bench = Bench::new();
    let options = ["--json", "--catalog-url", "http://catalog.invalid", "--proxy", &named, "search", KB];
    bench.run(&options).exits(0);
    let expected =
        ProxyRequest { method: "SOCKS".to_owned(), host: "catalog.invalid:80".to_owned(), known: true };
    assert_eq!(proxy.requests(), [expected]);
}

#[test]
fn proxy_credentials_are_sent_only_to_the_proxy() {
    let secret = "pa:ss@word";
    let (loopback, proxy) = (Loopback::start(world()), Proxy::with_login(&format!("proxyuser:{secret}")));
    let encoded = "pa%3Ass%40word";
    let named = format!("http://proxyuser:{encoded}@{}", proxy.host());
    let expect_no_secret = |bench: &Bench, ran: &RunOutput, situation: &str| {
        let everything = read_tree(&bench.path(""))
            .into_values()
            .chain([ran.stdout.clone().into(), ran.stderr.clone().into()]);
        for bytes in everything {
            let text = String::from_utf8_lossy(&bytes);
            for word in [secret, encoded, "proxyuser", "cHJveHl1c2Vy"] {
                assert!(!text.contains(word), "{situation}: {word} in {text}");
            }
        }
    };
    let bench = Bench::new();
    let record = bench.path("recording");
    let ran = run_against(&bench, &loopback, &["-v", "--record", record.as_str(), "--proxy", &named], &FETCH)
        .exits(0);
    expect_no_secret(&bench, &ran, "a run that is recorded");
    assert!(proxy.requests().iter().all(|requests| requests.known), "{:?}", proxy.requests());
    assert_eq!(bench.rows("SELECT command FROM runs").concat().concat().matches("http://***@").count(), 1);
    let recorded = fs::read_to_string(record.join("index.jsonl")).unwrap();
    let head = recorded.lines().next().unwrap();
    assert!(head.contains("fetch KB5041865") && !head.contains("://"), "{head}");

    // The error shows the proxy without the user name and the password.
    loopback.rule(Rule::always("", Action::Close));
    let ran = run_against(&bench, &loopback, &["-v", "--patience", "2", "--proxy", &named], &["search", KB])
        .exits(6);
    assert!(
        failure_text(&ran).contains(&format!("through the proxy http://{}", proxy.host())),
        "{}",
        failure_text(&ran)
    );
    expect_no_secret(&bench, &ran, "a run that fails");
    for (options, code) in [
        (&["--proxy", "http://proxyuser:pa%3Ass%40word@", "list"][..], 2),
        (&["--proxy", "ftp://proxyuser:pa:ss@word@host", "list"], 2),
        (&["--proxy", "proxyuser:pa:ss@word@host:port", "list"], 2),
        (&["--proxy=", "http://proxyuser:pa%3Ass%40word@host", "list"], 2),
        (&["--catalog-url", "http://proxyuser:pa%3Ass%40word@127.0.0.1:1", "search", "x"], 5),
        (&["--catalog-url", "proxyuser:pa%3Ass%40word@127.0.0.1:1", "search", "x"], 2),
    ] {
        for json in [&["--json"][..], &[]] {
            let ran = bench.run(&[json, options].concat()).exits(code);
            expect_no_secret(&bench, &ran, "a mistake");
        }
    }
    let mut bench = Bench::new();
    bench.env.insert("HTTPS_PROXY".to_owned(), "http://proxyuser:pa:ss@word@".to_owned());
    let ran = bench.run(&["--json", "search", KB]).exits(2);
    let message = "HTTPS_PROXY: \"http://***@\" is not the URL of a proxy: \
         write http://user:password@host:port, \
         and characters such as @ : / # % in a password as %40 %3A %2F %23 %25";
    assert_eq!(ran.error(), failure("usage", message));
    expect_no_secret(&bench, &ran, "a variable");
}

#[test]
fn a_proxy_that_requires_a_login_is_reported() {
    let authority = Authority::new();
    let (plain, secure) =
        (Loopback::start(world()), Loopback::start_tls(world(), &authority.server("127.0.0.1")));
    let proxy = Proxy::with_login("proxyuser:secret");
    for loopback in [&plain, &secure] {
        let bench = Bench::new();
        let roots = pem(&bench, &authority);
        let without_login = format!("http://{}", proxy.host());
        let wrong_login = format!("http://proxyuser:wrong@{}", proxy.host());
        for (named, words, advice) in [
            (&without_login, "requires a user name and a password", "http://user:password@host:port"),
            (&wrong_login, "rejects the user name", "%40"),
        ] {
            let before = proxy.requests().len();
            let options = ["--ca-cert", roots.as_str(), "--proxy", named];
            let ran = run_against(&bench, loopback, &options, &["search", KB]).exits(6);
            let message = failure_text(&ran);
            assert!(
                message.contains(&format!("the proxy {without_login}")) && message.contains("407"),
                "{message}"
            );
            assert!(message.contains(words) && hints(&ran).contains(advice), "{message} {}", hints(&ran));
            assert!(!ran.stdout.contains("wrong"), "{}", ran.stdout);
            assert_eq!((proxy.requests().len() - before, bench.clock.waited()), (1, Duration::ZERO));
        }
        let known = format!("http://proxyuser:secret@{}", proxy.host());
        run_against(&bench, loopback, &["--ca-cert", roots.as_str(), "--proxy", &known], &FETCH).exits(0);
        assert_eq!(published(&bench).len(), 1);
    }
    assert!(proxy.requests().iter().any(|requests| requests.method == "CONNECT" && requests.known));
}

#[test]
fn a_refusing_proxy_is_reported_with_its_status_and_title() {
    let authority = Authority::new();
    let (plain, secure) =
        (Loopback::start(world()), Loopback::start_tls(world(), &authority.server("127.0.0.1")));
    let proxy = Proxy::start();
    let named = format!("http://{}", proxy.host());
    let bench = Bench::new();
    let roots = pem(&bench, &authority);
    let run_against = |loopback, patience| {
        let options = ["--ca-cert", roots.as_str(), "--proxy", &named, "--patience", patience];
        let ran = run_against(&bench, loopback, &options, &["search", KB]).exits(6);
        (failure_text(&ran), hints(&ran))
    };
    proxy.refuse_with(403, "<html><title>Category: Software</title></html>");
    let (message, hints) = run_against(&plain, "10m");
    let answer = "127.0.0.1 answered with status 403, with a page titled \"Category: Software\"";
    assert_eq!(message, format!("search for \"{KB}\": {answer}"));
    assert!(hints.contains(&named), "{hints}");
    proxy.refuse_with(511, LOGIN);
    let (message, _) = run_against(&plain, "10m");
    assert!(
        message.contains(
            "a proxy's page, not a page of the Catalog, titled \"Company Web Access\" (status 511)"
        ),
        "{message}"
    );
    assert_eq!((proxy.requests().len(), bench.clock.waited()), (2, Duration::ZERO));

    // A failed tunnel has no known cause, so the request is retried.
    let (message, hints) = run_against(&secure, "0");
    assert!(message.contains(&format!("the proxy {named} did not open a tunnel to 127.0.0.1")), "{message}");
    assert!(hints.contains("require a login"), "{hints}");
    run_against(&secure, "5");
    assert_eq!(proxy.requests().len(), 2 + 1 + 4);
    assert_eq!(plain.connections() + secure.connections(), 0);
}
