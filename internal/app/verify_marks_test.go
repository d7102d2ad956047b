package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// A device is marked by the risk desk, and was marked lost before and found again; two phones of the technician's
// contradicted each other, and his dispatcher ruled. Whoever would rather have it otherwise in the database is found,
// and what he touched is named.
func TestVerifyStoreNamesAMarkOrARulingThatWasTouched(t *testing.T) {
	var serial, stands, lifted, ruled, late string
	l := live(t, func(d *scenario.Deployment, p *scenario.Play) {
		c, stream := d.Cast, p.DeviceStream()
		serial = p.Device.Serial
		lifted = submit(t, d, c.Approver, stream, visit.Freeze, visit.TypeSuspension, mark(p, visit.MarkLost), "")
		submit(t, d, c.Risk, stream, visit.Resume, visit.TypeReinstatement, visit.Reinstatement{Subject: serial, Reason: "inspected", Closes: []string{lifted}}, "")
		stands = submit(t, d, c.Risk, stream, visit.Freeze, visit.TypeSuspension, mark(p, visit.MarkQuarantined), "")
		step := visit.Step{Visit: p.ID, Step: "unpack", Photos: []visit.Photo{}}
		first := submit(t, d, c.Technician, p.VisitStream(), visit.RecordStep, visit.TypeStep, step, "")
		step.Done = true
		late = submit(t, d, c.Technician, p.VisitStream(), visit.RecordStep, visit.TypeStep, step, "signer_chain_broken")
		ruled = submit(t, d, c.Dispatcher, p.VisitStream(), visit.Settle, visit.TypeRuling,
			visit.Ruling{Visit: p.ID, Signer: c.Technician.ID, Stands: first, Late: late, Outcome: visit.RuledStands, Reason: "two_phones"}, "")
	})
	if whole := l.spoiled(t); !whole.OK() || len(whole.Unchecked) != 0 || len(whole.Skipped) != 0 {
		t.Fatalf("untouched: %+v", whole)
	}
	event := func(statement string) string {
		return "SELECT digest FROM events WHERE statement_digest = '" + statement + "'"
	}
	for _, c := range []struct{ name, sql, table, key, code string }{
		{"the mark is removed", "DELETE FROM open_matters WHERE statement = '" + stands + "'", "open_matters", stands, "row_removed"},
		{"the mark is lifted by nobody", "UPDATE open_matters SET closed_at = since_at + 1000 WHERE statement = '" + stands + "'", "open_matters", stands, "row_changed"},
		{"the mark says something else", "UPDATE open_matters SET matter = 'lost' WHERE statement = '" + stands + "'", "open_matters", stands, "row_changed"},
		{"the mark is of yesterday", "UPDATE open_matters SET since_at = since_at - 86400000 WHERE statement = '" + stands + "'", "open_matters", stands, "row_changed"},
		{"the mark is another device's", "UPDATE open_matters SET subject = '00005704280117020000' WHERE statement = '" + stands + "'", "open_matters", "00005704280117020000", "row_added"},
		{"and not this one's", "UPDATE open_matters SET subject = '00005704280117020000' WHERE statement = '" + stands + "'", "open_matters", serial, "row_removed"},
		{"a lifted mark stands again", "UPDATE open_matters SET closed_at = 0 WHERE statement = '" + lifted + "'", "open_matters", lifted, "row_changed"},
		{"a mark that nobody signed", "INSERT INTO open_matters SELECT '" + strings.Repeat("0a", 32) + "', subject_kind, subject, matter, found_in, since_at, closed_at FROM open_matters WHERE statement = '" + stands + "'",
			"open_matters", strings.Repeat("0a", 32), "row_added"},
		{"the mark's event is removed", "DELETE FROM events WHERE statement_digest = '" + stands + "'", "statements", stands, "row_added"},
		{"the lifted mark's event is removed", "DELETE FROM events WHERE statement_digest = '" + lifted + "'", "events", serial, "event_chain_broken"},
		{"the mark's statement is cut", "UPDATE statements SET bytes = substr(bytes, 1, length(bytes) - 1) WHERE digest = '" + stands + "'", "statements", stands, "row_bytes_changed"},
		{"the ruling is not found any more", "DELETE FROM event_refs WHERE kind = 'ruling'", "event_refs", late, "row_removed"},
		{"the ruling is another event", "UPDATE event_refs SET event_digest = (" + event(stands) + ") WHERE kind = 'ruling'", "event_refs", late, "row_added"},
		{"the contradiction is open again", "UPDATE conflicts SET settled_at = 0 WHERE statement = '" + late + "'", "conflicts", late, "row_seal_broken"},
		{"the other one counts", "UPDATE conflicts SET outcome = 'late' WHERE statement = '" + late + "'", "conflicts", late, "row_seal_broken"},
		{"somebody else ruled", "UPDATE conflicts SET settled_by = 'chen' WHERE statement = '" + late + "'", "conflicts", late, "row_seal_broken"},
		{"the kept statement is gone", "DELETE FROM conflicts WHERE statement = '" + late + "'", "conflicts", late, "row_removed_seal_left"},
		{"the ruling's event is removed", "DELETE FROM events WHERE statement_digest = '" + ruled + "'", "statements", ruled, "row_added"},
	} {
		r := l.spoiled(t, c.sql)
		if !slices.ContainsFunc(r.Found, func(f app.Found) bool {
			return f.Table == c.table && f.Code == c.code && strings.Contains(f.Key, c.key)
		}) {
			t.Errorf("%s: want %s of %s at %s, found %+v", c.name, c.code, c.table, c.key, r.Found)
		}
	}
}
