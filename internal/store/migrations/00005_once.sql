-- What may happen once in the whole deployment: keyed without organisation, or uniqueness would
-- break across acquirers.

-- +goose Up
CREATE TABLE challenges (
    nonce_hash TEXT NOT NULL PRIMARY KEY,
    visit      TEXT NOT NULL,
    purpose    TEXT NOT NULL,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_by    TEXT NOT NULL DEFAULT '',
    used_at    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX challenges_of_visit ON challenges (visit, issued_at);

CREATE TABLE bindings (
    serial               TEXT NOT NULL PRIMARY KEY,
    acquirer             TEXT NOT NULL,
    tuple_digest         TEXT NOT NULL,
    terminal_code        TEXT NOT NULL,
    merchant             TEXT NOT NULL,
    merchant_code_digest TEXT NOT NULL,
    visit                TEXT NOT NULL,
    state                TEXT NOT NULL CHECK (state IN ('reserved', 'open', 'ended')),
    since_at             BIGINT NOT NULL
);
CREATE UNIQUE INDEX bindings_by_terminal ON bindings (acquirer, merchant_code_digest, terminal_code)
    WHERE state <> 'ended';
CREATE INDEX bindings_of_merchant ON bindings (merchant, serial);
CREATE INDEX bindings_of_visit ON bindings (visit);

CREATE TABLE photos (
    sha256     TEXT NOT NULL PRIMARY KEY,
    visit      TEXT NOT NULL,
    step       TEXT NOT NULL,
    claimed_at BIGINT NOT NULL
);
CREATE INDEX photos_of_visit ON photos (visit, step);

CREATE TABLE identities (
    field      TEXT NOT NULL,
    keyed_hash TEXT NOT NULL,
    person     TEXT NOT NULL,
    added_at   BIGINT NOT NULL,
    PRIMARY KEY (field, keyed_hash, person)
);
CREATE INDEX identities_of_person ON identities (person);

CREATE TABLE permits (
    permit_digest  TEXT NOT NULL PRIMARY KEY,
    org            TEXT NOT NULL,
    visit          TEXT NOT NULL,
    ask            TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('wanted', 'intended', 'called', 'answered', 'cancelled')),
    attempts       BIGINT NOT NULL,
    outcome_digest TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL
);
CREATE INDEX permits_of_visit ON permits (visit, created_at);
CREATE INDEX permits_by_state ON permits (state, updated_at, permit_digest);
