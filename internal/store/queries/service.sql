-- name: insertJob :execrows
INSERT INTO jobs (kind, key, payload, state, run_at, lease_until, attempts, max_attempts, last_error, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING;

-- name: jobByKey :one
SELECT * FROM jobs WHERE kind = $1 AND key = $2;

-- name: dueJobs :many
SELECT * FROM jobs WHERE kind = $1 AND state = 'ready' AND run_at <= sqlc.arg(now) ORDER BY run_at, key
LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: moveJob :execrows
UPDATE jobs SET state = $4, run_at = $5, lease_until = $6, attempts = $7, last_error = $8
WHERE kind = $1 AND key = $2 AND attempts = $3 AND state = sqlc.arg(old_state);

-- name: deadJobs :many
SELECT * FROM jobs WHERE jobs.state = 'dead' AND NOT EXISTS (SELECT 1 FROM dead_letter_acts a WHERE a.kind = jobs.kind AND a.key = jobs.key AND a.outcome = 'set_aside')
ORDER BY jobs.run_at, jobs.kind, jobs.key LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: deadJobsOf :many
SELECT * FROM jobs WHERE jobs.state = 'dead' AND jobs.kind = $1 AND NOT EXISTS (SELECT 1 FROM dead_letter_acts a WHERE a.kind = jobs.kind AND a.key = jobs.key AND a.outcome = 'set_aside')
ORDER BY jobs.run_at, jobs.key LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: jobsDeadAt :many
SELECT * FROM jobs WHERE jobs.state = 'dead' AND run_at = $1 AND NOT EXISTS (SELECT 1 FROM dead_letter_acts a WHERE a.kind = jobs.kind AND a.key = jobs.key AND a.outcome = 'set_aside')
ORDER BY jobs.kind, jobs.key;

-- name: insertDeadLetterAct :execrows
INSERT INTO dead_letter_acts (letter, kind, key, code, attempts, outcome, reason, acted_by, acted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING;

-- name: deadLetterAct :one
SELECT * FROM dead_letter_acts WHERE letter = $1;

-- name: deadLetterActs :many
SELECT * FROM dead_letter_acts ORDER BY acted_at DESC, letter LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: deleteDoneJobs :execrows
DELETE FROM jobs WHERE state = 'done' AND run_at < $1;

-- name: insertAnswer :execrows
INSERT INTO answers (scope, key, request_digest, status, response, created_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING;

-- name: answer :one
SELECT * FROM answers WHERE scope = $1 AND key = $2;

-- name: deleteAnswers :execrows
DELETE FROM answers WHERE created_at < $1;

-- name: insertToken :execrows
INSERT INTO tokens (id, hash, kind, person, org, role, label, created_at, expires_at, revoked_at, seen_at, idle_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING;

-- name: liveToken :one
SELECT * FROM tokens WHERE hash = $1 AND revoked_at = 0 AND expires_at > sqlc.arg(now)
AND (idle_ms = 0 OR seen_at + idle_ms > sqlc.arg(now));

-- name: tokensOfPerson :many
SELECT * FROM tokens WHERE person = $1 ORDER BY created_at, id;

-- name: revokeToken :execrows
UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at = 0;

-- name: revokeTokensOf :execrows
UPDATE tokens SET revoked_at = $2 WHERE person = $1 AND revoked_at = 0;

-- name: deleteTokens :execrows
DELETE FROM tokens WHERE expires_at < $1;

-- name: setSetting :exec
INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: setting :one
SELECT value FROM settings WHERE key = $1;

-- name: jobsWaiting :many
SELECT kind, state, CAST(COUNT(*) AS BIGINT) AS jobs, CAST(MIN(run_at) AS BIGINT) AS oldest_run_at, CAST(MAX(attempts) AS BIGINT) AS most_attempts
FROM jobs WHERE state IN ('ready', 'dead') AND NOT EXISTS (SELECT 1 FROM dead_letter_acts a WHERE a.kind = jobs.kind AND a.key = jobs.key AND a.outcome = 'set_aside')
GROUP BY kind, state ORDER BY kind, state
LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);
