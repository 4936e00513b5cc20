"""The two recorded worlds as data: files, updates, searches, and what is invented in them.

`catalog_world` has the real names, ids, digests, and sizes where they are known. `demo_world` has the
same updates with the small stand-ins of demo/files in place of their files.

What is not known is invented, and every invention says so: an invented update id or path GUID is a
version-5 UUID (the Catalog's own are version 4), made from the words that `invented_id` is given; an
invented digest is the digest of a text that starts with `kbmirror invented`.
"""

import base64
import dataclasses
import hashlib
import json
import pathlib
import uuid

HERE = pathlib.Path(__file__).resolve().parent
SITE = "https://www.catalog.update.microsoft.com/"
FILES_SF = "https://catalog.sf.dl.delivery.mp.microsoft.com/filestreamingservice/files/{}/public/"
FILES_S = "https://catalog.s.download.windowsupdate.com/{}/msdownload/update/software/secu/{}/"

WINDOWS_11 = ["Windows 11"]
WINDOWS_10_LTSB = ["Windows 10", "Windows 10 LTSB"]
SERVER_2016 = ["Windows Server 2016"]
SERVER_2019 = ["Windows Server 2019"]
SERVER_24H2 = ["Microsoft Server Operating System-24H2"]
SINCE_1903 = "Windows 10, version 1903 and later"


def invented_id(words):
    return str(uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, SITE), words))


@dataclasses.dataclass(frozen=True)
class File:
    """A package file: `sha1` in hex, `sha256` in hex or None where it is not known, `size` in bytes."""

    name: str
    url: str
    sha1: str
    sha256: str | None
    size: int

    def at(self, folder):
        """The same file at another address."""
        return dataclasses.replace(self, url=folder + self.name)


@dataclasses.dataclass
class Update:
    """One Catalog entry.

    `files` are in the dialog's order. `no_sha256_line` names the files whose sha256 line is absent from
    the dialog; a file without a known SHA-256 that is not named there has a line with an empty value.
    `row_note` and `dialog_note` say what is invented in the search row and in the dialog.
    """

    kb: str
    slug: str
    title: str
    date: str
    products: list
    files: list
    update_id: str | None = None
    classification: str = "Security Updates"
    severity: str = "n/a"
    restart: str = "Can request restart"
    size: int | None = None
    replaces: list = dataclasses.field(default_factory=list)
    replaced_by: list = dataclasses.field(default_factory=list)
    no_sha256_line: frozenset = frozenset()
    row_note: str | None = None
    details_note: str | None = None
    dialog_note: str | None = None

    def __post_init__(self):
        if self.update_id is None:
            self.update_id = invented_id(self.title)
        if self.size is None:
            self.size = sum(file.size for file in self.files)

    @property
    def has_invented_id(self):
        return uuid.UUID(self.update_id).version == 5


@dataclasses.dataclass
class World:
    """A recording: searches by query, updates behind them, and the odd pages.

    `more_searches` find updates that `searches` have already.
    """

    name: str
    description: str
    searches: dict
    no_results: list
    more_searches: dict = dataclasses.field(default_factory=dict)
    over_1000: dict = dataclasses.field(default_factory=dict)
    errors: list = dataclasses.field(default_factory=list)
    removed: list = dataclasses.field(default_factory=list)
    has_bodies: bool = False

    def updates(self):
        return [update for rows in self.searches.values() for update in rows]


# --- titles ---


def lcu_24h2(month, arch, kb, build=None):
    """The title of a cumulative update for 24H2: `, version` from 2026-05 on, `Version` before."""
    version = ", version" if month >= "2026-05" else " Version"
    suffix = f" ({build})" if build else ""
    return f"{month} Cumulative Update for Windows 11{version} 24H2 for {arch}-based Systems ({kb}){suffix}"


def lcu_25h2(month, arch, kb, build):
    return f"{month} Cumulative Update for Windows 11, version 25H2 for {arch}-based Systems ({kb}) ({build})"


def lcu_server_24h2(month, kb):
    return f"{month} Cumulative Update for Microsoft server operating system version 24H2 for x64-based Systems ({kb})"


