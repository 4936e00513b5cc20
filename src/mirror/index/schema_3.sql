-- Format 3. Updates that the Catalog no longer shows are distinguished from updates that were not queried.

-- Never written by any version.
ALTER TABLE updates DROP COLUMN withdrawn;

-- Updates that a sound response about their KB did not contain. expired: the Catalog certainly no longer shows the
-- update. Either a second such response came a day later, or the Catalog reports the update itself as unknown. The
-- row is removed when the update is shown again. The Catalog does not state whether Microsoft withdrew an update
-- as faulty ("withdrawn").
CREATE TABLE absences (
    update_ref    INTEGER PRIMARY KEY REFERENCES updates (id),
    missing_since INTEGER NOT NULL,
    expired       INTEGER
) STRICT;

-- The sound and complete responses to searches: the time of the last one per query, and the number of updates
-- found.
CREATE TABLE searches (
    query      TEXT PRIMARY KEY,
    last_asked INTEGER NOT NULL,
    updates    INTEGER NOT NULL CHECK (updates >= 0)
) STRICT, WITHOUT ROWID;

DROP VIEW v_updates;
CREATE VIEW v_updates AS
SELECT update_id, 'KB' || kb AS kb, title, kind, architecture, product, release, build, classification, last_updated, size,
       datetime(first_seen, 'unixepoch') AS first_seen, datetime(last_seen, 'unixepoch') AS last_seen,
       datetime(missing_since, 'unixepoch') AS missing_since, datetime(expired, 'unixepoch') AS expired
FROM updates LEFT JOIN absences ON absences.update_ref = updates.id WHERE NOT mentioned_only;

-- The updates that an update replaces, with the source. older_update_id is null unless exactly one update has the
-- title: among all updates, or among those with the products of the newer one. A list may say "… UUP" for a title
-- without this suffix.
DROP VIEW v_supersedes;
CREATE VIEW v_supersedes AS
SELECT newer.update_id AS newer_update_id, newer.title AS newer_title, older.update_id AS older_update_id,
       older.title AS older_title, supersedes.source,
       datetime(supersedes.first_seen, 'unixepoch') AS first_seen, datetime(supersedes.last_seen, 'unixepoch') AS last_seen
FROM supersedes
JOIN updates newer ON newer.id = supersedes.newer
JOIN updates older ON older.id = supersedes.older
UNION ALL
SELECT newer.update_id, newer.title,
       (SELECT CASE WHEN count(*) = 1 THEN max(older.update_id)
                    WHEN sum(older.products = newer.products) = 1
                    THEN max(CASE WHEN older.products = newer.products THEN older.update_id END) END
        FROM updates older
        WHERE older.title IN (titles.title, CASE WHEN titles.title LIKE '% UUP' THEN substr(titles.title, 1, length(titles.title) - 4) END)
          AND older.id <> newer.id),
       titles.title, 'details page', datetime(supersedes_titles.first_seen, 'unixepoch'),
       datetime(supersedes_titles.last_seen, 'unixepoch')
FROM supersedes_titles
JOIN updates newer ON newer.id = supersedes_titles.newer
JOIN titles ON titles.id = supersedes_titles.title_ref
WHERE NOT EXISTS (
    SELECT 1 FROM supersedes JOIN updates older ON older.id = supersedes.older
    WHERE supersedes.newer = supersedes_titles.newer AND older.title = titles.title
);
