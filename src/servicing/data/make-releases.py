#!/usr/bin/env python3
"""Makes releases.txt, the release history, and files.txt, the package files of its KBs, from collected facts.

    make-releases.py releases FACTS > releases.txt
    make-releases.py files FACTS > files.txt

FACTS is a folder with kb-builds.jsonl, checkpoint-facts.jsonl, and patch-sets.jsonl.

A row of the input has `kb`, `builds`, `line`, and where they are known `date`, `kind`, and `date_is`. Dates that are
said to be no release dates are left out. The outcome is sorted text with lines of one length, so that the program
finds a KB by halving and parses nothing beforehand. Where sources name different revisions for a KB, all are kept:
eight KBs were released twice.
"""

import json
import re
import sys
from pathlib import Path

# Builds that share their revisions, by the lowest one.
FAMILIES = {
    28000: (28000, 28020),
    26100: (26100, 26200, 26300),
    22621: (22621, 22631),
    19041: (19041, 19042, 19043, 19044, 19045),
    18362: (18362, 18363),
}
OF_BUILD = {build: family for family, builds in FAMILIES.items() for build in builds}
# The server's line of revisions of 26100 since 2026-01 begins here; the client's stays far below.
FIRST_SERVER_REVISION = 32230
# Out-of-band releases of 2025-10 that were for one of the two before they parted.
ONE_INSTALLATION = {5070773: "c", 5070881: "s"}
KINDS = {"b": "b", "oob": "o", "preview": "p"}
# Lines that tell of no family in families.toml: the phone of 2017 to 2019.
LEFT_OUT = {15254}

HEADER = """\
# The release history: which build a KB brings. Made by make-releases.py; lines may be mended by hand while they stay
# sorted and of one length. Columns: KB, family, revision, release date, kind, installation, source.
#   kind    b second Tuesday, o out of band, p preview, - not known
#   installation  c client, s server, b both (of the family's rows in families.toml)
#   source  h headings of KB articles (noodled/windows-update-msu-links), l dated patch lists
#           (adavak/Win_ISO_Patching_Scripts), n Microsoft's node image notes (Azure/AgentBaker), r release tables
# version 2026.10.1, date 2026-10-05
"""


def source(row):
    text = row["source"]
    for words, letter in (("noodled", "h"), ("Win_ISO", "l"), ("AgentBaker", "n")):
        if words in text:
            return letter
    return "r"


def installation(kb, family, revision, dates):
    """Client and server of 26100 shared their KBs until the end of 2025; elsewhere they share them still."""
    if family != 26100:
        return "b"
    if kb in ONE_INSTALLATION:
        return ONE_INSTALLATION[kb]
    if revision >= FIRST_SERVER_REVISION:
        return "s"
    return "c" if max(dates, default="") >= "2026-01" else "b"


def facts(folder, name):
    with open(Path(folder) / name, encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


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
            date = "-" if row.get("date_is") else row.get("date") or "-"
            found = (date, KINDS.get(row.get("kind"), "-"), source(row))
            # A row with a date knows more than one without; article headings come before lists.
            rows.setdefault(key, []).append(found)
    print(HEADER, end="")
    for (kb, family, revision), found in sorted(rows.items()):
        date, kind, letter = min(found, key=lambda row: (row[0] == "-", row[1] == "-", "hrnl".index(row[2])))
        which = installation(kb, family, revision, dates.get((kb, family, revision), []))
        print(f"{kb:08} {family:05} {revision:06} {date:>10} {kind} {which} {letter}")


FILES_HEADER = """\
# Cumulative updates as the Catalog named them. Made by make-releases.py; sorted, lines of one length.
# Columns: KB, architecture, the version in the name's prefix, SHA-1. The name is
# windows<version>-kb<KB>-<architecture>_<SHA-1>.msu; sources as in releases.txt.
"""
NAME = re.compile(r"windows(1[01]\.0)-kb(\d+)-(x64|x86|arm64)_([0-9a-f]{40})\.msu", re.IGNORECASE)


def names(folder):
    for row in facts(folder, "kb-builds.jsonl"):
        yield from (row.get("files") or {}).values()
    for row in facts(folder, "checkpoint-facts.jsonl"):
        if row["record"] == "file" and row.get("role", "").startswith("lcu"):
            yield row["file"]
    # Most tags of the sets are missing: what carries the KB of a release is its file.
    released = {row["kb"] for row in facts(folder, "kb-builds.jsonl")}
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
    {"releases": releases, "files": files}[sys.argv[1]](sys.argv[2])
