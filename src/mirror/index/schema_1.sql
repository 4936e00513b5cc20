-- Format 1. Times are seconds since 1970 (UTC), dates YYYY-MM-DD, digests raw bytes, KB numbers without "KB".
-- The views at the end are for people with the stock sqlite3 program; their columns are a promise.

-- origin: where the content comes from (live, replay, or the host of --catalog-url). created: when, by what.
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

-- One row a Catalog entry. mentioned_only: known from another update's list of replacements, not seen itself.
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

-- One row a file, whatever it is called and wherever it lies. Until the bytes are here the Catalog's digest stands
-- for them, else the SHA-1 in the name, else (unverified) the update and address that it was seen under.
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

-- Addresses are no identity: one file has several.
CREATE TABLE file_urls (
    file       INTEGER NOT NULL REFERENCES files (id),
    url        TEXT NOT NULL,
    source     TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (file, url)
) STRICT, WITHOUT ROWID;

-- One SHA-1 stated with two SHA-256: an integrity fault. Both files are kept; the second one without its SHA-1.
CREATE TABLE file_conflicts (
    file       INTEGER NOT NULL REFERENCES files (id),
    other_file INTEGER NOT NULL REFERENCES files (id),
    sha1       BLOB NOT NULL CHECK (length(sha1) = 20),
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (file, other_file)
) STRICT, WITHOUT ROWID;

-- What a download dialog listed. A link is current while its last_seen is the update's files_last_seen.
CREATE TABLE update_files (
    update_ref INTEGER NOT NULL REFERENCES updates (id),
    file       INTEGER NOT NULL REFERENCES files (id),
    position   INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (update_ref, file)
) STRICT, WITHOUT ROWID;
CREATE INDEX update_files_by_file ON update_files (file);

-- File to file: what must be installed before what.
CREATE TABLE needs (
    file       INTEGER NOT NULL REFERENCES files (id),
    needs_file INTEGER NOT NULL REFERENCES files (id),
    role       TEXT NOT NULL,
    source     TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (file, needs_file, source)
) STRICT, WITHOUT ROWID;

-- Update to update. Superseded is not unneeded: a checkpoint is superseded by every later update.
CREATE TABLE supersedes (
    newer      INTEGER NOT NULL REFERENCES updates (id),
    older      INTEGER NOT NULL REFERENCES updates (id),
    source     TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (newer, older, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX supersedes_by_older ON supersedes (older);

-- "This update replaces …" names titles without ids. The titles are kept; the view matches them to updates.
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

-- What the pool holds.
CREATE TABLE pool (
    file   INTEGER PRIMARY KEY REFERENCES files (id),
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    size   INTEGER NOT NULL CHECK (size >= 0),
    added  INTEGER NOT NULL
) STRICT;

-- The evidence: what of a file in the pool was compared, against whose word, when.
CREATE TABLE checks (
    file    INTEGER NOT NULL REFERENCES files (id),
    what    TEXT NOT NULL CHECK (what IN ('size', 'sha1', 'sha256', 'name', 'metadata', 'signature')),
    against TEXT NOT NULL,
    checked INTEGER NOT NULL,
    PRIMARY KEY (file, what, against)
) STRICT, WITHOUT ROWID;

-- Set folders under kb/. A row that is 'publishing' was cut off; the next run that writes finishes or removes it.
CREATE TABLE published (
    kb      INTEGER NOT NULL,
    folder  TEXT NOT NULL,
    set_ref INTEGER NOT NULL REFERENCES sets (id),
    state   TEXT NOT NULL CHECK (state IN ('publishing', 'published')),
    since   INTEGER NOT NULL,
    PRIMARY KEY (kb, folder)
) STRICT, WITHOUT ROWID;

-- Every update that the Catalog showed.
CREATE VIEW v_updates AS
SELECT update_id, 'KB' || kb AS kb, title, kind, architecture, product, release, build, classification, last_updated, size,
       datetime(first_seen, 'unixepoch') AS first_seen, datetime(last_seen, 'unixepoch') AS last_seen
FROM updates WHERE NOT mentioned_only;

-- Every file, with whether its bytes are here.
CREATE VIEW v_files AS
SELECT files.id AS file, files.name, 'KB' || files.kb AS kb, files.architecture, lower(hex(files.sha1)) AS sha1,
       lower(hex(files.sha256)) AS sha256, files.size, pool.file IS NOT NULL AS present
FROM files LEFT JOIN pool ON pool.file = files.id;

-- Which update lists which file, in the dialog's own order.
CREATE VIEW v_update_files AS
SELECT updates.update_id, 'KB' || updates.kb AS update_kb, updates.title, update_files.position, files.name,
       update_files.last_seen = updates.files_last_seen AS current
FROM update_files
JOIN updates ON updates.id = update_files.update_ref
JOIN files ON files.id = update_files.file;

-- Which file must be installed before which, and who says so.
CREATE VIEW v_needs AS
SELECT 'KB' || a.kb AS kb, a.architecture, a.name, needs.role, 'KB' || b.kb AS needs_kb, b.name AS needs_name, needs.source,
       datetime(needs.first_seen, 'unixepoch') AS first_seen, datetime(needs.last_seen, 'unixepoch') AS last_seen
FROM needs JOIN files a ON a.id = needs.file JOIN files b ON b.id = needs.needs_file;

-- Which update replaces which, and who says so. older_update_id is null while a title matches no single update.
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
