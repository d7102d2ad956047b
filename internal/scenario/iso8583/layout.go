package iso8583

// Types of message: a request's answer is its type plus ten.
const (
	SignIn           = "0800"
	SignInAnswer     = "0810"
	Sale             = "0200"
	SaleAnswer       = "0210"
	Refund           = "0220"
	RefundAnswer     = "0230"
	Reversal         = "0400"
	ReversalAnswer   = "0410"
	Settlement       = "0500"
	SettlementAnswer = "0510"
)

// Fields of the layout.
const (
	Processing = 3  // 000000 sale, 200000 refund
	Amount     = 4  // fen
	Trace      = 11 // counted by the terminal
	Time       = 12 // hhmmss
	Date       = 13 // MMDD
	Condition  = 25
	Reference  = 37 // the host's own
	Response   = 39 // in a reversal: why
	Terminal   = 41
	Merchant   = 42
	Totals     = 48 // settlement: sales and refunds, each 12 digits fen and 3 digits count
	Currency   = 49
	Batch      = 60
	Card       = 62 // name of a test card, never a number
	Proof      = 63 // that somebody typed the trial's refund word
	mac        = 64
)

// macBytes is the length of field 64, as in the real layout.
const macBytes = 8

// form is how one field is written: a fixed number of characters, or up to size of them behind a
// length of three digits.
type form struct {
	size     int
	variable bool
	digits   bool
}

var forms = map[int]form{
	Processing: {size: 6, digits: true}, Amount: {size: 12, digits: true}, Trace: {size: 6, digits: true},
	Time: {size: 6, digits: true}, Date: {size: 4, digits: true}, Condition: {size: 2, digits: true},
	Reference: {size: 12}, Response: {size: 2}, Terminal: {size: 8}, Merchant: {size: 15},
	Totals: {size: 64, variable: true, digits: true}, Currency: {size: 3, digits: true},
	Batch: {size: 32, variable: true, digits: true}, Card: {size: 32, variable: true}, Proof: {size: 64, variable: true},
}

var types = map[string]bool{SignIn: true, SignInAnswer: true, Sale: true, SaleAnswer: true, Refund: true, RefundAnswer: true,
	Reversal: true, ReversalAnswer: true, Settlement: true, SettlementAnswer: true}