# Cumulative updates of 24H2 and 25H2 after KB5086672, newest last: month, KB, revision.
LATER_LCUS = [
    ("2026-04", "KB5083769", 8246),
    ("2026-05", "KB5089549", 8457),
    ("2026-06", "KB5094126", 8655),
    ("2026-07", "KB5101650", 8875),
    ("2026-07", "KB5121767", 8894),
]


def lcus_before_kb5046617(arch):
    """What a cumulative update of 24H2 of 2024-11 replaces, by the list that KB5051987 had."""
    titles = [lcu_24h2(month, arch, kb) for month, kb in [
        ("2024-07", "KB5040529"),
        ("2024-09", "KB5043178"),
        ("2024-06", "KB5039239"),
        ("2024-09", "KB5043080"),
        ("2024-07", "KB5040435"),
        ("2024-06", "KB5039304"),
        ("2024-08", "KB5041571"),
        ("2024-08", "KB5041865"),
        ("2024-10", "KB5044284"),
    ]]
    return titles + [
        f"2024-10 Cumulative Update Preview for Windows 11 Version 24H2 for {arch}-based Systems (KB5044384)"
    ]


def link(*updates):
    """The entries of a replaced-by list."""
    return [(update.update_id, update.title) for update in updates]


# --- the catalog recording ---


def invented_digests(words):
    text = f"kbmirror invented {words}".encode()
    return hashlib.sha1(text).hexdigest(), hashlib.sha256(text).hexdigest()


def base64_hex(value):
    return base64.b64decode(value).hex()


