package agreement

import (
	"slices"

	"github.com/menshen-project/menshen/internal/fault"
)

// Codes of the traps; each is a Flag, a name for a clause, and what the merchant ticks.
const (
	FlagDepositWithoutReturn = "deposit_without_return"
	FlagDepositByVolume      = "deposit_by_volume"
	FlagRateChange           = "rate_change_one_sided"
	FlagRenewal              = "automatic_renewal"
	FlagMembership           = "membership_fee"
	FlagActivation           = "activation_swipe"
	FlagCompanyChanges       = "company_changes"
	FlagUpgrade              = "upgrade_mentioned"
	FlagFeeToOther           = "fee_to_other"
	FlagExitFee              = "exit_fee"
)

// Flag is one trap that the sheet holds or mentions. It does not refuse: the merchant must tick it.
type Flag struct {
	Code   string     `json:"code"`
	Places []string   `json:"places"` // items[0], clauses[2], scope, pays_after
	Text   fault.Text `json:"text"`   // for the shopkeeper
	Rule   fault.Text `json:"rule"`   // the law or rule behind it
}

type trap struct {
	code  string
	text  fault.Text
	rule  fault.Text
	words []string // squeezed; any of them in a label, condition, clause or scope raises the flag
	pair  pair     // or one of each side in the same text
}

type pair struct{ one, other []string }

var (
	depositWords = []string{"押金", "保证金", "定金", "订金"}
	volumeWords  = []string{"刷满", "刷够", "刷足", "刷到", "刷卡满", "交易满", "交易额", "交易量", "流水", "达标", "累计", "满额",
		"万返", "万退", "千返", "千退", "元返", "元退"}
	// In a deposit's own condition these alone tie it to card takings: "刷 5 万后".
	takingsWords = append([]string{"刷", "交易", "笔"}, volumeWords...)
	// A return condition that says no, or sends the reader elsewhere, is none.
	vagueWords = []string{"不退", "不予退", "面议", "另议", "另行", "详见", "见协议", "见合同"}
)

// The rules behind: 非银行支付机构监督管理条例 (国令第768号) articles 20 and 34; 民法典 articles 496 and 497;
// 银发〔2021〕259号 I.1.
var (
	feeRule = fault.Text{Zh: "《非银行支付机构监督管理条例》第三十四条：没明白写出来的钱不能收。",
		En: "Regulation on non-bank payment institutions, art. 34: no fee that is not shown."}
	burdenRule = fault.Text{Zh: "《民法典》第四百九十七条：不合理地加重一方责任的格式条款无效。",
		En: "Civil Code, art. 497: a standard term that unreasonably burdens one side is void."}
	noticeRule = fault.Text{Zh: "银发〔2021〕259号第一条：一台机器只对应一家收单机构、一家店。",
		En: "PBoC notice 259 of 2021, I.1: one terminal belongs to one acquirer and one shop."}
)

// traps in the order in which they are shown. The scan does not understand "not": a flag too many
// costs one tick, one too few costs the shop its money. So where words raise a flag, its sentence
// says what the sheet mentions, not what it surely means.
var traps = []trap{
	{
		code: FlagDepositWithoutReturn,
		text: fault.Text{Zh: "押金什么时候退、怎么退，没写清楚，或者写了不退。先让对方写明白再签，口头说的不算。",
			En: "It is not clear when and how you get your deposit back, or it says you do not. Have it written down before you sign."},
		rule: fault.Text{Zh: "《非银行支付机构监督管理条例》第二十条：重要的条款要写明、讲清楚。",
			En: "Regulation on non-bank payment institutions, art. 20: weighty terms are written down and explained."},
		words: []string{"押金不退", "不退押金", "押金概不退", "不予退还", "概不退还"},
	},
	{
		code: FlagDepositByVolume,
		text: fault.Text{Zh: "这里把退押金和刷卡多少连在一起。刷不够，可能一分也拿不回来。算一算自己刷得到吗。",
			En: "This ties your deposit to how much you take by card. If you fall short you may get nothing back. Work out whether you can reach it."},
		rule: burdenRule,
		pair: pair{one: append([]string{"返还", "退还", "返现"}, depositWords...), other: volumeWords},
	},
	{
		code: FlagRateChange,
		text: fault.Text{Zh: "这里提到费率以后能改。现在说得低，过阵子可能就涨。先问清楚：不经您同意，能不能涨。",
			En: "This mentions that the rate can change. Low today, it may rise later. Ask whether it can rise without your consent."},
		rule: fault.Text{Zh: "《非银行支付机构监督管理条例》第二十条：改协议要提前三十天告诉您。",
			En: "Regulation on non-bank payment institutions, art. 20: changes need 30 days' notice."},
		words: []string{"费率调整", "调整费率", "费率可调", "费率变更", "变更费率", "费率上调", "上调费率", "费率上浮", "调整手续费", "手续费调整",
			"修改费率", "费率以系统", "费率以实际", "单方调整", "单方变更", "有权调整", "自行调整", "随时调整"},
	},
	{
		code: FlagRenewal,
		text: fault.Text{Zh: "这里提到自动续。到期您没说停，就会接着收钱。先问清楚哪天到期、怎么停。",
			En: "This mentions automatic renewal. If you do not say stop, they go on charging. Ask when it ends and how to stop it."},
		rule: fault.Text{Zh: "《民法典》第四百九十六条：和您关系重大的格式条款要提醒您看，没提醒的可以不算数。",
			En: "Civil Code, art. 496: weighty standard terms must be pointed out, or they need not bind you."},
		words: []string{"自动续", "自动展期", "自动顺延", "自动延期", "自动延长", "自动扣", "视为续", "视为同意续", "默认续"},
	},
	{
		code: FlagMembership,
		text: fault.Text{Zh: "这里提到会员。收款不用买会员。先问清楚这钱换来什么，不要行不行。",
			En: "This mentions a membership. You need none to take payments. Ask what it buys and whether you can leave it out."},
		rule:  feeRule,
		words: []string{"会员", "会费", "vip"},
	},
	{
		code: FlagActivation,
		text: fault.Text{Zh: "这里提到激活和钱。看清楚要不要先刷一笔、扣多少。开通机器用不着刷您的卡，刷出去的钱很难要回来。",
			En: "This mentions activation and money. See whether you must swipe first, and how much is taken. Opening a terminal needs no swipe of your card; such money rarely comes back."},
		rule:  feeRule,
		words: []string{"首刷", "首笔", "冻结押金", "开机刷", "开通刷"},
		pair:  pair{one: []string{"激活"}, other: []string{"刷", "扣", "费", "元", "押", "金", "付款", "付钱"}},
	},
	{
		code: FlagCompanyChanges,
		text: fault.Text{Zh: "以后给您打款的，要换成另一家公司。这不是升级。原来那家的钱和押金，先结清再换。",
			En: "Another company will pay you from now on. That is not an upgrade. Settle money and deposit with the old one first."},
		rule: noticeRule,
	},
	{
		code: FlagUpgrade,
		text: fault.Text{Zh: "这里提到升级或换公司。升级用不着换公司。看清楚：以后给您打款的，还是现在这家吗？",
			En: "This mentions an upgrade or another company. An upgrade needs no other company. Look: will the same one pay you as today?"},
		rule: noticeRule,
		words: []string{"升级", "换新机", "旧机停用", "切机", "切换通道", "更换收单", "变更收单", "更换结算", "变更结算机构",
			"更换支付公司", "更换支付机构", "变更支付公司", "变更支付机构", "换支付公司"},
	},
	{
		code: FlagFeeToOther,
		text: fault.Text{Zh: "这里有钱要交给别人。钱只交给以后给您打款的公司，或者派人上门的公司。先别给，打订单上的电话问。",
			En: "Here money goes to somebody else. Pay only the company that will pay you, or the one that sends its people. Do not pay yet; call the number on your order."},
		rule:  feeRule,
		words: []string{"私人账户", "个人账户", "个人微信", "个人支付宝", "转给业务员", "交给业务员"},
	},
	{
		code: FlagExitFee,
		text: fault.Text{Zh: "这里提到不用了还要交钱。看清楚要交多少，能接受再签。",
			En: "This mentions money for leaving. See how much, and sign only if you accept it."},
		rule:  burdenRule,
		words: []string{"违约金", "提前终止", "提前解约", "提前解除", "解约费", "退机费", "拆机费", "注销费", "销户费"},
	},
}

