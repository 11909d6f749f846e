-- What widgets declared and what their hosts were told, each policy once. The last seen is in force.
-- declared, emitted: JSON, lists of sources by directive.
CREATE TABLE widget_policy (
    id        INTEGER PRIMARY KEY,
    server    TEXT    NOT NULL,
    uri       TEXT    NOT NULL,
    declared  TEXT    NOT NULL,
    emitted   TEXT    NOT NULL,
    first_ms  INTEGER NOT NULL,
    last_ms   INTEGER NOT NULL,
    sightings INTEGER NOT NULL,
    UNIQUE (server, uri, declared, emitted)
);

-- For people: sqlite3 store.db "SELECT * FROM widgets"
CREATE VIEW widgets AS
SELECT
    server, uri, declared, emitted,
    strftime('%Y-%m-%dT%H:%M:%fZ', first_ms / 1000.0, 'unixepoch') AS first_seen,
    strftime('%Y-%m-%dT%H:%M:%fZ', last_ms / 1000.0, 'unixepoch') AS last_seen,
    sightings
FROM widget_policy
ORDER BY server, uri, last_ms;
