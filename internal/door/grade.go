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

// ReadWithin is how long after its challenge a page without signal may read the answer: the ninety seconds that an answer has,
// and as long again to hold one phone in front of the other.
const ReadWithin = 3 * time.Minute

// leeway is how far two honest clocks may differ.
const leeway = 5 * time.Second

var (
	errTrustOld   = fault.New(fault.Refused, "offline_trust_list_old", "手机上的信任名单超过二十四小时没有更新。", "The trust list on the phone is over 24 hours old.")
	errStatusOld  = fault.New(fault.Refused, "offline_status_list_old", "手机上的停用名单超过二十四小时没有更新。", "The status list on the phone is over 24 hours old.")
	errPackageOld = fault.New(fault.Refused, "offline_package_old", "手机里存的订单比对方今天的工作证旧。走到有信号的地方打开这一页，再核对一次。", "The order kept on this phone is older than their badge of today. Open this page where there is signal, and check again.")
	errClockBack  = fault.New(fault.Refused, "offline_clock_back", "核对的时候这部手机的时间往回跳了，没法判断。请看看手机的时钟，再核对一次。", "This phone's clock went back during the check, so nothing can be said. Look at the clock, and check again.")
	errReadLate   = fault.New(fault.Refused, "offline_answer_late", "从出码到扫回答隔了三分多钟，太久了。请再核对一次。", "Over three minutes passed between the code and the answer; check again.")
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

// InTime says whether a page without signal read an answer in time, by the one clock that made both times: nil, or why
// nothing is said of that answer. Faults: offline_clock_back, offline_answer_late.
func InTime(made, read time.Time) error {
	switch {
	case read.Before(made):
		return errClockBack
	case read.Sub(made) > ReadWithin:
		return errReadLate
	}
	return nil
}

// Another compares a badge whose holder's key is not the one that the order package names. A badge that was
// issued after the package was fetched may be of the same person, whose shift began since: the page is then
// too old to say (offline_package_old). An earlier one is of somebody else: nil.
func Another(issued, fetched time.Time) error {
	if issued.Before(fetched.Add(-leeway)) {
		return nil
	}
	return errPackageOld
}
