package door

import (
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

// How a check without signal may end.
const (
	Confirmed = "confirmed" // everything holds, by lists at most 24 hours old
	Weak      = "weak"      // badge and answer hold, the lists are too old: call the number on the order
	Refused   = "refused"
)

// ListsHold is how old the lists of a check without signal may be (design §7).
const ListsHold = 24 * time.Hour

// leeway is how far two honest clocks may differ.
const leeway = 5 * time.Second

var (
	errTrustOld   = fault.New(fault.Refused, "offline_trust_list_old", "手机上的信任名单超过二十四小时没有更新。", "The trust list on the phone is over 24 hours old.")
	errStatusOld  = fault.New(fault.Refused, "offline_status_list_old", "手机上的停用名单超过二十四小时没有更新。", "The status list on the phone is over 24 hours old.")
	errListsAhead = fault.New(fault.Refused, "offline_lists_ahead", "手机上名单的时间比现在还晚，请看看手机的时钟。", "The lists on the phone are dated after the check; look at the phone's clock.")
)

// Lists is what a page without signal knew, in times: when it last fetched the trust list, and when the
// badge's status list was signed.
type Lists struct {
	TrustFetched time.Time
	StatusIssued time.Time
}

// InDate says whether lists may confirm a check at a time: nil, or why it is weak. Faults:
// offline_trust_list_old, offline_status_list_old, offline_lists_ahead.
func (l Lists) InDate(at time.Time) error {
	switch {
	case at.Before(l.TrustFetched.Add(-leeway)) || at.Before(l.StatusIssued.Add(-leeway)):
		return errListsAhead
	case at.Sub(l.TrustFetched) > ListsHold:
		return errTrustOld
	case at.Sub(l.StatusIssued) > ListsHold:
		return errStatusOld
	}
	return nil
}
