package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// files plays an honest installation in memory and writes what its merchant would have.
func files(t *testing.T) (trust, bundle string) {
	t.Helper()
	_, trust, bundle = filed(t)
	return trust, bundle
}

func filed(t *testing.T) (p *scenario.Play, trust, bundle string) {
	t.Helper()
	p, err := scenario.InMemoryPlay(visit.Install, 1, time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.OpenCity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := scenario.Run(t.Context(), p.Install()); err != nil {
		t.Fatal(err)
	}
	data, err := p.Venue.Bundle(t.Context(), p.Cast.Merchant, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	file, err := statement.Canonical(p.Trust.File())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return p, put(t, dir, "trust.json", file), put(t, dir, "bundle.json", data)
}

func put(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func verify(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(args, &o, &e)
	return code, o.String(), e.String()
}

func TestAnHonestBundleIsAccepted(t *testing.T) {
	trust, bundle := files(t)
	code, out, errs := verify("--trust", trust, bundle)
	if code != exitAccepted {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	for _, want := range []string{"可信 / ACCEPTED", "install, closed", "机具是真的", "The device is genuine", "重新验证 / re-run", "登记摘录 / attested",
		"complete to event", "Cash handed over", "simulated"} {
		if !strings.Contains(out, want) {
			t.Errorf("the report does not say %q\n%s", want, out)
		}
	}
}

func TestOneLanguageAtATime(t *testing.T) {
	trust, bundle := files(t)
	_, zh, _ := verify("--trust", trust, "--lang", "zh", bundle)
	_, en, _ := verify("--trust", trust, "--lang", "en", bundle)
	if strings.Contains(zh, "ACCEPTED") || !strings.Contains(zh, "可信") {
		t.Errorf("not Chinese alone:\n%s", zh)
	}
	if strings.Contains(en, "可信") || !strings.Contains(en, "ACCEPTED") {
		t.Errorf("not English alone:\n%s", en)
	}
}

func TestMachinesGetTheSame(t *testing.T) {
	trust, bundle := files(t)
	code, out, _ := verify("--trust", trust, "--json", bundle)
	var d document
	if err := json.Unmarshal([]byte(out), &d); err != nil || code != exitAccepted {
		t.Fatalf("exit %d, %v", code, err)
	}
	raw, err := os.ReadFile(trust)
	if err != nil {
		t.Fatal(err)
	}
	if !d.Accepted || d.Stage != "closed" || len(d.Decisions) != 5 || len(d.Events) == 0 || d.TrustFile != statement.Digest(raw) || d.Refusal != nil || !d.Demo {
		t.Errorf("%+v", d)
	}
}

func TestAChangedBundleIsRefusedAndSaysWhy(t *testing.T) {
	trust, bundle := files(t)
	data, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	b, err := evidence.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	b.Entries = append(b.Entries[:3:3], b.Entries[4:]...)
	changed, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	path := put(t, t.TempDir(), "changed.json", changed)
	code, out, _ := verify("--trust", trust, path)
	if code != exitRefused || !strings.Contains(out, "不可信 / REFUSED") {
		t.Errorf("exit %d\n%s", code, out)
	}
	code, out, _ = verify("--trust", trust, "--json", path)
	var d document
	if err := json.Unmarshal([]byte(out), &d); err != nil || code != exitRefused || d.Refusal == nil || d.Refusal.Code == "" || d.Refusal.Where == "" {
		t.Errorf("exit %d, %v, %+v", code, err, d.Refusal)
	}
}

func TestUnusableInput(t *testing.T) {
	trust, bundle := files(t)
	junk := put(t, t.TempDir(), "junk.json", []byte("{"))
	for name, args := range map[string][]string{
		"no bundle":            {"--trust", trust},
		"no trust":             {bundle},
		"two bundles":          {"--trust", trust, bundle, bundle},
		"unknown flag":         {"--yes", bundle},
		"unknown language":     {"--trust", trust, "--lang", "fr", bundle},
		"missing bundle":       {"--trust", trust, bundle + "x"},
		"missing trust":        {"--trust", trust + "x", bundle},
		"an empty language":    {"--trust", trust, "--lang", "", bundle},
		"an empty audit":       {"--trust", trust, "--audit", "", bundle},
		"an empty bundle":      {"--trust", trust, ""},
		"standard input twice": {"--trust", "-", "-"},
		"and for the audit":    {"--trust", trust, "--audit", "-", "-"},
		"json that is not so":  {"--trust", trust, "--json=maybe", bundle},
		"junk bundle":          {"--trust", trust, junk},
		"junk trust":           {"--trust", junk, bundle},
		"trust file as bundle": {"--trust", trust, trust},
		"bundle as trust file": {"--trust", bundle, bundle},
	} {
		if code, out, errs := verify(args...); code != exitUnusable || errs == "" || out != "" {
			t.Errorf("%s: exit %d, said %q, wrote %q", name, code, errs, out)
		}
	}
}

// The witness's first checkpoint of the next day says whether the visit is looked at again.
func TestTheDrawIsPrinted(t *testing.T) {
	p, trust, bundle := filed(t)
	log, midnight := p.Venue.(*scenario.Ledger).Log, record.NextMidnight(p.Now())
	first := put(t, t.TempDir(), "first.txt", log.CheckpointBy(log.Witnesses[0], midnight))
	code, out, errs := verify("--trust", trust, "--audit", first, bundle)
	if code != exitAccepted || !strings.Contains(out, "抽查：") || !strings.Contains(out, "witness-a") {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	code, out, _ = verify("--trust", trust, "--audit", first, "--json", bundle)
	var d document
	if err := json.Unmarshal([]byte(out), &d); err != nil || code != exitAccepted || d.Audit == nil || d.Audit.Drawn != (d.Audit.Number < d.Audit.PerMille) || d.Undrawn != nil {
		t.Errorf("exit %d, %v, %+v %+v", code, err, d.Audit, d.Undrawn)
	}
	early := put(t, t.TempDir(), "early.txt", log.CheckpointBy(log.Witnesses[0], midnight.Add(-time.Hour)))
	code, out, _ = verify("--trust", trust, "--audit", early, bundle)
	if code != exitRefused || !strings.Contains(out, "audit_checkpoint_early") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, _, errs := verify("--trust", trust, "--audit", early+"x", bundle); code != exitUnusable || errs == "" {
		t.Errorf("exit %d, %q", code, errs)
	}
}

func TestHelp(t *testing.T) {
	code, out, _ := verify("--help")
	if code != exitAccepted || !strings.Contains(out, "menshen-verify --trust") || !strings.Contains(out, "退出码") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// A report that cannot be written must not look like a verdict.
func TestAReportThatIsCutOff(t *testing.T) {
	trust, bundle := files(t)
	if code := run([]string{"--trust", trust, bundle}, full{}, &bytes.Buffer{}); code != exitUnusable {
		t.Errorf("exit %d", code)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fault.New(fault.Internal, "disk_full", "", "") }

// A swap of a dead terminal says in both forms what the shop lost and who answers for it; an installation says nothing of it.
func TestLostTimeIsTold(t *testing.T) {
	p, trust, bundle := filed(t)
	if _, out, _ := verify("--json", "--trust", trust, bundle); !strings.Contains(out, `"lost": null`) {
		t.Errorf("an installation lost time: %s", out)
	}
	ctx := t.Context()
	if err := p.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	q := p.Next(visit.Swap, "v2", "00005704280117028143", "W1489732")
	scenes := scenario.Instead(q.Swap(), "old state", func(ctx context.Context) error {
		if err := q.Dead(p.Device.Serial); err != nil {
			return err
		}
		if err := q.ReportOld(ctx); err != nil {
			return err
		}
		q.Wait(10 * time.Minute)
		return q.AcceptOutage(ctx, "")
	})
	if err := scenario.Run(ctx, scenes); err != nil {
		t.Fatal(err)
	}
	data, err := q.Venue.Bundle(ctx, q.Cast.Merchant, q.ID)
	if err != nil {
		t.Fatal(err)
	}
	later := put(t, t.TempDir(), "bundle.json", data)
	if code, out, _ := verify("--lang", "en", "--trust", trust, later); code != 0 || !strings.Contains(out, "lost 10 minutes (the old terminal was dead)") ||
		!strings.Contains(out, "answers: "+q.Cast.Provider.ID+" (swap)") {
		t.Errorf("%d: %s", code, out)
	}
	code, out, _ := verify("--json", "--trust", trust, later)
	var report struct{ Lost *lost }
	if err := json.Unmarshal([]byte(out), &report); code != 0 || err != nil || report.Lost == nil || report.Lost.Minutes != 10 || report.Lost.Cause != evidence.LostDead {
		t.Errorf("%d, %v: %+v", code, err, report.Lost)
	}
}
