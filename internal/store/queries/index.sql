-- name: insertRef :exec
INSERT INTO event_refs (kind, ref, event_digest, rank) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: refs :many
SELECT event_digest FROM event_refs WHERE kind = $1 AND ref = $2 ORDER BY rank DESC, event_digest LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: topRank :one
SELECT CAST(COALESCE(MAX(rank), 0) AS BIGINT) FROM event_refs WHERE kind = $1 AND ref = $2;

-- name: insertMatter :exec
INSERT INTO open_matters (statement, subject_kind, subject, matter, found_in, since_at, closed_at)
VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT DO NOTHING;

-- name: mattersOf :many
SELECT * FROM open_matters WHERE subject_kind = $1 AND subject = $2 AND closed_at = 0 ORDER BY since_at, statement LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: mattersStanding :many
SELECT * FROM open_matters WHERE closed_at = 0 AND subject_kind <> 'visit'
  AND (since_at < $1 OR since_at = $1 AND (statement > $2 OR statement = $2 AND subject_kind > $3))
ORDER BY since_at DESC, statement, subject_kind LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: closeMatter :exec
UPDATE open_matters SET closed_at = $2 WHERE statement = $1 AND closed_at = 0;

-- name: identitiesOf :many
SELECT keyed_hash FROM identities WHERE field = $1 AND person = $2 ORDER BY keyed_hash;
