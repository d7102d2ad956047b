-- +goose Up
-- Price sheets that nobody has signed yet. One with an order was sent to its approver for signing; one without is
-- a template. What was signed is in events.
CREATE TABLE sheet_drafts (
    id         TEXT   NOT NULL PRIMARY KEY,
    org        TEXT   NOT NULL,
    title      TEXT   NOT NULL,
    order_id   TEXT   NOT NULL,
    doc        TEXT   NOT NULL,
    made_by    TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX sheet_drafts_of_org ON sheet_drafts (org, id);
CREATE INDEX sheet_drafts_of_order ON sheet_drafts (order_id, updated_at);
CREATE INDEX bindings_of_acquirer ON bindings (acquirer, serial);

-- +goose Down
DROP INDEX bindings_of_acquirer;
DROP TABLE sheet_drafts;
