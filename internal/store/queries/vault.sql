-- name: insertSubject :execrows
INSERT INTO vault_subjects (id, wrapped_key, erased_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: vaultSubject :one
SELECT * FROM vault_subjects WHERE id = $1;

-- name: setSubjectKey :execrows
UPDATE vault_subjects SET wrapped_key = $2, erased_at = $3 WHERE id = $1;

-- name: insertVaultValue :execrows
INSERT INTO vault_values (subject, field, commitment, ciphertext, purpose, stored_at, keep_until)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING;

-- name: vaultValuesOf :many
SELECT * FROM vault_values WHERE subject = $1 ORDER BY field, stored_at, commitment;

-- name: vaultValueByCommitment :one
SELECT * FROM vault_values WHERE commitment = $1 ORDER BY subject, field LIMIT 1;

-- name: setCiphertext :execrows
UPDATE vault_values SET ciphertext = $4 WHERE subject = $1 AND field = $2 AND commitment = $3;

-- name: setVaultTags :execrows
UPDATE vault_values SET purpose = $4, keep_until = $5 WHERE subject = $1 AND field = $2 AND commitment = $3;

-- name: erasedSubjectsWithKey :many
SELECT s.id FROM vault_subjects s
WHERE s.erased_at > 0 AND s.id > sqlc.arg(after_id) AND EXISTS (
    SELECT 1 FROM vault_values v WHERE v.subject = s.id AND v.keep_until <= sqlc.arg(now) AND length(v.ciphertext) > 0
)
ORDER BY s.id LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: insertLook :exec
INSERT INTO vault_looks (subject, field, commitment, who, purpose, looked_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: looksAt :many
SELECT * FROM vault_looks WHERE subject = $1 ORDER BY looked_at, field, who LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);
