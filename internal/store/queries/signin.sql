-- name: insertAccount :exec
INSERT INTO accounts (handle, person, org, role, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING;

-- name: account :one
SELECT * FROM accounts WHERE handle = $1;

-- name: accountOf :one
SELECT * FROM accounts WHERE person = $1 AND org = $2 AND role = $3;

-- name: insertPasskey :execrows
INSERT INTO passkeys (id, handle, name, doc, created_at, used_at, removed_at) VALUES ($1, $2, $3, $4, $5, 0, 0)
ON CONFLICT DO NOTHING;

-- name: passkeysOf :many
SELECT * FROM passkeys WHERE handle = $1 AND removed_at = 0 ORDER BY created_at, id;

-- name: usePasskey :execrows
UPDATE passkeys SET doc = $2, used_at = $3 WHERE id = $1 AND removed_at = 0;

-- name: renamePasskey :execrows
UPDATE passkeys SET name = $3 WHERE id = $1 AND handle = $2 AND removed_at = 0;

-- name: removePasskey :execrows
UPDATE passkeys SET removed_at = $3 WHERE id = $1 AND handle = $2 AND removed_at = 0;

-- name: removePasskeysOf :exec
UPDATE passkeys SET removed_at = $2 WHERE handle = $1 AND removed_at = 0;

-- name: insertInvitation :execrows
INSERT INTO invitations (id, hash, person, org, role, made_by, recovers, created_at, expires_at, ended_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0) ON CONFLICT DO NOTHING;

-- name: openInvitation :one
SELECT * FROM invitations WHERE hash = $1 AND ended_at = 0 AND expires_at > sqlc.arg(now);

-- name: openInvitationByID :one
SELECT * FROM invitations WHERE id = $1 AND ended_at = 0 AND expires_at > sqlc.arg(now);

-- name: endInvitation :execrows
UPDATE invitations SET ended_at = $2 WHERE id = $1 AND ended_at = 0;

-- name: endInvitationsOf :exec
UPDATE invitations SET ended_at = $4 WHERE person = $1 AND org = $2 AND role = $3 AND ended_at = 0;

-- name: invitationsOfOrg :many
SELECT * FROM invitations WHERE org = $1 ORDER BY created_at DESC, id LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: insertCeremony :exec
INSERT INTO ceremonies (hash, kind, subject, doc, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, 0);

-- name: ceremony :one
SELECT * FROM ceremonies WHERE hash = $1 AND kind = $2 AND used_at = 0 AND expires_at > sqlc.arg(now);

-- name: useCeremony :execrows
UPDATE ceremonies SET used_at = $2 WHERE hash = $1 AND used_at = 0;

-- name: deleteCeremonies :exec
DELETE FROM ceremonies WHERE expires_at < $1;

-- name: touchToken :exec
UPDATE tokens SET seen_at = $2 WHERE id = $1 AND seen_at < $2;

-- name: liveSessionsOf :many
SELECT * FROM tokens WHERE person = $1 AND org = $2 AND role = $3 AND kind = 'session' AND revoked_at = 0
AND expires_at > sqlc.arg(now) AND (idle_ms = 0 OR seen_at + idle_ms > sqlc.arg(now)) ORDER BY created_at, id;

-- name: revokeSessionOf :execrows
UPDATE tokens SET revoked_at = sqlc.arg(now) WHERE id = sqlc.arg(id) AND person = sqlc.arg(person) AND org = sqlc.arg(org)
AND role = sqlc.arg(role) AND kind = 'session' AND revoked_at = 0;

-- name: revokeSessionsBut :execrows
UPDATE tokens SET revoked_at = sqlc.arg(now) WHERE id <> sqlc.arg(but) AND person = sqlc.arg(person) AND org = sqlc.arg(org)
AND role = sqlc.arg(role) AND kind = 'session' AND revoked_at = 0;
