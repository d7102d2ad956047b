-- Personal data, encrypted. Wrapped data keys have a table of their own so that a long backup can
-- leave them out.

-- +goose Up
CREATE TABLE vault_subjects (
    id          TEXT NOT NULL PRIMARY KEY,
    wrapped_key BYTEA NOT NULL,
    erased_at   BIGINT NOT NULL
);

CREATE TABLE vault_values (
    subject    TEXT NOT NULL REFERENCES vault_subjects (id),
    field      TEXT NOT NULL,
    commitment TEXT NOT NULL,
    ciphertext BYTEA NOT NULL,
    purpose    TEXT NOT NULL,
    stored_at  BIGINT NOT NULL,
    keep_until BIGINT NOT NULL,
    PRIMARY KEY (subject, field, commitment)
);
CREATE INDEX vault_values_by_commitment ON vault_values (commitment);
CREATE INDEX vault_values_kept ON vault_values (keep_until);

CREATE TABLE vault_looks (
    subject    TEXT NOT NULL,
    field      TEXT NOT NULL,
    commitment TEXT NOT NULL,
    who        TEXT NOT NULL,
    purpose    TEXT NOT NULL,
    looked_at  BIGINT NOT NULL
);
CREATE INDEX vault_looks_of_subject ON vault_looks (subject, looked_at);
