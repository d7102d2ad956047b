-- name: insertChallenge :execrows
INSERT INTO challenges (nonce_hash, visit, purpose, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING;

-- name: challenge :one
SELECT * FROM challenges WHERE nonce_hash = $1;

-- name: burnChallenge :execrows
UPDATE challenges SET used_by = $2, used_at = sqlc.arg(now)
WHERE nonce_hash = $1 AND used_by = '' AND expires_at > sqlc.arg(now);

-- name: deleteChallenges :execrows
DELETE FROM challenges WHERE expires_at < $1;

-- name: putBinding :exec
INSERT INTO bindings (serial, acquirer, tuple_digest, terminal_code, merchant, merchant_code_digest, visit, state, since_at, device_key, firmware)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (serial) DO UPDATE SET acquirer = excluded.acquirer, tuple_digest = excluded.tuple_digest,
    terminal_code = excluded.terminal_code, merchant = excluded.merchant,
    merchant_code_digest = excluded.merchant_code_digest, visit = excluded.visit, state = excluded.state,
    since_at = excluded.since_at, device_key = excluded.device_key, firmware = excluded.firmware;

-- name: binding :one
SELECT * FROM bindings WHERE serial = $1;

-- name: bindingByTerminal :one
SELECT * FROM bindings
WHERE acquirer = $1 AND merchant_code_digest = $2 AND terminal_code = $3 AND state <> 'ended';

-- name: bindingsOfMerchant :many
SELECT * FROM bindings WHERE merchant = $1 ORDER BY serial;

-- name: moveBinding :execrows
UPDATE bindings SET state = $2, since_at = $3 WHERE serial = $1;

-- name: insertPhoto :execrows
INSERT INTO photos (sha256, visit, step, claimed_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: photo :one
SELECT * FROM photos WHERE sha256 = $1;

-- name: photosOfVisit :many
SELECT * FROM photos WHERE visit = $1 ORDER BY step, claimed_at, sha256;

-- name: insertIdentity :exec
INSERT INTO identities (field, keyed_hash, person, added_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: countIdentity :one
SELECT COUNT(*) FROM identities WHERE field = $1 AND keyed_hash = $2;

-- name: identityHolders :many
SELECT person FROM identities WHERE field = $1 AND keyed_hash = $2 ORDER BY added_at, person LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: deleteIdentities :execrows
DELETE FROM identities WHERE person = $1 AND field = $2;

-- name: insertPermit :execrows
INSERT INTO permits (permit_digest, org, visit, ask, state, attempts, outcome_digest, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING;

-- name: permit :one
SELECT * FROM permits WHERE permit_digest = $1;

-- name: movePermit :execrows
UPDATE permits SET state = sqlc.arg(new_state), attempts = attempts + sqlc.arg(more_attempts),
    outcome_digest = sqlc.arg(outcome_digest), updated_at = sqlc.arg(now)
WHERE permit_digest = $1 AND state = sqlc.arg(old_state);

-- name: permitsOfVisit :many
SELECT * FROM permits WHERE visit = $1 ORDER BY created_at, permit_digest;

-- name: permitsInState :many
SELECT * FROM permits WHERE state = $1 ORDER BY updated_at, permit_digest LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: identityFields :many
SELECT DISTINCT field FROM identities WHERE person = $1 ORDER BY field;
