-- What servers offer, in versions. A schema is one list of a server: tools, prompts, resources,
-- templates, or what it says of itself. Definitions stay in this file.

-- A definition, once, whoever and whatever version shows it. body: canonical JSON.
CREATE TABLE schema_item (
    id         INTEGER PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    body       BLOB NOT NULL,
    suspicions TEXT NOT NULL
);

-- A list as it was shown. The same definitions are the same version, whenever they come back.
-- is_whole: 0 when its definitions were let go of, to keep the file small.
CREATE TABLE schema_version (
    id          INTEGER PRIMARY KEY,
    server      TEXT    NOT NULL,
    list        TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    hash        BLOB    NOT NULL,
    first_ms    INTEGER NOT NULL,
    last_ms     INTEGER NOT NULL,
    sightings   INTEGER NOT NULL,
    items       INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    tokens      INTEGER NOT NULL,
    is_whole    INTEGER NOT NULL DEFAULT 1,
    approved_ms INTEGER,
    UNIQUE (server, list, version),
    UNIQUE (server, list, hash)
);

-- The definitions of a version, by ids of both. They go with it, and an item with its last entry.
CREATE TABLE schema_entry (
    version INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    item    INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    PRIMARY KEY (version, name)
) WITHOUT ROWID;
CREATE INDEX schema_entry_item ON schema_entry (item);
CREATE TRIGGER schema_version_gone AFTER DELETE ON schema_version BEGIN
    DELETE FROM schema_entry WHERE version = OLD.id;
END;
CREATE TRIGGER schema_entry_gone AFTER DELETE ON schema_entry BEGIN
    DELETE FROM schema_item
    WHERE id = OLD.item AND NOT EXISTS (SELECT 1 FROM schema_entry WHERE item = OLD.item);
END;

-- Which version each kind of caller saw last: servers show different lists to different callers.
CREATE TABLE schema_caller (
    server  TEXT    NOT NULL,
    list    TEXT    NOT NULL,
    caller  BLOB    NOT NULL,
    version INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (server, list, caller)
) WITHOUT ROWID;

-- A list became another version. is_return: to one that was there before.
CREATE TABLE schema_change (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           BLOB    NOT NULL UNIQUE,
    ts_ms        INTEGER NOT NULL,
    server       TEXT    NOT NULL,
    list         TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    from_version INTEGER,
    hash         BLOB    NOT NULL,
    verdict      TEXT,
    items        INTEGER NOT NULL,
    added        INTEGER NOT NULL,
    removed      INTEGER NOT NULL,
    modified     INTEGER NOT NULL,
    names        TEXT    NOT NULL,
    is_return    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX schema_change_list ON schema_change (server, list, ts_ms);

-- newest: the highest number that was given to a version, whether it is still there or not.
-- stale_ms: when the server said that the list has changed, until it is listed again.
-- switches: returns that were not written down one by one. unrecorded: versions that were not.
CREATE TABLE schema_mark (
    server     TEXT    NOT NULL,
    list       TEXT    NOT NULL,
    newest     INTEGER NOT NULL DEFAULT 0,
    stale_ms   INTEGER,
    switches   INTEGER NOT NULL DEFAULT 0,
    unrecorded INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (server, list)
) WITHOUT ROWID;

-- Grows with every change of versions and approvals: whoever remembers them looks here first.
INSERT INTO meta (key, value) VALUES ('schema_generation', 0);
