-- What a device proved about itself when it went live: later visits are held to the same key and
-- software.

-- +goose Up
ALTER TABLE bindings ADD COLUMN device_key TEXT NOT NULL DEFAULT '';
ALTER TABLE bindings ADD COLUMN firmware TEXT NOT NULL DEFAULT '';
