-- name: insertStatement :exec
INSERT INTO statements (digest, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: statementBytes :one
SELECT bytes FROM statements WHERE digest = $1;

-- name: insertStream :execrows
INSERT INTO streams (stream_kind, stream_id, org) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: streamOrg :one
SELECT org FROM streams WHERE stream_kind = $1 AND stream_id = $2;

-- name: head :one
SELECT number, digest FROM events
WHERE org = $1 AND stream_kind = $2 AND stream_id = $3
ORDER BY number DESC LIMIT 1;

-- name: insertEvent :execrows
INSERT INTO events (org, stream_kind, stream_id, number, digest, previous, verb, received_at, bytes, statement_digest,
    salt, day, province)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING;

-- name: eventsOfStream :many
SELECT * FROM events
WHERE org = $1 AND stream_kind = $2 AND stream_id = $3 AND number >= sqlc.arg(first_number)
ORDER BY number LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: eventByDigest :one
SELECT * FROM events WHERE digest = $1;

-- name: eventsByStatement :many
SELECT * FROM events WHERE statement_digest = $1 ORDER BY received_at, stream_kind, stream_id, number;

-- name: insertOutbox :exec
INSERT INTO outbox (event_digest, org, number, leaf, queued_at) VALUES ($1, $2, $3, $4, $5);

-- name: pendingLeaves :many
SELECT * FROM outbox WHERE leaf_index IS NULL ORDER BY queued_at, number, event_digest LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: outboxRow :one
SELECT * FROM outbox WHERE event_digest = $1;

-- name: sequenceOutbox :exec
UPDATE outbox SET leaf_index = $2 WHERE event_digest = $1;

-- name: sequenceEvent :exec
UPDATE events SET leaf_index = $3 WHERE org = $1 AND digest = $2;

-- name: unreceipted :many
SELECT * FROM outbox WHERE leaf_index >= 0 ORDER BY leaf_index LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: receiptEvent :exec
UPDATE events SET receipt = $3 WHERE org = $1 AND digest = $2;

-- name: deleteOutbox :exec
DELETE FROM outbox WHERE event_digest = $1;

-- name: firstAbove :one
SELECT number FROM events
WHERE org = $1 AND stream_kind = $2 AND stream_id = $3
    AND (leaf_index IS NULL OR leaf_index >= CAST(sqlc.arg(log_size) AS BIGINT))
ORDER BY number LIMIT 1;

-- name: highestLeafBelow :one
SELECT CAST(COALESCE(MAX(leaf_index), -1) AS BIGINT) FROM events WHERE leaf_index < CAST(sqlc.arg(log_size) AS BIGINT);

-- name: eventsByLeaf :many
SELECT * FROM events WHERE leaf_index > CAST(sqlc.arg(after) AS BIGINT) ORDER BY leaf_index, digest LIMIT CAST(sqlc.arg(max_rows) AS INTEGER);

-- name: eventsUnsequenced :many
SELECT events.* FROM events, outbox WHERE outbox.event_digest = events.digest AND outbox.org = events.org AND events.leaf_index IS NULL
ORDER BY events.received_at, events.number, events.digest;

-- name: outboxInAll :one
SELECT CAST(COUNT(*) AS BIGINT) AS leaves, CAST(COALESCE(MIN(queued_at), 0) AS BIGINT) AS oldest_queued_at FROM outbox;
