package vault

import (
	"slices"
	"strings"
)

// public are names that stand over a door and in the state's open register of businesses (decision 68): nothing of
// them is hidden, except from the day on which the merchant is erased.
var public = []string{"shop_name", "merchant_name"}

// masks says how much of a field's values stays readable: signs at the beginning, at the end, and
// how many must be hidden between, or nothing is shown. A field takes the first rule that its name
// is or ends in; one without a rule shows nothing.
var masks = []struct {
	field             string
	head, end, hidden int
}{
	{"phone", 3, 4, 4},       // 138****5678, as carriers print it
	{"name", 1, 0, 1},        // 王****
	{"resident_id", 1, 1, 4}, // 3****4
	{"account", 0, 4, 4},     // ****6789
	{"address", 6, 0, 4},     // 上海市黄浦区****
	{"credit_code", 2, 4, 4}, // 91****456X
	{"licence", 2, 2, 4},     // 31****07
}

const stars = "****" // always four: their number must not tell the length

// Public says whether nothing of a field's values is hidden.
func Public(field string) bool { return slices.Contains(public, field) }

// Mask hides a value so that its owner still recognises it and nobody else can use it.
func Mask(field, value string) string {
	if Public(field) {
		return value
	}
	for _, m := range masks {
		if field != m.field && !strings.HasSuffix(field, "_"+m.field) {
			continue
		}
		signs := []rune(value)
		if len(signs) < m.head+m.end+m.hidden {
			return stars
		}
		return string(signs[:m.head]) + stars + string(signs[len(signs)-m.end:])
	}
	return stars
}
