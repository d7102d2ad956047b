-- name: putPhoneUnsent :exec
INSERT INTO phone_unsent (visit, technician, statements, photos, heard_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (visit, technician) DO UPDATE SET statements = excluded.statements, photos = excluded.photos, heard_at = excluded.heard_at
WHERE phone_unsent.heard_at <= excluded.heard_at;

-- name: phonesUnsent :many
SELECT * FROM phone_unsent WHERE visit = $1 ORDER BY heard_at DESC, technician LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: unsentInAll :one
SELECT CAST(COUNT(*) AS BIGINT) AS phones, CAST(COALESCE(SUM(statements), 0) AS BIGINT) AS statements, CAST(COALESCE(SUM(photos), 0) AS BIGINT) AS photos
FROM phone_unsent WHERE statements + photos > 0;
