-- Which single events of organisations and people a visit's dossier needs, found without reading
-- their streams; and what is open against whom. Both repeat what signed events say.

-- +goose Up
CREATE TABLE event_refs (
    kind         TEXT NOT NULL,
    ref          TEXT NOT NULL,
    event_digest TEXT NOT NULL,
    rank         BIGINT NOT NULL,
    PRIMARY KEY (kind, ref, event_digest)
);
CREATE INDEX event_refs_ranked ON event_refs (kind, ref, rank);

CREATE TABLE open_matters (
    statement    TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject      TEXT NOT NULL,
    matter       TEXT NOT NULL,
    found_in     TEXT NOT NULL,
    since_at     BIGINT NOT NULL,
    closed_at    BIGINT NOT NULL,
    PRIMARY KEY (statement, subject_kind, subject)
);
CREATE INDEX open_matters_of ON open_matters (subject_kind, subject, closed_at);
