#!/usr/bin/env python3
"""Makes four tables from collected facts: releases.txt (release history), files.txt (package files of its KBs),
packages.txt (other packages), and stacks.txt (separate servicing stacks).

    make-releases.py releases FACTS > releases.txt
    make-releases.py files FACTS > files.txt
    make-releases.py packages FACTS > packages.txt      (reads files.txt and releases.txt beside this script)
    make-releases.py stacks FACTS > stacks.txt

FACTS is a folder with kb-builds.jsonl, checkpoint-facts.jsonl, patch-sets.jsonl, catalog-rows.jsonl, titles.jsonl,
and knowledge-rows.jsonl.

A row of kb-builds has `kb`, `builds`, `line`, and, if known, `date`, `kind`, and `date_is`. Dates that are not release
dates are kept and marked. The output is sorted text with lines of equal length, so that the program finds a KB by
bisection without parsing the table. If sources name different revisions for a KB, all are kept: eight KBs were
released twice.
"""

import re
import sys

from collected import KNOWN_LATER, OF_BUILD, facts, released_kbs, stated
from packages import packages, stacks

# The first server revision of 26100 since 2026-01; client revisions stay far below.
FIRST_SERVER_REVISION = 32230
# Out-of-band releases of 2025-10 that were for one installation only, before the revisions separated.
ONE_INSTALLATION = {5070773: "c", 5070881: "s"}
KINDS = {"b": "b", "oob": "o", "preview": "p"}
LETTERS = {"B": "b", "OOB": "o", "C": "p", "D": "p"}
# Builds without a family in families.toml: Windows phones of 2017 to 2019.
LEFT_OUT = {15254}

HEADER = """\
# The release history: build and date of each KB. Made by make-releases.py; lines may be edited by hand if they stay
# sorted and of equal length. Columns: KB, family, revision, date, type of the date, kind, installation, source.
#   date is  r release date, s first seen in a public list, m only the month is known, - no date
#   kind    b second Tuesday, o out of band, p preview, - unknown
#   installation  c client, s server, b both (of the rows of the family in families.toml)
#   source  h headings of KB articles (noodled/windows-update-msu-links), l dated patch lists
#           (adavak/Win_ISO_Patching_Scripts), n Microsoft's node image notes (Azure/AgentBaker), r release tables,
#           t Catalog titles that state the build, with the first date of their entries,
#           w write-ups of 2026-08 that name KB, build, and servicing stack of Server 2016,
#           p Microsoft's release information page, by stated-releases.txt, v its other rows
# version 2026.10.1, date 2026-10-05
"""


def source(row):
    text = row["source"]
    for words, letter in (("noodled", "h"), ("Win_ISO", "l"), ("AgentBaker", "n")):
        if words in text:
            return letter
    return "r"


def installation(kb, family, revision, dates):
    """Returns the installation of a release. Client and server of 26100 shared their KBs until the end of 2025; those of
    other families still share them."""
    if family != 26100:
        return "b"
    if kb in ONE_INSTALLATION:
        return ONE_INSTALLATION[kb]
    if revision >= FIRST_SERVER_REVISION:
        return "s"
    return "c" if max(dates, default="") >= "2026-01" else "b"


