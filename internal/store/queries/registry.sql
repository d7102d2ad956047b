-- name: putOrganisation :exec
INSERT INTO organisations (id, kind, name, doc) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name, doc = excluded.doc;

-- name: organisation :one
SELECT * FROM organisations WHERE id = $1;

-- name: organisationsByKind :many
SELECT * FROM organisations WHERE kind = $1 ORDER BY id;

-- name: putPerson :exec
INSERT INTO people (id, org, role, staff_no, key_thumbprint, state, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE SET org = excluded.org, role = excluded.role, staff_no = excluded.staff_no,
    key_thumbprint = excluded.key_thumbprint, state = excluded.state, doc = excluded.doc;

-- name: person :one
SELECT * FROM people WHERE id = $1;

-- name: personByKey :one
SELECT * FROM people WHERE key_thumbprint = $1 AND key_thumbprint <> '';

-- name: peopleOfOrg :many
SELECT * FROM people WHERE org = $1 AND id > sqlc.arg(after_id) ORDER BY id LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: putMerchant :exec
INSERT INTO merchants (id, org, doc) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET org = excluded.org, doc = excluded.doc;

-- name: merchant :one
SELECT * FROM merchants WHERE id = $1;

-- name: merchantsOfOrg :many
SELECT * FROM merchants WHERE org = $1 AND id > sqlc.arg(after_id) ORDER BY id LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: putShop :exec
INSERT INTO shops (id, merchant, province, region, doc) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET merchant = excluded.merchant, province = excluded.province,
    region = excluded.region, doc = excluded.doc;

-- name: shop :one
SELECT * FROM shops WHERE id = $1;

-- name: shopsOfMerchant :many
SELECT * FROM shops WHERE merchant = $1 AND id > sqlc.arg(after_id) ORDER BY id LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: putModel :exec
INSERT INTO models (id, doc) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc;

-- name: model :one
SELECT * FROM models WHERE id = $1;

-- name: models :many
SELECT * FROM models ORDER BY id;

-- name: putDevice :exec
INSERT INTO devices (serial, model, maker, holder, state, doc) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (serial) DO UPDATE SET model = excluded.model, maker = excluded.maker, holder = excluded.holder,
    state = excluded.state, doc = excluded.doc;

-- name: device :one
SELECT * FROM devices WHERE serial = $1;

-- name: devicesOfHolder :many
SELECT * FROM devices WHERE holder = $1 AND serial > sqlc.arg(after_serial) ORDER BY serial LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: putOrder :exec
INSERT INTO orders (org, id, provider, merchant, shop, kind, risk, state, window_start_at, window_end_at, created_at, doc)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (org, id) DO UPDATE SET provider = excluded.provider, risk = excluded.risk, state = excluded.state,
    window_start_at = excluded.window_start_at, window_end_at = excluded.window_end_at, doc = excluded.doc;

-- name: orderByID :one
SELECT * FROM orders WHERE id = $1;
