-- Who scanned a shop's code and was not the one who was sent: what the merchant's page warns of. A row burns
-- nothing and decides nothing.

-- +goose Up
CREATE TABLE door_scans (
    id         TEXT   NOT NULL PRIMARY KEY,
    nonce_hash TEXT   NOT NULL,
    person     TEXT   NOT NULL,
    org        TEXT   NOT NULL,
    code       TEXT   NOT NULL,
    scanned_at BIGINT NOT NULL
);
CREATE INDEX door_scans_of_check ON door_scans (nonce_hash, scanned_at);

-- +goose Down
DROP TABLE door_scans;
