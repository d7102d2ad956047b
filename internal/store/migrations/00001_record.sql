-- Both engines read these files: TEXT, BIGINT, BOOLEAN and BYTEA only, no sequences, no defaults
-- that call functions. SQLite takes BYTEA and BOOLEAN as type names and keeps the bytes as they are.
-- Times are unix milliseconds in columns named *_at and *_until, 0 = not set: one type that both engines index,
-- compare and add to; RFC 3339 text lives in the signed bytes. Digests are lower-case hex SHA-256.

-- +goose Up
CREATE TABLE statements (
    digest TEXT NOT NULL PRIMARY KEY,
    bytes  BYTEA NOT NULL
);

CREATE TABLE streams (
    stream_kind TEXT NOT NULL,
    stream_id   TEXT NOT NULL,
    org         TEXT NOT NULL,
    PRIMARY KEY (stream_kind, stream_id)
);

CREATE TABLE events (
    org              TEXT NOT NULL,
    stream_kind      TEXT NOT NULL,
    stream_id        TEXT NOT NULL,
    number           BIGINT NOT NULL CHECK (number > 0),
    digest           TEXT NOT NULL,
    previous         TEXT NOT NULL,
    verb             TEXT NOT NULL,
    received_at      BIGINT NOT NULL,
    bytes            BYTEA NOT NULL,
    statement_digest TEXT NOT NULL REFERENCES statements (digest),
    salt             BYTEA NOT NULL,
    day              TEXT NOT NULL,
    province         TEXT NOT NULL,
    leaf_index       BIGINT,
    receipt          TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (org, stream_kind, stream_id, number),
    UNIQUE (org, digest)
);
CREATE INDEX events_by_digest ON events (digest);
CREATE INDEX events_by_statement ON events (statement_digest);
CREATE INDEX events_by_leaf ON events (leaf_index);

CREATE TABLE outbox (
    event_digest TEXT NOT NULL PRIMARY KEY,
    org          TEXT NOT NULL,
    number       BIGINT NOT NULL,
    leaf         BYTEA NOT NULL,
    queued_at    BIGINT NOT NULL,
    leaf_index   BIGINT
);
CREATE INDEX outbox_in_order ON outbox (leaf_index, queued_at, number, event_digest);
