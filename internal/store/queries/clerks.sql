-- name: insertClerkAsk :execrows
INSERT INTO clerk_asks (clerk, merchant, org, ask, created_at, expires_at) VALUES ($1, $2, $3, '', $4, $5)
ON CONFLICT DO NOTHING;

-- name: clerkAsk :one
SELECT * FROM clerk_asks WHERE clerk = $1 AND expires_at > sqlc.arg(now);

-- name: fillClerkAsk :execrows
UPDATE clerk_asks SET ask = $2 WHERE clerk = $1 AND ask = '';

-- name: deleteClerkAsks :execrows
DELETE FROM clerk_asks WHERE expires_at < $1;
