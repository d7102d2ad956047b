package organisation

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/journal"
	"github.com/menshen-project/menshen/internal/visit"
)

// The disk of an organisation's service is full when wei enrols: he is answered nothing, nothing he could show was
// signed, and with room the same ask is answered once, also after a restart.
func TestAFullDiskSignsNothingTwice(t *testing.T) {
	s := acquirerStage(t)
	wei := s.phone("wei", visit.RoleMerchant)
	ask := wei.asks(s.code("wei", visit.RoleMerchant, reasonReplaced))
	if err := s.Service.Close(); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(s.dir, journal.Name))
	if err != nil {
		t.Fatal(err)
	}
	// The journal is moved to a disk of its own, which has no room for another page.
	disk := t.TempDir()
	pages := (len(kept) + 4095) / 4096
	if err := syscall.Mount("menshen-test", disk, "tmpfs", 0, fmt.Sprintf("size=%d", (pages+16)*4096)); err != nil {
		t.Fatalf("a disk of its own cannot be mounted: %v; run the tests as root or under unshare -Urm", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	copied(t, s.dir, filepath.Join(disk, "folder"))
	s.dir = filepath.Join(disk, "folder")
	s.open()
	filler := filepath.Join(disk, "filler")
	fill(t, filler)

	var failed error
	for failed == nil { // what the last page has room for still goes through
		_, failed = s.MakeCode("hui", visit.RoleMerchant, reasonReplaced)
	}
	if fault.CodeOf(failed) != "journal_failed" {
		t.Fatalf("on a full disk: %v", failed)
	}
	if a, err := s.Enrol(ask); fault.CodeOf(err) != "journal_failed" || len(a.Statements)+len(s.all()) > 0 {
		t.Fatalf("wei enrols on a full disk: %v, %v", a, err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	a, err := s.Enrol(ask)
	if err != nil || len(a.Statements) == 0 {
		t.Fatalf("with room: %v, %v", a, err)
	}
	if err := s.Service.Close(); err != nil {
		t.Fatal(err)
	}
	s.open()
	again, err := s.Enrol(ask)
	if err != nil || len(again.Statements) != len(a.Statements) || again.Statements[0] != a.Statements[0] {
		t.Errorf("after a restart: %v, %v", again, err)
	}
}

func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for page := make([]byte, 4096); err == nil; {
		_, err = f.Write(page)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	_ = f.Close() // it is full
}

// Somebody puts back an older copy of the folder, which would give numbers and places in status lists twice. menshen,
// which has seen more, finds out with its next question; nothing is signed until the newest folder is back.
func TestAnOlderFolderSignsNothing(t *testing.T) {
	s := acquirerStage(t)
	s.enrolled("wei", visit.RoleMerchant)
	older := t.TempDir()
	copied(t, s.dir, filepath.Join(older, "folder"))
	s.enrolled("hui", visit.RoleMerchant)
	seen := int64(len(s.all()))
	if err := s.Service.Close(); err != nil {
		t.Fatal(err)
	}
	newest := s.dir
	s.dir = filepath.Join(older, "folder")
	s.open()
	if _, err := s.Statements(t.Context(), seen, 0); fault.CodeOf(err) != "organisation_journal_older" {
		t.Fatalf("menshen asks for more: %v", err)
	}
	if _, err := s.MakeCode("mei", visit.RoleMerchant, reasonReplaced); fault.CodeOf(err) != "organisation_journal_older" {
		t.Fatalf("the desk makes a code: %v", err)
	}
	if err := s.Service.Close(); err != nil {
		t.Fatal(err)
	}
	s.dir = newest
	s.open()
	s.enrolled("mei", visit.RoleMerchant)
	if a, err := s.Statements(t.Context(), seen, 0); err != nil || len(a.Statements) != 1 || a.Statements[0].Number != seen+1 {
		t.Errorf("%v, %v", a, err)
	}
}

// copied copies a service's folder, as private as it was.
func copied(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err == nil {
		err = os.Mkdir(to, 0o700)
	}
	for _, e := range entries {
		var data []byte
		if data, err = os.ReadFile(filepath.Join(from, e.Name())); err == nil {
			err = os.WriteFile(filepath.Join(to, e.Name()), data, 0o600)
		}
		if err != nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
