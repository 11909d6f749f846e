-- The first schema. `application_id` says "mcpr", so that no other SQLite file is taken for a store.
PRAGMA application_id = 1835233394;

-- What the store knows about itself.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;

-- Rows of label and session deleted so far. A writer that remembers their ids looks here first.
INSERT INTO meta (key, value) VALUES ('forgotten', 0);

-- What a request has in common with many others, written once.
CREATE TABLE label (
    id             INTEGER PRIMARY KEY,
    server         TEXT NOT NULL,
    kind           TEXT NOT NULL,
    method         TEXT,
    tool           TEXT,
    outcome        TEXT NOT NULL,
    origin         TEXT,
    http_status    INTEGER,
    rpc_code       INTEGER,
    client         TEXT,
    client_version TEXT,
    revision       TEXT,
    client_name    TEXT,
    http_method    TEXT,
    note           TEXT
);
CREATE INDEX label_lookup ON label (tool, client_name, outcome, method, server);
CREATE TRIGGER label_forgotten AFTER DELETE ON label BEGIN
    UPDATE meta SET value = value + 1 WHERE key = 'forgotten';
END;

-- Keyed hashes of session ids, 16 bytes each; the key is in meta.
CREATE TABLE session (
    id   INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE
);
CREATE TRIGGER session_forgotten AFTER DELETE ON session BEGIN
    UPDATE meta SET value = value + 1 WHERE key = 'forgotten';
END;

-- One row for each request. Ask the view "requests" instead: it has the words in place of ids.
-- seq: order of commits. AUTOINCREMENT: a store emptied by retention must not give out a seq
-- again that a reader has already passed.
CREATE TABLE request_event (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT,
    id                BLOB    NOT NULL UNIQUE,
    ts_ms             INTEGER NOT NULL,
    label             INTEGER NOT NULL REFERENCES label (id),
    latency_us        INTEGER NOT NULL,
    bucket            INTEGER NOT NULL,
    upstream_us       INTEGER,
    upstream_first_us INTEGER,
    bytes_in          INTEGER NOT NULL,
    bytes_out         INTEGER NOT NULL,
    is_error          INTEGER NOT NULL DEFAULT 0,
    session           INTEGER REFERENCES session (id),
    subject           TEXT,
    raw_method        TEXT,
    error_text        TEXT,
    path              TEXT
);
CREATE INDEX request_event_time ON request_event (ts_ms);
CREATE INDEX request_event_error ON request_event (ts_ms) WHERE is_error = 1;
CREATE INDEX request_event_session ON request_event (session) WHERE session IS NOT NULL;

-- For people: sqlite3 store.db "SELECT * FROM requests ORDER BY seq DESC LIMIT 20"
CREATE VIEW requests AS
SELECT
    e.seq,
    lower(
        substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-'
        || substr(hex(e.id), 13, 4) || '-' || substr(hex(e.id), 17, 4) || '-'
        || substr(hex(e.id), 21)
    ) AS id,
    strftime('%Y-%m-%dT%H:%M:%fZ', e.ts_ms / 1000.0, 'unixepoch') AS time,
    e.ts_ms,
    l.server, l.kind, l.method, l.tool, l.outcome, l.origin, l.http_status, l.rpc_code,
    e.latency_us, e.upstream_us, e.bytes_in, e.bytes_out,
    nullif(lower(hex(s.hash)), '') AS session,
    l.client, l.client_version, l.revision,
    e.subject, e.raw_method, e.error_text, l.client_name, l.http_method, e.path, l.note,
    e.upstream_first_us
FROM request_event AS e
JOIN label AS l ON l.id = e.label
LEFT JOIN session AS s ON s.id = e.session;

-- For people: sqlite3 store.db "SELECT * FROM tools". `mcpr tools` has the percentiles.
CREATE VIEW tools AS
SELECT
    l.server,
    l.tool,
    count(*) AS calls,
    sum(e.is_error) AS errors,
    round(1.0 * sum(e.is_error) / count(*), 4) AS error_rate,
    sum(e.latency_us) / count(*) AS mean_us,
    max(e.latency_us) AS max_us,
    sum(e.bytes_in) AS bytes_in,
    sum(e.bytes_out) AS bytes_out,
    strftime('%Y-%m-%dT%H:%M:%fZ', max(e.ts_ms) / 1000.0, 'unixepoch') AS last_call
FROM request_event AS e
JOIN label AS l ON l.id = e.label
WHERE l.kind = 'rpc' AND l.tool IS NOT NULL
GROUP BY l.server, l.tool;
