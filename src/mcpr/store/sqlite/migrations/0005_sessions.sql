-- What is known of a session, beside its hash. Every number is 0 until something was seen.
-- opened_ms: of the 2xx initialize that began it, or of an inferred conversation's first request;
-- NULL for a session that was only named. good_ms: arrival of the last request that was answered
-- with 2xx: a session that ended after it has ended.
-- is_shared: two callers opened it, so that it tells nobody's name any more.
ALTER TABLE session ADD COLUMN server TEXT;
ALTER TABLE session ADD COLUMN client TEXT;
ALTER TABLE session ADD COLUMN client_version TEXT;
ALTER TABLE session ADD COLUMN client_name TEXT;
ALTER TABLE session ADD COLUMN revision TEXT;
ALTER TABLE session ADD COLUMN server_name TEXT;
ALTER TABLE session ADD COLUMN server_version TEXT;
ALTER TABLE session ADD COLUMN opened_ms INTEGER;
ALTER TABLE session ADD COLUMN last_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN good_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN ended_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN ended_by TEXT;
ALTER TABLE session ADD COLUMN calls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN errors INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN is_inferred INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN is_shared INTEGER NOT NULL DEFAULT 0;
CREATE INDEX session_conversation ON session (server, client, client_version, client_name)
    WHERE is_inferred = 1;

-- Which tools a session has called.
CREATE TABLE session_tool (
    session INTEGER NOT NULL,
    tool    TEXT    NOT NULL,
    PRIMARY KEY (session, tool)
) WITHOUT ROWID;
CREATE TRIGGER session_tool_forgotten AFTER DELETE ON session BEGIN
    DELETE FROM session_tool WHERE session = old.id;
END;

-- Sessions that began or ended, in the order of commits: what is told to others of them.
CREATE TABLE session_event (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    id      BLOB    NOT NULL UNIQUE,
    ts_ms   INTEGER NOT NULL,
    session INTEGER NOT NULL,
    state   TEXT    NOT NULL
);
CREATE INDEX session_event_session ON session_event (session);
CREATE INDEX session_event_time ON session_event (ts_ms);
CREATE TRIGGER session_event_forgotten AFTER DELETE ON session BEGIN
    DELETE FROM session_event WHERE session = old.id;
END;

-- What ties a request to others (a JSON object; docs/reference/store.md), where anything does.
ALTER TABLE request_event ADD COLUMN link TEXT;
CREATE INDEX request_event_link ON request_event (ts_ms) WHERE link IS NOT NULL;

-- What earlier events say of their sessions.
UPDATE session
SET last_ms = seen.last_ms, good_ms = seen.good_ms,
    calls = seen.calls, errors = seen.errors
FROM (
    SELECT
        e.session AS id, max(e.ts_ms) AS last_ms,
        max(CASE WHEN l.http_status < 300 THEN e.ts_ms ELSE 0 END) AS good_ms,
        sum(l.kind = 'rpc') AS calls, sum(l.kind = 'rpc' AND e.is_error = 1) AS errors
    FROM request_event AS e
    JOIN label AS l ON l.id = e.label
    WHERE e.session IS NOT NULL
    GROUP BY e.session
) AS seen
WHERE session.id = seen.id;
UPDATE session
SET server = began.server, client = began.client, client_version = began.client_version,
    client_name = began.client_name, revision = began.revision, opened_ms = began.ts_ms
FROM (
    SELECT
        e.session AS id, min(e.seq), e.ts_ms, l.server, l.client, l.client_version, l.client_name,
        l.revision
    FROM request_event AS e
    JOIN label AS l ON l.id = e.label
    WHERE e.session IS NOT NULL AND l.method = 'initialize' AND l.outcome IN ('ok', 'unread')
    GROUP BY e.session
) AS began
WHERE session.id = began.id;
INSERT OR IGNORE INTO session_tool (session, tool)
SELECT DISTINCT e.session, l.tool
FROM request_event AS e
JOIN label AS l ON l.id = e.label
WHERE e.session IS NOT NULL AND l.tool IS NOT NULL;

-- For people: sqlite3 store.db "SELECT * FROM sessions ORDER BY last_seen DESC LIMIT 20"
CREATE VIEW sessions AS
SELECT
    lower(hex(s.hash)) AS session,
    s.server, s.client, s.client_version, s.client_name, s.server_name, s.server_version,
    s.revision, s.is_inferred,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.opened_ms / 1000.0, 'unixepoch') AS started,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.last_ms / 1000.0, 'unixepoch') AS last_seen,
    CASE
        WHEN s.ended_ms > 0 AND s.good_ms <= s.ended_ms
        THEN strftime('%Y-%m-%dT%H:%M:%fZ', s.ended_ms / 1000.0, 'unixepoch')
    END AS ended,
    CASE WHEN s.ended_ms > 0 AND s.good_ms <= s.ended_ms THEN s.ended_by END AS ended_by,
    s.calls, s.errors
FROM session AS s
WHERE s.opened_ms IS NOT NULL;