def catalog_world():
    """Real names, ids, digests, and sizes where they are known; no package bodies."""
    files = _catalog_files()
    checkpoint = {arch: files[f"kb5043080-{arch}"] for arch in ("x64", "arm64")}

    # KB5129195: three releases, two architectures, the same two files for each architecture.
    newest = {}
    arm64_sha1, arm64_sha256 = invented_digests("windows11.0-kb5129195-arm64.msu")
    arm64_name = f"windows11.0-kb5129195-arm64_{arm64_sha1}.msu"
    files["kb5129195-arm64"] = File(
        arm64_name, FILES_SF.format(invented_id("kb5129195-arm64")) + arm64_name, arm64_sha1, arm64_sha256, 4391570921
    )
    for release, arch, uid, date, build in [
        ("26H2", "x64", "be656f78-0714-440c-a0be-b27b4f9e5d71", "2026-09-29", "26300.9457"),
        ("26H2", "arm64", "c432f508-9161-4d0e-a55e-9d928f7f7245", "2026-09-29", "26300.9457"),
        ("25H2", "arm64", "6e06682e-94e4-41c6-9446-89fee2744961", "2026-09-14", "26200.9457"),
        ("25H2", "x64", "5cc91450-4f0f-40a8-a67a-63dc58d9dac9", "2026-09-14", "26200.9457"),
        ("24H2", "x64", "6523f702-594e-4013-bc9b-0764bddd9dd1", "2026-09-14", "26100.9457"),
        ("24H2", "arm64", "fc35b25f-82f4-455a-9361-fbca555dd261", "2026-09-14", "26100.9457"),
    ]:
        newest[release, arch] = Update(
            kb="KB5129195",
            slug=f"windows-11-{release.lower()}-{arch}",
            title=f"2026-09 Cumulative Update for Windows 11, version {release} for {arch}-based Systems (KB5129195) ({build})",
            date=date,
            products=WINDOWS_11,
            files=[files[f"kb5129195-{arch}"], checkpoint[arch]],
            update_id=uid,
            severity="Critical",
            details_note="invented: the list of replaced updates, from real titles, and the severity",
            dialog_note=None if arch == "x64" else "invented: the arm64 target's digests, and so its name and address",
        )
    since_checkpoint = {
        arch: [lcu_24h2("2024-09", arch, "KB5043080"), lcu_24h2("2024-11", arch, "KB5046617"),
               lcu_24h2("2025-02", arch, "KB5051987"), lcu_24h2("2026-03", arch, "KB5086672", "26100.8117")]
        + [lcu_24h2(month, arch, kb, f"26100.{revision}") for month, kb, revision in LATER_LCUS]
        for arch in ("x64", "arm64")
    }
    for arch in ("x64", "arm64"):
        newest["24H2", arch].replaces = since_checkpoint[arch]
        newest["25H2", arch].replaces = [lcu_25h2("2026-03", arch, "KB5086672", "26200.8117")] + [
            lcu_25h2(month, arch, kb, f"26200.{revision}") for month, kb, revision in LATER_LCUS
        ]

    # KB5086672, out of band: the 25H2 entries give the second address that was seen for the same file.
    march = {}
    for release, arch, order, no_line in [
        ("25H2", "x64", "target first", ()),
        ("25H2", "arm64", "checkpoint first", ("target",)),
        ("24H2", "arm64", "target first", ()),
        ("24H2", "x64", "target first", ("target", "checkpoint")),
    ]:
        target = files[f"kb5086672-{arch}"]
        if release == "25H2":
            other = {"x64": "b1318d9f-d80a-4556-ab47-792cf5303d43", "arm64": "4425d42d-e8df-46a5-8496-b0dfa184d4df"}
            target = target.at(FILES_SF.format(other[arch]))
        in_order = [target, checkpoint[arch]]
        if order == "checkpoint first":
            in_order.reverse()
        build = "26100.8117" if release == "24H2" else "26200.8117"
        title = (lcu_24h2 if release == "24H2" else lcu_25h2)("2026-03", arch, "KB5086672", build)
        march[release, arch] = Update(
            kb="KB5086672",
            slug=f"windows-11-{release.lower()}-{arch}",
            title=title,
            date="2026-03-31",
            products=WINDOWS_11,
            classification="Updates",
            files=in_order,
            replaces=_replaced_by_kb5086672(release, arch),
            replaced_by=link(newest[release, arch]),
            no_sha256_line=frozenset(
                {"target": target.name, "checkpoint": checkpoint[arch].name}[role] for role in no_line
            ),
            row_note="invented: the update id, the size of the LCU, the classification"
            + ("" if release == "24H2" else ", the form of the title"),
            details_note="invented: the lists of replaced and replacing updates, from real titles",
            dialog_note="invented: the update id, the order of the files",
        )

    # KB5046617: client and server have the same two x64 files, in another order.
    november = {
        "client x64": Update(
            kb="KB5046617",
            slug="windows-11-24h2-x64",
            title=lcu_24h2("2024-11", "x64", "KB5046617"),
            date="2024-11-12",
            products=WINDOWS_11,
            files=[files["kb5046617-x64"], checkpoint["x64"]],
            update_id="e59933ce-6913-4beb-9563-15665679ec92",
            severity="Critical",
            replaces=lcus_before_kb5046617("x64"),
            replaced_by=link(march["24H2", "x64"], newest["24H2", "x64"]),
            row_note="invented: the byte count (the site says 946.7 MB)",
            details_note="invented: the list of replaced updates, after that of KB5051987",
        ),
        "client arm64": Update(
            kb="KB5046617",
            slug="windows-11-24h2-arm64",
            title=lcu_24h2("2024-11", "arm64", "KB5046617"),
            date="2024-11-12",
            products=WINDOWS_11,
            files=[files["kb5046617-arm64"], checkpoint["arm64"]],
            update_id="65507317-7144-4b66-b4de-02535c6c7a38",
            severity="Critical",
            replaces=lcus_before_kb5046617("arm64"),
            replaced_by=link(march["24H2", "arm64"], newest["24H2", "arm64"]),
            row_note="invented: the byte count (the site says 1055.2 MB)",
            details_note="invented: the list of replaced updates, after that of KB5051987",
        ),
        "server x64": Update(
            kb="KB5046617",
            slug="server-24h2-x64",
            title=lcu_server_24h2("2024-11", "KB5046617"),
            date="2024-11-12",
            products=SERVER_24H2,
            files=[checkpoint["x64"], files["kb5046617-x64"]],
            update_id="626ff7c5-ed48-416e-afd4-8a18e388f654",
            severity="Critical",
            replaces=[lcu_server_24h2("2024-10", "KB5044284"), lcu_server_24h2("2024-09", "KB5043080")],
            row_note="invented: the byte count (the site says 946.7 MB)",
        ),
    }

    checkpoints = [
        Update(
            kb="KB5043080",
            slug=slug,
            title=title,
            date="2024-09-10",
            products=products,
            files=[checkpoint[arch]],
            severity="Critical",
            replaced_by=link(*later),
            row_note="invented: the update id",
            details_note="invented: the update id, the list of replacing updates, the severity",
            dialog_note="invented: the update id",
        )
        for slug, arch, title, products, later in [
            ("server-24h2-x64", "x64", lcu_server_24h2("2024-09", "KB5043080"), SERVER_24H2, [november["server x64"]]),
            ("windows-11-24h2-arm64", "arm64", lcu_24h2("2024-09", "arm64", "KB5043080"), WINDOWS_11,
             [november["client arm64"], march["24H2", "arm64"], newest["24H2", "arm64"]]),
            ("windows-11-24h2-x64", "x64", lcu_24h2("2024-09", "x64", "KB5043080"), WINDOWS_11,
             [november["client x64"], march["24H2", "x64"], newest["24H2", "x64"]]),
        ]
    ]

    searches = {
        "KB5129195": list(newest.values()),
        "KB5043080": checkpoints,
        "KB5086672": list(march.values()),
        "KB5046617": list(november.values()),
    }
    searches |= _dotnet(files["kb5049615"], files["kb5049608"], sizes_are_invented=True)
    searches |= _windows_10_1607(files["kb5094141"], files["kb5094122"], sizes_are_invented=True)
    removed = invented_id("2026-03 Cumulative Update Preview for Windows 11 Version 24H2 for x64-based Systems (KB5079391)")
    return World(
        name="catalog",
        description="Catalog pages with real names and digests, without package bodies",
        searches=searches,
        no_results=["KB9999999", "KB5079391"],
        over_1000={"cumulative update": json.loads((HERE / "over-1000-rows.json").read_text(encoding="utf-8"))},
        errors=["KB9999998"],
        removed=[removed],
    )


