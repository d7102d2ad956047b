package pages

import (
	"context"
	"time"

	"github.com/menshen-project/menshen/evidence"
)

// Text is one sentence in both languages.
type Text = evidence.Text

// Viewer is who looks at a page. The zero value is nobody: signed out.
type Viewer struct {
	Person       string // id
	Organisation string // id
	Role         string // as in package visit
	Token        string // id of the session
}

// SignedIn is false for the zero value.
func (v Viewer) SignedIn() bool { return v.Person != "" || v.Organisation != "" }

// Source gives pages what they show. Each method answers only with what the viewer may see; what he
// may not see is fault.NotFound, so that nobody learns that it exists.
type Source interface {
	// Start says where this deployment stands; it is asked for the signed-out viewer too.
	Start(ctx context.Context, v Viewer) (StartView, error)
	// Visits gives one page of the visits that the viewer may see, newest first.
	Visits(ctx context.Context, v Viewer, f Filter) (VisitList, error)
	// Visit gives one visit, as ViewOf makes it.
	Visit(ctx context.Context, v Viewer, id string) (VisitView, error)
	// Bundle gives the bytes that menshen-verify checks.
	Bundle(ctx context.Context, v Viewer, id string) ([]byte, error)
	// Photo gives a picture of a visit, small or whole, and records the look.
	Photo(ctx context.Context, v Viewer, id, digest string, small bool) ([]byte, error)
}

// Filter narrows the list of visits. The zero value asks for everything, from the newest.
type Filter struct {
	State  string // one of FilterStates, "" for all
	Search string // order id, visit id or the last digits of a serial; ASCII, at most 64 bytes
	Cursor string // opaque, from VisitList.Next; "" for the first page
	Limit  int    // rows wanted
}

// States that a list can be narrowed to.
const (
	StateOpen   = "open"   // on its way, not frozen
	StateFrozen = "frozen" // stopped, waiting for the risk desk
	StateDone   = "done"   // closed
	StateEnded  = "ended"  // refused, aborted, rolled back
)

// FilterStates lists the states in the order in which pages offer them.
var FilterStates = []string{StateOpen, StateFrozen, StateDone, StateEnded}

// StartView is the start page's own facts.
type StartView struct {
	Demonstration bool   // simulated devices and made-up people: every page says so
	Operator      string // public name of who runs this deployment
	GetIn         Text   // how to get in here; the zero value for the ordinary sentence
	SignIn        bool   // staff sign in by passkey here
}

// VisitList is one page of the list.
type VisitList struct {
	Rows []VisitRow
	Next string // cursor of the next page, "" at the end
}

// VisitRow is one visit in the list.
type VisitRow struct {
	ID     string
	Order  string
	Kind   string // as in package visit
	Stage  string
	Frozen bool
	Shop   string // shown name, "" where the viewer may not see it
	Serial string // whole or last six; the page shows the last six
	From   time.Time
	Until  time.Time
	Head   int64 // events in the visit's stream
}

// VisitView is everything the visit page shows. ViewOf makes it.
type VisitView struct {
	ID            string
	Order         string
	Kind          string
	Stage         string
	Frozen        bool
	Demonstration bool
	Brief         bool // fewer fields, for those at the counter: no digests, no keys
	Shop          string
	From, Until   time.Time // of the appointment
	AsOf          time.Time // when the conditions were asked
	Standing      Standing
	Path          []PathStep
	Conditions    []ConditionView // what is asked now, what is wrong first
	Later         []ConditionView // what will be asked further on
	Events        []EventView     // newest last
	Permit        *PermitView     // the last one, nil for none
	Old           *OldView        // nil for kinds that take over from no terminal
	Receipts      ReceiptsView
	MayDownload   bool
	Photos        []PhotoView // none for those who may not see them
}

// Levels of a standing. Only LevelGood is green.
const (
	LevelGood = "good" // everything that was asked holds
	LevelWait = "wait" // nothing is wrong, something is missing
	LevelStop = "stop" // something is wrong, or somebody pulled the brake
	LevelOver = "over" // ended without going live
)

// Standing is the top of the page: where the visit stands and who must act now.
type Standing struct {
	Level    string
	Word     Text // read at arm's length
	Sentence Text
	Acts     []Act // who must act now; empty when nobody must
	Link     Link  // the act as a button, for a viewer who can do it; the zero value offers a fresh look
}

// Act is what one party must do next.
type Act struct {
	Who  Text
	What Text
}

// Link is a button that leads somewhere on this site or dials.
type Link struct {
	Label Text
	Href  string // a path on this site, or tel:
}

// Progress of a step on the path.
const (
	StepDone = "done"
	StepNow  = "now"
	StepNext = "next"
	StepEnd  = "end" // the visit ended here without going on
)

// PathStep is one stage on the way.
type PathStep struct {
	Stage    string
	Title    Text
	Progress string
	At       time.Time // zero while it was not reached
	Who      Text      // by whom it is reached
}

// Marks of a condition. Only MarkHolds is green.
const (
	MarkHolds    = "holds"
	MarkFails    = "fails"
	MarkWaits    = "waits"      // nothing wrong, the evidence is not there yet
	MarkUnopened = "not_opened" // committed, but this reader cannot open it
	MarkLater    = "later"      // not asked yet
)

// ConditionView is one condition as a sentence.
type ConditionView struct {
	Name     string
	Title    Text
	Mark     string
	Reason   Text // the zero value when it holds
	Code     string
	Basis    string    // re-run, attested or "not opened"; "" when it was not asked
	Asked    Text      // at which step it is first asked, for Later
	Decided  time.Time // zero when asked now; else when the decision was made that says so
	Evidence []string  // digests of statements
	Reports  bool      // a failure is reported but does not block
}

// Receipt states.
const (
	ReceiptLogged  = "logged"  // in the public log, cosigned by the quorum
	ReceiptWaiting = "waiting" // no receipt yet
	ReceiptBroken  = "broken"  // there is one and it does not verify
)

// EventView is one event of the visit's stream.
type EventView struct {
	Number  int
	At      time.Time // received
	Verb    string
	Type    string
	Words   Text
	Role    string
	Digest  string // of the statement
	Receipt string
	Leaf    uint64 // index in the log, when logged
}

// PermitView is what the host may do, and what it answered.
type PermitView struct {
	Ask       string
	Serial    string
	Terminal  string
	DeviceKey string
	CapFen    int64 // 0: none of ours
	Until     time.Time
	Over      bool      // Until has passed and the host did not act
	SilentAt  time.Time // since when the host answers no call; zero while it does
	Outcome   string    // loaded, keys_ended, refused, cancelled, "" while the host has not answered
	Reason    string    // the host's code when it refused
	At        time.Time
}

// ReceiptsView sums up the log's word on this visit.
type ReceiptsView struct {
	Logged, Waiting, Broken int
	LogSize                 uint64 // leaves, of the newest checkpoint
	Witnesses               []Witness
}

// Witness is one party that cosigned the newest checkpoint.
type Witness struct {
	Party string
	At    time.Time
}
