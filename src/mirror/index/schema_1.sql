-- Format 1. Times are seconds since 1970 (UTC), dates are YYYY-MM-DD, digests are raw bytes, KB numbers have no
-- "KB" prefix. The views at the end are for people with the stock sqlite3 program. Their columns are a stable
-- interface.

-- origin: the source of the content (live, replay, or the host of --catalog-url). created: time and program
-- version.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    id               INTEGER PRIMARY KEY,
    command          TEXT NOT NULL,
    started          INTEGER NOT NULL,
    finished         INTEGER,
    exit_code        INTEGER,
    requests         INTEGER,
    bytes_downloaded INTEGER
) STRICT;

-- A row per Catalog entry. mentioned_only: known from the supersedence list of another update, not seen itself.
CREATE TABLE updates (
    id                INTEGER PRIMARY KEY,
    update_id         TEXT NOT NULL UNIQUE CHECK (length(update_id) = 36),
    mentioned_only    INTEGER NOT NULL CHECK (mentioned_only IN (0, 1)),
    title             TEXT NOT NULL,
    kb                INTEGER,
    kind              TEXT,
    month             TEXT,
    product           TEXT,
    release           TEXT,
    products          TEXT NOT NULL DEFAULT '',
    classification    TEXT,
    architecture      TEXT,
    build             TEXT,
    last_updated      TEXT,
    size              INTEGER CHECK (size >= 0),
    severity          TEXT,
    restart           TEXT,
    withdrawn         INTEGER,
    first_seen        INTEGER NOT NULL,
    last_seen         INTEGER NOT NULL,
    details_last_seen INTEGER,
    files_last_seen   INTEGER
) STRICT;
CREATE INDEX updates_by_kb ON updates (kb);
CREATE INDEX updates_by_title ON updates (title);

-- A row per file, independent of its names and URLs. Before the download, the Catalog's digest identifies the
-- file, or else the SHA-1 in its name. Without a digest, the update and the URL identify it (unverified).
CREATE TABLE files (
    id            INTEGER PRIMARY KEY,
    sha1          BLOB UNIQUE CHECK (length(sha1) = 20),
    sha1_source   TEXT CHECK (sha1_source IN ('dialog', 'name', 'knowledge', 'bytes')),
    sha256        BLOB UNIQUE CHECK (length(sha256) = 32),
    sha256_source TEXT CHECK (sha256_source IN ('dialog', 'knowledge', 'bytes')),
    unverified    TEXT UNIQUE,
    name          TEXT NOT NULL,
    kb            INTEGER,
    architecture  TEXT,
    size          INTEGER CHECK (size >= 0),
    first_seen    INTEGER NOT NULL,
    last_seen     INTEGER NOT NULL,
    CHECK (sha1 IS NOT NULL OR sha256 IS NOT NULL OR unverified IS NOT NULL)
) STRICT;
CREATE INDEX files_by_kb ON files (kb);

-- A URL does not identify a file: one file has several.
CREATE TABLE file_urls (
    file       INTEGER NOT NULL REFERENCES files (id),
    url        TEXT NOT NULL,
    source     TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (file, url)
) STRICT, WITHOUT ROWID;

-- A SHA-1 stated with two SHA-256 is an integrity fault. Both files are kept, the second one without its SHA-1.
CREATE TABLE file_conflicts (
    file       INTEGER NOT NULL REFERENCES files (id),
    other_file INTEGER NOT NULL REFERENCES files (id),
    sha1       BLOB NOT NULL CHECK (length(sha1) = 20),
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (file, other_file)
) STRICT, WITHOUT ROWID;

-- The files in a download dialog. A link is current if its last_seen equals the update's files_last_seen.
CREATE TABLE update_files (
    update_ref INTEGER NOT NULL REFERENCES updates (id),
    file       INTEGER NOT NULL REFERENCES files (id),
    position   INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (update_ref, file)
) STRICT, WITHOUT ROWID;
CREATE INDEX update_files_by_file ON update_files (file);

-- File to file: the files that must be installed before a file.
CREATE TABLE needs (
    file       INTEGER NOT NULL REFERENCES files (id),
    needs_file INTEGER NOT NULL REFERENCES files (id),
    role       TEXT NOT NULL,
    source     TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (file, needs_file, source)
) STRICT, WITHOUT ROWID;

