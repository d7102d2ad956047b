package record_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/record/recordtest"
)

const (
	origin = "menshen.example/log"
	noon   = "2026-11-22T12:00:00Z"
)

func witnessed() *recordtest.Log {
	return recordtest.New(origin, "operator", 2, "association", "bank", "regulator")
}

func TestPolicy(t *testing.T) {
	c := witnessed().Config()
	p, err := record.NewPolicy(c)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Config(); !p.OK() || got.Origin != origin || !slices.Equal(got.Witnesses, c.Witnesses) {
		t.Fatalf("Config() = %+v", got)
	}
	want := c.Witnesses[0]
	c.Witnesses[0].Party = "spoiled"
	p.Config().Witnesses[0].Party = "spoiled"
	if p.Config().Witnesses[0] != want {
		t.Fatal("a policy changes after it was made")
	}
}

func TestPolicyRefuses(t *testing.T) {
	log := witnessed()
	first := log.Config().Witnesses[0].VKey
	name, rest, _ := strings.Cut(first, "+")
	id, encoded, _ := strings.Cut(rest, "+")
	raw, _ := base64.StdEncoding.DecodeString(encoded)
	logKeyAsWitness := recordtest.NewSigner("witness.example/x", "log "+origin, 4).VKey()
	for _, c := range []struct {
		name  string
		spoil func(*record.PolicyConfig)
		code  string
	}{
		{"no log key", func(c *record.PolicyConfig) { c.LogKey = "" }, "policy_log_key"},
		{"log key of a witness's type", func(c *record.PolicyConfig) { c.LogKey = first }, "policy_log_key"},
		{"other origin", func(c *record.PolicyConfig) { c.Origin = "menshen.example/other" }, "policy_origin"},
		{"nobody operates", func(c *record.PolicyConfig) { c.Operator = "" }, "policy_party"},
		{"witness of nobody", func(c *record.PolicyConfig) { c.Witnesses[1].Party = "" }, "policy_party"},
		{"witness key of the log's type", func(c *record.PolicyConfig) { c.Witnesses[0].VKey = c.LogKey }, "policy_witness_key"},
		{"wrong key id", func(c *record.PolicyConfig) { c.Witnesses[0].VKey = name + "+00000000+" + encoded }, "policy_witness_key"},
		{"key id in capitals", func(c *record.PolicyConfig) {
			c.Witnesses[0].VKey = name + "+" + strings.ToUpper(id) + "+" + encoded
		}, "policy_witness_key"},
		{"key cut", func(c *record.PolicyConfig) {
			c.Witnesses[0].VKey = name + "+" + id + "+" + base64.StdEncoding.EncodeToString(raw[:32])
		}, "policy_witness_key"},
		{"key in a second spelling", func(c *record.PolicyConfig) { c.Witnesses[0].VKey = first + "\n" }, "policy_witness_key"},
		{"key name with a space", func(c *record.PolicyConfig) {
			c.Witnesses[0].VKey = recordtest.NewSigner("witness one", "x", 4).VKey()
		}, "policy_witness_key"},
		{"key name too long", func(c *record.PolicyConfig) {
			c.Witnesses[0].VKey = recordtest.NewSigner(strings.Repeat("w", record.MaxNameBytes+1), "x", 4).VKey()
		}, "policy_witness_key"},
		{"one key for two parties", func(c *record.PolicyConfig) { c.Witnesses[1].VKey = first }, "policy_key_repeated"},
		{"one key under two names", func(c *record.PolicyConfig) {
			c.Witnesses[1].VKey = recordtest.NewSigner("witness.example/alias", "witness association", 4).VKey()
		}, "policy_key_repeated"},
		{"two keys under one name and id, which anybody finds in 2^16 tries", func(c *record.PolicyConfig) {
			c.Witnesses[0].VKey = recordtest.NewSigner("witness.example/twin", "witness 23430", 4).VKey()
			c.Witnesses[1].VKey = recordtest.NewSigner("witness.example/twin", "witness 108044", 4).VKey()
		}, "policy_key_repeated"},
		{"log witnesses itself", func(c *record.PolicyConfig) { c.Witnesses[2].VKey = logKeyAsWitness }, "policy_log_key_witnesses"},
		{"operator witnesses its own log", func(c *record.PolicyConfig) { c.Witnesses[2].Party = "operator" }, "policy_operator_witnesses"},
		{"quorum of nobody", func(c *record.PolicyConfig) { c.Quorum = 0 }, "policy_quorum_zero"},
		{"quorum below zero", func(c *record.PolicyConfig) { c.Quorum = -1 }, "policy_quorum_zero"},
		{"no witnesses", func(c *record.PolicyConfig) { c.Witnesses = nil }, "policy_quorum_unreachable"},
		{"quorum above the witnesses", func(c *record.PolicyConfig) { c.Quorum = 4 }, "policy_quorum_unreachable"},
		{"quorum above the parties", func(c *record.PolicyConfig) {
			c.Quorum, c.Witnesses[1].Party = 3, c.Witnesses[0].Party
		}, "policy_quorum_unreachable"},
		{"too many witnesses", func(c *record.PolicyConfig) {
			for i := range record.MaxWitnesses - 2 {
				w := recordtest.NewSigner(fmt.Sprintf("witness.example/%d", i), fmt.Sprint(i), 4)
				c.Witnesses = append(c.Witnesses, record.Witness{Party: fmt.Sprint(i), VKey: w.VKey()})
			}
		}, "policy_too_many_witnesses"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := log.Config()
			config.Witnesses = slices.Clone(config.Witnesses)
			c.spoil(&config)
			p, err := record.NewPolicy(config)
			if got := fault.CodeOf(err); got != c.code || p.OK() {
				t.Fatalf("code %q, want %q (%v)", got, c.code, err)
			}
		})
	}
}

