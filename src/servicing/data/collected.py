"""The functions that the scripts share: the reader of the collected facts, and the families of builds."""

import json
from pathlib import Path

# Builds that share their revisions, by the lowest build.
FAMILIES = {
    28000: (28000, 28020),
    26100: (26100, 26200, 26300),
    22621: (22621, 22631),
    19041: (19041, 19042, 19043, 19044, 19045),
    18362: (18362, 18363),
}
OF_BUILD = {build: family for family, builds in FAMILIES.items() for build in builds}
# Cumulative updates of 14393 that the facts contain only as a file in a list. Build and date are from write-ups of their
# month, which also name the paired servicing stacks (KB5099542 and KB5120236).
KNOWN_LATER = [(5099535, "14393.9339", "2026-07-14"), (5120418, "14393.9418", "2026-08-11")]


def facts(folder, name):
    with open(Path(folder) / name, encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def stated():
    """Yields the rows of stated-releases.txt: KB, family, revision, date, letter, source."""
    with open(Path(__file__).parent / "stated-releases.txt", encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#"):
                kb, build, date, letter, source = line.split()
                number, revision = (int(part) for part in build.split("."))
                yield int(kb), OF_BUILD.get(number, number), revision, date, letter, source


def released_kbs(folder):
    later = {kb for kb, _, _ in KNOWN_LATER} | {row[0] for row in stated()}
    return {row["kb"] for row in facts(folder, "kb-builds.jsonl")} | {f"KB{kb}" for kb in later}
