package organisation

import (
	"fmt"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

const (
	// entriesAhead are published beyond the badges issued, so that a badge counts at once and not with
	// the next list. Without a signed badge an entry is worth nothing.
	entriesAhead = 1024
	// listEntries is how many badges one list holds. A phone keeps the list; mostly zeros, it is small.
	listEntries = 1 << 16

	statusBits = 2 // valid, revoked, suspended
)

// uri names a status list. Its number is in the name, since a list is full one day.
func (s *Service) uri(i int) string {
	return fmt.Sprintf("urn:menshen:badges:%s:%d", s.conf.Organisation, i+1)
}

// current is the list that the next badge goes into.
func (s *Service) current() int {
	i := max(0, len(s.state.lists)-1)
	if len(s.state.lists) > 0 && len(s.state.lists[i].statuses) >= listEntries {
		i++
	}
	return i
}

// liveLists gives, by place, the lists that must stay in date: the newest, and those with a badge that
// has not run out. The newest is there before its first badge.
func (s *Service) liveLists(now time.Time) []*list {
	n := max(1, len(s.state.lists))
	out := make([]*list, n)
	for i := range n {
		switch {
		case i >= len(s.state.lists):
			out[i] = &list{}
		case i == n-1 || now.Before(s.state.lists[i].lastOut):
			out[i] = s.state.lists[i]
		}
	}
	return out
}

// publish signs list i as it will be after the changes: statuses by index. The caller records it.
func (s *Service) publish(now time.Time, i int, changes map[int]credential.Status) (orgapi.Signed, listRow, error) {
	l := &list{}
	if i < len(s.state.lists) {
		l = s.state.lists[i]
	}
	used := len(l.statuses)
	for at := range changes {
		used = max(used, at+1)
	}
	entries := max(l.entries, (used/entriesAhead+1)*entriesAhead)
	statuses := make([]credential.Status, entries)
	copy(statuses, l.statuses)
	for at, status := range changes {
		statuses[at] = status
	}
	hold := time.Duration(s.conf.ListHours) * time.Hour
	issued := now.UTC().Truncate(time.Second)
	token, err := credential.BuildStatusList(s.keys.Badge, credential.StatusListClaims{URI: s.uri(i), IssuedAt: issued, ExpiresAt: issued.Add(hold),
		TTL: hold, Bits: statusBits, Statuses: statuses})
	if err != nil {
		return orgapi.Signed{}, listRow{}, err
	}
	row := listRow{List: i, Number: l.number + 1, Entries: entries, Until: statement.At(issued.Add(hold))}
	signed, err := s.sign(now, s.ownStream(), visit.Publish, registry.TypeStatusList, registry.StatusList{URI: s.uri(i), Number: row.Number, Token: string(token)})
	return signed, row, err
}
