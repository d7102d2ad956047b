-- The files of pictures that steps name. The bytes are sealed in the vault, under the key of the
-- merchant whose shop they show; here stands only under which commitments. Keyed without
-- organisation, as photos are.

-- +goose Up
CREATE TABLE photo_files (
    sha256     TEXT NOT NULL PRIMARY KEY,
    visit      TEXT NOT NULL,
    subject    TEXT NOT NULL,
    whole      TEXT NOT NULL,
    thumbnail  TEXT NOT NULL,
    bytes      BIGINT NOT NULL,
    stored_at  BIGINT NOT NULL
);
CREATE INDEX photo_files_of_visit ON photo_files (visit, sha256);
