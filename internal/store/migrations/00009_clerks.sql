-- A clerk's phone asking to be let in: what its page sent, until the owner has signed or time is up. The
-- code that both know is never here.

-- +goose Up
CREATE TABLE clerk_asks (
    clerk      TEXT NOT NULL PRIMARY KEY,
    merchant   TEXT NOT NULL,
    org        TEXT NOT NULL,
    ask        TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX clerk_asks_by_age ON clerk_asks (expires_at);
