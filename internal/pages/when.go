package pages

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// shanghai is the one clock of all pages. China has kept UTC+8 without summer time since 1991, so no
// time zone database is needed.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// day says a day as people do: today, yesterday, tomorrow, else the date, with its year when it is
// another one. It ends in a space where one is written.
func (p *page) day(t time.Time) string {
	t, now := t.In(shanghai), p.now.In(shanghai)
	midnight := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, shanghai) }
	switch days := int(midnight(t).Sub(midnight(now)).Hours() / 24); {
	case days == 0:
		return p.t("when.today")
	case days == -1:
		return p.t("when.yesterday")
	case days == 1:
		return p.t("when.tomorrow")
	}
	if p.lang == en {
		layout := "2 Jan "
		if t.Year() != now.Year() {
			layout = "2 Jan 2006 "
		}
		return t.Format(layout)
	}
	layout := "1月2日 "
	if t.Year() != now.Year() {
		layout = "2006年1月2日 "
	}
	return t.Format(layout)
}

// at is a moment to the minute.
func (p *page) at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return p.day(t) + t.In(shanghai).Format("15:04")
}

// clock is a moment's hour and minute, with its day only when that is not today.
func (p *page) clock(t time.Time) string {
	return strings.TrimPrefix(p.at(t), p.t("when.today"))
}

// span is an appointment: the day once, then from and until.
func (p *page) span(from, until time.Time) string {
	if from.IsZero() || until.IsZero() {
		return ""
	}
	end := until.In(shanghai).Format("15:04")
	if p.day(from) != p.day(until) {
		end = p.at(until)
	}
	return p.at(from) + "–" + end
}

// stamp is a moment in full, in China's time, for paper: "today" means nothing there.
func stamp(t time.Time) string { return t.In(shanghai).Format("2006-01-02 15:04:05") + " UTC+8" }

// iso is a moment for machines.
func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// yuan writes fen as people read money.
func yuan(fen int64) string { return fmt.Sprintf("¥%d.%02d", fen/100, fen%100) }

// last gives the last n characters of an ASCII code.
func last(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[len(s)-n:]
}

// short gives the first characters of a digest or key, enough to compare by eye.
func short(s string) string {
	if len(s) <= 12 {
		return s
	}
	return s[:12] + "…"
}

func number[T int | int64 | uint64](n T) string { return strconv.FormatInt(int64(n), 10) }