-- Update to update. A superseded update may still be needed: a checkpoint is superseded by every later update.
CREATE TABLE supersedes (
    newer      INTEGER NOT NULL REFERENCES updates (id),
    older      INTEGER NOT NULL REFERENCES updates (id),
    source     TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (newer, older, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX supersedes_by_older ON supersedes (older);

-- "This update replaces …" lists titles without ids. The titles are kept, and the view matches them to updates.
CREATE TABLE titles (
    id    INTEGER PRIMARY KEY,
    title TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE supersedes_titles (
    newer      INTEGER NOT NULL REFERENCES updates (id),
    title_ref  INTEGER NOT NULL REFERENCES titles (id),
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (newer, title_ref)
) STRICT, WITHOUT ROWID;

-- Package sets: the files that belong together for one KB and one architecture.
CREATE TABLE sets (
    id           INTEGER PRIMARY KEY,
    kb           INTEGER NOT NULL,
    fingerprint  BLOB NOT NULL CHECK (length(fingerprint) = 32),
    is_dynamic   INTEGER NOT NULL CHECK (is_dynamic IN (0, 1)),
    architecture TEXT,
    family       TEXT,
    folder       TEXT NOT NULL,
    products     TEXT NOT NULL,
    first_seen   INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL,
    UNIQUE (kb, fingerprint, is_dynamic)
) STRICT;
CREATE TABLE set_files (
    set_ref INTEGER NOT NULL REFERENCES sets (id),
    file    INTEGER NOT NULL REFERENCES files (id),
    place   INTEGER NOT NULL,
    role    TEXT NOT NULL,
    PRIMARY KEY (set_ref, file)
) STRICT, WITHOUT ROWID;

-- The files in the pool.
CREATE TABLE pool (
    file   INTEGER PRIMARY KEY REFERENCES files (id),
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    size   INTEGER NOT NULL CHECK (size >= 0),
    added  INTEGER NOT NULL
) STRICT;

-- The evidence: the compared properties of a file in the pool, the source of each statement, and the time.
CREATE TABLE checks (
    file    INTEGER NOT NULL REFERENCES files (id),
    what    TEXT NOT NULL CHECK (what IN ('size', 'sha1', 'sha256', 'name', 'metadata', 'signature')),
    against TEXT NOT NULL,
    checked INTEGER NOT NULL,
    PRIMARY KEY (file, what, against)
) STRICT, WITHOUT ROWID;

-- Set folders under kb/. A row with 'publishing' was interrupted; the next run that writes completes or removes
-- it.
CREATE TABLE published (
    kb      INTEGER NOT NULL,
    folder  TEXT NOT NULL,
    set_ref INTEGER NOT NULL REFERENCES sets (id),
    state   TEXT NOT NULL CHECK (state IN ('publishing', 'published')),
    since   INTEGER NOT NULL,
    PRIMARY KEY (kb, folder)
) STRICT, WITHOUT ROWID;

-- Every update that the Catalog has shown.
CREATE VIEW v_updates AS
SELECT update_id, 'KB' || kb AS kb, title, kind, architecture, product, release, build, classification, last_updated, size,
       datetime(first_seen, 'unixepoch') AS first_seen, datetime(last_seen, 'unixepoch') AS last_seen
FROM updates WHERE NOT mentioned_only;

-- Every file. present: its bytes are in the pool.
CREATE VIEW v_files AS
SELECT files.id AS file, files.name, 'KB' || files.kb AS kb, files.architecture, lower(hex(files.sha1)) AS sha1,
       lower(hex(files.sha256)) AS sha256, files.size, pool.file IS NOT NULL AS present
FROM files LEFT JOIN pool ON pool.file = files.id;

-- The files of each update, in the order of the dialog.
CREATE VIEW v_update_files AS
SELECT updates.update_id, 'KB' || updates.kb AS update_kb, updates.title, update_files.position, files.name,
       update_files.last_seen = updates.files_last_seen AS current
FROM update_files
JOIN updates ON updates.id = update_files.update_ref
JOIN files ON files.id = update_files.file;

-- The files that must be installed before a file, with the source.
CREATE VIEW v_needs AS
SELECT 'KB' || a.kb AS kb, a.architecture, a.name, needs.role, 'KB' || b.kb AS needs_kb, b.name AS needs_name, needs.source,
       datetime(needs.first_seen, 'unixepoch') AS first_seen, datetime(needs.last_seen, 'unixepoch') AS last_seen
FROM needs JOIN files a ON a.id = needs.file JOIN files b ON b.id = needs.needs_file;

-- The updates that an update replaces, with the source. older_update_id is null unless exactly one update has the
-- title.
CREATE VIEW v_supersedes AS
SELECT newer.update_id AS newer_update_id, newer.title AS newer_title, older.update_id AS older_update_id,
       older.title AS older_title, supersedes.source,
       datetime(supersedes.first_seen, 'unixepoch') AS first_seen, datetime(supersedes.last_seen, 'unixepoch') AS last_seen
FROM supersedes
JOIN updates newer ON newer.id = supersedes.newer
JOIN updates older ON older.id = supersedes.older
UNION ALL
SELECT newer.update_id, newer.title,
       (SELECT CASE WHEN count(*) = 1 THEN max(older.update_id) END FROM updates older WHERE older.title = titles.title),
       titles.title, 'details page', datetime(supersedes_titles.first_seen, 'unixepoch'),
       datetime(supersedes_titles.last_seen, 'unixepoch')
FROM supersedes_titles
JOIN updates newer ON newer.id = supersedes_titles.newer
JOIN titles ON titles.id = supersedes_titles.title_ref
WHERE NOT EXISTS (
    SELECT 1 FROM supersedes JOIN updates older ON older.id = supersedes.older
    WHERE supersedes.newer = supersedes_titles.newer AND older.title = titles.title
);

-- The package sets with their files, in order of installation.
CREATE VIEW v_sets AS
SELECT 'KB' || sets.kb AS kb, sets.folder, sets.architecture, sets.products, set_files.place, set_files.role, files.name,
       lower(hex(files.sha256)) AS sha256, pool.file IS NOT NULL AS present, published.state
FROM sets
JOIN set_files ON set_files.set_ref = sets.id
JOIN files ON files.id = set_files.file
LEFT JOIN pool ON pool.file = files.id
LEFT JOIN published ON published.set_ref = sets.id AND published.folder = sets.folder;
