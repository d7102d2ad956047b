-- name: insertTicket :exec
INSERT INTO tickets (org, id, provider, merchant, shop, visit, kind, state, response_minutes, resolution_minutes, opened_at, warranty_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: ticketByID :one
SELECT * FROM tickets WHERE id = $1;

-- name: moveTicket :execrows
UPDATE tickets SET state = $3 WHERE org = $1 AND id = $2;

-- name: insertTicketEvent :execrows
INSERT INTO ticket_events (ticket, number, verb, reason, note, person, org, role, done_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING;

-- name: ticketEvents :many
SELECT * FROM ticket_events WHERE ticket = $1 ORDER BY number LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);
