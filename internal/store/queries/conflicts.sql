-- name: insertConflict :execrows
INSERT INTO conflicts (statement, org, provider, visit, signer, verb, stands, envelope, found_at, settled_at, settled_by, outcome, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, '', '', '') ON CONFLICT DO NOTHING;

-- name: conflict :one
SELECT * FROM conflicts WHERE statement = $1;

-- name: openConflictsOfVisit :many
SELECT * FROM conflicts WHERE visit = $1 AND settled_at = 0 ORDER BY found_at, statement LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: conflictsOfProvider :many
SELECT * FROM conflicts WHERE provider = $1 ORDER BY settled_at, found_at DESC, statement LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: conflictsOfOrg :many
SELECT * FROM conflicts WHERE org = $1 ORDER BY settled_at, found_at DESC, statement LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: settleConflict :execrows
UPDATE conflicts SET settled_at = $2, settled_by = $3, outcome = $4, reason = $5 WHERE statement = $1 AND settled_at = 0;

-- name: openConflictsInAll :one
SELECT CAST(COUNT(*) AS BIGINT) AS conflicts, CAST(COALESCE(MIN(found_at), 0) AS BIGINT) AS oldest_found_at FROM conflicts WHERE settled_at = 0;