func TestZeroPolicyRefuses(t *testing.T) {
	log := witnessed()
	leaf := leafOf(t, booked().Bytes()).Bytes()
	receipt := log.Receipt(log.Add(leaf), at(t, noon))
	var zero record.Policy
	if _, err := zero.VerifyReceipt(receipt, leaf); fault.CodeOf(err) != "policy_missing" {
		t.Fatalf("zero policy: %v", err)
	}
	if _, err := zero.CanonicalCheckpoint(log.Checkpoint(1, at(t, noon))); fault.CodeOf(err) != "policy_missing" {
		t.Fatalf("zero policy: %v", err)
	}
	if _, err := new(record.Verifier).VerifyReceipt(receipt, leaf); fault.CodeOf(err) != "policy_missing" {
		t.Fatalf("zero verifier: %v", err)
	}
	if zero.OK() {
		t.Fatal("the zero policy calls itself a policy")
	}
}

func FuzzNewPolicy(f *testing.F) {
	config := witnessed().Config()
	f.Add(config.LogKey, config.Witnesses[0].VKey)
	f.Fuzz(func(t *testing.T, logKey, witnessKey string) {
		c := witnessed().Config()
		c.LogKey, c.Witnesses[0].VKey = logKey, witnessKey
		if p, err := record.NewPolicy(c); (err == nil) != p.OK() {
			t.Fatalf("NewPolicy(%q, %q) = %v, %v", logKey, witnessKey, p.OK(), err)
		}
	})
}

func TestNames(t *testing.T) {
	for name, code := range map[string]string{
		origin: "", "": "key_name_malformed", "a b": "key_name_malformed", "a+b": "key_name_malformed", "门神": "key_name_malformed",
		strings.Repeat("n", record.MaxNameBytes): "", strings.Repeat("n", record.MaxNameBytes+1): "key_name_malformed",
	} {
		if got := fault.CodeOf(record.CheckName(name)); got != code {
			t.Fatalf("CheckName(%q): %q, want %q", name, got, code)
		}
	}
}
