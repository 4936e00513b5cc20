"""Makes the tables of packages that are not cumulative updates, and of separate servicing stacks, from collected facts.
make-releases.py uses this module.

Sources disagree: lists are edited by hand, and a title may be in another language or of a copy. The kind of a package
comes from the first of these sources: titles, roles in the collected facts, tags in lists, file names, write-ups (also
those of articles.toml), the other files in its lists, and its place in lists. Within one source, the majority decides. The family comes from the titles, or else from
most of the lists.
"""

import re
import sys
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

from collected import OF_BUILD, facts, released_kbs

PACKAGES_HEADER = """\
# All packages outside of files.txt: servicing stacks, .NET Framework, dynamic updates, enablement, and others, and
# cumulative updates without a known build. Made by make-releases.py; sorted, lines of equal length.
# Columns: KB, family, architecture, installation, kind, date, type of the date, version in the prefix of the name, tag,
# extension, SHA-1, source of the kind.
#   installation  c observed for the client, s for the server, b for both, - unknown
#   date is  r release date (Catalog, title), s first seen in a public list, m only the month is known, - no date
#   name     windows<version>-kb<KB>-<architecture>[-<tag>]_<SHA-1>.<extension>; a version tag (-v3-) precedes the
#            architecture; a W before the version means Windows<version>-KB<KB>-...; the version ssu means
#            ssu-<tag>-<architecture>_<SHA-1>.<extension>; without a SHA-1, no file name is known
#   source   t Catalog or WSUS title, r role in collected facts, g tag in a list, n file name, w write-up,
#            l from the other files in its lists, i inferred from its place in unsorted lists, or from a file beside
#            it whose kind is inferred
"""
TOKENS = re.compile(
    r"(?:(w)indows(\d+\.\d)-(kb)(\d+)(?:-(v\d+))?-(x64|x86|arm64)(?:-(ndp\d+))?|ssu-(\d+\.\d+)-(x64|x86|arm64))"
    r"_([0-9a-f]{40})\.(msu|cab)",
    re.IGNORECASE,
)
# Kinds that no fact of FACTS states. Setup dynamic updates: Catalog rows with only the products "Windows 10 (and later)
# Dynamic Update", from a public test of a Catalog reader. KB5028948 is a .NET update by the version of its package
# (10.0.9176.1); KB5029718 replaces it in the lists one week later. The lists of 14393 contain KB5028913 from 2023-08 to
# 2026-08, beside the servicing stack of the month and never instead of it. The lists of 20348 contain KB5007374, and
# those of 22000 KB5007575, beside a Safe OS and a Setup update. No source states the kind of these three.
BY_HAND = {
    "KB4532820": "setup_du", "KB5045521": "setup_du", "KB5062786": "setup_du", "KB5068794": "setup_du",
    "KB5095966": "setup_du", "KB5028948": "dotnet_cu", "KB5029718": "dotnet_cu",
    "KB5028913": "update_other", "KB5007374": "update_other", "KB5007575": "update_other",
}
# The publisher's tags. All of the "ldu" files whose KB has a title (KB5028310, KB5032906) or a role in the collected
# facts (six KBs) are Setup dynamic updates, without exception.
with open(Path(__file__).parent / "articles.toml", "rb") as articles_table:
    BY_HAND |= {row["kb"]: row["kind"] for row in tomllib.load(articles_table)["article"] if "kind" in row}