def _catalog_files():
    """The real files. Sizes marked below are invented: what is left of the row's sum, or a plausible number."""

    def sf(guid, name, size, sha256=None):
        return File(name, FILES_SF.format(guid) + name, name.rsplit("_", 1)[1].split(".")[0], sha256, size)

    def s(letter, month, name, size):
        return File(name, FILES_S.format(letter, month) + name, name.rsplit("_", 1)[1].split(".")[0], None, size)

    return {
        "kb5043080-x64": sf(
            "d8b7f92b-bd35-4b4c-96e5-46ce984b31e0",
            "windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu",
            533761740,
            base64_hex("gZYyYQoQGvEccpB/sT/wW1+0IiwOJj7poDvMHR1fJqQ="),
        ),
        "kb5043080-arm64": sf(
            "f263aa64-f367-42f0-9cad-328f342b93f7",
            "windows11.0-kb5043080-arm64_df540a05f9b118e339c5520f4090bb5d450f090b.msu",
            610638429,
        ),
        "kb5129195-x64": sf(
            "471c8f54-b9fc-491d-9944-234d5db009f0",
            "windows11.0-kb5129195-x64_ed361878ec2b56a7dfdb8f256565263a7fdc8eaa.msu",
            4639422594,
            base64_hex("sz/3qrW7u7c4Z/P1wvSS/pfAEpuWqhlBvCcGENeHbfo="),
        ),
        "kb5086672-x64": sf(
            "234d6ce0-35f3-4739-9f10-5b2fb849c8e2",
            "windows11.0-kb5086672-x64_97df4ed279e18da5b02308a5a3361313520fd346.msu",
            4118530912,  # invented
        ),
        "kb5086672-arm64": sf(
            "29ec7653-f69e-401b-b39d-76fbb4ff0be0",
            "windows11.0-kb5086672-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu",
            3902447106,  # invented
        ),
        "kb5046617-x64": sf(
            "2b6cbd69-2d74-4f43-ad64-12f7fd0a9ce6",
            "windows11.0-kb5046617-x64_1e5d7b716c0747592ae80c218f1d81bbb7b0c7ab.msu",
            992686899 - 533761740,  # the sum is invented within what the site rounds to 946.7 MB
        ),
        "kb5046617-arm64": sf(
            "69ce2e5a-0a4f-4a3a-9c9d-1f1a1aa5dc77",
            "windows11.0-kb5046617-arm64_2780b66113f6457bb1088d227af8257b0849be55.msu",
            1106457395 - 610638429,  # the same, 1055.2 MB
        ),
        "kb5049615": s(
            "d", "2024/12", "windows10.0-kb5049615-x64-ndp48_17bbac9f33539f6515297a7e2183d20b3b165424.msu", 93175800
        ),  # invented within 88.9 MB
        "kb5049608": s(
            "d", "2024/12", "windows10.0-kb5049608-x64_1a94518425035b7c11ccd554c89ae09752db511c.msu", 88668600
        ),  # invented within 84.6 MB
        "kb5094141": s(
            "c", "2026/06", "windows10.0-kb5094141-x64_84b6922c6e96f26ad91859d072aeeb6df8e5ab99.msu", 12419330
        ),  # size and address invented
        "kb5094122": s(
            "c", "2026/06", "windows10.0-kb5094122-x64_36bdd4a783ede6f6174b8fbe1046e8e3a613ad44.msu", 1745102882
        ),  # size and address invented
    }


