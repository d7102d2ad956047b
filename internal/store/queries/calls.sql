-- name: insertDoorCall :execrows
INSERT INTO door_calls (id, shop, merchant, kind, called_at, expected)
SELECT CAST(sqlc.arg(id) AS TEXT), s.id, s.merchant, CAST(sqlc.arg(kind) AS TEXT), CAST(sqlc.arg(called) AS BIGINT), CAST(sqlc.arg(expected) AS BOOLEAN)
FROM shops s WHERE s.id = sqlc.arg(shop) ON CONFLICT DO NOTHING;

-- name: doorCallsOfMerchant :many
SELECT * FROM door_calls WHERE merchant = $1 AND called_at >= sqlc.arg(since_at) ORDER BY called_at DESC, id LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: countDoorCalls :one
SELECT count(*) FROM door_calls WHERE shop = $1 AND called_at >= sqlc.arg(since_at);

-- name: deleteDoorCalls :execrows
DELETE FROM door_calls WHERE called_at < $1;
