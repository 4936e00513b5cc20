#!/usr/bin/env python3
"""Makes releases.txt, the release history, from collected rows of KBs and builds.

    make-releases.py KB-BUILDS.jsonl > releases.txt

A row of the input has `kb`, `builds`, `line`, and where they are known `date`, `kind`, and `date_is`. Dates that are
said to be no release dates are left out. The outcome is sorted text with lines of one length, so that the program
finds a KB by halving and parses nothing beforehand. Where sources name different revisions for a KB, all are kept:
eight KBs were released twice.
"""

import json
import sys

# Builds that share their revisions, by the lowest one.
FAMILIES = {
    28000: (28000, 28020),
    26100: (26100, 26200, 26300),
    22621: (22621, 22631),
    19041: (19041, 19042, 19043, 19044, 19045),
    18362: (18362, 18363),
}
OF_BUILD = {build: family for family, builds in FAMILIES.items() for build in builds}
KINDS = {"b": "b", "oob": "o", "preview": "p"}
# Lines that tell of no family in families.toml: the phone of 2017 to 2019.
LEFT_OUT = {15254}

HEADER = """\
# The release history: which build a KB brings. Made by make-releases.py; lines may be mended by hand while they stay
# sorted and of one length. Columns: KB, family, revision, release date, kind, source.
#   kind    b second Tuesday, o out of band, p preview, - not known
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


def main(path):
    rows = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            for build in row["builds"]:
                number, revision = (int(part) for part in build.split("."))
                if number in LEFT_OUT:
                    continue
                key = (int(row["kb"][2:]), OF_BUILD.get(number, number), revision)
                date = "-" if row.get("date_is") else row.get("date") or "-"
                found = (date, KINDS.get(row.get("kind"), "-"), source(row))
                # A row with a date knows more than one without; article headings come before lists.
                rows.setdefault(key, []).append(found)
    print(HEADER, end="")
    for (kb, family, revision), found in sorted(rows.items()):
        date, kind, letter = min(found, key=lambda row: (row[0] == "-", row[1] == "-", "hrnl".index(row[2])))
        print(f"{kb:08} {family:05} {revision:06} {date:>10} {kind} {letter}")


if __name__ == "__main__":
    main(sys.argv[1])
