-- name: putSeal :exec
INSERT INTO row_seals (table_name, row_key, seal) VALUES ($1, $2, $3)
ON CONFLICT (table_name, row_key) DO UPDATE SET seal = excluded.seal;

-- name: seal :one
SELECT seal FROM row_seals WHERE table_name = $1 AND row_key = $2;

-- name: deleteSealsOfTokens :exec
DELETE FROM row_seals WHERE table_name = 'tokens' AND NOT EXISTS (SELECT 1 FROM tokens WHERE tokens.id = row_seals.row_key);

-- name: deleteSealsOfClerkAsks :exec
DELETE FROM row_seals WHERE table_name = 'clerk_asks' AND NOT EXISTS (SELECT 1 FROM clerk_asks c WHERE c.clerk = row_seals.row_key);

-- name: deleteSealsOfCeremonies :exec
DELETE FROM row_seals WHERE table_name = 'ceremonies' AND NOT EXISTS (SELECT 1 FROM ceremonies WHERE ceremonies.hash = row_seals.row_key);

-- name: deleteSealsOfDoorCalls :exec
DELETE FROM row_seals WHERE table_name = 'door_calls' AND NOT EXISTS (SELECT 1 FROM door_calls WHERE door_calls.id = row_seals.row_key);

-- name: deleteSealsOfDoorChecks :exec
DELETE FROM row_seals WHERE table_name = 'door_checks' AND NOT EXISTS (SELECT 1 FROM door_checks WHERE door_checks.nonce_hash = row_seals.row_key);

-- name: deleteSealsOfDoorVerdicts :exec
DELETE FROM row_seals WHERE table_name = 'door_verdicts' AND NOT EXISTS (SELECT 1 FROM door_verdicts WHERE door_verdicts.nonce_hash = row_seals.row_key);

-- name: deleteSealsOfDoorScans :exec
DELETE FROM row_seals WHERE table_name = 'door_scans' AND NOT EXISTS (SELECT 1 FROM door_scans WHERE door_scans.id = row_seals.row_key);
