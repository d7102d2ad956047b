package store

import "testing"

// LowerScanRows makes pages look at n rows at most, for one test.
func LowerScanRows(t *testing.T, n int32) {
	before := scanRows
	scanRows = n
	t.Cleanup(func() { scanRows = before })
}

// ListSQL gives the statements that a page of a filter runs, with their arguments.
func ListSQL(f VisitFilter, cursor, horizon string, words []string) ([]string, [][]any, error) {
	q, err := f.plan(cursor, words)
	if err != nil {
		return nil, nil, err
	}
	page, pageArgs := q.page(horizon, 50)
	edge, edgeArgs := q.horizon()
	return []string{page, edge}, [][]any{pageArgs, edgeArgs}, nil
}

// IndexTerms and QueryTerms cut a text into words.
var (
	IndexTerms = indexTerms
	QueryTerms = queryTerms
)
