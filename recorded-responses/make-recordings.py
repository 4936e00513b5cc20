#!/usr/bin/env python3
"""Writes the two recordings beside this script, `catalog/` and `demo/`, from the tables in worlds.py.

    make-recordings.py            writes pages/ and index.jsonl of both recordings
    make-recordings.py --check    writes nothing: compares the existing files with new output,
                                  and checks that pages and stand-ins agree

Run demo/make-stand-ins.sh first to make the package files in demo/files: the pages state their sizes and
digests. The same stand-ins give the same pages, byte for byte.

Needs only Python 3.10. `--check` also reads the containers with wimlib-imagex and gcab, and prints a note
if these programs are not installed.
"""

import argparse
import base64
import hashlib
import html.parser
import json
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse

sys.dont_write_bytecode = True

import pages  # noqa: E402
import worlds  # noqa: E402
from pages import Dialect  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SITE = worlds.SITE
ERROR_NUMBER = "8DDD0010"
ERROR_ID = -1914896368  # the same number, signed


class Recording:
    """Pages and index lines of one recording, in memory."""

    def __init__(self, world):
        self.world = world
        self.bodies = {}
        self.lines = [
            {"format": 1, "recording": world.description, "provenance": "reconstructed"}
        ]
        for number, (query, rows) in enumerate(world.searches.items()):
            self._search(query, rows, self._dialect(number))
        for number, (query, rows) in enumerate(world.more_searches.items()):
            self._search(query, rows, self._dialect(number))
        for query, rows in world.over_1000.items():
            self._search_over_1000(query, rows)
        for query in world.no_results:
            quoted = urllib.parse.quote_plus(query)
            page = pages.no_result_page(query, f"Search.aspx?q={quoted}", Dialect.BROWSER)
            self._add_page(f"search-{quoted.replace('+', '-')}-p0.html", page, search_url(query, 0))
        for query in world.errors:
            final = f"Error.aspx?id={ERROR_ID}"
            page = pages.error_page(ERROR_NUMBER, final, Dialect.BROWSER)
            self._add_page(f"search-{query}-error.html", page, search_url(query, 0), final_url=SITE + final)
        for number, update in enumerate(world.updates()):
            self._details_and_dialog(update, self._dialect(number))
        for update_id in world.removed:
            final = "Thanks.aspx?id=190"
            page = pages.thanks_page(final, Dialect.DOWN_LEVEL)
            self._add_page(
                "details-removed.html", page, details_url(update_id), final_url=SITE + final, note="invented: the update id"
            )
        if world.has_bodies:
            self._package_files()

    @staticmethod
    def _dialect(number):
        return Dialect.BROWSER if number % 2 == 0 else Dialect.DOWN_LEVEL

    def index(self):
        return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in self.lines)

    def _add(self, method, url, body, form=None, content_type="text/html; charset=utf-8", final_url=None, note=None):
        line = {
            "method": method,
            "url": url,
            "form": form,
            "status": 200,
            "headers": {"content-type": content_type},
            "final_url": final_url or url,
            "body": body,
            "provenance": "reconstructed",
        }
        if note:
            line["note"] = note
        self.lines.append(line)

    def _add_page(self, name, page, url, method="GET", **more):
        if name in self.bodies:
            raise SystemExit(f"{self.world.name}: two pages are called {name}")
        self.bodies[name] = page
        self._add(method, url, f"pages/{name}", **more)

    def _search(self, query, updates, dialect):
        quoted = urllib.parse.quote_plus(query)
        rows = [row_of(update) for update in updates]
        page = pages.search_page(query, f"Search.aspx?q={quoted}", rows, 0, len(rows), False, dialect)
        notes = sorted({update.row_note for update in updates if update.row_note})
        name = f"search-{quoted.replace('+', '-')}-p0.html"
        self._add_page(name, page, search_url(query, 0), note="; ".join(notes) or None)

    def _search_over_1000(self, query, rows):
        quoted = urllib.parse.quote_plus(query)
        for number in range(len(rows) // pages.ROWS_A_PAGE):
            part = rows[number * pages.ROWS_A_PAGE : (number + 1) * pages.ROWS_A_PAGE]
            page = pages.search_page(query, f"Search.aspx?q={quoted}", part, number, 1000, True, self._dialect(number))
            notes = [f"invented: {row['invented']} of {row['update_id']}" for row in part if "invented" in row]
            self._add_page(
                f"search-{quoted.replace('+', '-')}-p{number}.html",
                page,
                search_url(query, number),
                note="; ".join(["the selection and order of the rows are this recording's", *notes]),
            )

    def _details_and_dialog(self, update, dialect):
        name = f"{update.kb}-{update.slug}.html"
        details = row_of(update) | {
            "kb": update.kb.removeprefix("KB"),
            "product_list": update.products,
            "severity": update.severity,
            "restart": update.restart,
        }
        page = pages.details_page(
            details,
            f"ScopedViewInline.aspx?updateid={update.update_id}",
            update.replaced_by,
            update.replaces,
            dialect,
        )
        self._add_page(f"details-{name}", page, details_url(update.update_id), note=update.details_note)

        files = [
            {
                "url": file.url,
                "name": file.name,
                "digest": to_base64(file.sha1),
                "sha256": None if file.name in update.no_sha256_line else to_base64(file.sha256 or ""),
            }
            for file in update.files
        ]
        self._add_page(
            f"dialog-{name}",
            pages.download_dialog(update.update_id, update.title, files, dialect),
            SITE + "DownloadDialog.aspx",
            method="POST",
            form={"updateIDs": dialog_form(update.update_id)},
            note=update.dialog_note,
        )

    def _package_files(self):
        by_url = {file.url: file for update in self.world.updates() for file in update.files}
        for url, file in sorted(by_url.items()):
            self._add("GET", url, f"files/{file.name}", content_type="application/octet-stream", note="a stand-in")

    def write(self, folder):
        shutil.rmtree(folder / "pages", ignore_errors=True)
        (folder / "pages").mkdir(parents=True)
        for name, page in self.bodies.items():
            (folder / "pages" / name).write_text(page, encoding="utf-8", newline="\n")
        (folder / "index.jsonl").write_text(self.index(), encoding="utf-8", newline="\n")


def search_url(query, page):
    return f"{SITE}Search.aspx?p={page}&q={urllib.parse.quote_plus(query)}"


def details_url(update_id):
    return f"{SITE}ScopedViewInline.aspx?updateid={update_id}"


def dialog_form(update_id):
    return json.dumps(
        [{"size": 0, "languages": "", "uidInfo": update_id, "updateID": update_id}], separators=(",", ":")
    )


def row_of(update):
    return {
        "update_id": update.update_id,
        "title": update.title,
        "products": ", ".join(update.products),
        "classification": update.classification,
        "date": update.date,
        "version": "n/a",
        "size": update.size,
    }


def to_base64(digest):
    return base64.b64encode(bytes.fromhex(digest)).decode()


# --- --check ---


class Checker:
    """Reads the recordings again, independently of the code that wrote them, and collects errors."""

    def __init__(self):
        self.faults = []

    def expect(self, condition, message):
        if not condition:
            self.faults.append(message)

    def recording(self, folder, recording):
        self.expect((folder / "index.jsonl").is_file(), f"{folder.name}/index.jsonl is missing")
        if self.faults:
            return
        index = (folder / "index.jsonl").read_text(encoding="utf-8")
        self.expect(index == recording.index(), f"{folder.name}/index.jsonl is not what would be written")
        there = {path.name for path in (folder / "pages").iterdir()}
        self.expect(there == set(recording.bodies), f"{folder.name}/pages has other files than would be written")
        for name in sorted(there & set(recording.bodies)):
            content = (folder / "pages" / name).read_bytes()
            self.expect(
                content == recording.bodies[name].encode(), f"{folder.name}/pages/{name} is not what would be written"
            )

        lines = [json.loads(line) for line in index.splitlines()]
        self.expect(lines[0].get("format") == 1, f"{folder.name}: the header has no format")
        for line in lines[1:]:
            self._exchange(folder, line)
        asked = [(line["method"], line["url"], json.dumps(line["form"])) for line in lines[1:]]
        self.expect(len(asked) == len(set(asked)), f"{folder.name}: a request is recorded twice")

        recorded = {line["url"]: line for line in lines[1:]}
        sums = {}
        for line in lines[1:]:
            if line["method"] == "POST":
                update_id, total = self._dialog(folder, line, recorded)
                sums[update_id] = total
        if recording.world.has_bodies:
            self._row_sums(folder, lines, sums)
            self._containers(folder / "files", {pathlib.Path(line["body"]).name for line in lines[1:]})

    def _exchange(self, folder, line):
        body = folder / line["body"]
        where = f"{folder.name}/{line['body']}"
        self.expect(body.is_file(), f"{where} is missing")
        query = urllib.parse.urlsplit(line["url"]).query.split("&")
        self.expect(query == sorted(query), f"{line['url']} has an unsorted query")
        if not body.is_file() or not where.endswith(".html"):
            return
        text = body.read_text(encoding="utf-8")
        TagBalance(where, self).feed(text)
        if "Search.aspx" in line["url"]:
            self._search_page(where, line, text)

    def _search_page(self, where, line, text):
        rows = re.findall(r'<tr id="([0-9a-f-]{36})_R(\d+)"', text)
        if line["final_url"] != line["url"]:
            self.expect("errorPageDisplayedError" in text and not rows, f"{where} is not an error page")
            return
        span = re.search(r'_searchDuration">(\d+) - (\d+) of (\d+) \(page (\d+) of (\d+)\)<', text)
        if span is None:
            self.expect("ctl00_catalogBody_noResultText" in text and not rows, f"{where} has neither rows nor their absence")
            return
        first, last, total, page, page_count = map(int, span.groups())
        self.expect(len(rows) == last - first + 1, f"{where} has {len(rows)} rows and says {span.group(0)}")
        self.expect([int(number) for _, number in rows] == list(range(len(rows))), f"{where}: row numbers")
        self.expect(page_count == -(-total // pages.ROWS_A_PAGE), f"{where}: page count")
        self.expect(("ctl00_catalogBody_nextPageLinkText" in text) == (page < page_count), f"{where}: next link")
        for update_id, number in rows:
            cells = re.findall(rf'id="{update_id}_C(\d)_R{number}"', text)
            self.expect(cells == list("01234567"), f"{where}: cells of row {number}")

    def _dialog(self, folder, line, recorded):
        """Checks a download dialog. Returns the update id and, if all sizes are known, the total size of its files."""
        text = (folder / line["body"]).read_text(encoding="utf-8")
        where = f"{folder.name}/{line['body']}"
        update_id = re.search(r"\.updateID ='([0-9a-f-]{36})';", text).group(1)
        asked = json.loads(line["form"]["updateIDs"])
        self.expect(asked[0]["updateID"] == update_id == asked[0]["uidInfo"], f"{where}: update id")
        total = 0
        for number in range(len(re.findall(r"files\[\d+\] = new Object", text))):
            value = dict(re.findall(rf"files\[{number}\]\.(\w+) = '([^']*)';", text))
            sha1 = base64.b64decode(value["digest"]).hex()
            named = value["fileName"].rsplit("_", 1)[1].split(".")[0]
            self.expect(sha1 == named, f"{where}: digest and name of {value['fileName']} differ")
            self.expect(value["url"].endswith("/" + value["fileName"]), f"{where}: address of {value['fileName']}")
            if "files" not in {path.name for path in folder.iterdir()}:
                continue
            self.expect(value["url"] in recorded, f"{where}: {value['url']} is not recorded")
            content = (folder / "files" / value["fileName"]).read_bytes()
            total += len(content)
            self.expect(hashlib.sha1(content).hexdigest() == sha1, f"{where}: SHA-1 of {value['fileName']}")
            sha256 = base64.b64encode(hashlib.sha256(content).digest()).decode()
            self.expect(sha256 == value["sha256"], f"{where}: SHA-256 of {value['fileName']}")
        return update_id, total

    def _row_sums(self, folder, lines, sums):
        for line in lines[1:]:
            if "Search.aspx" not in line["url"]:
                continue
            text = (folder / line["body"]).read_text(encoding="utf-8")
            for update_id, size in re.findall(r'id="([0-9a-f-]{36})_originalSize">(\d+)<', text):
                self.expect(sums.get(update_id) == int(size), f"{folder.name}: size of {update_id} is not the sum")

    def _containers(self, folder, recorded):
        there = {path.name for path in folder.iterdir()}
        self.expect(there <= recorded, f"{folder.name}: not recorded: {sorted(there - recorded)}")
        readers = {b"MSWIM\0\0\0": ["wimlib-imagex", "info"], b"MSCF": ["gcab", "--list"]}
        for path in sorted(folder.iterdir()):
            content = path.read_bytes()
            command = next((reader for magic, reader in readers.items() if content.startswith(magic)), None)
            self.expect(command is not None, f"{path.name} is neither a WIM nor a CAB")
            if command is None:
                continue
            if shutil.which(command[0]) is None:
                print(f"skipped: {command[0]} is not installed, {path.name} was not opened", file=sys.stderr)
                continue
            done = subprocess.run([*command, path], capture_output=True, text=True, check=False)
            self.expect(done.returncode == 0, f"{' '.join(command)} {path.name}: {done.stderr.strip()}")

    def readme(self, recordings):
        text = (HERE / "README.md").read_text(encoding="utf-8")
        for recording in recordings:
            invented = {update.update_id for update in recording.world.updates() if update.has_invented_id}
            for update_id in sorted(invented | set(recording.world.removed)):
                self.expect(update_id in text, f"README.md does not name the invented update id {update_id}")


class TagBalance(html.parser.HTMLParser):
    """Checks that every opened element is closed at the right place."""

    VOID = {"meta", "input", "br", "img", "link"}

    def __init__(self, where, checker):
        super().__init__()
        self.where, self.checker, self.open = where, checker, []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        self.checker.expect(self.open and self.open[-1] == tag, f"{self.where}: </{tag}> closes {self.open[-1:]}")
        if self.open:
            self.open.pop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing, compare and check")
    arguments = parser.parse_args()

    recordings = [Recording(worlds.catalog_world()), Recording(worlds.demo_world())]
    if not arguments.check:
        for recording in recordings:
            recording.write(HERE / recording.world.name)
        return 0
    checker = Checker()
    for recording in recordings:
        checker.recording(HERE / recording.world.name, recording)
    checker.readme(recordings)
    for fault in checker.faults:
        print(fault, file=sys.stderr)
    if not checker.faults:
        print(f"{sum(len(recording.lines) - 1 for recording in recordings)} exchanges, no faults")
    return 1 if checker.faults else 0


if __name__ == "__main__":
    sys.exit(main())
