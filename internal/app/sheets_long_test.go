package app

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
)

// A sheet that is too long is refused whole: what a reader stops short of must not look imported.
func TestSheetsOverTheBoundAreRefusedAndNotCut(t *testing.T) {
	header := "编号,工号,所属机构,角色,姓名,手机\n"
	line := "min,JH-0007,jianghe,审核员,闵若谷,15400000001\n"
	for name, text := range map[string]string{
		"a line too many": header + strings.Repeat(line, maxLines),
		"a cell too long": header + strings.Repeat("x", maxBytes),
	} {
		a := New(Config{})
		_, problems, err := a.Import(t.Context(), func(sheet string) (io.ReadCloser, error) {
			if sheet != "staff.csv" {
				return nil, errors.New("not this one")
			}
			return io.NopCloser(strings.NewReader(text)), nil
		}, func(string, int) {})
		found := false
		for _, p := range problems {
			found = found || (p.Sheet == "staff.csv" && p.Code == "sheet_too_long")
		}
		if !found || fault.CodeOf(err) != "import_problems" {
			t.Errorf("%s: %v, %d problems", name, err, len(problems))
		}
	}
}
