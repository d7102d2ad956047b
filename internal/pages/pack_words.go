package pages

import "maps"

// packWords are what the evidence pack and its printed report say.
var packWords = texts(map[string]both{
	"report.photo.step": {"步骤", "Step"}, "report.photo.digest": {"签字里的摘要", "Digest that was signed"}, "report.photo.there": {"照片", "Picture"}, "report.photo.brought": {"已传到", "brought"},
	"pack.get":         {"下载证据包（含照片和打印页）", "Download the evidence pack (photos and printable report)"},
	"pack.what":        {"一个 ZIP：签过字的证据、经过（可打印）、照片、该打的电话。报案、投诉时交这一份。", "One ZIP: the signed evidence, a printable account, photos, and whom to call. Hand this in when you report or complain."},
	"report.print":     {"打印上门报告", "Print the report"},
	"report.title":     {"上门报告", "Report of a visit"},
	"report.stands":    {"结果", "How it stands"},
	"report.facts":     {"是哪一次", "Which visit"},
	"report.visit":     {"上门号", "Visit"},
	"report.shop":      {"店", "Shop"},
	"report.made":      {"报告生成于", "Report made"},
	"report.when":      {"时间", "Time"},
	"report.who":       {"谁", "Who"},
	"report.what":      {"做了什么", "What"},
	"report.statement": {"文件摘要", "Statement"},
	"report.receipt":   {"公开日志", "Public log"},
	"report.condition": {"条件", "Condition"},
	"report.verdict":   {"结论", "Verdict"},
	"report.basis":     {"依据", "Basis"},
	"report.bundle":    {"证据包的指纹（SHA-256）", "Fingerprint of the bundle (SHA-256)"},
	"report.scan":      {"扫这个码得到同样的指纹，和 menshen-verify 打印的一样才是这一份。", "The code holds the same fingerprint. It must equal the one that menshen-verify prints."},
	"report.calls":     {"该打的电话", "Whom to call"},
	"report.none":      {"还没有决定，所以没有证据包。", "Nothing is decided yet, so there is no bundle."},
	"report.verify":    {"不靠门神自己核对", "Check it without menshen"},
	"mark.word.holds":  {"成立", "holds"},
	"mark.word.fails":  {"不成立", "fails"},
	"mark.word.waits":  {"还没有", "not there yet"},
	"mark.word.later":  {"到时再查", "asked later"},
	"contact.police":   {"报警", "Police"},
	"contact.fraud":    {"反诈专线", "Anti-fraud line"},
	"contact.bank":     {"人民银行金融消费投诉", "People's Bank, consumer complaints"},
	"contact.unionpay": {"银联客服", "UnionPay service"},
	"mark.word.unopen": {"没打开", "not opened"},
})

func init() { maps.Copy(words, packWords) }
