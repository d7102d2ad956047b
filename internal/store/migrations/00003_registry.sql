-- +goose Up
CREATE TABLE organisations (
    id   TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    doc  TEXT NOT NULL
);
CREATE INDEX organisations_by_kind ON organisations (kind, id);

-- people, merchants, shops, models and devices are keyed without organisation: one person, shop or
-- serial is the same one for every acquirer.
CREATE TABLE people (
    id             TEXT NOT NULL PRIMARY KEY,
    org            TEXT NOT NULL,
    role           TEXT NOT NULL,
    staff_no       TEXT NOT NULL,
    key_thumbprint TEXT NOT NULL,
    state          TEXT NOT NULL,
    doc            TEXT NOT NULL
);
CREATE INDEX people_of_org ON people (org, id);
CREATE UNIQUE INDEX people_by_key ON people (key_thumbprint) WHERE key_thumbprint <> '';

CREATE TABLE merchants (
    id  TEXT NOT NULL PRIMARY KEY,
    org TEXT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX merchants_of_org ON merchants (org, id);

CREATE TABLE shops (
    id       TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL REFERENCES merchants (id),
    province TEXT NOT NULL,
    region   TEXT NOT NULL,
    doc      TEXT NOT NULL
);
CREATE INDEX shops_of_merchant ON shops (merchant, id);

CREATE TABLE models (
    id  TEXT NOT NULL PRIMARY KEY,
    doc TEXT NOT NULL
);

CREATE TABLE devices (
    serial TEXT NOT NULL PRIMARY KEY,
    model  TEXT NOT NULL,
    maker  TEXT NOT NULL,
    holder TEXT NOT NULL,
    state  TEXT NOT NULL,
    doc    TEXT NOT NULL
);
CREATE INDEX devices_of_holder ON devices (holder, serial);

CREATE TABLE orders (
    org             TEXT NOT NULL,
    id              TEXT NOT NULL,
    provider        TEXT NOT NULL,
    merchant        TEXT NOT NULL,
    shop            TEXT NOT NULL,
    kind            TEXT NOT NULL,
    risk            BIGINT NOT NULL,
    state           TEXT NOT NULL,
    window_start_at BIGINT NOT NULL,
    window_end_at   BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    doc             TEXT NOT NULL,
    PRIMARY KEY (org, id)
);
CREATE INDEX orders_by_id ON orders (id);
-- Each index serves one driving filter of ListOrders (list.go), as those of visits do.
CREATE INDEX orders_list ON orders (created_at, id);
CREATE INDEX orders_list_state ON orders (state, created_at, id);
CREATE INDEX orders_list_org ON orders (org, created_at, id);
CREATE INDEX orders_list_org_state ON orders (org, state, created_at, id);
CREATE INDEX orders_list_provider ON orders (provider, created_at, id);
CREATE INDEX orders_list_provider_state ON orders (provider, state, created_at, id);
CREATE INDEX orders_list_merchant ON orders (merchant, created_at, id);
CREATE INDEX orders_list_shop ON orders (shop, created_at, id);
