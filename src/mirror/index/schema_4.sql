-- Format 4. Recorded damage, so that damaged bytes are not handed out before good ones replace them.

-- A row per path of the mirror that does not have the right content. kb is null in the pool and for paths outside
-- of the KB folders. folder is null beside the set folders. sha256 is the digest of the right bytes, or null if
-- the index has none. found and found_by are the time and the command of the first finding.
CREATE TABLE damage (
    path     TEXT PRIMARY KEY,
    kb       INTEGER,
    folder   TEXT,
    sha256   BLOB CHECK (length(sha256) = 32),
    kind     TEXT NOT NULL CHECK (kind IN ('missing', 'size', 'digest', 'unreadable', 'foreign')),
    message  TEXT NOT NULL,
    found    INTEGER NOT NULL,
    found_by TEXT NOT NULL,
    CHECK (folder IS NULL OR kb IS NOT NULL)
) STRICT, WITHOUT ROWID;
-- The pool files whose bytes count as absent.
CREATE INDEX damage_in_pool ON damage (sha256) WHERE kb IS NULL AND sha256 IS NOT NULL;

DROP VIEW v_files;
CREATE VIEW v_files AS
SELECT files.id AS file, files.name, 'KB' || files.kb AS kb, files.architecture, lower(hex(files.sha1)) AS sha1,
       lower(hex(files.sha256)) AS sha256, files.size,
       pool.file IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM damage WHERE damage.kb IS NULL AND damage.sha256 = pool.sha256) AS present
FROM files LEFT JOIN pool ON pool.file = files.id;

DROP VIEW v_sets;
CREATE VIEW v_sets AS
SELECT 'KB' || sets.kb AS kb, sets.folder, sets.architecture, sets.products, set_files.place, set_files.role, files.name,
       lower(hex(files.sha256)) AS sha256,
       pool.file IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM damage WHERE damage.kb IS NULL AND damage.sha256 = pool.sha256) AS present,
       published.state
FROM sets
JOIN set_files ON set_files.set_ref = sets.id
JOIN files ON files.id = set_files.file
LEFT JOIN pool ON pool.file = files.id
LEFT JOIN published ON published.set_ref = sets.id AND published.folder = sets.folder;

-- Damaged or missing paths, with the time and the command of the first finding.
CREATE VIEW v_damage AS
SELECT path, 'KB' || kb AS kb, folder, kind, message, lower(hex(sha256)) AS sha256, datetime(found, 'unixepoch') AS found, found_by
FROM damage;
