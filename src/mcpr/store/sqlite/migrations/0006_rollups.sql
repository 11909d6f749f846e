-- Sums of whole hours, days and weeks (docs/adr/0026-sums-beside-the-rows.md). They can be
-- deleted at any time: answers stay the same, and the sums are made again.

-- What is summed up: spans of so many ms, each of which begins at a multiple of its length.
CREATE TABLE rollup_grain (ms INTEGER PRIMARY KEY);
INSERT INTO rollup_grain (ms) VALUES (3600000), (86400000), (604800000);

-- Spans whose sums are complete. Where there is none, rows are asked.
CREATE TABLE rollup_span (
    grain    INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    PRIMARY KEY (grain, start_ms)
) WITHOUT ROWID;

-- buckets: how many calls are in each latency bucket (packed.py of the writer).
CREATE TABLE rollup (
    grain     INTEGER NOT NULL,
    start_ms  INTEGER NOT NULL,
    label     INTEGER NOT NULL,
    calls     INTEGER NOT NULL,
    errors    INTEGER NOT NULL,
    sum_us    INTEGER NOT NULL,
    max_us    INTEGER NOT NULL,
    bytes_in  INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    last_ms   INTEGER NOT NULL,
    buckets   BLOB    NOT NULL,
    PRIMARY KEY (grain, start_ms, label)
) WITHOUT ROWID;

-- Spans that are to be summed up. changes: grows whenever one of their rows comes or goes.
CREATE TABLE rollup_mark (
    grain    INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    changes  INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (grain, start_ms)
) WITHOUT ROWID;

-- Every hour that begins before this is summed up, or marked, or empty.
INSERT INTO meta (key, value) VALUES ('rolled_until', 0);

-- A mark takes away what was summed up, so that nobody reads it.
CREATE TRIGGER rollup_marked AFTER INSERT ON rollup_mark BEGIN
    DELETE FROM rollup_span WHERE grain = NEW.grain AND start_ms = NEW.start_ms;
    DELETE FROM rollup WHERE grain = NEW.grain AND start_ms = NEW.start_ms;
END;
CREATE TRIGGER rollup_marked_again AFTER UPDATE ON rollup_mark BEGIN
    DELETE FROM rollup WHERE grain = NEW.grain AND start_ms = NEW.start_ms;
END;

-- Rows come and go with their blocks, whoever writes or deletes them. A block lies in two hours at
-- most. The view is there only to be written to: it says which spans an instant lies in.
CREATE VIEW rollup_late (ts_ms) AS SELECT 0;
CREATE TRIGGER rollup_late_marks INSTEAD OF INSERT ON rollup_late BEGIN
    INSERT INTO rollup_mark (grain, start_ms)
    SELECT ms, NEW.ts_ms / ms * ms FROM rollup_grain WHERE true
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER block_rolled_insert AFTER INSERT ON block
WHEN NEW.min_ts_ms < (SELECT value FROM meta WHERE key = 'rolled_until') BEGIN
    INSERT INTO rollup_late (ts_ms) VALUES (NEW.min_ts_ms), (NEW.max_ts_ms);
END;
CREATE TRIGGER block_rolled_delete AFTER DELETE ON block
WHEN OLD.min_ts_ms < (SELECT value FROM meta WHERE key = 'rolled_until') BEGIN
    INSERT INTO rollup_late (ts_ms) VALUES (OLD.min_ts_ms), (OLD.max_ts_ms);
END;
CREATE TRIGGER block_rolled_update AFTER UPDATE ON block
WHEN OLD.min_ts_ms < (SELECT value FROM meta WHERE key = 'rolled_until') BEGIN
    INSERT INTO rollup_late (ts_ms) VALUES (OLD.min_ts_ms), (OLD.max_ts_ms);
END;
