package cli

import (
	"strings"
	"testing"
)

// Whoever mistypes an organisation's id is told so, and gets no token and no code that nobody could use. The operator's own
// is known before anything is imported.
func TestNobodyIsLetInForAnOrganisationThatIsNotThere(t *testing.T) {
	w := theatre(t)
	for _, c := range [][]string{{"token", "--role", "technician"}, {"token", "--role", "merchant", "--kind", "link"}, {"invite", "--role", "technician"}} {
		ask := func(want int, organisation string) string {
			return at(t, want, append([]string{c[0], "--config", w.config, "--person", "lan", "--organisation", organisation}, c[1:]...)...)
		}
		if says := ask(exitRefused, "qinglou"); !strings.Contains(says, "organisation_not_here") || !strings.Contains(says, "--organisation") || strings.Contains(says, "menshen_") {
			t.Errorf("%v: %s", c, says)
		}
		ask(exitDone, "qingluo")
	}
	c, err := loadConfig(w.config)
	if err != nil {
		t.Fatal(err)
	}
	at(t, exitDone, "invite", "--config", w.config, "--person", "ning", "--organisation", c.Operator, "--role", "operations")
}
