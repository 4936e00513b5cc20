//! The section "Details" of the long help and of the manual pages: rules of a command that its options do not state.
//!
//! `-h` omits the section. The section of `kbmirror` has the rules of the global options.

/// The name of the program, which has the rules of the global options.
pub(super) const PROGRAM: &str = "kbmirror";

/// The columns of the section, which fit a terminal of 80 columns.
const WIDTH: usize = 78;

/// The rules, by command. Each rule is an item of the section.
static DETAILS: [(&str, &[&str]); 22] = [
    (
        PROGRAM,
        &[
            "Proxy: one from the environment or the system is not used for URLs of this machine. One from --proxy is \
             used for every URL, and NO_PROXY is ignored. IPv6 addresses have brackets: [::1]:8080.",
            "Proxy credentials use the Basic scheme, and are never shown or stored. A certificate that is unknown, \
             expired, or for another name ends the run at once.",
            "A login page in place of an answer is reported as such (exit code 6). A redirect to a foreign host is not \
             followed (exit code 5).",
            "A wait that the server states is obeyed. A permanent failure ends the run at once. A page may take \
             as long as the retry budget: at least 5 seconds, at most 5 minutes.",
            "--replay also repeats recorded failures.",
            "Ctrl-C, SIGTERM, and Ctrl-Break on Windows end a run within two seconds. Complete files stay, and partial \
             files are kept and reported. The same command resumes. A second Ctrl-C ends it at once and loses nothing \
             durable.",
            "A terminal shows all bytes and the four largest transfers. Bytes of earlier runs count as done, but not \
             for the speed. Pipes and --no-progress get lines.",
        ],
    ),
    (
        "search",
        &[
            "The Catalog finds words anywhere in an entry, so kbmirror filters its rows: --arch arm64 never shows x64.",
            "--classification is the Catalog's own term or its beginning, in any case of letters.",
            "--product takes the names that kbmirror help init lists. Updates of a product without a family, such \
             as \"Office 2016\" or \"Windows 10 LTSB\", need the name of that product.",
            "--limit applies after all filters. Without filters and with the default order, only the needed pages are \
             requested.",
            "If the filters leave nothing, the exit code is 3, and the message says how many entries each filter left \
             out.",
            "A query that exceeds the Catalog's limit of 1000 entries is narrowed automatically. --json lists the \
             queries (parts).",
        ],
    ),
    (
        "crawl",
        &[
            "A KB that was read today costs one request, for its search page. Details and files are read again on the \
             next day, after a revision of the entry, or with --refresh.",
            "An entry that the Catalog does not show any more is kept. It counts as expired after two valid answers a \
             day apart, or if the Catalog does not know the update itself.",
            "An answer \"nothing found\" for a known KB is confirmed by a second query, for a KB that exists.",
        ],
    ),
    (
        "fetch",
        &[
            "Prerequisites, such as a servicing stack or a minimum build, are published under their own KB.",
            "A file is published only if its bytes agree with every digest that the download dialog states, and with \
             the SHA-1 in its name. The sizes of the files of an entry must add up to the size on the search page.",
            "An interrupted transfer resumes, in the same run or the next, also after a kill or a power cut. Existing \
             bytes are digested again. The rest is appended only if it is of the same file.",
            "A transfer below 1 KB a second for a minute (--stall-after) is stopped and resumed; slow headers count \
             too. Every known URL is tried, and an expired URL is requested again.",
            "Wrong bytes are fetched once more from the beginning, and then kept in quarantine/ for 30 days. No file \
             takes more bytes than its stated size.",
            "The free space is checked before the first byte. A failed file fails only its own set. Failures are \
             reported by cause, and the next run requests only the failed files.",
            "Unlisted packages, such as KB5054156: if a valid answer of the Catalog does not list the KB, the URL and \
             the digest come from the knowledge. The check is then \"sha1 (knowledge)\".",
            "Existing package files are not read; \"unchanged\" says so. Recorded damage, missing files, and files of \
             another size are replaced, in the pool and in every folder.",
        ],
    ),
    (
        "show",
        &[
            "Differences between the Catalog and the knowledge are part of the answer. Without --catalog, no request \
             is sent.",
        ],
    ),
    (
        "list",
        &["Names and sizes are compared with the disk, and recorded damage and missing folders are shown."],
    ),
    (
        "resolve",
        &[
            "--product takes the names that kbmirror help init lists. Within a KB, a version selects the packages \
             whose titles name it, or else those of its family. --installation separates client and server.",
            "known_through is the day of the newest known release of the family, of any kind.",
            "patch_tuesdays_since counts the second Tuesdays after the newest known cumulative update, each from the \
             third day after it. It is null for an unknown family.",
            "--fail-if-older-than counts complete days, from the earlier of known_through and known_cumulative to \
             today, or to --as-of.",
            "servicing is the end of servicing for the version and edition, if known. replaced_by is the newest known \
             update that replaces the KB, and says whether its files are in the mirror.",
            "Options that are not given stay unknown. Without a baseline, each step says when it is needed.",
            "--batch answers in order, one line each. An unknown key is an error of its line only.",
        ],
    ),
    (
        "inspect",
        &[
            "Cabinets are read: .cab files, and .msu files that are cabinets. Their cabinets are read in memory, and \
             nothing is unpacked. Of WIM images and programs, only the container is named.",
            "Metadata that were not read are named (unread), and nothing is concluded from them. A value on which the \
             metadata disagree is unknown.",
            "The SHA-1 is compared with the digits in the name, and KB and architecture with its words. A \
             contradiction or damage exits with 5, and a missing file with 3.",
            "Signatures are not checked.",
            "A folder stands for the files directly in it. Its links and folders are left out.",
        ],
    ),
    (
        "lint",
        &[
            "Names, lengths, and first bytes are compared, without reading the contents. Known sizes come from the \
             index and the knowledge.",
            "The container (CAB or WIM) must match the name, and its length must match its own header.",
            "The answer says what was checked, and names each file of unknown size. --deep compares digests, and names \
             each file of unknown digest.",
            "A renamed file, such as \"1 - KB5043080 - Checkpoint.msu\", is recognised by its digest or its KB and \
             reported with its right name. Without --deep, up to 256 MiB of such files are read. Links and devices are \
             never followed.",
            "A set folder of a mirror is compared with its record in the index, or in the JSON file beside it. Its KB \
             is the target, and all its files must be there. Updates with a folder of their own, such as a separate \
             servicing stack, are named but not required. With --baseline, --for, --fod, or --installed, the folder \
             is judged for that machine.",
            "Without --target, the target of another folder is the cumulative update of the highest build that is not \
             a checkpoint. Without such an update, it is the update whose set has all files of the folder: a .NET \
             parent, a servicing stack, an enablement package, a rollup, a program.",
            "fetch publishes no set that lint refuses. ok of a program or a dynamic update says that DISM does not \
             take the file.",
            "No mirror is needed.",
        ],
    ),
    (
        "stage",
        &["Every byte is digested. If one differs, nothing is left in the folder. The result is linted."],
    ),
    (
        "keys",
        &[
            "The root key signs the list of export keys, and the export key signs media. Move the root key offline \
             with keys move-root; keys rotate and keys revoke then take --root-key FILE.",
            "Keys with a passphrase have minisign's own format: minisign -S signs with the file, and minisign -C \
             changes the passphrase. keys list and status say which keys have one.",
            "A run without a terminal never waits for a passphrase. It reads the first line of the file of \
             --key-passphrase-file, KBMIRROR_KEY_PASSPHRASE_FILE, or key_passphrase_file in [export].",
            "Only the owner may read that file (mode 600). If it is missing too, the run ends with exit code 2 before \
             it begins anything.",
        ],
    ),
    (
        "export",
        &[
            "Package sets that are already on the medium stay, also those that this mirror does not know. The plan \
             names them. With --prune, the medium contains exactly the selection.",
            "A folder on the file system of / or of the mirror is a local folder, for example to burn a disc. \
             --expect-mount refuses it, so that an unmounted stick is noticed.",
            "Everything is synced at the end. A read right after it may come from a cache: unplug the stick, plug it \
             in again, and run check-medium.",
            "Mirrors with different root keys need different folders on one stick.",
            "A changed view of the mirror is refused with exit code 5. Nothing is copied from it.",
        ],
    ),
    (
        "check-medium",
        &["A medium without package sets is a finding: exit code 10. The checks are those of import."],
    ),
    (
        "import",
        &[
            "A set that is already imported is used for repairs: damaged views and everything that the pool can \
             restore. The output names each repair.",
            "Package files that the mirror has are not read again; \"already present\" says so. Files with recorded \
             damage, missing files, and files of another size are replaced.",
            "KBs that forget removed are left out. Without state.json, --accept-lineage is required, because an older \
             set could not be recognised.",
        ],
    ),
    (
        "sync",
        &[
            "A run may be killed at any time. A stopped run writes its report and health.json too, with exit code 130 \
             or 143.",
            "The retry budget is 45 minutes. KBs that forget removed are left out.",
        ],
    ),
    (
        "init",
        &[
            "An existing file is never overwritten.",
            "A version that the tables do not contain (\"Windows 11 27H2\") is accepted with a warning if it is newer \
             than all known ones. sync finds its updates by their titles. mirror-layout.md shows how to add it with \
             --knowledge.",
            "--product takes the same names in every command, and as family in kbmirror.toml: a folder word (windows-11-24h2), a product \
             with its version (\"win11 25h2\"), a version (25H2), a build (26200, 26200.8117), or a product of the \
             Catalog.",
            "Case, commas, and the words Microsoft and version do not count. A name of several families (\"Windows \
             11\", 21H2, 24H2, 26100) exits with 2 and lists the choices. An unknown name exits with 2 and lists \
             the nearest names.",
            "A family that spans several versions accepts each of them.",
        ],
    ),
    ("schedule", &["The printed schedule runs sync daily, and in the morning after each Patch Tuesday."]),
    (
        "status",
        &[
            "The exit code is 0 or 10. --json has a field for each check under checks.",
            "Two ages are compared with --max-age: the time since the last complete sync or import, and the age of the \
             newest medium since it was made.",
            "Other checks: the result of the last run, open findings of verify, and profiles that matched nothing \
             although a release was due.",
            "Two or more Patch Tuesdays since the newest known release of a family are a finding. So are recorded \
             times that are later than the clock.",
            "A family whose servicing has ended is named and is not a finding.",
            "On an imported mirror, Patch Tuesdays count until the medium was made. With max_age = \"100d\", a courier \
             may come every quarter.",
            "Names and sizes are compared with the disk, and recorded damage is shown. Contents are not read.",
        ],
    ),
    (
        "verify",
        &[
            "The pool, the folders, SHA256SUMS, the JSON documents, and the index are compared. Every byte is read.",
            "Damage is recorded. From then on, fetch, sync, import, stage, export, and resolve treat the file as \
             missing until good bytes replace it.",
            "A file under kb/ that was changed from outside is a finding. kb/ may be on a network share.",
        ],
    ),
    (
        "repair",
        &[
            "Good bytes come from other set folders, from the folders of --from, or from another download. Signatures \
             and dates do not matter: only bytes with a digest of the index are used.",
            "A damaged file moves to quarantine/ at the moment when good bytes take its place. Unknown files under kb/ \
             move to quarantine/ and are never deleted.",
            "The exit code is 0 only if a second verification finds nothing.",
            "On the isolated side, the files that the connected side must send are listed (also with --json).",
            "--rebuild-index needs state.json for the numbers of the sets, the memory of imports, and the removed KBs.",
        ],
    ),
    (
        "forget",
        &[
            "Files that no other set has move to trash/ too. A set that another published set needs is not removed \
             (exit code 10).",
            "sync and import leave the KB out until fetch KB or forget --undo KB.",
        ],
    ),
    (
        "knowledge",
        &[
            "A table in the folder of --knowledge replaces the built-in table of the same name, for plans, scripts, \
             README.txt, and media.",
            "Put a lasting correction into kbmirror.toml ([mirror] knowledge). A run without it writes scripts with \
             the other tables again.",
            "The tables are copied to media. The other side uses them if they are newer, or of the same version with \
             other rows.",
            "To add a version of Windows, append a row to families.toml in that folder; mirror-layout.md has an example.",
            "Knowledge never replaces an unreachable Catalog. Tables of --knowledge may add URLs of unlisted packages.",
        ],
    ),
];

