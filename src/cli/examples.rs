//! Two examples for each command, which its help ends with. A test parses them all.

/// The examples, by command; the name of the program stands before each.
pub(super) static EXAMPLES: [(&str, [&str; 2]); 27] = [
    ("search", ["search KB5086672", "search \"cumulative update\" --arch x64 --limit 5"]),
    ("crawl", ["crawl KB5086672", "crawl KB5086672 --arch arm64"]),
    ("fetch", ["fetch KB5086672 --arch x64", "fetch KB5086672 --dry-run"]),
    ("show", ["show KB5086672", "show KB5086672 --catalog"]),
    ("list", ["list", "list --json"]),
    ("resolve", ["resolve KB5086672 --arch x64 --baseline 26100.863", "resolve --latest --host host.txt"]),
    ("keys", ["keys init --root-to /media/keys", "keys trust root.pub"]),
    ("export", ["export KB5086672 --to /media/stick", "export --all --to /media/stick --dry-run"]),
    ("check-medium", ["check-medium /media/stick", "check-medium /media/stick --trust-on-first-use"]),
    ("import", ["import /media/stick", "import /media/stick --partial-ok"]),
    (
        "script",
        ["script KB5086672 --arch x64 --for winpe --to winpe.cmd", "script --collect --to collect.cmd"],
    ),
    ("stage", ["stage KB5086672 --arch x64 --to staged", "stage --latest --host host.txt --to staged"]),
    ("init", ["init --product 25H2", "init --product server-2025 --arch x64"]),
    ("sync", ["sync", "sync --dry-run"]),
    ("status", ["status", "status --max-age 36h"]),
    ("verify", ["verify", "verify KB5086672 --deep"]),
    ("repair", ["repair --from /media/stick", "repair KB5086672 --dry-run"]),
    ("forget", ["forget KB5086672 --dry-run", "forget KB5086672 --arch arm64"]),
    ("schedule", ["schedule --systemd --to units", "schedule --cron"]),
    ("schema", ["schema", "schema resolve"]),
    ("lint", ["lint staged", "lint staged --target KB5086672 --for image"]),
    ("inspect", ["inspect windows10.0-kb5031539-x64.msu", "inspect downloads --json"]),
    ("why", ["why KB5086672 --arch x64", "why --latest --host host.txt"]),
    ("graph", ["graph KB5086672", "graph KB5086672 --format json"]),
    ("knowledge", ["knowledge show releases", "knowledge check"]),
    ("completions", ["completions bash", "completions powershell"]),
    ("man", ["man fetch", "man --to /usr/local/share/man/man1"]),
];

/// Returns the examples of a command, or `None` if the command has none.
pub(super) fn examples_for(command: &str) -> Option<&'static [&'static str; 2]> {
    EXAMPLES.iter().find(|(name, _)| *name == command).map(|(_, examples)| examples)
}

/// Returns the end of the help of a command.
pub(super) fn examples_of(command: &str) -> Option<String> {
    let lines: Vec<String> =
        examples_for(command)?.iter().map(|example| format!("  kbmirror {example}")).collect();
    Some(format!("Examples:\n{}", lines.join("\n")))
}
