package credential

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

// BenchmarkVerifyPresentation is to be read beside BenchmarkTwoSignatures: what lies between them
// is the price of every other check.
func BenchmarkVerifyPresentation(b *testing.B) {
	data, want := present(b, lanBadge(b), lanAnswer()), wanted()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := VerifyPresentation(data, want); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTwoSignatures verifies the same two signatures and does nothing else.
func BenchmarkTwoSignatures(b *testing.B) {
	bare := bareSignatures(b, string(present(b, lanBadge(b), lanAnswer())))
	b.ReportAllocs()
	for b.Loop() {
		bare(b)
	}
}

// bareSignatures prepares the two signatures of a presentation, to be verified and nothing else.
func bareSignatures(b *testing.B, data string) func(*testing.B) {
	b.Helper()
	type signed struct{ message, sig []byte }
	var both []signed
	for _, jwt := range []string{data[:strings.Index(data, "~")], data[strings.LastIndex(data, "~")+1:]} {
		cut := strings.LastIndex(jwt, ".")
		sig, err := statement.Base64URL(jwt[cut+1:])
		if err != nil {
			b.Fatal(err)
		}
		both = append(both, signed{[]byte(jwt[:cut]), sig})
	}
	return func(b *testing.B) {
		if !statement.VerifyES256(&providerKey.PublicKey, both[0].message, both[0].sig) || !statement.VerifyES256(&lanKey.PublicKey, both[1].message, both[1].sig) {
			b.Fatal("a signature does not hold")
		}
	}
}

// BenchmarkVerifyStatusList reads a list of 20,000 badges.
func BenchmarkVerifyStatusList(b *testing.B) {
	c := lanStatuses()
	c.Statuses = make([]Status, 20000)
	for i := range c.Statuses {
		if i%97 == 0 {
			c.Statuses[i] = Invalid
		}
	}
	token, err := BuildStatusList(providerKey, c)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := VerifyStatusList(token, wantedList()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyBesideItsSignatures measures both in turns, so that a busy machine slows both, and
// prints the ratio: what every check beside the two signatures costs. The aim is 1.25.
func BenchmarkVerifyBesideItsSignatures(b *testing.B) {
	data, want := present(b, lanBadge(b), lanAnswer()), wanted()
	bare := bareSignatures(b, string(data))
	var whole, floor []time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := VerifyPresentation(data, want); err != nil {
			b.Fatal(err)
		}
		between := time.Now()
		bare(b)
		whole, floor = append(whole, between.Sub(began)), append(floor, time.Since(between))
	}
	slices.Sort(whole)
	slices.Sort(floor)
	w, f := whole[len(whole)/2], floor[len(floor)/2]
	b.ReportMetric(float64(w)/float64(f), "ratio")
	b.ReportMetric(float64(w), "whole-ns")
	b.ReportMetric(float64(f), "floor-ns")
}
