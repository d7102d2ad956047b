package pages

import (
	"strconv"
	"strings"

	"github.com/menshen-project/menshen/internal/agreement"
	"github.com/menshen-project/menshen/internal/visit"
)

// flagView is a trap as the price page shows it.
type flagView = agreement.Flag

// companyChanges is the flag that the answer to "who pays you today" raises.
func companyChanges() flagView {
	for _, f := range agreement.CheckPayers("another", "acquirer") {
		if f.Code == agreement.FlagCompanyChanges {
			return f
		}
	}
	return flagView{Code: agreement.FlagCompanyChanges}
}

// agreementBody is what the merchant's key signs, but for his own answers: the script fills those in.
func (o ShopOrder) agreementBody() string {
	return signable(agreement.Accept(o.Order, o.Offer.Sheet, nil, "", ""))
}

func (o ShopOrder) nowFen() int64 {
	if o.Offer == nil {
		return 0
	}
	return o.Offer.NowFen
}

// total is the top line of the order page: what this costs in all, and to whom nothing is paid.
func (o ShopOrder) total() Text {
	switch {
	case o.Offer == nil && o.Kind == visit.Inspection:
		return say("total.free")
	case o.Offer == nil:
		return say("total.unknown")
	case o.Offer.NowFen == 0:
		return say("total.none")
	case o.Offer.Deposit == o.Offer.NowFen:
		return put("total.deposit", "yuan", yuan(o.Offer.NowFen))
	case o.Offer.Deposit > 0:
		return put2("total.part", yuan(o.Offer.NowFen), yuan(o.Offer.Deposit))
	}
	return put("total.some", "yuan", yuan(o.Offer.NowFen))
}

// put fills one named place of a text.
func put(key, place, value string) Text {
	t := say(key)
	return Text{Zh: strings.ReplaceAll(t.Zh, "{"+place+"}", value), En: strings.ReplaceAll(t.En, "{"+place+"}", value)}
}

func put2(key, yuan, deposit string) Text {
	t := put(key, "yuan", yuan)
	return Text{Zh: strings.ReplaceAll(t.Zh, "{deposit}", deposit), En: strings.ReplaceAll(t.En, "{deposit}", deposit)}
}

// itemWhen says how often a fee is taken and when, in one short line.
func itemWhen(i agreement.Item) Text {
	per, when := perWords[i.Per], whenWords[i.When]
	return Text{Zh: per.Zh + "，" + when.Zh, En: per.En + ", " + when.En}
}

// rateText writes a rate as shops know it: in per cent, with its cap.
func rateText(r agreement.Rate) Text {
	percent := strings.TrimRight(strings.TrimRight(strconv.FormatFloat(float64(r.RatePPM)/10_000, 'f', 4, 64), "0"), ".")
	out := Text{Zh: percent + "%", En: percent + " %"}
	if r.CapFen > 0 {
		out.Zh += "，最多 " + yuan(r.CapFen)
		out.En += ", at most " + yuan(r.CapFen)
	}
	return out
}

// serviceText is what the shop gets: warranty and times.
func serviceText(s agreement.Sheet) Text {
	t := say("price.service")
	for place, n := range map[string]int{"{w}": s.WarrantyMonths, "{a}": s.ResponseHours, "{b}": s.ResolutionHours} {
		t.Zh, t.En = strings.ReplaceAll(t.Zh, place, strconv.Itoa(n)), strings.ReplaceAll(t.En, place, strconv.Itoa(n))
	}
	return t
}