TAGS = {"ldu": "setup_du", "safeos": "safeos_du", "ssu": "ssu", "lcu": "lcu"}
TITLE_KINDS = [
    ("enablement", "Enablement Package"), ("safeos_du", "Safe ?OS Dynamic Update"), ("setup_du", "Setup Dynamic Update"),
    ("dynamic_cu", "Dynamic Cumulative Update"), ("du_ambiguous", "Dynamic Update"), ("ssu", "Servicing Stack Update"),
    ("dotnet_feature", "^Microsoft .NET Framework 4"), ("dotnet_preview", r"Preview.*\.NET Framework"),
    ("dotnet_cu", r"\.NET Framework"), ("flash", "Adobe Flash"), ("lcu_preview", "Cumulative Update Preview"),
    ("lcu", "Cumulative Update for (Windows|Microsoft server|Azure)"), ("security_standalone", "Security Update for Windows"),
    ("update_other", "Update for"),
]
ARCHITECTURES = re.compile(r"\b(x64|x86|arm64|amd64)\b", re.IGNORECASE)
PRODUCT = re.compile(
    r"(Windows 1[01]|Windows 7|Windows 8\.1|Windows Server 20\d\d(?: R2)?|Windows Server(?!s)"
    r"|Microsoft server operating system|Azure Stack HCI)(?:,? version |,? \(?)?(\d{4}\b|2\dH\d)?",
    re.IGNORECASE,
)


with open(Path(__file__).parent / "families.toml", "rb") as families_table:
    FAMILY_TABLE = tomllib.load(families_table)["family"]
PRODUCTS = {(row["product"].lower(), row.get("release", "").lower()): (family["id"], family["installation"][0])
            for family in FAMILY_TABLE for row in family["products"]}
PRODUCTS["azure stack hci", "22h2"] = (20349, "s")
# The installations of each family number.
FAMILY_ROWS = defaultdict(set)
for family_row in FAMILY_TABLE:
    FAMILY_ROWS[family_row["id"]].add(family_row["installation"][0])


def families_of_title(text):
    keys = [(product.lower(), release.lower()) for product, release in PRODUCT.findall(text or "")]
    return {PRODUCTS[key] for key in keys if key in PRODUCTS}


def tokens(name):
    """KB digits or None, version, tag, architecture, SHA-1, extension."""
    found = TOKENS.fullmatch(name)
    if not found:
        return None
    letter, version, word, kb, revision, architecture, dotnet, stack, stack_for, digest, extension = found.groups()
    capital = "W" if letter == "W" and word == "KB" else ""
    if stack:
        return None, "ssu", stack, stack_for.lower(), digest.lower(), extension.lower()
    return f"KB{kb}", capital + version, revision or dotnet or "-", architecture.lower(), digest.lower(), extension.lower()


class Package:
    """The statements of the sources about one file, or about a KB without a known file."""

    def __init__(self):
        self.kinds, self.families, self.listed, self.dates, self.kb = [], set(), Counter(), set(), None


def titles_of(folder):
    """Title, KB, kind or None, architecture, release date, month, files, further product words, products."""
    seen = set()
    for row in facts(folder, "titles.jsonl"):
        seen.add(row.get("update_id"))
        if row["kind"] not in ("kb_heading", "office_or_server_app", "app"):
            yield (row["title"], row["kb"], row["kind"], row["arch"], row.get("date"), row.get("month"),
                   row.get("files") or [], row.get("product"), row.get("products"), row.get("host_build"))
    for row in facts(folder, "catalog-rows.jsonl"):
        if row["update_id"] not in seen:
            seen.add(row["update_id"])
            names = [url.rsplit("/", 1)[1] for url in row["files_in_dialog_order"]]
            yield row["title"], None, None, None, row["last_updated"], None, names, None, row["products"], None
    for row in facts(folder, "checkpoint-facts.jsonl"):
        if row.get("title") and row.get("update_id") not in seen and row["record"] == "entry":
            products = ", ".join(row["products"]) if isinstance(row.get("products"), list) else row.get("products")
            names = row.get("files_in_order") or []
            yield row["title"], row["kb"], None, row["arch"], row.get("date"), None, names, None, products, None


def kind_of_title(title, kind, products):
    kind = kind or next((kind for kind, words in TITLE_KINDS if re.search(words, title, re.IGNORECASE)), None)
    # Windows 11 22H2 and older have "Dynamic Update" for both; the products distinguish them.
    if kind == "du_ambiguous" and products:
        kind = "safeos_du" if "Safe OS" in products else "setup_du" if "Dynamic Update" in products else kind
    return kind