def releases(folder):
    rows, dates = {}, {}
    for row in facts(folder, "kb-builds.jsonl"):
        for build in row["builds"]:
            number, revision = (int(part) for part in build.split("."))
            if number in LEFT_OUT:
                continue
            key = (int(row["kb"][2:]), OF_BUILD.get(number, number), revision)
            if row.get("date"):
                dates.setdefault(key, []).append(row["date"])
            date = row.get("date") or "-"
            found = (date, date_mark(row), KINDS.get(row.get("kind"), "-"), source(row))
            rows.setdefault(key, []).append(found)
    for kb, build, date in KNOWN_LATER:
        number, revision = (int(part) for part in build.split("."))
        rows.setdefault((kb, number, revision), []).append((date, "r", "b", "w"))
    known = {kb for kb, _, _ in rows}
    for (kb, family, revision), (date, kind) in titled(folder).items():
        if kb not in known:
            rows[(kb, family, revision)] = [(date, "r", kind, "t")]
            dates[(kb, family, revision)] = [date]
    named = [row for row in stated()]
    for kb, family, revision, date, letter, source_letter in named:
        for other in [key for key in rows if key[:2] == (kb, family)]:
            del rows[other]
    for kb, family, revision, date, letter, source_letter in named:
        rows[(kb, family, revision)] = [(date, "r", LETTERS[letter], source_letter)]
        dates[(kb, family, revision)] = [date]
    print(HEADER, end="")
    for (kb, family, revision), found in sorted(rows.items()):
        # A release date is better than a day in a list, and any date is better than none. Article headings precede
        # lists. The first of several days in lists counts.
        dated = min(found, key=lambda row: ("rsm-".index(row[1]), row[2] == "-", "hrnlwtpv".index(row[3]), row[0]))
        date, mark, kind, letter = dated
        if mark != "r":
            kind = min(found, key=lambda row: (row[2] == "-", "hrnlwtpv".index(row[3])))[2]
        which = installation(kb, family, revision, dates.get((kb, family, revision), []))
        print(f"{kb:08} {family:05} {revision:06} {date:>10} {mark} {kind} {which} {letter}")


TITLE = re.compile(r"Cumulative Update( Preview)? for (?!\.NET).*\(KB(\d+)\) \((\d{5})\.(\d+)\)")


def titled(folder):
    """Returns the cumulative updates whose Catalog titles state a build. The first date of several entries counts."""
    found = {}
    for row in facts(folder, "checkpoint-facts.jsonl"):
        parts = TITLE.search(row.get("title", "")) if row["record"] == "entry" else None
        if parts and row.get("date"):
            number = int(parts[3])
            key = (int(parts[2]), OF_BUILD.get(number, number), int(parts[4]))
            date = min(row["date"], found.get(key, (row["date"], ""))[0])
            found[key] = (date, "p" if parts[1] else "-")
    return found


def date_mark(row):
    if not row.get("date"):
        return "-"
    said = row.get("date_is") or "release"
    return "s" if said.startswith("first seen") else "m" if said.startswith("month known") else "r"


FILES_HEADER = """\
# Files of cumulative updates, with their names in the Catalog. Made by make-releases.py; sorted, lines of equal length.
# Columns: KB, architecture, version in the prefix of the name, SHA-1. The name is
# windows<version>-kb<KB>-<architecture>_<SHA-1>.msu; sources as in releases.txt.
"""


NAME = re.compile(r"windows(1[01]\.0)-kb(\d+)-(x64|x86|arm64)_([0-9a-f]{40})\.msu", re.IGNORECASE)


def names(folder):
    for row in facts(folder, "kb-builds.jsonl"):
        yield from (row.get("files") or {}).values()
    for row in facts(folder, "checkpoint-facts.jsonl"):
        if row["record"] == "file" and row.get("role", "").startswith("lcu"):
            yield row["file"]
    for row in facts(folder, "knowledge-rows.jsonl"):
        if row["row"] == "file" and row.get("role") == "lcu":
            yield row["name"]
    # Most tags of the sets are missing: a file with the KB of a release belongs to it.
    released = released_kbs(folder)
    for row in facts(folder, "patch-sets.jsonl"):
        yield from (file["name"] for file in row["files"] if file["kb"] in released)


def files(folder):
    found = {}
    for name in names(folder):
        parts = NAME.fullmatch(name)
        if parts:
            version, kb, architecture, digest = (part.lower() for part in parts.groups())
            known = found.setdefault((int(kb), architecture), (version, digest))
            if known != (version, digest):
                sys.exit(f"two files of KB{kb} for {architecture}: decide by hand")
    print(FILES_HEADER, end="")
    for (kb, architecture), (version, digest) in sorted(found.items()):
        print(f"{kb:08} {architecture:<5} {version} {digest}")


if __name__ == "__main__":
    commands = {"releases": releases, "files": files, "packages": packages, "stacks": stacks}
    commands[sys.argv[1]](sys.argv[2])
