package pages

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/transparency"
	"github.com/menshen-project/menshen/internal/visit"
)

// constants are the texts of a package's constants whose names begin so, from its source: one that somebody adds is among
// them without a word here.
func constants(t *testing.T, dir, prefix string) (out []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(source, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, name := range spec.Names {
				if rest, is := strings.CutPrefix(name.Name, prefix); !is || rest == "" || rest[0] < 'A' || rest[0] > 'Z' || i >= len(spec.Values) {
					continue
				}
				if lit, is := spec.Values[i].(*ast.BasicLit); is && lit.Kind == token.STRING {
					text, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, text)
				}
			}
			return true
		})
	}
	if len(out) == 0 {
		t.Fatalf("no constant of %s begins with %s", dir, prefix)
	}
	return out
}

// A page shows a code as it is where its table has no words for it: so every code that is shown has words, in both languages.
func TestEveryCodeThatIsShownHasWords(t *testing.T) {
	roles := []string{}
	for _, r := range access.Roles() {
		roles = append(roles, string(r))
	}
	for name, c := range map[string]struct {
		table map[string]Text
		codes []string
	}{
		"fees":      {feeWords, constants(t, "../agreement", "Item")},
		"rhythms":   {perWords, constants(t, "../agreement", "Per")},
		"due times": {whenWords, constants(t, "../agreement", "When")},
		"cards":     {cardWords, constants(t, "../agreement", "Card")},
		"trials":    {trialWords, constants(t, "../agreement", "Step")},
		"roles":     {roleWords, roles},
		"kinds":     {kindWords, []string{visit.Install, visit.Swap, visit.Repair, visit.Removal, visit.Relocation, visit.Inspection}},
		"stages":    {stageWords, boardStages},
	} {
		for _, code := range c.codes {
			if words := c.table[code]; words.Zh == "" || words.En == "" {
				t.Errorf("%s: %s has no words", name, code)
			}
		}
	}
	jobs, kinds := constants(t, "../app", "Job"), []string{}
	for _, g := range ticketGroups {
		kinds = append(kinds, g.kinds...)
	}
	for prefix, codes := range map[string][]string{
		"suspend.reason.": suspensionReasons, "suspend.lift.": append(append([]string{}, liftReasons...), liftDevice...), "mark.": deviceMarks,
		"conflict.outcome.": conflictOutcomes, "conflict.reason.": rulingReasons, "settlement.outcome.": app.DifferenceOutcomes,
		"ops.queue.": jobs, "ops.outcome.": deadOutcomes[:2], "ops.done.": deadOutcomes,
		"ops.reason.":  append(append([]string{}, app.DeadLetterReasons[deadOutcomes[0]]...), app.DeadLetterReasons[deadOutcomes[1]]...),
		"ops.log.":     {string(transparency.StateOK), "starting", "waiting_for_witnesses", "damaged", "closed"},
		"ticket.kind.": kinds,
	} {
		for _, code := range codes {
			if words := say(prefix + code); words.Zh == "" || words.En == "" || words.Zh == prefix+code {
				t.Errorf("%s%s has no words", prefix, code)
			}
		}
	}
}
