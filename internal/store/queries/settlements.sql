-- name: putSettlementFile :exec
INSERT INTO settlement_files (id, org, made_by, made_at, lines, compared, differing) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE SET made_by = excluded.made_by, made_at = excluded.made_at, lines = excluded.lines, compared = excluded.compared, differing = excluded.differing;

-- name: settlementFilesOfOrg :many
SELECT * FROM settlement_files WHERE org = $1 AND (made_at < sqlc.arg(before_at) OR made_at = sqlc.arg(before_at) AND id < sqlc.arg(before_id))
ORDER BY made_at DESC, id DESC LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: putSettlementLine :exec
INSERT INTO settlement_lines (id, org, file, merchant, terminal, visit, item, reference, charged_at, trade_fen, taken_fen, code, signed_fen, signed_ppm, taken_ppm, settled_at, settled_by, outcome)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, '', '')
ON CONFLICT (id) DO UPDATE SET code = excluded.code, signed_fen = excluded.signed_fen, signed_ppm = excluded.signed_ppm, taken_ppm = excluded.taken_ppm;

-- name: settlementLine :one
SELECT * FROM settlement_lines WHERE id = $1;

-- name: settlementLineByReference :one
SELECT * FROM settlement_lines WHERE org = $1 AND reference = $2 AND item = $3;

-- name: settlementLinesOfTerminal :many
SELECT * FROM settlement_lines WHERE org = $1 AND merchant = $2 AND terminal = $3 ORDER BY id LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: differencesOfOrg :many
SELECT * FROM settlement_lines WHERE org = $1 AND code <> '' AND id < sqlc.arg(before_id) ORDER BY id DESC LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: openDifferencesOfOrg :many
SELECT * FROM settlement_lines WHERE org = $1 AND code <> '' AND settled_at = 0 AND id < sqlc.arg(before_id) ORDER BY id DESC LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: differencesOfMerchant :many
SELECT * FROM settlement_lines WHERE merchant = $1 AND code <> '' AND id < sqlc.arg(before_id) ORDER BY id DESC LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: settleDifference :execrows
UPDATE settlement_lines SET settled_at = $2, settled_by = $3, outcome = $4 WHERE id = $1 AND code <> '' AND settled_at = 0;

-- name: bindingsOfTerminal :many
SELECT * FROM bindings WHERE acquirer = $1 AND terminal_code = $2 ORDER BY serial LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);
