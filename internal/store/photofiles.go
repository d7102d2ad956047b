package store

import "context"

// AddPhotoFile notes where a picture's bytes are; added is false when they are there already.
func (t *Tx) AddPhotoFile(ctx context.Context, f PhotoFile) (added bool, err error) {
	n, err := t.q.insertPhotoFile(ctx, insertPhotoFileParams(f))
	return n == 1, t.sealed(ctx, t.wrap(err, "photo file"), "photo_files", "sha256", f.Sha256)
}

// PhotoFile finds a picture's bytes; found is false when nobody brought them.
func (t *Tx) PhotoFile(ctx context.Context, sha256 string) (file PhotoFile, found bool, err error) {
	file, found, err = optional(t.q.photoFile(ctx, sha256))
	return file, found, t.wrap(err, "photo file")
}

// PhotoFilesOfVisit gives the pictures of a visit whose bytes are there.
func (t *Tx) PhotoFilesOfVisit(ctx context.Context, visit string) ([]PhotoFile, error) {
	list, err := t.q.photoFilesOfVisit(ctx, visit)
	return list, t.wrap(err, "photo files")
}
