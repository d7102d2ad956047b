-- What whoever runs the deployment did about jobs whose attempts were used up: written once, never changed. A job that
-- was set aside stays in its table, dead, and is shown no more.

-- +goose Up
CREATE TABLE dead_letter_acts (
    letter   TEXT   NOT NULL PRIMARY KEY,
    kind     TEXT   NOT NULL,
    key      TEXT   NOT NULL,
    code     TEXT   NOT NULL,
    attempts BIGINT NOT NULL,
    outcome  TEXT   NOT NULL CHECK (outcome IN ('queued_again', 'set_aside')),
    reason   TEXT   NOT NULL,
    acted_by TEXT   NOT NULL,
    acted_at BIGINT NOT NULL
);
CREATE INDEX dead_letter_acts_of_job ON dead_letter_acts (kind, key, outcome);
CREATE INDEX dead_letter_acts_by_age ON dead_letter_acts (acted_at, letter);

-- +goose Down
DROP TABLE dead_letter_acts;
