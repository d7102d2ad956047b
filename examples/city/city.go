// Package city is a small made-up city for the demonstration and for tests: institutions, people,
// shops, devices and orders as the spreadsheets an operator would hand in. Nobody and nothing in it
// exists; README.md explains the columns.
package city

import (
	"embed"
	"encoding/csv"
	"fmt"
)

// Files are the sheets: UTF-8 without a byte order mark, comma separated, Chinese headers.
//
//go:embed *.csv
var Files embed.FS

// Courses are courses with their keys, as a course issuer writes them: courses/security.yaml,
// courses/till.yaml.
//
//go:embed courses
var Courses embed.FS

// Row is one line of a sheet, by the header of its column.
type Row map[string]string

// Rows reads one sheet, such as "shops.csv", in the order of its lines. It fails when there is no such
// sheet, when a line has more or fewer fields than the header, and when two columns have one header.
func Rows(sheet string) ([]Row, error) {
	file, err := Files.Open(sheet)
	if err != nil {
		return nil, fmt.Errorf("city: %w", err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("city: %s: %w", sheet, err)
	}
	return rows(sheet, lines)
}

func rows(sheet string, lines [][]string) ([]Row, error) {
	if len(lines) < 2 {
		return nil, fmt.Errorf("city: %s has no lines", sheet)
	}
	var found []Row
	for _, line := range lines[1:] {
		row := Row{}
		for i, header := range lines[0] {
			row[header] = line[i] // the reader has compared the number of fields
		}
		if len(row) != len(line) {
			return nil, fmt.Errorf("city: %s has two columns with one header", sheet)
		}
		found = append(found, row)
	}
	return found, nil
}
