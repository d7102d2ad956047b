package agreement

import (
	"slices"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/statement"
)

// TypeAgreement is the statement type; its subject is the order's stream, order/<id>.
const TypeAgreement = "agreement"

const (
	roleMerchant = "merchant"
	roleApprover = "approver"
	roleHost     = "host"
)

var (
	errNotMerchant     = fault.New(fault.Refused, "agreement_not_merchant", "这份价格表不是店主签的。", "This agreement is not signed in the role of the merchant.")
	errNotApprover     = fault.New(fault.Refused, "agreement_not_approver", "这份价格表不是收单机构的审批人签的。", "This agreement is not signed in the role of the acquirer's approver.")
	errOtherSubject    = fault.New(fault.Refused, "agreement_other_subject", "签字说的不是这份订单。", "The statement's subject is not the order in its body.")
	errOtherOrder      = fault.New(fault.Refused, "agreement_other_order", "两边签的不是同一份订单。", "The two sides signed different orders.")
	errOtherAcquirer   = fault.New(fault.Refused, "agreement_other_acquirer", "审批人不是价格表上那家收单机构的。", "The approver does not belong to the acquirer on the sheet.")
	errSameSigner      = fault.New(fault.Refused, "agreement_same_signer", "店主和审批人不能是同一个人、同一把密钥。", "Merchant and approver are the same person or key.")
	errSheetDiffers    = fault.New(fault.Refused, "sheet_differs", "两边签的价格表不一样，请重新看过再签。", "The two sides signed different sheets or terms.")
	errApproverAnswers = fault.New(fault.Refused, "agreement_approver_answers", "这几个问题只能由店主回答。", "Only the merchant acknowledges clauses and says who pays.")
	errPayerUnanswered = fault.New(fault.Refused, "payer_unanswered", "还没回答：现在谁给您打款，办完以后谁给您打款。", "Not answered: who pays you today, who after this.")
	errPayerMalformed  = fault.New(fault.Invalid, "payer_malformed", "给您打款的公司写得不对。", "An answer to who pays is not an organisation or none.")
	errPayerAfter      = fault.New(fault.Refused, "payer_after_differs", "您以为以后给您打款的公司，和价格表上写的不是一家。先问清楚再签。", "Who the merchant expects to pay afterwards is not who the sheet says.")
	errNotAcknowledged = fault.New(fault.Refused, "clause_not_acknowledged", "有一条要小心的内容，店主还没打勾。", "A flagged clause was not acknowledged.")
	errAckUnknown      = fault.New(fault.Refused, "acknowledgement_unknown", "打了勾的内容，价格表里没有。", "Something was acknowledged that the sheet does not hold.")
	errAckRepeated     = fault.New(fault.Invalid, "acknowledgement_repeated", "同一条打了两次勾。", "One flag was acknowledged twice.")
)

// Agreement is the body that merchant and approver each sign. Make it with Offer or Accept.
type Agreement struct {
	Order        string   `json:"order"`
	Sheet        Sheet    `json:"sheet"`
	Acknowledged []string `json:"acknowledged"` // codes of flags the merchant ticked; empty from the approver
	PaysToday    string   `json:"pays_today"`   // merchant: who pays me today, an organisation id or None; "" from the approver
	PaysAfter    string   `json:"pays_after"`   // merchant: who after this; "" from the approver
}

// Offer is the approver's body.
func Offer(order string, sheet Sheet) Agreement {
	return Agreement{Order: order, Sheet: sheet.full(), Acknowledged: []string{}}
}

// Accept is the merchant's body.
func Accept(order string, sheet Sheet, acknowledged []string, paysToday, paysAfter string) Agreement {
	return Agreement{Order: order, Sheet: sheet.full(), Acknowledged: append([]string{}, acknowledged...),
		PaysToday: paysToday, PaysAfter: paysAfter}
}

// Verified is a sheet that both sides signed, every trap in it ticked. Only Verify makes one; the
// zero value refuses.
type Verified struct {
	merchant, approver string // digests of the statements
	body               Agreement
	digest             string
	flags              []Flag
	ok                 bool
}

// Verify puts the merchant's and the approver's statements together (design §5, agreement-signed).
// It refuses unless both are for one order and exactly one sheet and terms, signed in their roles
// by different people, the approver's acquirer being the sheet's; and the merchant said who pays
// and ticked every flag and nothing else.
//
// Not checked: that the keys are enrolled for these roles, and that nothing later was signed.
func Verify(merchant, approver statement.Verified) (Verified, error) {
	m, err := read(merchant, roleMerchant, errNotMerchant)
	if err != nil {
		return Verified{}, fault.At(err, roleMerchant)
	}
	a, err := read(approver, roleApprover, errNotApprover)
	if err != nil {
		return Verified{}, fault.At(err, roleApprover)
	}
	if err := sameDeal(merchant.Header(), approver.Header(), m, a); err != nil {
		return Verified{}, err
	}
	flags, err := m.checkAnswers()
	if err != nil {
		return Verified{}, err
	}
	return Verified{merchant: merchant.Digest(), approver: approver.Digest(), body: m,
		digest: m.Sheet.Digest(), flags: flags, ok: true}, nil
}

