package evidence

import (
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/visit"
)

// Story is one event of a visit's stream, for people.
type Story struct {
	Number     int    `json:"number"`
	ReceivedAt string `json:"received_at"`
	Verb       string `json:"verb"`
	Type       string `json:"type"`
	Role       string `json:"role"`
	Statement  string `json:"statement"` // digest
	LeafIndex  int64  `json:"leaf_index"`
}

// Story lists the visit's events in order.
func (r Result) Story() []Story {
	out := []Story{}
	for _, it := range r.items {
		if it.event.Stream != visit.StreamVisit+"/"+r.Visit {
			continue
		}
		out = append(out, Story{Number: it.event.Number, ReceivedAt: string(it.event.ReceivedAt), Verb: it.event.Verb, Type: it.claims.Type,
			Role: it.claims.Header.Role, Statement: it.claims.Digest(), LeafIndex: int64(it.inclusion.Index())})
	}
	return out
}

// CannotProve says what no bundle proves (design §16); every report repeats it.
func CannotProve() []Text {
	return []Text{
		{Zh: "“没有绑在别处”“没有未结的事”“不是同一个人”，靠的是门神登记里签过名的查询", En: "Uniqueness, \"nothing open\" and \"different people\" rest on signed look-ups in this log."},
		{Zh: "屏幕上当时显示了什么", En: "What a screen showed."},
		{Zh: "有没有当面给过现金", En: "Cash handed over."},
		{Zh: "假机具有没有把每条消息转给别处的真机具", En: "That a counterfeit does not forward every message to a genuine device elsewhere."},
		{Zh: "网页报的位置是不是真的", En: "That a position reported by a web page is true."},
		{Zh: "柜台上会不会再放一台别家的机具", En: "That a terminal of a foreign acquirer is not put on the counter."},
	}
}

// Cosigned verifies one entry's receipt and lists who cosigned its checkpoint, and when.
func Cosigned(e Entry, t Trust) ([]record.Cosignature, error) {
	if !t.ok {
		return nil, errNoTrust
	}
	it, err := parseEntry(e, 0)
	if err != nil {
		return nil, err
	}
	in, err := NewReader(t).receipts.VerifyReceipt([]byte(e.Receipt), it.leaf)
	return in.Cosigned(), err
}
