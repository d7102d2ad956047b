package gate

import "github.com/menshen-project/menshen/internal/visit"

// when says from which ask on a condition is asked. The zero value is "–" in the table: never.
type when struct {
	first  string // ask at which it is first asked; asks up to live ask it again
	again  string // later ask that wants fresh evidence of it, or at which close asks it too; "" for none
	report bool   // a failure opens an incident but does not block
}

var (
	dispatch = when{first: visit.AskDispatch}
	admit    = when{first: visit.AskAdmit}
	trial    = when{first: visit.AskTrial}
	trialToo = when{first: visit.AskTrial, again: visit.AskLive}
	trialOld = when{first: visit.AskTrial, again: visit.AskClose} // and of the old device at close
	live     = when{first: visit.AskLive}
	closing  = when{first: visit.AskClose}
	report   = when{first: visit.AskClose, report: true}
	no       = when{}
)

// RepairUntouched is the second column of a repair: the device was neither opened nor changed.
const RepairUntouched = "repair_untouched"

// columns fixes the order of the cells below.
var columns = []string{visit.Install, visit.Swap, visit.Relocation, visit.Repair, visit.Removal, visit.Inspection, RepairUntouched}

type row struct {
	condition string
	cells     [7]when
}

// table is design §5's table: which condition is first asked when, for each kind.
//
//	install, swap, relocation, repair opened, removal, inspection, repair untouched
var table = []row{
	{InstitutionLicensed, [7]when{dispatch, dispatch, dispatch, dispatch, dispatch, dispatch, dispatch}},
	{ProviderFiled, [7]when{dispatch, dispatch, dispatch, dispatch, dispatch, dispatch, dispatch}},
	{TechnicianTrained, [7]when{dispatch, dispatch, dispatch, dispatch, dispatch, dispatch, dispatch}},
	{DutiesSeparated, [7]when{dispatch, dispatch, dispatch, dispatch, dispatch, dispatch, dispatch}},
	{NothingOpen, [7]when{dispatch, dispatch, dispatch, dispatch, dispatch, dispatch, dispatch}},
	{AgreementSigned, [7]when{dispatch, dispatch, dispatch, dispatch, dispatch, no, no}},
	{MerchantVerified, [7]when{dispatch, dispatch, dispatch, dispatch, dispatch, dispatch, dispatch}},
	{TechnicianAdmitted, [7]when{admit, admit, admit, admit, admit, admit, admit}},
	{PlaceMatches, [7]when{admit, admit, admit, admit, admit, admit, admit}},
	{ModelApproved, [7]when{trial, trial, trial, trial, no, report, report}},
	{BindingUnique, [7]when{trial, trial, trial, trial, no, report, report}},
	{CustodyUnbroken, [7]when{trial, trialOld, trial, trial, closing, no, no}},
	{DeviceGenuine, [7]when{trialToo, trialToo, trialToo, trialToo, no, report, report}},
	{DataBackedUp, [7]when{trial, trial, trial, trial, closing, no, no}},
	{RollbackReady, [7]when{no, trial, trial, trial, no, no, no}},
	{AcceptancePassed, [7]when{live, live, live, live, no, no, no}},
	{StepsComplete, [7]when{live, live, live, live, closing, closing, closing}},
	{Supervised, [7]when{live, live, live, live, closing, closing, closing}},
	{FeesWithinSheet, [7]when{live, live, live, live, closing, closing, closing}},
	{MerchantConfirmed, [7]when{live, live, live, live, closing, closing, closing}},
	{KeysEnded, [7]when{no, closing, trial, no, closing, no, no}},
}

// asked orders the asks that repeat what came before.
var asked = []string{visit.AskDispatch, visit.AskAdmit, visit.AskTrial, visit.AskLive, visit.AskClose}

// path is which asks a column has, with the stages at which each may be put. Swap and removal end keys
// by an end permit (design §4), and so does a relocation, whose keys must be gone before its trial.
var path = map[string]map[string][]visit.Stage{
	visit.Install:    power(nil),
	visit.Swap:       power([]visit.Stage{visit.Live}),
	visit.Relocation: power([]visit.Stage{visit.Admitted}),
	visit.Repair:     power(nil),
	visit.Removal:    noPower([]visit.Stage{visit.Admitted}),
	visit.Inspection: noPower(nil),
	RepairUntouched:  noPower(nil),
}

func noPower(end []visit.Stage) map[string][]visit.Stage {
	return withEnd(map[string][]visit.Stage{visit.AskDispatch: {visit.Booked}, visit.AskAdmit: {visit.Dispatched}, visit.AskClose: {visit.Admitted}}, end)
}

func power(end []visit.Stage) map[string][]visit.Stage {
	return withEnd(map[string][]visit.Stage{visit.AskDispatch: {visit.Booked}, visit.AskAdmit: {visit.Dispatched},
		visit.AskTrial: {visit.Admitted, visit.Trial}, visit.AskLive: {visit.Trial}, visit.AskClose: {visit.Live}}, end)
}

func withEnd(asks map[string][]visit.Stage, end []visit.Stage) map[string][]visit.Stage {
	if end != nil {
		asks[visit.AskEnd] = end
	}
	return asks
}

// Puts says whether a kind (RepairUntouched is one here) has an ask at all.
func Puts(kind, ask string) bool { return path[kind][ask] != nil }
