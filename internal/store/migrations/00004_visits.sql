-- A projection for lists; the truth is the visit's stream. Each index serves one driving filter of
-- ListVisits (list.go) and gives its rows newest first, so no page is ever sorted.

-- +goose Up
CREATE TABLE visits (
    org        TEXT NOT NULL,
    id         TEXT NOT NULL,
    order_id   TEXT NOT NULL,
    provider   TEXT NOT NULL,
    merchant   TEXT NOT NULL,
    shop       TEXT NOT NULL,
    technician TEXT NOT NULL,
    kind       TEXT NOT NULL,
    state      TEXT NOT NULL,
    frozen     BOOLEAN NOT NULL,
    head       BIGINT NOT NULL,
    opened_at  BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    search     TEXT NOT NULL,
    PRIMARY KEY (org, id)
);
CREATE INDEX visits_by_id ON visits (id);
CREATE INDEX visits_of_order ON visits (order_id, opened_at, id);
CREATE INDEX visits_list ON visits (opened_at, id);
CREATE INDEX visits_list_state ON visits (state, opened_at, id);
CREATE INDEX visits_list_kind ON visits (kind, opened_at, id);
CREATE INDEX visits_list_org ON visits (org, opened_at, id);
CREATE INDEX visits_list_org_state ON visits (org, state, opened_at, id);
CREATE INDEX visits_list_org_kind ON visits (org, kind, opened_at, id);
CREATE INDEX visits_list_provider ON visits (provider, opened_at, id);
CREATE INDEX visits_list_provider_state ON visits (provider, state, opened_at, id);
CREATE INDEX visits_list_provider_kind ON visits (provider, kind, opened_at, id);
CREATE INDEX visits_list_merchant ON visits (merchant, opened_at, id);
CREATE INDEX visits_list_technician ON visits (technician, opened_at, id);

CREATE TABLE visit_terms (
    term      TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    visit     TEXT NOT NULL,
    org       TEXT NOT NULL,
    PRIMARY KEY (term, opened_at, visit, org)
);
CREATE INDEX visit_terms_of_visit ON visit_terms (visit, term);
