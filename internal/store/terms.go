package store

import (
	"slices"
	"strings"
	"unicode"
)

const (
	maxTermBytes  = 64
	maxIndexTerms = 96 // of one visit
	maxQueryTerms = 16 // of one query
)

// indexTerms gives the words to find a text by, in lower case, each once. Letters and digits of
// alphabets make whole words. Han is written without spaces, so each sign and each pair of
// neighbours is a word.
func indexTerms(text string) []string {
	var terms termList
	for _, run := range runs(strings.ToLower(text)) {
		if !unicode.Is(unicode.Han, run[0]) {
			terms.add(string(run), maxIndexTerms)
			continue
		}
		for i := range run {
			terms.add(string(run[i:min(i+2, len(run))]), maxIndexTerms)
			terms.add(string(run[i]), maxIndexTerms)
		}
	}
	return terms
}

// queryTerms gives the words that a query asks for: of Han only pairs, unless a sign stands alone;
// whoever asks for 门神饭店 asks for 门神, 神饭 and 饭店.
func queryTerms(query string) []string {
	var terms termList
	for _, run := range runs(strings.ToLower(query)) {
		if !unicode.Is(unicode.Han, run[0]) || len(run) == 1 {
			terms.add(string(run), maxQueryTerms)
			continue
		}
		for i := range len(run) - 1 {
			terms.add(string(run[i:i+2]), maxQueryTerms)
		}
	}
	return terms
}

type termList []string

func (l *termList) add(term string, most int) {
	if len(term) > maxTermBytes {
		term = strings.ToValidUTF8(term[:maxTermBytes], "")
	}
	if len(*l) < most && !slices.Contains(*l, term) {
		*l = append(*l, term)
	}
}

// runs cuts text at everything that is no letter or digit, and between Han and other letters.
func runs(text string) [][]rune {
	var all [][]rune
	var run []rune
	end := func() {
		if len(run) > 0 {
			all = append(all, run)
		}
		run = nil
	}
	for _, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			end()
			continue
		}
		if len(run) > 0 && unicode.Is(unicode.Han, r) != unicode.Is(unicode.Han, run[0]) {
			end()
		}
		run = append(run, r)
	}
	end()
	return all
}