# --- parts that both recordings have ---


def _replaced_by_kb5086672(release, arch):
    """What KB5086672 replaces; the withdrawn preview KB5079391 is gone from the list."""
    if release == "25H2":
        return [
            lcu_25h2("2026-03", arch, "KB5085516", "26200.8039"),
            lcu_25h2("2026-03", arch, "KB5079473", "26200.8037"),
            lcu_25h2("2025-10", arch, "KB5066835", "26200.6899"),
        ]
    return [
        lcu_24h2("2026-03", arch, "KB5085516", "26100.8039"),
        lcu_24h2("2025-02", arch, "KB5051987"),
        lcu_24h2("2024-09", arch, "KB5043080"),
        lcu_24h2("2026-03", arch, "KB5079473", "26100.8037"),
        lcu_24h2("2024-11", arch, "KB5046617"),
    ]


def _dotnet(for_48, for_472, sizes_are_invented):
    """KB5050182, the parent of two files with other KBs, and the entries that these KBs have themselves."""
    size_note = "invented: the byte count" if sizes_are_invented else None

    def entry(kb, slug, frameworks, uid, files, replaces=()):
        return Update(
            kb=kb,
            slug=slug,
            title=f"2025-01 Cumulative Update for .NET Framework {frameworks} for Windows Server 2019 for x64 ({kb})",
            date="2025-01-14",
            products=SERVER_2019,
            files=files,
            update_id=uid,
            severity="Important",
            replaces=list(replaces),
            row_note=size_note,
        )

    return {
        "KB5050182": [
            entry(
                "KB5050182",
                "server-2019-x64",
                "3.5, 4.7.2 and 4.8",
                "bd0d4b6b-286c-49b9-b0bf-7d1b106416a4",
                [for_48, for_472],
                [
                    "2024-11 Cumulative Update for .NET Framework 3.5, 4.7.2 and 4.8 for Windows Server 2019 for x64 (KB5046540)",
                    "2024-10 Cumulative Update for .NET Framework 3.5, 4.7.2 and 4.8 for Windows Server 2019 for x64 (KB5044089)",
                ],
            )
        ],
        "KB5049615": [
            entry("KB5049615", "server-2019-x64", "3.5 and 4.8", "0ff57b7f-5b9a-4500-a918-ce40db6e547e", [for_48])
        ],
        "KB5049608": [
            entry("KB5049608", "server-2019-x64", "3.5 and 4.7.2", "5f021105-37e9-4958-a50a-890da5fd2802", [for_472])
        ],
    }


