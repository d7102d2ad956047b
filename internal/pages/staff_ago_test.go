package pages

import (
	"testing"
	"time"
)

// The operations page says how long ago something was, and nothing of lists.
func TestHowLongAgo(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{
		-time.Second: "0 minutes ago", time.Minute: "1 minute ago", 119 * time.Minute: "119 minutes ago", 3 * time.Hour: "3 hours ago",
	} {
		p := &page{lang: en, now: now}
		if got := p.since(now.Add(-ago)); got != p.at(now.Add(-ago))+p.t("colon")+want {
			t.Errorf("%v: %q", ago, got)
		}
	}
	if got := fill("ops.alarms", 1).En; got != "1 thing to see to" {
		t.Errorf("one alarm: %q", got)
	}
}
