-- name: insertPhotoFile :execrows
INSERT INTO photo_files (sha256, visit, subject, whole, thumbnail, bytes, stored_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING;

-- name: photoFile :one
SELECT * FROM photo_files WHERE sha256 = $1;

-- name: photoFilesOfVisit :many
SELECT * FROM photo_files WHERE visit = $1 ORDER BY sha256;
