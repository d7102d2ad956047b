-- The door check with signal. Keyed without organisation: a nonce is used once in the whole deployment.

-- +goose Up
CREATE TABLE door_checks (
    nonce_hash  TEXT NOT NULL PRIMARY KEY,
    statement   TEXT NOT NULL,
    visit       TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    asked_at    BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    spoken_at   BIGINT NOT NULL DEFAULT 0,
    burnt       BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX door_checks_by_statement ON door_checks (statement);
CREATE INDEX door_checks_of_visit ON door_checks (visit, asked_at);

CREATE TABLE door_verdicts (
    nonce_hash       TEXT NOT NULL PRIMARY KEY,
    visit            TEXT NOT NULL,
    technician       TEXT NOT NULL,
    answer           TEXT NOT NULL,
    presentation     TEXT NOT NULL,
    code             TEXT NOT NULL,
    reason_zh        TEXT NOT NULL,
    reason_en        TEXT NOT NULL,
    metres           BIGINT NOT NULL,
    list_age_seconds BIGINT NOT NULL,
    answered_at      BIGINT NOT NULL
);
CREATE INDEX door_verdicts_of_visit ON door_verdicts (visit, answered_at);

CREATE TABLE door_secrets (
    visit      TEXT NOT NULL PRIMARY KEY,
    dispatch   TEXT NOT NULL,
    subject    TEXT NOT NULL,
    commitment TEXT NOT NULL,
    made_at    BIGINT NOT NULL
);

-- +goose Down
DROP TABLE door_secrets;
DROP TABLE door_verdicts;
DROP TABLE door_checks;
