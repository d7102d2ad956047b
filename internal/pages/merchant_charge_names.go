package pages

import (
	"slices"
	"strings"

	"github.com/menshen-project/menshen/internal/agreement"
)

// chargeName says in words what the host charged for: a line of the sheet that was signed, a step of the trial, or
// what only the host knows, by the code that it gave, which the acquirer can be asked about.
func (p *page) chargeName(o ShopOrder, c agreement.Charge) string {
	if c.Kind == agreement.ChargeScript {
		if t, known := trialWords[c.Code]; known {
			return p.text(t)
		}
	}
	if _, known := feeWords[beforeDot(c.Code)]; c.Kind == agreement.ChargeSheet && (known || agreement.IsCard(c.Code)) {
		name := p.chargedFor(c.Code)
		if o.Offer != nil && !agreement.IsCard(c.Code) && !slices.ContainsFunc(o.Offer.Sheet.Items, func(i agreement.Item) bool { return i.Code == c.Code }) {
			name += p.t("charge.unlisted")
		}
		return name
	}
	return p.t("charge.other") + strings.ReplaceAll(p.t("charge.coded"), "{code}", c.Code)
}

func beforeDot(code string) string {
	kind, _, _ := strings.Cut(code, ".")
	return kind
}