func read(v statement.Verified, role string, otherRole *fault.Fault) (Agreement, error) {
	var a Agreement
	if err := v.Body(TypeAgreement, &a); err != nil {
		return Agreement{}, err
	}
	if v.Header().Role != role {
		return Agreement{}, otherRole
	}
	return a, a.validate(v.Subject())
}

func (a Agreement) validate(subject string) error {
	if !isID(a.Order) || subject != "order/"+a.Order {
		return errOtherSubject
	}
	return a.Sheet.Validate()
}

func sameDeal(merchant, approver statement.Header, m, a Agreement) error {
	if merchant.Signer == approver.Signer || merchant.Key == approver.Key {
		return errSameSigner
	}
	if m.Order != a.Order {
		return errOtherOrder
	}
	if m.Sheet.Terms != a.Sheet.Terms {
		return errSheetDiffers.At("terms")
	}
	if m.Sheet.Digest() != a.Sheet.Digest() {
		return errSheetDiffers
	}
	if approver.Organisation != a.Sheet.Acquirer {
		return errOtherAcquirer
	}
	if len(a.Acknowledged) != 0 || a.PaysToday != "" || a.PaysAfter != "" {
		return errApproverAnswers
	}
	return nil
}

// checkAnswers gives the flags of the merchant's agreement if all of them are ticked and the
// questions answered.
func (a Agreement) checkAnswers() ([]Flag, error) {
	if err := a.checkPayers(); err != nil {
		return nil, err
	}
	f := look(a.Sheet)
	f.payers(a.PaysToday, a.PaysAfter)
	flags := f.flags()
	return flags, checkAcknowledged(flags, a.Acknowledged)
}

func (a Agreement) checkPayers() error {
	for _, answer := range []struct{ name, value string }{{"pays_today", a.PaysToday}, {"pays_after", a.PaysAfter}} {
		if answer.value == "" {
			return errPayerUnanswered.At(answer.name)
		}
		if !isID(answer.value) {
			return errPayerMalformed.At(answer.name)
		}
	}
	// Whoever is sold another company as an "upgrade" expects the old one to go on paying.
	if a.PaysAfter != a.Sheet.SettledBy {
		return errPayerAfter.At("pays_after")
	}
	return nil
}

func checkAcknowledged(flags []Flag, acknowledged []string) error {
	seen := map[string]bool{}
	for i, code := range acknowledged {
		if !slices.ContainsFunc(flags, func(f Flag) bool { return f.Code == code }) {
			return errAckUnknown.At(place("acknowledged", i))
		}
		if seen[code] {
			return errAckRepeated.At(place("acknowledged", i))
		}
		seen[code] = true
	}
	for _, f := range flags {
		if !seen[f.Code] {
			return errNotAcknowledged.At(f.Code)
		}
	}
	return nil
}

// OK is false for the zero value.
func (v Verified) OK() bool { return v.ok }

// Order is the order both sides signed for, "" for the zero value.
func (v Verified) Order() string { return v.body.Order }

// Sheet is a copy of the sheet both sides signed; the zero value's does not validate.
func (v Verified) Sheet() Sheet { return v.body.Sheet.full() }

// Provider is whom the sheet names as the provider, "" for nobody and for the zero value.
func (v Verified) Provider() string { return v.body.Sheet.Provider }

// SheetDigest names the sheet, "" for the zero value.
func (v Verified) SheetDigest() string { return v.digest }

// Flags are the traps that the merchant ticked.
func (v Verified) Flags() []Flag {
	out := append([]Flag{}, v.flags...)
	for i := range out {
		out[i].Places = slices.Clone(out[i].Places)
	}
	return out
}

// TotalNowFen is what falls due with this order, in fen; see Sheet.TotalNowFen.
func (v Verified) TotalNowFen() int64 { return v.body.Sheet.TotalNowFen() }

// Payers are the merchant's answers: who pays him today, who after this.
func (v Verified) Payers() (today, after string) { return v.body.PaysToday, v.body.PaysAfter }

// Statements are the digests of the two statements, for a decision's basis.
func (v Verified) Statements() (merchant, approver string) { return v.merchant, v.approver }
