-- +goose Up
CREATE TABLE door_calls (
    id       TEXT   NOT NULL PRIMARY KEY,
    shop     TEXT   NOT NULL REFERENCES shops (id),
    merchant TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    called_at BIGINT NOT NULL,
    expected BOOLEAN NOT NULL
);
CREATE INDEX door_calls_of_merchant ON door_calls (merchant, called_at);
CREATE INDEX door_calls_of_shop ON door_calls (shop, called_at);
