-- name: putSheetDraft :execrows
INSERT INTO sheet_drafts (id, org, title, order_id, doc, made_by, made_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, order_id = excluded.order_id, doc = excluded.doc, updated_at = excluded.updated_at
WHERE sheet_drafts.org = excluded.org;

-- name: sheetDraft :one
SELECT * FROM sheet_drafts WHERE id = $1;

-- name: sheetDraftsOfOrg :many
SELECT * FROM sheet_drafts WHERE org = $1 AND id > sqlc.arg(after_id) ORDER BY id LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: sheetDraftsOfOrder :many
SELECT * FROM sheet_drafts WHERE order_id = $1 ORDER BY updated_at DESC, id LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: deleteSheetDraft :execrows
DELETE FROM sheet_drafts WHERE id = $1 AND org = $2;

-- name: deleteSealsOfSheetDrafts :exec
DELETE FROM row_seals WHERE table_name = 'sheet_drafts' AND NOT EXISTS (SELECT 1 FROM sheet_drafts d WHERE d.id = row_seals.row_key);

-- name: bindingsOfAcquirer :many
SELECT * FROM bindings WHERE acquirer = $1 AND serial > sqlc.arg(after_serial) ORDER BY serial LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