def collect(folder):
    """Returns all files by lower-case name, and all KBs of titles that no file name contains."""
    files, titled = defaultdict(Package), defaultdict(Package)
    for title, kb, kind, architecture, date, month, names, words, of_catalog, host in titles_of(folder):
        kb = kb or next(iter(re.findall(r"KB\d{6,8}", title)), None)
        families = families_of_title(title) or families_of_title(words)
        if host and not families:
            families = {(int(str(host).split(".")[0]), "s")}
        kind = kind_of_title(title, kind, of_catalog)
        stamp = (date, "r") if date else (f"{month}-01", "m") if month else None
        own = [name for name in names if tokens(name) and (tokens(name)[0] or kb) == kb]
        architecture = architecture or next(iter(re.findall(ARCHITECTURES, title)), None)
        # A parent of .NET Framework contains only children; another cumulative update in an entry is its checkpoint.
        children = names if kind and kind.startswith("dotnet") else own
        subjects = [(files[name], (tokens(name) or [None])[0] or kb) for name in children]
        if not own and kb:
            # A Catalog title without architecture means x86; the update client of a server runs on x64.
            architecture = (architecture or ("x64" if host else "x86")).lower().replace("amd64", "x64")
            subjects.append((titled[kb, architecture], kb))
        for package, number in subjects:
            package.kb = number
            package.kinds += [("t", kind)] if kind else []
            package.families |= families
            package.dates |= {stamp} if stamp else set()
    for row in facts(folder, "checkpoint-facts.jsonl"):
        if row["record"] != "file":
            continue
        package, role, name = files[row["file"]], row["role"], row["file"]
        package.kb = row["kb"]
        for family in row.get("family") or []:
            package.listed[28000 if "28000" in family else 26100, "s" if "Server" in family else "c"] += 1
        package.dates |= {(row["date"], "r")} if row.get("date") else set()
        package.dates |= {(seen["seen_first"], "s") for seen in row.get("url_sources") or [] if seen.get("seen_first")}
        # One role is an error: a .cab without an ndp tag in lists that also contain the .NET update of the month.
        words = [("setup dynamic", "setup_du"), ("safe os dynamic", "safeos_du"), ("enablement", "enablement")]
        words += [("lcu", "lcu")] + ([(".net", "dotnet_cu")] if "-ndp" in name else [])
        package.kinds += [("r", kind) for word, kind in words if role.startswith(word)]
    for row in facts(folder, "patch-sets.jsonl"):
        family = OF_BUILD.get(int(row["build"]), int(row["build"]))
        for file in row["files"]:
            package = files[file["name"]]
            package.kb = file["kb"]
            package.listed[family, "s" if row["server"] else "c"] += 1
            package.dates.add((row["date"], "s"))
            package.kinds += [("g", TAGS[file["tag"]])] if file["tag"] else []
    for row in facts(folder, "knowledge-rows.jsonl"):
        kind = {"enablement": "enablement", "ssu_floor": "ssu"}.get(row["row"])
        for name in (row.get("files") or {}).values() if kind else []:
            files[name].kb = row["kb"]
            files[name].kinds.append(("r", kind))
            if "family" in row:
                files[name].listed[int(row["family"][:5]), "c"] += 1
    share_by_kb(files)
    return files, titled


def share_by_kb(files):
    """Applies statements about the file of one architecture to the other files of the KB with the same extension (the
    .cab of a KB may be the dynamic copy of its .msu). A file without family or date gets those of its KB."""
    kinds, packages_of = defaultdict(list), defaultdict(list)
    for name, package in files.items():
        kinds[package.kb, name[-3:]] += package.kinds
        packages_of[package.kb].append(package)
    for name, package in files.items():
        package.kinds = kinds[package.kb, name[-3:]]
        others = packages_of[package.kb]
        if not package.families and not package.listed:
            package.families = set().union(*(other.families for other in others))
            package.listed = sum((other.listed for other in others), Counter())
        package.dates = package.dates or set().union(*(other.dates for other in others))


# From this day on, the publisher sorts the lists by name, so a place states nothing.
SORTED_SINCE = "2026-06-27"


