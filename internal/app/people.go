package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/vault"
	"github.com/menshen-project/menshen/internal/visit"
)

// Fields of a person that a badge and a dispatch commit to.
const (
	fieldName = "name"
	fieldFace = "photo"
)

// Bounds of what a dispatcher writes down about a technician.
const (
	maxNameRunes = 60
	maxStaffNo   = 40
	maxFaceBytes = 30_000 // as the door shows it (design §7)
)

var (
	errTechnician  = fault.New(fault.Invalid, "technician_malformed", "要编号、姓名和一张 30 kB 以内的 JPEG 照片。", "A technician has an id, a name, and a JPEG photo of at most 30 kB.")
	errPersonTaken = fault.New(fault.Conflict, "person_id_taken", "这个编号已经有人用了，请换一个。", "This id is in use; take another.")
)

// Technician is what a dispatcher writes down about one of his people. The openings are made in his browser: the
// badge, which the employer's own service issues, commits to the same two, and so does every dispatch.
type Technician struct {
	Person  string
	StaffNo string
	Name    statement.Opening
	Photo   statement.Opening // value: base64 of a JPEG
}

// PutTechnician puts a technician on the actor's own list, or gives one another likeness. It enrols no key and
// issues no badge: that is the employer's own service's. Faults: access_denied, technician_malformed, person_id_taken.
func (a *App) PutTechnician(ctx context.Context, actor Actor, t Technician) error {
	if err := access.Require(access.Role(actor.Role), visit.DispatchVerb, access.OwnOrganisation); err != nil {
		return err
	}
	if err := t.check(); err != nil {
		return err
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		p, err := tx.Person(ctx, t.Person)
		switch {
		case fault.KindOf(err) == fault.NotFound:
			p = store.Person{ID: t.Person, Org: actor.Organisation, Role: visit.RoleTechnician, State: "active", Doc: "{}"}
		case err != nil:
			return err
		case p.Org != actor.Organisation || p.Role != visit.RoleTechnician:
			return errPersonTaken
		}
		p.StaffNo = t.StaffNo
		if err := tx.PutPerson(ctx, p); err != nil {
			return err
		}
		for _, o := range []statement.Opening{t.Name, t.Photo} {
			if _, err := a.Vault.Put(ctx, tx, t.Person, o, vault.Tag{Purposes: []string{purposeVisit}}, a.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t Technician) check() error {
	photo, err := base64.StdEncoding.Strict().DecodeString(t.Photo.Value)
	name := t.Name.Value
	switch {
	case identifier.CheckID(t.Person) != nil || len(t.StaffNo) > maxStaffNo || !utf8.ValidString(t.StaffNo),
		t.Name.Kind != fieldName || strings.TrimSpace(name) != name || name == "" || utf8.RuneCountInString(name) > maxNameRunes,
		t.Photo.Kind != fieldFace || err != nil || len(photo) > maxFaceBytes || !bytes.HasPrefix(photo, []byte{0xff, 0xd8, 0xff}):
		return errTechnician
	}
	return nil
}

// Staff is one of an organisation's technicians as its console lists them.
type Staff struct {
	Candidate
	ListAt  time.Time      // when the status list that says whether his badge counts was received; zero for none
	Name    string         // commitments of his newest name and photo, "" for none kept
	Photo   string         //
	Roll    *orgapi.Person // what the employer's own service says of him; nil when it says nothing
	NoClass []string       // security courses that an acquirer whom his employer works for asks for, missing or over
}

// Blocked says whether no visit can be given to him, whatever the order.
func (s Staff) Blocked() bool {
	return s.Stopped || len(s.NoClass) > 0 || s.Roll != nil && s.Roll.State != orgapi.Active
}

// Technicians lists the actor's own technicians. Only a dispatcher has any. served is false where the employer's own
// service does not answer, or is not connected: then nothing is known of keys and codes.
func (a *App) Technicians(ctx context.Context, actor Actor) (out []Staff, served bool, err error) {
	if err := access.Require(access.Role(actor.Role), visit.DispatchVerb, access.OwnOrganisation); err != nil {
		return nil, false, err
	}
	roll, err := a.Roll(ctx, actor)
	served = err == nil
	if err != nil && fault.KindOf(err) != fault.Unavailable && fault.CodeOf(err) != errNoService.Code {
		return nil, false, err
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		people, err := a.techniciansOf(ctx, tx, actor.Organisation)
		if err != nil {
			return err
		}
		asked, err := securityCourses(ctx, tx, actor.Organisation)
		if err != nil {
			return err
		}
		for _, p := range people {
			s := Staff{Candidate: Candidate{Person: p.ID, StaffNo: p.StaffNo}}
			if err := a.lookAt(ctx, tx, &s, asked); err != nil {
				return err
			}
			if i := slices.IndexFunc(roll, func(r orgapi.Person) bool { return r.Holder == p.ID && r.Role == visit.RoleTechnician }); i >= 0 {
				s.Roll = &roll[i]
			}
			out = append(out, s)
		}
		return nil
	})
	return out, served, err
}

func (a *App) lookAt(ctx context.Context, tx *store.Tx, s *Staff, asked []string) error {
	var err error
	if s.Courses, err = a.coursesOf(ctx, tx, s.Person); err != nil {
		return err
	}
	for _, name := range asked {
		if !holds(s.Courses, name, a.Now()) {
			s.NoClass = append(s.NoClass, name)
		}
	}
	if s.NoBadge, err = badgeless(ctx, tx, s.Person); err != nil {
		return err
	}
	matters, err := tx.MattersOf(ctx, subjectPerson, s.Person, 1)
	if err != nil {
		return err
	}
	s.Stopped = len(matters) > 0
	kept, err := a.Vault.List(ctx, tx, s.Person)
	if err != nil {
		return err
	}
	for _, m := range kept { // oldest first: the newest stands
		switch {
		case m.Erased:
		case m.Field == fieldName:
			s.Name = m.Commitment
		case m.Field == fieldFace:
			s.Photo = m.Commitment
		}
	}
	s.ListAt, err = listAt(ctx, tx, s.Person)
	return err
}

// mostMandates bounds how many acquirers a provider's list is held to.
const mostMandates = 16

// securityCourses names the security courses that the acquirers ask for who mandated a provider.
func securityCourses(ctx context.Context, tx *store.Tx, provider string) ([]string, error) {
	mandates, err := tx.Refs(ctx, refMandate, provider, mostMandates)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, digest := range mandates {
		c, err := eventClaims(ctx, tx, digest)
		if err != nil {
			return nil, err
		}
		newest, err := tx.Refs(ctx, refParameters, c.Header.Organisation, 1)
		if err != nil {
			return nil, err
		}
		if len(newest) == 0 {
			continue
		}
		var p registry.Parameters
		if err := recordedBody(ctx, tx, newest[0], &p); err != nil {
			return nil, err
		}
		if p.SecurityCourse != "" && !slices.Contains(out, p.SecurityCourse) {
			out = append(out, p.SecurityCourse)
		}
	}
	return out, nil
}

// Held is a device in the hands of one of an organisation's people.
type Held struct {
	store.Device
	Role  string             // of the holder
	Visit string             // the open visit that it was sent to, "" for none
	State string             // of that visit, or of his last one with it
	Due   string             // why it should change hands now: "to_technician", "back", "" for no reason
	Marks []store.OpenMatter // lost, quarantined: by whom is in the list of what is stopped
}

// mostHeld bounds a list of devices.
const mostHeld = 1000

// Stock lists the devices that the actor's own people hold, by custody, with the transfers that are due: a device
// that a visit names and its technician has not, and one that he still has when its visit came to nothing.
func (a *App) Stock(ctx context.Context, actor Actor) ([]Held, error) {
	if err := access.Require(access.Role(actor.Role), visit.DispatchVerb, access.OwnOrganisation); err != nil {
		return nil, err
	}
	var out []Held
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		people, err := tx.PeopleOfOrg(ctx, actor.Organisation, "", mostPeople)
		if err != nil {
			return err
		}
		for _, p := range append(people, store.Person{ID: actor.Organisation, Role: visit.RoleOrganisation}) {
			devices, err := tx.DevicesOfHolder(ctx, p.ID, "", mostHeld)
			if err != nil {
				return err
			}
			for _, d := range devices {
				h := Held{Device: d, Role: p.Role}
				if err := a.due(ctx, tx, actor, &h); err != nil {
					return err
				}
				if h.Marks, err = marksOf(ctx, tx, d.Serial); err != nil {
					return err
				}
				if len(h.Marks) > 0 {
					h.Due = "" // it goes nowhere
				}
				out = append(out, h)
			}
		}
		return nil
	})
	return out, err
}

// due finds the visit of the actor's own that a device was last sent to, and whether it should move.
func (a *App) due(ctx context.Context, tx *store.Tx, actor Actor, h *Held) error {
	visits, _, err := tx.ListVisits(ctx, store.VisitFilter{Provider: actor.Organisation, Query: deviceWord(h.Serial)}, "", 8)
	if err != nil {
		return err
	}
	for _, v := range visits { // newest first
		s, err := a.standing(ctx, tx, v.ID)
		if err != nil {
			return err
		}
		if s.state.Dispatched().Serial != h.Serial {
			continue
		}
		h.Visit, h.State = v.ID, v.State
		ended := visit.Stage(v.State).Ended()
		switch {
		case !ended && h.Holder != v.Technician && visit.Stage(v.State) != visit.Live:
			h.Due = "to_technician"
		case ended && v.State != string(visit.Closed) && h.Role == visit.RoleTechnician:
			h.Due = "back"
		}
		return nil
	}
	return nil
}
