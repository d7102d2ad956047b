//go:build openapi

package httpapi

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/menshen-project/menshen/internal/app"
)

// TestASecondReaderFindsNothingWrong has Redocly's linter read the description, examples included:
// another program's idea of OpenAPI 3.1 than huma's. `make npm` installs it.
func TestASecondReaderFindsNothingWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(file, New(Config{App: &app.App{}}).Spec(), 0o600); err != nil {
		t.Fatal(err)
	}
	lint := exec.Command("node", "testdata/redocly/node_modules/@redocly/cli/bin/cli.js", "lint", "--config", "testdata/redocly/redocly.yaml", file)
	lint.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true", "CI=true")
	if out, err := lint.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
