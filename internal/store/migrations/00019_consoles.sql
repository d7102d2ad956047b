-- +goose Up
-- Settlement files that an acquirer laid against its signed sheets. Of a file's lines are kept the single fees, whose
-- rhythm later files are judged by, and what took more than was signed; card payments that keep to the sheet are not.
CREATE TABLE settlement_files (
    id        TEXT   NOT NULL PRIMARY KEY,
    org       TEXT   NOT NULL,
    made_by   TEXT   NOT NULL,
    made_at   BIGINT NOT NULL,
    lines     BIGINT NOT NULL,
    compared  BIGINT NOT NULL,
    differing BIGINT NOT NULL
);
CREATE INDEX settlement_files_of_org ON settlement_files (org, made_at, id);

CREATE TABLE settlement_lines (
    id         TEXT   NOT NULL PRIMARY KEY,
    org        TEXT   NOT NULL,
    file       TEXT   NOT NULL,
    merchant   TEXT   NOT NULL,
    terminal   TEXT   NOT NULL,
    visit      TEXT   NOT NULL,
    item       TEXT   NOT NULL,
    reference  TEXT   NOT NULL,
    charged_at BIGINT NOT NULL,
    trade_fen  BIGINT NOT NULL,
    taken_fen  BIGINT NOT NULL,
    code       TEXT   NOT NULL,
    signed_fen BIGINT NOT NULL,
    signed_ppm BIGINT NOT NULL,
    taken_ppm  BIGINT NOT NULL,
    settled_at BIGINT NOT NULL,
    settled_by TEXT   NOT NULL,
    outcome    TEXT   NOT NULL
);
CREATE UNIQUE INDEX settlement_lines_by_reference ON settlement_lines (org, reference, item);
CREATE INDEX settlement_lines_of_terminal ON settlement_lines (org, merchant, terminal, id);
CREATE INDEX settlement_lines_differing ON settlement_lines (org, id) WHERE code <> '';
CREATE INDEX settlement_lines_open ON settlement_lines (org, id) WHERE code <> '' AND settled_at = 0;
CREATE INDEX settlement_lines_of_merchant ON settlement_lines (merchant, id) WHERE code <> '';
CREATE INDEX bindings_of_terminal ON bindings (acquirer, terminal_code, serial);

-- What a technician's phone said last of what it has not sent for a visit.
CREATE TABLE phone_unsent (
    visit      TEXT   NOT NULL,
    technician TEXT   NOT NULL,
    statements BIGINT NOT NULL,
    photos     BIGINT NOT NULL,
    heard_at   BIGINT NOT NULL,
    PRIMARY KEY (visit, technician)
);
CREATE INDEX open_matters_standing ON open_matters (since_at, statement, subject_kind, subject) WHERE closed_at = 0 AND subject_kind <> 'visit';

-- +goose Down
DROP INDEX open_matters_standing;
DROP TABLE phone_unsent;
DROP INDEX bindings_of_terminal;
DROP TABLE settlement_lines;
DROP TABLE settlement_files;
