package pages

import (
	"encoding/json"

	"github.com/menshen-project/menshen/internal/visit"
)

// What each act's form has the merchant's key sign; the script sets what he answers. All are plain
// structs of strings, integers and booleans, so that marshalling cannot fail.

func stepBody(o ShopOrder) string {
	return signable(visit.Step{Visit: o.Visit, Step: StepCheckSerial, Done: true, Photos: []visit.Photo{}})
}

func visitBody(o ShopOrder) string { return signable(visit.NothingToKeep{Visit: o.Visit}) }

func confirmBody(o ShopOrder) string { return signable(visit.Confirmation{Visit: o.Visit}) }

func reviewBody(o ShopOrder) string { return signable(visit.Review{Visit: o.Visit}) }

func incidentBody(o ShopOrder) string { return signable(visit.Incident{Visit: o.Visit}) }

func signable(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "" // no script signs an empty body
	}
	return string(data)
}
