-- +goose Up
-- A signed statement that contradicts what is recorded: it is in no stream, and kept here for a person to settle.
CREATE TABLE conflicts (
    statement  TEXT NOT NULL PRIMARY KEY, -- digest of the envelope
    org        TEXT NOT NULL, -- the order's acquirer
    provider   TEXT NOT NULL,
    visit      TEXT NOT NULL,
    signer     TEXT NOT NULL,
    verb       TEXT NOT NULL,
    stands     TEXT NOT NULL, -- digest of the recorded statement in its place
    envelope   BYTEA NOT NULL,
    found_at   BIGINT NOT NULL,
    settled_at BIGINT NOT NULL,
    settled_by TEXT NOT NULL,
    outcome    TEXT NOT NULL, -- stands or late, "" while open
    reason     TEXT NOT NULL
);
CREATE INDEX conflicts_of_visit ON conflicts (visit, settled_at);
CREATE INDEX conflicts_of_provider ON conflicts (provider, settled_at, found_at);
CREATE INDEX conflicts_of_org ON conflicts (org, settled_at, found_at);

-- +goose Down
DROP TABLE conflicts;
