package memo

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func TestWhatWasMadeIsNotMadeAgain(t *testing.T) {
	var m Memo[string, int]
	made := 0
	for range 3 {
		v, err := m.Get("a", 8, func() (int, error) { made++; return 7, nil })
		if err != nil || v != 7 {
			t.Fatalf("got %d, %v; want 7", v, err)
		}
	}
	if made != 1 {
		t.Fatalf("made %d times, want once", made)
	}
	if _, ok := m.Find("b"); ok {
		t.Fatal("b was never made")
	}
}

func TestARefusalIsNotRemembered(t *testing.T) {
	var m Memo[string, int]
	refused := errors.New("refused")
	if v, err := m.Get("a", 8, func() (int, error) { return 7, refused }); v != 7 || !errors.Is(err, refused) {
		t.Fatalf("got %d, %v; want what was made and its refusal", v, err)
	}
	if v, err := m.Get("a", 8, func() (int, error) { return 8, nil }); v != 8 || err != nil {
		t.Fatalf("got %d, %v; want 8, made anew", v, err)
	}
}

func TestItBeginsAnewRatherThanGrow(t *testing.T) {
	var m Memo[int, int]
	for i := range 10 {
		m.Keep(i, i, 3)
		if n := m.Len(); n != i%3+1 {
			t.Fatalf("%d entries after %d, want %d: 3 at most", n, i, i%3+1)
		}
		if v, ok := m.Find(i); !ok || v != i {
			t.Fatalf("the newest, %d, is not there", i)
		}
	}
	if _, ok := m.Find(8); ok {
		t.Fatal("8 came before the last new beginning and is still there")
	}
}

func TestManyAtOnceAreGivenTheSame(t *testing.T) {
	var m Memo[int, int]
	var made atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 100 {
				if v, err := m.Get(i, 1000, func() (int, error) { made.Add(1); return 2 * i, nil }); v != 2*i || err != nil {
					t.Errorf("got %d, %v for %d", v, err, i)
				}
			}
		})
	}
	all.Wait()
	if n := made.Load(); n < 100 || n > 800 {
		t.Fatalf("made %d", n)
	}
}
