-- Rows are found through the blocks they were written in; no row is in an index of its own,
-- except those of errors (docs/adr/0014-rows-are-found-by-their-block.md).

-- Rows that stand beside each other: consecutive seq, consecutive ids, and no more than
-- ten minutes (BLOCK_MS of the writer) between the first and the last arrival.
-- low: the last 64 bits of first_id as a signed number; NULL in blocks of one row.
CREATE TABLE block (
    first_seq INTEGER PRIMARY KEY,
    last_seq  INTEGER NOT NULL,
    first_id  BLOB    NOT NULL UNIQUE,
    low       INTEGER,
    min_ts_ms INTEGER NOT NULL,
    max_ts_ms INTEGER NOT NULL
);
CREATE INDEX block_time ON block (max_ts_ms, min_ts_ms, last_seq);

-- Where the rows of a session are: in these rows of one batch, maybe with others between them.
-- No use of the session by itself: what is left of one that was deleted finds nothing.
CREATE TABLE session_block (
    session   INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    PRIMARY KEY (session, first_seq)
) WITHOUT ROWID;

INSERT INTO block (first_seq, last_seq, first_id, min_ts_ms, max_ts_ms)
SELECT seq, seq, id, ts_ms, ts_ms FROM request_event ORDER BY seq;
INSERT INTO session_block (session, first_seq, last_seq)
SELECT session, seq, seq FROM request_event WHERE session IS NOT NULL ORDER BY session, seq;

DROP VIEW requests;
DROP VIEW tools;
ALTER TABLE request_event RENAME TO request_event_1;

-- One row for each request. Ask the view "requests" instead: it has the words in place of ids.
-- seq: order of commits. AUTOINCREMENT: a store emptied by retention must not give out a seq
-- again that a reader has already passed. The id is its block's first_id + seq - first_seq.
CREATE TABLE request_event (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT,
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
INSERT INTO request_event
SELECT
    seq, ts_ms, label, latency_us, bucket, upstream_us, upstream_first_us, bytes_in, bytes_out,
    is_error, session, subject, raw_method, error_text, path
FROM request_event_1 ORDER BY seq;
DELETE FROM sqlite_sequence WHERE name = 'request_event';
UPDATE sqlite_sequence SET name = 'request_event' WHERE name = 'request_event_1';
DROP TABLE request_event_1;
CREATE INDEX request_event_error ON request_event (ts_ms) WHERE is_error = 1;

-- For people: sqlite3 store.db "SELECT * FROM requests ORDER BY seq DESC LIMIT 20"
CREATE VIEW requests AS
SELECT
    e.seq,
    (
        SELECT lower(
            substr(i.hex, 1, 8) || '-' || substr(i.hex, 9, 4) || '-' || substr(i.hex, 13, 4) || '-'
            || substr(i.hex, 17, 4) || '-' || substr(i.hex, 21)
        )
        FROM (
            SELECT CASE
                WHEN b.first_seq = e.seq THEN hex(b.first_id)
                ELSE hex(substr(b.first_id, 1, 8)) || printf('%016X', b.low + e.seq - b.first_seq)
            END AS hex
            FROM block AS b WHERE b.first_seq <= e.seq ORDER BY b.first_seq DESC LIMIT 1
        ) AS i
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