def kinds_by_place(folder, files):
    """Infers the kinds of .cab files that no source states. The unsorted lists of clients with two .cab files have the
    Setup update before the Safe OS update: for 97 of 101 files of known kind, without the lists of 14393. A file with
    different places stays undecided."""
    places = defaultdict(set)
    for row in facts(folder, "patch-sets.jsonl"):
        cabs = [file["name"] for file in row["files"] if file["name"].endswith(".cab")]
        if len(cabs) == 2 and not row["server"] and row["build"] != "14393" and row["date"] < SORTED_SINCE:
            for name, kind in zip(cabs, ("setup_du", "safeos_du")):
                places[files[name].kb].add(kind)
    for name, package in files.items():
        if name.endswith(".cab") and len(places[package.kb]) == 1 and best_kind(package, name)[0] is None:
            package.kinds.append(("i", next(iter(places[package.kb]))))
    kinds_of_pairs(folder, files, "i")


def kinds_of_pairs(folder, files, letter):
    """Infers the kind of a .cab file from the known kind of the other one in lists with two. Repeats until nothing
    changes; returns True if anything changed."""
    other = {"setup_du": "safeos_du", "safeos_du": "setup_du"}
    any_change, changed = False, True
    while changed:
        changed = False
        for row in facts(folder, "patch-sets.jsonl"):
            names = [file["name"] for file in row["files"] if file["name"].endswith(".cab")]
            cabs = [name for name in names if best_kind(files[name], name)[0] != "update_other"]
            known = [best_kind(files[name], name)[0] for name in cabs]
            if len(cabs) == 2 and (known[0] in other) != (known[1] in other):
                place = 0 if known[1] in other else 1
                files[cabs[place]].kinds.append((letter, other[known[1 - place]]))
                any_change = changed = True
    return any_change


def kinds_by_company(folder, files):
    """Infers the kinds of the remaining files from the other files in their lists. Each tagged list has one Safe OS and
    one Setup update, so the known kind of one .cab gives the kind of the other. This repeats until nothing changes. In
    lists of 14393, the .msu that is neither .NET nor known otherwise is the servicing stack. In lists of 20348, the only
    .msu is the cumulative update."""
    released, changed = released_kbs(folder), True
    while changed:
        changed = kinds_of_pairs(folder, files, "l")
        for row in facts(folder, "patch-sets.jsonl"):
            for file in row["files"]:
                package = files[file["name"]]
                by_build = {"14393": "ssu", "20348": "lcu"}.get(row["build"])
                if (by_build and file["name"].endswith(".msu") and file["kb"] not in released
                        and best_kind(package, file["name"])[0] is None):
                    # The x86 list of 2025-06-12 has the Safe OS update under the name of an .msu.
                    package.kinds.append(("l", "safeos_du" if file["kb"] == "KB5060529" else by_build))
                    changed = True


def best_kind(package, name):
    """Decides by titles first, then roles, tags, names, write-ups, the other files in the lists, and the place in lists;
    within one source by the majority."""
    kb = package.kb
    kinds = list(package.kinds)
    if re.search("-ndp", name) and not any(kind.startswith("dotnet") for _, kind in kinds):
        kinds.append(("n", "dotnet_cu"))
    if name.startswith("ssu-"):
        kinds.append(("n", "ssu"))
    if kb in BY_HAND:
        kinds.append(("w", BY_HAND[kb]))
    for letter in "trgnwli":
        votes = Counter(kind for source, kind in kinds if source == letter and kind != "du_ambiguous")
        if votes:
            return min(votes, key=lambda kind: (-votes[kind], kind)), letter
    return (None, "l")


def families_of(package):
    """Decides by titles, or else by the family whose lists contain the package most often; this ignores single errors."""
    if package.families:
        ids = {family for family, _ in package.families}
    else:
        votes = Counter()
        for (family, _), count in package.listed.items():
            votes[family] += count
        ids = {max(votes, key=lambda family: (votes[family], family))} if votes else set()
    for family in sorted(ids):
        # Except for 26100, client and server share their packages, whatever the target of a title or a list.
        which = FAMILY_ROWS.get(family, set())
        if family == 26100:
            which = {letter for number, letter in {*package.families, *package.listed} if number == family}
        yield family, "b" if len(which) > 1 else next(iter(which), "-")


