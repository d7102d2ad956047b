package visit

import "strings"

// ClerkOf gives the merchant whose clerk a holder id names, "" for none: a clerk's id is the merchant's,
// a dot, and a name without dots ("wei.anna"). So whoever reads a clerk's statement knows whose door it
// may speak for, and no merchant can let in somebody for another's.
func ClerkOf(holder string) string {
	at := strings.LastIndexByte(holder, '.')
	if at < 1 || at == len(holder)-1 {
		return ""
	}
	return holder[:at]
}
