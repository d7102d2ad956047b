package agreement

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func codesOf(flags []Flag) []string {
	out := []string{}
	for _, f := range flags {
		out = append(out, f.Code)
	}
	return out
}

func TestHonestSheetHasNoFlag(t *testing.T) {
	if got := Check(plainSheet()); len(got) != 0 {
		t.Errorf("flags %v on an honest sheet", got)
	}
}

func TestTrapIsFlagged(t *testing.T) {
	clause := func(text string) func(*Sheet) {
		return func(s *Sheet) { s.Clauses = append(s.Clauses, Clause{Code: "other", Text: text}) }
	}
	declared := func(code string) func(*Sheet) {
		return func(s *Sheet) { s.Clauses = append(s.Clauses, Clause{Code: code, Text: "见下文。"}) }
	}
	item := func(i Item) func(*Sheet) {
		return func(s *Sheet) { s.Items = append(s.Items, i) }
	}
	condition := func(text string) func(*Sheet) {
		return func(s *Sheet) { s.Items[0].ReturnCondition = text }
	}
	for name, c := range map[string]struct {
		trap        func(*Sheet)
		code, place string
	}{
		"deposit without condition":      {condition(""), FlagDepositWithoutReturn, "items[0]"},
		"deposit with only a dash":       {condition("—"), FlagDepositWithoutReturn, "items[0]"},
		"deposit with none":              {condition("无"), FlagDepositWithoutReturn, "items[0]"},
		"deposit that sends elsewhere":   {condition("详见协议"), FlagDepositWithoutReturn, "items[0]"},
		"deposit not given back":         {condition("押金不退"), FlagDepositWithoutReturn, "items[0]"},
		"deposit under another code":     {item(Item{Code: "other.x", Label: "机具保证金", AmountFen: 100, Per: PerOnce, When: WhenLive, PaidTo: acquirer}), FlagDepositWithoutReturn, "items[6]"},
		"deposit kept, in a clause":      {clause("设备押金概不退还。"), FlagDepositWithoutReturn, "clauses[1]"},
		"deposit declared":               {declared(FlagDepositWithoutReturn), FlagDepositWithoutReturn, "clauses[1]"},
		"deposit by volume":              {condition("半年内刷满 88 万返还"), FlagDepositByVolume, "items[0]"},
		"deposit by number of trades":    {condition("做满 100 笔以后退"), FlagDepositByVolume, "items[0]"},
		"deposit by volume in a clause":  {clause("累计流水达到 10 万元，押金退还。"), FlagDepositByVolume, "clauses[1]"},
		"cash back by volume":            {clause("首年交易量达标返现 299 元。"), FlagDepositByVolume, "clauses[1]"},
		"rate changed by them":           {clause("甲方有权调整手续费标准。"), FlagRateChange, "clauses[1]"},
		"rate as the system says":        {clause("费率以系统显示为准。"), FlagRateChange, "clauses[1]"},
		"rate declared":                  {declared(FlagRateChange), FlagRateChange, "clauses[1]"},
		"renews by itself":               {clause("合同到期自动续约一年。"), FlagRenewal, "clauses[1]"},
		"renews, spaced and traditional": {clause("合同到期 自 動，續‧約。"), FlagRenewal, "clauses[1]"},
		"renews, look-alike characters":  {clause("合同到期\u2f83动续约。"), FlagRenewal, "clauses[1]"},
		"renews, declared":               {declared(FlagRenewal), FlagRenewal, "clauses[1]"},
		"membership fee":                 {item(Item{Code: "other.m", Label: "会员费", AmountFen: 39900, Per: PerYear, When: WhenLive, PaidTo: acquirer}), FlagMembership, "items[6]"},
		"membership, full-width":         {clause("开通ＶＩＰ享受低费率。"), FlagMembership, "clauses[1]"},
		"membership, in the scope":       {func(s *Sheet) { s.Scope = "安装并开通会员。" }, FlagMembership, "scope"},
		"membership declared":            {declared(FlagMembership), FlagMembership, "clauses[1]"},
		"activation swipe":               {clause("机器激活需先刷 2000 元。"), FlagActivation, "clauses[1]"},
		"activation fee":                 {item(Item{Code: "activation", Label: "开通", AmountFen: 9900, Per: PerOnce, When: WhenLive, PaidTo: acquirer}), FlagActivation, "items[6]"},
		"first swipe":                    {clause("首刷扣服务费 299 元。"), FlagActivation, "clauses[1]"},
		"activation declared":            {declared(FlagActivation), FlagActivation, "clauses[1]"},
		"company changes, declared":      {declared(FlagCompanyChanges), FlagCompanyChanges, "clauses[1]"},
		"upgrade":                        {clause("本次为免费升级换机。"), FlagUpgrade, "clauses[1]"},
		"company changed in words":       {clause("安装后更换支付公司。"), FlagUpgrade, "clauses[1]"},
		"upgrade declared":               {declared(FlagUpgrade), FlagUpgrade, "clauses[1]"},
		"fee to a stranger":              {item(Item{Code: "other.s", Label: "手续费", AmountFen: 100, Per: PerOnce, When: WhenLive, PaidTo: "lucky-shop"}), FlagFeeToOther, "items[6]"},
		"fee to a person":                {clause("款项转给业务员即可。"), FlagFeeToOther, "clauses[1]"},
		"fee to a stranger declared":     {declared(FlagFeeToOther), FlagFeeToOther, "clauses[1]"},
		"exit fee":                       {item(Item{Code: "exit", Label: "退出", AmountFen: 100, Per: PerOnce, When: WhenEvent, PaidTo: acquirer}), FlagExitFee, "items[6]"},
		"penalty":                        {clause("未满两年须付违约金。"), FlagExitFee, "clauses[1]"},
		"exit declared":                  {declared(FlagExitFee), FlagExitFee, "clauses[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			s := plainSheet()
			c.trap(&s)
			if err := s.Validate(); err != nil {
				t.Fatal(err)
			}
			for _, f := range Check(s) {
				if f.Code == c.code && slices.Contains(f.Places, c.place) {
					return
				}
			}
			t.Errorf("not flagged %s at %s: %v", c.code, c.place, Check(s))
		})
	}
}

