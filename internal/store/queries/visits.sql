-- ListVisits and CountVisits choose their index at run time and are written in list.go.

-- name: putVisit :exec
INSERT INTO visits (org, id, order_id, provider, merchant, shop, technician, kind, state, frozen, head, opened_at,
    updated_at, search)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (org, id) DO UPDATE SET provider = excluded.provider, technician = excluded.technician,
    state = excluded.state, frozen = excluded.frozen, head = excluded.head, updated_at = excluded.updated_at,
    search = excluded.search;

-- name: visit :one
SELECT * FROM visits WHERE org = $1 AND id = $2;

-- name: visitByID :one
SELECT * FROM visits WHERE id = $1;

-- name: visitsOfOrder :many
SELECT * FROM visits WHERE order_id = $1 ORDER BY opened_at, id;

-- name: insertTerm :exec
INSERT INTO visit_terms (term, opened_at, visit, org) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: deleteTerms :exec
DELETE FROM visit_terms WHERE visit = $1 AND org = $2;

-- name: countTerm :one
SELECT COUNT(*) FROM (SELECT 1 FROM visit_terms WHERE term = $1 LIMIT CAST(sqlc.arg(max_rows) AS INTEGER)) AS t;
