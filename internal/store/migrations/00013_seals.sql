-- A seal is a keyed hash of a whole row that no signed event speaks for: whoever changes, adds or removes such a
-- row behind the server's back cannot make the seal that fits.

-- +goose Up
CREATE TABLE row_seals (
    table_name TEXT NOT NULL,
    row_key    TEXT NOT NULL,
    seal       TEXT NOT NULL,
    PRIMARY KEY (table_name, row_key)
);
