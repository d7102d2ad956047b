-- name: insertDoorCheck :execrows
INSERT INTO door_checks (nonce_hash, statement, visit, secret_hash, asked_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING;

-- name: doorCheck :one
SELECT * FROM door_checks WHERE nonce_hash = $1;

-- name: doorCheckByStatement :one
SELECT * FROM door_checks WHERE statement = $1;

-- name: lastDoorCheck :one
SELECT * FROM door_checks WHERE visit = $1 ORDER BY asked_at DESC, nonce_hash LIMIT 1;

-- name: countDoorChecks :one
SELECT COUNT(*) FROM door_checks WHERE visit = $1 AND asked_at > sqlc.arg(since);

-- name: speakDoorCheck :execrows
UPDATE door_checks SET spoken_at = sqlc.arg(now), burnt = sqlc.arg(burnt) WHERE nonce_hash = $1 AND spoken_at = 0;

-- name: insertDoorVerdict :execrows
INSERT INTO door_verdicts (nonce_hash, visit, technician, answer, presentation, code, reason_zh, reason_en, metres, list_age_seconds,
    answered_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING;

-- name: doorVerdict :one
SELECT * FROM door_verdicts WHERE nonce_hash = $1;

-- name: putDoorSecret :exec
INSERT INTO door_secrets (visit, dispatch, subject, commitment, made_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (visit) DO UPDATE SET dispatch = excluded.dispatch, subject = excluded.subject, commitment = excluded.commitment, made_at = excluded.made_at;

-- name: doorSecret :one
SELECT * FROM door_secrets WHERE visit = $1;

-- name: deleteDoorChecks :execrows
DELETE FROM door_checks WHERE expires_at < $1;

-- name: deleteDoorVerdicts :execrows
DELETE FROM door_verdicts WHERE answered_at < $1;

-- name: insertDoorScan :execrows
INSERT INTO door_scans (id, nonce_hash, person, org, code, scanned_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING;

-- name: doorScans :many
SELECT * FROM door_scans WHERE nonce_hash = $1 ORDER BY scanned_at, id LIMIT CAST(sqlc.arg(most) AS INTEGER);

-- name: deleteDoorScans :execrows
DELETE FROM door_scans WHERE scanned_at < $1;