// isTrap says whether code names a trap; a clause may declare any of them.
func isTrap(code string) bool {
	return slices.ContainsFunc(traps, func(t trap) bool { return t.code == code })
}

// Check finds the traps in a sheet: by the codes of its lines and clauses, and by words in its
// Chinese texts. Flags come in a fixed order, one for each code, each with every place it stands.
func Check(s Sheet) []Flag { return look(s).flags() }

func look(s Sheet) findings {
	f := findings{}
	for i, item := range s.Items {
		f.item(s, item, place("items", i))
	}
	for i, c := range s.Clauses {
		if isTrap(c.Code) {
			f.add(c.Code, place("clauses", i))
		}
		f.scan(c.Text, place("clauses", i))
	}
	f.scan(s.Scope, "scope")
	return f
}

// CheckPayers finds a change of company in the merchant's two answers: who pays him today, who
// after this. A shop without a terminal today, or without one afterwards, changes nothing.
func CheckPayers(paysToday, paysAfter string) []Flag {
	f := findings{}
	f.payers(paysToday, paysAfter)
	return f.flags()
}

// findings collects the places of each trap.
type findings map[string][]string

func (f findings) add(code, place string) {
	if !slices.Contains(f[code], place) {
		f[code] = append(f[code], place)
	}
}

func (f findings) item(s Sheet, item Item, place string) {
	f.scan(item.Label, place)
	f.scan(item.ReturnCondition, place)
	// A line without money takes none; what it says was scanned.
	if item.AmountFen == 0 {
		return
	}
	if item.Kind() == ItemDeposit || mentions(squeeze(item.Label), depositWords) {
		back := squeeze(item.ReturnCondition)
		if back == "" || back == "无" || mentions(back, vagueWords) {
			f.add(FlagDepositWithoutReturn, place)
		}
		// Label and condition may share the trap between them.
		if mentions(squeeze(item.Label)+back, takingsWords) {
			f.add(FlagDepositByVolume, place)
		}
	}
	if item.Kind() == ItemActivation {
		f.add(FlagActivation, place)
	}
	if item.Kind() == ItemExit {
		f.add(FlagExitFee, place)
	}
	if item.PaidTo != s.Acquirer && item.PaidTo != s.Provider {
		f.add(FlagFeeToOther, place)
	}
}

func (f findings) scan(text, place string) {
	squeezed := squeeze(text)
	for _, t := range traps {
		if mentions(squeezed, t.words) || (mentions(squeezed, t.pair.one) && mentions(squeezed, t.pair.other)) {
			f.add(t.code, place)
		}
	}
}

func (f findings) payers(today, after string) {
	if today != None && after != None && today != after {
		f.add(FlagCompanyChanges, "pays_after")
	}
}

func (f findings) flags() []Flag {
	out := []Flag{}
	for _, t := range traps {
		if places := f[t.code]; len(places) > 0 {
			out = append(out, Flag{Code: t.code, Places: places, Text: t.text, Rule: t.rule})
		}
	}
	return out
}