func TestFlagsNameEveryPlaceOnceInFixedOrder(t *testing.T) {
	s := trapSheet()
	s.Clauses = append(s.Clauses, Clause{Code: FlagExitFee, Text: "提前解约付违约金。"}, Clause{Code: "term", Text: "到期自动续期。"})
	flags := Check(s)
	if got := strings.Join(codesOf(flags), " "); got != FlagRenewal+" "+FlagExitFee {
		t.Fatalf("flags %s", got)
	}
	if got := strings.Join(flags[0].Places, " "); got != "clauses[1] clauses[3]" {
		t.Errorf("renewal at %s", got)
	}
	if got := strings.Join(flags[1].Places, " "); got != "items[6] clauses[2]" {
		t.Errorf("exit fee at %s", got)
	}
}

func TestLineWithoutMoneyIsNoFee(t *testing.T) {
	s := plainSheet()
	s.Items = []Item{
		{Code: "exit", Label: "不用了", Per: PerOnce, When: WhenEvent, PaidTo: acquirer},
		{Code: "activation", Label: "开通", Per: PerOnce, When: WhenLive, PaidTo: "lucky-shop"},
		{Code: "deposit", Label: "押金", Per: PerOnce, When: WhenLive, PaidTo: acquirer},
	}
	if got := Check(s); len(got) != 0 {
		t.Errorf("flags %v for fees of nothing", got)
	}
}

func TestFeeToAcquirersOwnPeopleNeedsNoProvider(t *testing.T) {
	s := plainSheet()
	s.Provider = ""
	s.Items = s.Items[:2] // both paid to the acquirer
	if got := Check(s); len(got) != 0 {
		t.Errorf("flags %v", got)
	}
}

func TestChangeOfCompany(t *testing.T) {
	for _, c := range []struct {
		today, after string
		flagged      bool
	}{
		{"acquirer-west", acquirer, true},
		{acquirer, acquirer, false},
		{None, acquirer, false}, // a new shop
		{acquirer, None, false}, // a removal
		{None, None, false},
	} {
		got := slices.Contains(codesOf(CheckPayers(c.today, c.after)), FlagCompanyChanges)
		if got != c.flagged {
			t.Errorf("today %s, after %s: flagged %v", c.today, c.after, got)
		}
	}
}

// Every flag speaks to a shopkeeper: both languages, a rule, short, and none of the words that only
// the trade uses.
func TestFlagSentences(t *testing.T) {
	codes := map[string]bool{}
	for _, trap := range traps {
		if codes[trap.code] {
			t.Errorf("%s stands twice", trap.code)
		}
		codes[trap.code] = true
		for _, s := range []string{trap.text.Zh, trap.text.En, trap.rule.Zh, trap.rule.En} {
			if s == "" {
				t.Errorf("%s lacks a sentence", trap.code)
			}
		}
		if n := utf8.RuneCountInString(trap.text.Zh); n > 60 {
			t.Errorf("%s: %d characters", trap.code, n)
		}
		for _, word := range []string{"收单", "终端", "清算", "结算", "凭证", "验签", "资质", "商户"} {
			if strings.Contains(trap.text.Zh, word) {
				t.Errorf("%s says %s", trap.code, word)
			}
		}
		for _, w := range slices.Concat(trap.words, trap.pair.one, trap.pair.other) {
			if squeeze(w) != w {
				t.Errorf("%s: %q is never found", trap.code, w)
			}
		}
	}
}

// However a trap's words are spaced or dotted, the flag stays; and more text never takes a flag away.
func TestFlagsSurviveDisguiseAndMoreText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trap := traps[rapid.IntRange(0, len(traps)-1).Draw(t, "trap")]
		if len(trap.words) == 0 {
			return
		}
		word := trap.words[rapid.IntRange(0, len(trap.words)-1).Draw(t, "word")]
		gap := rapid.SampledFrom([]string{"", " ", "·", "，", "　", "\n", "-"}).Draw(t, "gap")
		before := rapid.SampledFrom([]string{"", "本店同意", "ABC 3 "}).Draw(t, "before")
		text := before + strings.Join(strings.Split(word, ""), gap) + "。"
		f := findings{}
		f.scan(text, "clauses[0]")
		if !slices.Contains(codesOf(f.flags()), trap.code) {
			t.Fatalf("%q does not raise %s", text, trap.code)
		}
	})
}