/// Returns the rules of a command, or `None` if the command has none.
pub(super) fn details_for(command: &str) -> Option<&'static [&'static str]> {
    DETAILS.iter().find(|(name, _)| *name == command).map(|(_, rules)| *rules)
}

/// Returns the section of a command for its long help, or `None` if the command has none.
pub(super) fn details_of(command: &str) -> Option<String> {
    let items: Vec<String> = details_for(command)?.iter().map(|rule| item(rule)).collect();
    Some(format!("Details:\n{}", items.join("\n")))
}

/// Breaks a rule into the lines of an item.
fn item(rule: &str) -> String {
    let mut lines = vec!["  -".to_owned()];
    for word in rule.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("    {word}")),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags::definition;

    #[test]
    fn details_belong_to_commands_and_appear_in_the_long_help_only() {
        let mut definition = definition();
        definition.build();
        for (name, rules) in DETAILS {
            let command = match name {
                PROGRAM => &mut definition,
                name => definition.find_subcommand_mut(name).unwrap(),
            };
            let long = command.clone().term_width(80).render_long_help().to_string();
            let section = details_of(name).unwrap();
            assert!(long.contains(&section), "{name}: {long}");
            assert!(section.lines().all(|line| line.len() <= WIDTH), "{section}");
            assert!(!command.render_help().to_string().contains("Details:"), "{name}");
            assert!(!rules.is_empty());
        }
    }
}
