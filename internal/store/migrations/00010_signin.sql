-- Sign-in of people with pages: accounts, their passkeys, invitations and the ceremonies under way.
-- Nothing here signs a statement: those keys are enrolled by organisations.

-- +goose Up
CREATE TABLE accounts (
    handle     TEXT NOT NULL PRIMARY KEY,
    person     TEXT NOT NULL,
    org        TEXT NOT NULL,
    role       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (person, org, role)
);

CREATE TABLE passkeys (
    id         TEXT NOT NULL PRIMARY KEY,
    handle     TEXT NOT NULL REFERENCES accounts (handle),
    name       TEXT NOT NULL,
    doc        BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    removed_at BIGINT NOT NULL
);
CREATE INDEX passkeys_of_account ON passkeys (handle, created_at, id);

CREATE TABLE invitations (
    id         TEXT NOT NULL PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,
    person     TEXT NOT NULL,
    org        TEXT NOT NULL,
    role       TEXT NOT NULL,
    made_by    TEXT NOT NULL,
    recovers   BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL
);
CREATE INDEX invitations_of_org ON invitations (org, created_at, id);

CREATE TABLE ceremonies (
    hash       TEXT NOT NULL PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('sign_in', 'join', 'add')),
    subject    TEXT NOT NULL,
    doc        BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL
);
CREATE INDEX ceremonies_by_age ON ceremonies (expires_at);

-- A session also ends when it is not used for its idle time; 0 is never.
ALTER TABLE tokens ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN idle_ms BIGINT NOT NULL DEFAULT 0;
