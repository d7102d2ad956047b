-- +goose Up
CREATE TABLE jobs (
    kind         TEXT NOT NULL,
    key          TEXT NOT NULL,
    payload      BYTEA NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('ready', 'done', 'dead')),
    run_at       BIGINT NOT NULL,
    lease_until  BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL CHECK (max_attempts > 0),
    last_error   TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (kind, key)
);
CREATE INDEX jobs_due ON jobs (kind, state, run_at, key);
CREATE INDEX jobs_by_state ON jobs (state, run_at, kind, key);

CREATE TABLE answers (
    scope          TEXT NOT NULL,
    key            TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    status         BIGINT NOT NULL,
    response       BYTEA NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX answers_by_age ON answers (created_at);

CREATE TABLE tokens (
    id         TEXT NOT NULL PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL CHECK (kind IN ('api', 'link', 'session')),
    person     TEXT NOT NULL,
    org        TEXT NOT NULL,
    role       TEXT NOT NULL,
    label      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);
CREATE INDEX tokens_of_person ON tokens (person, created_at, id);

CREATE TABLE settings (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
