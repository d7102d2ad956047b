package store

import "context"

// MaxDoorScans bounds how many people's scans one check remembers: a shop is warned of a few, not of a crowd.
const MaxDoorScans = 5

// AddDoorScan notes that somebody who was not sent scanned a check's code. It burns nothing. A check that was
// answered or is over, a person who is noted already and one too many add nothing: added is false. Fault:
// door_challenge_unknown.
func (t *Tx) AddDoorScan(ctx context.Context, s DoorScan) (added bool, err error) {
	c, err := t.DoorCheck(ctx, s.NonceHash)
	if err != nil || c.Burnt || s.ScannedAt >= c.ExpiresAt {
		return false, err
	}
	if _, answered, err := t.DoorVerdict(ctx, s.NonceHash); answered || err != nil {
		return false, err
	}
	if list, err := t.DoorScans(ctx, s.NonceHash); len(list) >= MaxDoorScans || err != nil {
		return false, err
	}
	n, err := t.q.insertDoorScan(ctx, insertDoorScanParams(s))
	return n == 1, t.sealed(ctx, t.wrap(err, "door"), "door_scans", "id", s.ID)
}

// DoorScans lists who scanned a check's code without having been sent, the first one first.
func (t *Tx) DoorScans(ctx context.Context, nonceHash string) ([]DoorScan, error) {
	list, err := t.q.doorScans(ctx, nonceHash, MaxDoorScans)
	return list, t.wrap(err, "door")
}