def packages(folder):
    files, titled = collect(folder)
    kinds_by_company(folder, files)
    kinds_by_place(folder, files)
    builds = {row[:8] for row in table("releases.txt")}
    known = {row.split()[3] for row in table("files.txt") if row[:8] in builds}
    released = {f"KB{int(row[:8])}" for name in ("files.txt", "releases.txt") for row in table(name)}
    lines, with_file = set(), set()
    for name, package in files.items():
        parts = tokens(name)
        if not parts or parts[4] in known or not package.kb:
            continue
        _, version, tag, architecture, digest, extension = parts
        kind, letter = best_kind(package, name)
        kind = kind or ("du_ambiguous" if extension == "cab" else "update_other")
        for family, which in families_of(package):
            if family in FAMILY_ROWS:
                lines.add(line(package, family, architecture, which, kind, version, tag, extension, digest, letter))
                with_file.add((package.kb, architecture))
    for (kb, architecture), package in titled.items():
        kind, letter = best_kind(package, "")
        for family, which in families_of(package):
            if kind and family in FAMILY_ROWS and kb not in released and (kb, architecture) not in with_file:
                lines.add(line(package, family, architecture, which, kind, "-", "-", "-", "-", letter))
    print(PACKAGES_HEADER, end="")
    print("\n".join(sorted(lines)))


def table(name):
    text = (Path(__file__).parent / name).read_text(encoding="ascii")
    return [line for line in text.splitlines() if not line.startswith("#")]


def line(package, family, architecture, which, kind, version, tag, extension, digest, letter):
    exact = [stamp for stamp in package.dates if stamp[1] != "m"] or package.dates
    # A row of a newer version may be newer than the file, so the first date counts. A list of the same or the next
    # day adds nothing to a release date.
    date, mark = min(exact, default=("-", "-"))
    if kind.startswith("lcu") and family == 26100 and date < "2026":
        # Until then, a cumulative update was for both, whichever list contains it.
        which = "b"
    return (f"{int(package.kb[2:]):08} {family:05} {architecture:<5} {which} {kind:<21} {date:>10} {mark} "
            f"{version:<5} {tag:<10} {extension:<3} {digest:<40} {letter}")


STACKS_HEADER = """\
# Separate servicing stacks, paired with cumulative updates. Made by make-releases.py; sorted, lines of equal length.
# Columns: KB of the cumulative update, family, KB of the servicing stack, source.
#   source  l the newest dated patch list with the cumulative update, n notes on the family, w write-ups
"""


def stacks(folder):
    files, _ = collect(folder)
    kinds_by_company(folder, files)
    released, pairs = released_kbs(folder), {}
    rows = [row for row in facts(folder, "patch-sets.jsonl") if row["build"] == "14393"]
    for row in sorted(rows, key=lambda row: row["date"]):
        beside = {file["kb"] for file in row["files"] if best_kind(files[file["name"]], file["name"])[0] == "ssu"}
        for file in row["files"]:
            if file["kb"] in released and len(beside) == 1:
                pairs[file["kb"], 14393] = (next(iter(beside)), "l")
    for row in facts(folder, "knowledge-rows.jsonl"):
        for pair in [row] if row["row"] == "ssu_pair" else row.get("pairs") or []:
            key = (pair["lcu"], int(row["family"]))
            if pairs.get(key, (pair["ssu"],))[0] != pair["ssu"]:
                sys.exit(f"lists and notes differ for {key}: decide by hand")
            pairs.setdefault(key, (pair["ssu"], "n"))
    print(STACKS_HEADER, end="")
    for (kb, family), (stack, letter) in sorted(pairs.items(), key=lambda row: int(row[0][0][2:])):
        print(f"{int(kb[2:]):08} {family:05} {int(stack[2:]):08} {letter}")
