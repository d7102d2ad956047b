package menshen_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/gate"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

const (
	attacksPage = "docs/attacks.md"
	threats     = "docs/threat-model.md"
)

// refusers are the places that refuse, beside the gate's conditions, in the page's order.
var refusers = []struct{ place, title, words string }{
	{scenario.ByIntake, "Intake", "The statement is not even recorded: its signer may not, or not now."},
	{scenario.ByEvidence, "The evidence itself", "Before any condition is asked: what does not hold together is not judged."},
	{scenario.ByHost, "The acquirer's host", "The server is the attacker; the host judges for itself and loads nothing."},
	{scenario.ByVerifier, "Whoever reads the bundle", "`menshen-verify` or anybody else's reader, later and offline."},
	{scenario.ByOrganisation, "The organisation's own service", "An acquirer or provider signs nothing that no phone proved a code for and no technician signed for."},
	{scenario.ByTrustFile, "The trust file", "A file that asks for less than it may is not read."},
}

// attacksText writes the page from the table of package scenario.
func attacksText() string {
	table := scenario.Attacks()
	var b strings.Builder
	fmt.Fprintf(&b, `# Attacks

All %d ways to cheat that tests play, made from the table in `+"`internal/scenario`"+`; do not edit by hand (`+"`go test . -update`"+`). Under
each heading stands who refuses, and in each row the reason, which is stable. *Server* marks attacks in which the server itself is the
attacker: those are played against readers in memory, all others also over the real API. The last table is honest and must pass.

`, len(table))
	for _, r := range refusers {
		section(&b, r.title, r.words, table, r.place)
	}
	for _, q := range gate.Asked(visit.Relocation, visit.AskLive) { // which asks every condition there is
		section(&b, "`"+q.Condition+"`", gate.Title(q.Condition).En+" · "+gate.Title(q.Condition).Zh, table, q.Condition)
	}
	fmt.Fprintf(&b, `## Generated

Beside the named ones (`+"`go test -tags attacks ./internal/scenario`, whole with `-full`"+`): every value of every statement changed under its old signature; signed by
everybody else, in the signer's name and in their own; replayed elsewhere and under other verbs; every act too early and twice; and every value of every body
that people file, changed and signed again *by its own signer*. The last is refused, at once or when something else contradicts it, but for these, which are
their signer's own word and give nobody power:

%s
`, ownWords())
	section(&b, "Honest, and must pass", "They look like attacks.", table, "")
	return b.String()
}

// ownWords lists the values that their signer may say otherwise.
func ownWords() string {
	data, err := os.ReadFile("internal/scenario/testdata/resigned.txt")
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(data)) {
		name, why, _ := strings.Cut(strings.TrimSpace(line), ": ")
		fmt.Fprintf(&b, "- `%s`: %s\n", name, why)
	}
	return b.String()
}

func section(b *strings.Builder, title, words string, table []scenario.Attack, place string) {
	var rows []string
	for _, a := range table {
		by, code := "", "passes"
		if len(a.Refused) > 0 {
			by, code = a.Refused[0].By, "`"+a.Refused[0].Code+"`"
		}
		if by != place {
			continue
		}
		server := ""
		if a.Liar {
			server = " *Server.*"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s · %s%s | %s |\n", a.Name, a.En, a.Zh, server, code))
	}
	if len(rows) > 0 {
		fmt.Fprintf(b, "## %s\n\n%s\n\n| attack | what is tried | reason |\n|---|---|---|\n%s\n", title, words, strings.Join(rows, ""))
	}
}

func updateAttacks() error {
	return os.WriteFile(attacksPage, []byte(strings.TrimRight(attacksText(), "\n")+"\n"), 0o644)
}

func TestAttacksPageIsTheTable(t *testing.T) {
	want := strings.TrimRight(attacksText(), "\n") + "\n"
	if got := read(t, attacksPage); got != want {
		t.Errorf("%s is not the table of internal/scenario: run go test . -update", attacksPage)
	}
	for _, a := range scenario.Attacks() {
		if !strings.Contains(want, "| `"+a.Name+"` |") {
			t.Errorf("%s is refused by %v, which has no section", a.Name, a.Refused)
		}
	}
}

// The threat model's short list is a part of the long one.
func TestAttacksOfTheThreatModelAreInTheTable(t *testing.T) {
	rows := tables(read(t, threats), "The attacks that are played")
	if len(rows) < 10 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		known := slices.ContainsFunc(scenario.Attacks(), func(a scenario.Attack) bool {
			return slices.Contains(a.Refused, scenario.Refusal{By: row[1], Code: row[2]})
		})
		if !known {
			t.Errorf("%s: no attack is refused by %s for %s (%s)", threats, row[1], row[2], row[0])
		}
	}
}
