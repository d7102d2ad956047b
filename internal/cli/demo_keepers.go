package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/organisation"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

// keeping is an organisation of the demonstration that runs its own signing service.
type keeping struct {
	name  string // of its process and folder
	of    *scenario.Actor
	badge *scenario.Actor // nil where it issues none
	kind  string
}

func (w *world) keepings() []keeping {
	c := w.city.Cast
	list := []keeping{{"acquirer", c.Acquirer, nil, credential.KindAcquirer}, {"provider", c.Provider, c.BadgeKey, credential.KindProvider},
		{"supervisors", c.Watch, nil, credential.KindSupervisor}}
	if w.school {
		list = append(list, keeping{"school", c.School, nil, credential.KindCourseIssuer})
	}
	return list
}

// tillCourse is what owners and clerks of the demonstration can learn. The technicians' course is not published: once
// it is, a certificate counts with its holder's own attempt alone, and nobody in the play sits down to one.
const tillCourse = "till"

// teach has the course issuer publish its course for shops, as its desk does.
func (w *world) teach(ctx context.Context) error {
	file, err := scenario.CourseFile(tillCourse)
	if err != nil {
		return err
	}
	d, err := organisation.OpenDesk(filepath.Join(w.dir, "school"))
	if err != nil {
		return err
	}
	_, err = d.Course(ctx, file, false)
	return errors.Join(err, d.Close())
}

// keepers gives each of them a folder with its key, and menshen's operator the token that each hands out.
func (w *world) keepers(conf *Config) error {
	for _, k := range w.keepings() {
		address, err := freeAddress(anyAddress())
		if err != nil {
			return err
		}
		dir := filepath.Join(w.dir, k.name)
		c := organisation.Defaults(k.of.ID, w.city.Cast.NameOf(k.of)+"（演示）", []string{k.kind})
		c.Listen, c.Site = address, w.site()
		if k.kind == credential.KindCourseIssuer { // proves attempts itself, by its own trust file
			c, err = scenario.SchoolFolder(dir, c, k.of, w.trust)
		} else {
			c, err = scenario.KeepFolder(dir, c, k.of, k.badge)
		}
		if err != nil {
			return err
		}
		token, err := c.MenshenToken()
		if err != nil {
			return err
		}
		file := k.name + ".token"
		if err := writeSecret(filepath.Join(w.dir, "server", file), []byte(token+"\n")); err != nil {
			return err
		}
		conf.Organisations = append(conf.Organisations, OrganisationConfig{Organisation: k.of.ID, URL: "http://" + address, TokenFile: file})
		w.args[k.name] = []string{"organisation", "serve", "--dir", dir}
	}
	return nil
}

// handOver makes a one-time code for every guest whose organisation keeps its own keys, as its desk
// does. The terminal stands for the paper, the call, or the organisation's own app.
func (w *world) handOver(ctx context.Context, s *story) error {
	s.line("开通码：由各机构自己的服务做出，在门神之外交给本人；门神看不到", "one-time codes: made by the organisations' own services and handed over outside menshen, which never sees them")
	for _, g := range w.guests() {
		at := slices.IndexFunc(w.keepings(), func(k keeping) bool { return k.of.ID == g.actor.Organisation })
		if at < 0 {
			continue
		}
		made, err := w.codeFor(ctx, filepath.Join(w.dir, w.keepings()[at].name), g.actor)
		if err != nil {
			return err
		}
		s.line(fmt.Sprintf("%-10s %s   机构 %s，编号 %s，身份 %s", g.zh, made.Code, g.actor.Organisation, g.actor.ID, g.actor.Role), g.en)
	}
	return nil
}

func (w *world) codeFor(ctx context.Context, dir string, who *scenario.Actor) (organisation.DeskCode, error) {
	d, err := organisation.OpenDesk(dir)
	if err != nil {
		return organisation.DeskCode{}, err
	}
	defer d.Close()
	if who.Role == visit.RoleTechnician { // the badge carries his name and photo as commitments
		name, photo := scenario.Hide("name", w.city.Cast.NameOf(who)), scenario.Hide("photo", "portrait of "+who.ID)
		_, err = d.Do(ctx, "/desk/people", organisation.DeskAsk{Holder: who.ID, Role: who.Role, Name: name.Commitment, Photo: photo.Commitment})
	}
	made, errCode := d.Code(ctx, who.ID, who.Role, organisation.Additional)
	return made, errors.Join(err, errCode)
}
