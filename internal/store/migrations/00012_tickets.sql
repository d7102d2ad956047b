-- After-sales service: what people report about a shop's terminal and what is done about it. No evidence and
-- no power; notes are in the vault, here are only their commitments.

-- +goose Up
CREATE TABLE tickets (
    org          TEXT NOT NULL,
    id           TEXT NOT NULL,
    provider     TEXT NOT NULL,
    merchant     TEXT NOT NULL,
    shop         TEXT NOT NULL,
    visit        TEXT NOT NULL,
    kind         TEXT NOT NULL,
    state        TEXT NOT NULL,
    response_minutes   BIGINT NOT NULL,
    resolution_minutes BIGINT NOT NULL,
    opened_at    BIGINT NOT NULL,
    warranty_until BIGINT NOT NULL,
    PRIMARY KEY (org, id)
);
CREATE UNIQUE INDEX tickets_by_id ON tickets (id);
CREATE INDEX tickets_list ON tickets (opened_at, id);
CREATE INDEX tickets_list_state ON tickets (state, opened_at, id);
CREATE INDEX tickets_list_org ON tickets (org, opened_at, id);
CREATE INDEX tickets_list_org_state ON tickets (org, state, opened_at, id);
CREATE INDEX tickets_list_provider ON tickets (provider, opened_at, id);
CREATE INDEX tickets_list_provider_state ON tickets (provider, state, opened_at, id);
CREATE INDEX tickets_list_merchant ON tickets (merchant, opened_at, id);

CREATE TABLE ticket_events (
    ticket   TEXT NOT NULL,
    number   BIGINT NOT NULL CHECK (number > 0),
    verb     TEXT NOT NULL,
    reason   TEXT NOT NULL,
    note     TEXT NOT NULL,
    person   TEXT NOT NULL,
    org      TEXT NOT NULL,
    role     TEXT NOT NULL,
    done_at  BIGINT NOT NULL,
    PRIMARY KEY (ticket, number)
);
