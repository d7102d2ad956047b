package pages

import (
	"testing"
)

func TestEveryStageSaysWhereItStands(t *testing.T) {
	views := stages(t)
	for _, want := range []struct {
		name, level, word string
		fails             int
	}{
		{"booked", LevelWait, "准备中", 0},
		{"dispatched", LevelWait, "先核对人", 0},
		{"admitted", LevelWait, "正在安装", 0},
		{"merchant", LevelWait, "正在安装", 0},
		{"ready", LevelWait, "可以申请了", 0},
		{"turned_away", LevelStop, "店主没让进", 0},
		{"at_host", LevelWait, "等主机", 0},
		{"trial", LevelWait, "正在试机", 0},
		{"live", LevelGood, "已正式开通", 0},
		{"closed", LevelGood, "已完成", 0},
		{"frozen", LevelStop, "已停止", 1},
		{"revoked", LevelStop, "先别继续", 1},
		{"not_working", LevelStop, "先别继续", 2},
		{"other_face", LevelStop, "先别继续", 1},
		{"inspection", LevelWait, "正在安装", 0},
	} {
		v := views[want.name]
		if v.Standing.Level != want.level || v.Standing.Word.Zh != want.word {
			t.Errorf("%s: %s %q, want %s %q", want.name, v.Standing.Level, v.Standing.Word.Zh, want.level, want.word)
		}
		if got := tallyOf(v.Conditions); got.fails != want.fails {
			t.Errorf("%s: %+v, want %d failing", want.name, got, want.fails)
		}
		t.Logf("%-12s %s | %s", want.name, v.Standing.Word.Zh, v.Standing.Sentence.Zh)
		for _, a := range v.Standing.Acts {
			t.Logf("             %s：%s", a.Who.Zh, a.What.Zh)
		}
		for _, c := range v.Conditions {
			if c.Mark != MarkHolds {
				t.Logf("             %s %s (%s) %s", c.Mark, c.Title.Zh, c.Code, c.Reason.Zh)
			}
		}
	}
}