def _windows_10_1607(stack, lcu, sizes_are_invented):
    """The separate servicing stack of 14393 and the cumulative update of its month."""
    what = "the update id, the size" if sizes_are_invented else "the update id"

    def entries(kb, kind, old_kb, file):
        return [
            Update(
                kb=kb,
                slug=slug,
                title=f"2026-06 {kind} for {product} for x64-based Systems ({kb})",
                date="2026-06-09",
                products=products,
                files=[file],
                severity="Critical",
                replaces=[f"2026-05 {kind} for {product} for x64-based Systems ({old_kb})"],
                row_note=f"invented: {what}",
                details_note="invented: the update id, the list of replaced updates, the severity",
                dialog_note="invented: the update id, the file's address",
            )
            for slug, product, products in [
                ("server-2016-x64", "Windows Server 2016", SERVER_2016),
                ("windows-10-1607-x64", "Windows 10 Version 1607", WINDOWS_10_LTSB),
            ]
        ]

    return {
        "KB5094141": entries("KB5094141", "Servicing Stack Update", "KB5088064", stack),
        "KB5094122": entries("KB5094122", "Cumulative Update", "KB5087537", lcu),
    }


# --- the demo recording ---


def demo_world():
    """The same updates with stand-ins for files: what demo/files holds decides digests and sizes."""

    def stand_in(prefix, extension, folder=None):
        found = sorted((HERE / "demo" / "files").glob(f"{prefix}_*.{extension}"))
        if len(found) != 1:
            raise SystemExit(f"demo/files: one {prefix}_….{extension} is wanted, {len(found)} are there; run demo/make-stand-ins.sh")
        content = found[0].read_bytes()
        name = found[0].name
        folder = folder or FILES_SF.format(invented_id(f"demo {prefix}"))
        return File(
            name, folder + name, hashlib.sha1(content).hexdigest(), hashlib.sha256(content).hexdigest(), len(content)
        )

    checkpoint, oob_21, oob_31 = (
        {arch: stand_in(f"windows11.0-{kb}-{arch}", "msu") for arch in ("x64", "arm64")}
        for kb in ("kb5043080", "kb5085516", "kb5086672")
    )
    ids = "invented: the update id, the classification"
    edges = "invented: the lists of replaced and replacing updates"

    march_31 = {}
    for release, arch, checkpoint_first in [
        ("25H2", "x64", False),
        ("24H2", "arm64", False),
        ("25H2", "arm64", True),
        ("24H2", "x64", True),
    ]:
        target = oob_31[arch]
        if release == "25H2" and arch == "x64":
            # The same bytes at a second address, as the real file was seen.
            target = target.at(FILES_SF.format(invented_id("demo windows11.0-kb5086672-x64, second address")))
        in_order = [target, checkpoint[arch]]
        if checkpoint_first:
            in_order.reverse()
        build = "26100.8117" if release == "24H2" else "26200.8117"
        march_31[release, arch] = Update(
            kb="KB5086672",
            slug=f"windows-11-{release.lower()}-{arch}",
            title=(lcu_24h2 if release == "24H2" else lcu_25h2)("2026-03", arch, "KB5086672", build),
            date="2026-03-31",
            products=WINDOWS_11,
            classification="Updates",
            files=in_order,
            replaces=_replaced_by_kb5086672(release, arch),
            row_note=ids,
            details_note=edges,
        )
    march_21 = {
        arch: Update(
            kb="KB5085516",
            slug=f"windows-11-24h2-{arch}",
            title=lcu_24h2("2026-03", arch, "KB5085516", "26100.8039"),
            date="2026-03-21",
            products=WINDOWS_11,
            classification="Updates",
            files=[oob_21[arch], checkpoint[arch]],
            replaces=[lcu_24h2("2024-09", arch, "KB5043080"), lcu_24h2("2026-03", arch, "KB5079473", "26100.8037")],
            replaced_by=link(march_31["24H2", arch]),
            row_note=ids,
            details_note=edges,
        )
        for arch in ("x64", "arm64")
    }
    september = [
        Update(
            kb="KB5043080",
            slug=f"windows-11-24h2-{arch}",
            title=lcu_24h2("2024-09", arch, "KB5043080"),
            date="2024-09-10",
            products=WINDOWS_11,
            files=[checkpoint[arch]],
            severity="Critical",
            replaced_by=link(march_21[arch], march_31["24H2", arch]),
            row_note="invented: the update id",
            details_note=edges,
        )
        for arch in ("arm64", "x64")
    ]

    secu = FILES_S.format
    searches = {
        "KB5086672": list(march_31.values()),
        "KB5085516": list(march_21.values()),
        "KB5043080": september,
    }
    searches |= _dotnet(
        stand_in("windows10.0-kb5049615-x64-ndp48", "msu", secu("d", "2024/12")),
        stand_in("windows10.0-kb5049608-x64", "msu", secu("d", "2024/12")),
        sizes_are_invented=False,
    )
    searches |= _windows_10_1607(
        stand_in("windows10.0-kb5094141-x64", "msu", secu("c", "2026/06")),
        stand_in("windows10.0-kb5094122-x64", "msu", secu("c", "2026/06")),
        sizes_are_invented=False,
    )
    searches["KB5030211"] = [
        Update(
            kb="KB5030211",
            slug=f"windows-10-22h2-x64{suffix}",
            title=f"2023-09 {kind} for Windows 10 Version 22H2 for x64-based Systems (KB5030211)",
            date="2023-09-12",
            products=products,
            files=[stand_in("windows10.0-kb5030211-x64", extension, secu("c", "2023/09"))],
            severity="Important",
            replaces=[f"2023-08 {kind} for Windows 10 Version 22H2 for x64-based Systems (KB5029244)"],
            row_note="invented: the update id",
            details_note="invented: the list of replaced updates, the severity",
        )
        for kind, suffix, products, extension in [
            ("Dynamic Cumulative Update", "-dynamic", ["Windows 10 and later GDR-DU"], "cab"),
            ("Cumulative Update", "", [SINCE_1903], "msu"),
        ]
    ]
    searches["KB5031539"] = [
        Update(
            kb="KB5031539",
            slug="windows-10-21h2-x64",
            title="2023-10 Servicing Stack Update for Windows 10 Version 21H2 for x64-based Systems (KB5031539)",
            date="2023-10-10",
            products=[SINCE_1903, "Windows 10 LTSB"],
            files=[stand_in("ssu-19041.3562-x64", "msu", secu("c", "2023/10"))],
            update_id="4ab54529-a352-44ca-8b4f-5d13b4cf69b5",
            severity="Critical",
            details_note="invented: the severity",
        )
    ]
    # What a scheduled run asks on 2026-03-31 for 24H2 and the two months before: a month and a version each.
    by_month = {
        "2026-03 Cumulative Update Windows 11 24H2": [
            march_31["24H2", "x64"], march_31["24H2", "arm64"], march_21["x64"], march_21["arm64"]
        ],
        "2026-03 Cumulative Update Windows 11 25H2": [march_31["25H2", "x64"], march_31["25H2", "arm64"]],
    }
    without_rows = [
        query
        for month in ("2026-03", "2026-02", "2026-01")
        for release in ("24H2", "25H2", "26H2")
        if (query := f"{month} Cumulative Update Windows 11 {release}") not in by_month
    ]
    for rows in searches.values():
        for update in rows:
            update.dialog_note = "stand-ins: names, digests, and addresses are those of this recording"
    return World(
        name="demo",
        description="A small world for a run without a network; its package files are stand-ins",
        searches=searches,
        # KB5005260, a floor below KB5030211, is not of this small world: the run says so and goes on.
        no_results=["KB9999999", "KB5005260", *without_rows],
        more_searches=by_month,
        has_bodies=True,
    )
