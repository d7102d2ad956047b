package city

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/identifier"
)

// sheets are every sheet with its header in order, and the check of each column.
var sheets = map[string][]column{
	"institutions.csv": {{"编号", unique(id)}, {"名称", unique(text)}, {"统一社会信用代码", unique(credit)},
		{"支付业务许可证", unique(parsed(identifier.ParseLicence))}, {"许可业务", list(id)}, {"业务地区", list(identifier.CheckProvince)},
		{"收单机构代码", unique(text)}, {"代码发放方", id}, {"服务电话", phone}},
	"providers.csv": {{"编号", unique(id)}, {"名称", unique(text)}, {"统一社会信用代码", unique(credit)}, {"备案编号", unique(id)},
		{"备案状态", oneOf("有效", "已取消")}, {"备案日期", day}, {"取消日期", optional(day)},
		{"授权收单机构", optional(list(in("institutions.csv", "编号")))}, {"联系电话", phone}},
	"makers.csv": {{"编号", unique(id)}, {"名称", unique(text)}, {"统一社会信用代码", unique(credit)},
		{"厂商代码", unique(matching(`^\d{6}$`))}, {"联系电话", phone}},
	"course_issuers.csv": {{"编号", unique(id)}, {"名称", unique(text)}, {"统一社会信用代码", unique(credit)},
		{"安全课程", optional(id)}, {"机型课程", optional(list(id))}, {"联系电话", phone}},
	"supervisors.csv": {{"编号", unique(id)}, {"名称", unique(text)}, {"统一社会信用代码", unique(credit)},
		{"可驻店", oneOf("是", "否")}, {"联系电话", phone}},
	"staff.csv": {{"编号", unique(id)}, {"工号", unique(id)}, {"所属机构", id}, {"角色", oneOf("审核员", "风控员", "调度员", "上门人员", "监督员")},
		{"姓名", unique(text)}, {"手机", unique(mobile)}},
	"merchants.csv": {{"编号", unique(id)}, {"名称", unique(text)}, {"统一社会信用代码", unique(credit)}, {"负责人", unique(text)},
		{"负责人身份证号", unique(parsed(identifier.ParseResidentID))}, {"负责人手机", unique(mobile)},
		{"结算账户类型", oneOf("银行卡", "对公账户")}, {"结算账户", unique(text)}, {"收单机构", in("institutions.csv", "编号")},
		{"商户编码", unique(parsed(identifier.ParseMerchantCode))}},
	"shops.csv": {{"编号", unique(id)}, {"商户", in("merchants.csv", "编号")}, {"店名", unique(text)}, {"地址", unique(text)},
		{"位置", unique(parsed(identifier.ParsePosition))}, {"省级代码", identifier.CheckProvince}, {"清算地区码", matching(`^\d{4}$`)},
		{"商户类别码", identifier.CheckMCC}, {"营业时间", hours}},
	"models.csv": {{"型号", unique(id)}, {"厂商", in("makers.csv", "编号")}, {"名称", unique(text)}, {"终端类型", matching(`^\d\d$`)},
		{"硬件版本", parsed(identifier.ParseVersionPattern)}, {"固件版本", parsed(identifier.ParseVersionPattern)},
		{"PCI PTS 批准号", unique(identifier.CheckPTSNumber)}, {"批准到期", day},
		{"入网认证编号", unique(identifier.CheckNetworkLicence)}, {"机型课程", id}},
	"devices.csv": {{"终端序列号", unique(parsed(identifier.ParseSerial))}, {"型号", in("models.csv", "型号")}, {"厂商", in("makers.csv", "编号")},
		{"硬件版本", text}, {"固件版本", text}, {"箱号", unique(id)}, {"封签号", unique(id)}},
	"orders.csv": {{"编号", unique(id)}, {"类型", oneOf("安装", "换机", "维修", "移机", "撤机", "巡检")}, {"店铺", in("shops.csv", "编号")}, {"商户", in("merchants.csv", "编号")},
		{"收单机构", in("institutions.csv", "编号")}, {"服务商", in("providers.csv", "编号")}, {"机型", in("models.csv", "型号")},
		{"终端序列号", optional(in("devices.csv", "终端序列号"))}, {"终端号", identifier.CheckTerminalCode},
		{"旧机序列号", optional(in("devices.csv", "终端序列号"))}, {"旧终端号", optional(identifier.CheckTerminalCode)}, {"旧店铺", optional(in("shops.csv", "编号"))}, {"风险等级", oneOf("0", "1", "2")},
		{"上门开始", instant}, {"上门时长（分钟）", count(15, 240)}, {"押金（分）", fen}, {"激活费（分）", fen}, {"流量费（分/年）", fen},
		{"服务费（分）", fen}, {"借记卡费率（百万分之）", count(0, 100_000)}, {"贷记卡费率（百万分之）", count(0, 100_000)}, {"扫码费率（百万分之）", count(0, 100_000)}},
}

type column struct {
	header string
	check  any // check, or a maker of one with memory or with the other sheets
}

type check = func(string) error

// unique makes a check that also refuses what it has seen before.
type unique check

// in makes a check that wants a value of another sheet's column.
func in(sheet, header string) func(city) check {
	return func(c city) check {
		return func(s string) error {
			if c.find(sheet, header, s) == nil {
				return fmt.Errorf("%s has no %s %q", sheet, header, s)
			}
			return nil
		}
	}
}

// list and optional wrap a check or a maker of one.
func list(inner any) any {
	return wrap(inner, func(inner check) check {
		return func(s string) error {
			parts := strings.Split(s, ";")
			for i, part := range parts {
				if err := inner(part); err != nil || slices.Contains(parts[:i], part) {
					return fmt.Errorf("%q in the list %q: %v", part, s, err)
				}
			}
			return nil
		}
	})
}

func optional(inner any) any {
	return wrap(inner, func(inner check) check {
		return func(s string) error {
			if s == "" {
				return nil
			}
			return inner(s)
		}
	})
}

func wrap(inner any, with func(check) check) any {
	return func(c city) check { return with(resolve(inner, c)) }
}

func resolve(c any, of city) check {
	switch made := c.(type) {
	case check:
		return made
	case func(city) check:
		return made(of)
	case unique:
		seen := map[string]bool{}
		return func(s string) error {
			if seen[s] {
				return fmt.Errorf("%q stands twice", s)
			}
			seen[s] = true
			return made(s)
		}
	}
	panic(fmt.Sprintf("no check: %T", c))
}

func parsed[T any](parse func(string) (T, error)) check {
	return func(s string) error { _, err := parse(s); return err }
}

func matching(pattern string) check {
	re := regexp.MustCompile(pattern)
	return func(s string) error {
		if !re.MatchString(s) {
			return fmt.Errorf("%q is not %s", s, pattern)
		}
		return nil
	}
}

func oneOf(words ...string) check { return matching("^(" + strings.Join(words, "|") + ")$") }

func count(lo, hi int) check {
	return func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < lo || n > hi || strconv.Itoa(n) != s {
			return fmt.Errorf("%q is no number from %d to %d", s, lo, hi)
		}
		return nil
	}
}

var (
	id     check = identifier.CheckID
	credit       = parsed(identifier.ParseCreditCode)
	phone        = parsed(identifier.ParsePhone)
	text         = matching(`^\S(.*\S)?$`)
	fen          = count(0, 1_000_000)
	hours        = matching(`^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$`)
)

func mobile(s string) error {
	p, err := identifier.ParsePhone(s)
	if err == nil && (!p.Mobile() || !strings.HasPrefix(s, "154")) {
		err = fmt.Errorf("not a mobile number of the range that nobody has")
	}
	return err
}

func day(s string) error { _, err := time.Parse(time.DateOnly, s); return err }

func instant(s string) error {
	at, err := time.Parse("2006-01-02T15:04:05Z", s)
	if err == nil && at.Second() != 0 {
		err = fmt.Errorf("%s is not a whole minute", s)
	}
	return err
}

// city is every sheet, by name.
type city map[string][]Row

func load(t *testing.T) city {
	t.Helper()
	c := city{}
	for name := range sheets {
		found, err := Rows(name)
		if err != nil {
			t.Fatal(err)
		}
		c[name] = found
	}
	return c
}

func (c city) find(sheet, header, value string) Row {
	for _, r := range c[sheet] {
		if r[header] == value {
			return r
		}
	}
	return nil
}

// complaints checks every field of every sheet, then what must hold between sheets.
func (c city) complaints() []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(sheets)) {
		for _, col := range sheets[name] {
			check := resolve(col.check, c)
			for i, row := range c[name] {
				if err := check(row[col.header]); err != nil {
					found = append(found, fmt.Sprintf("%s line %d, %s: %v", name, i+2, col.header, err))
				}
			}
		}
	}
	if len(found) > 0 {
		return found // what follows reads fields as checked
	}
	found = append(found, c.partyComplaints()...)
	found = append(found, c.deviceComplaints()...)
	for _, o := range c["orders.csv"] {
		for _, complaint := range c.orderComplaints(o) {
			found = append(found, o["编号"]+": "+complaint)
		}
	}
	return found
}

func (c city) partyComplaints() []string {
	var found []string
	kinds := map[string]identifier.AccountKind{"银行卡": identifier.AccountCard, "对公账户": identifier.AccountCompany}
	for _, m := range c["merchants.csv"] {
		if _, err := identifier.ParseAccount(kinds[m["结算账户类型"]], m["结算账户"]); err != nil {
			found = append(found, m["编号"]+": "+err.Error())
		}
		if c.find("staff.csv", "手机", m["负责人手机"]) != nil || c.find("staff.csv", "姓名", m["负责人"]) != nil {
			found = append(found, m["编号"]+": is also staff")
		}
	}
	for _, a := range c["institutions.csv"] {
		if _, err := identifier.ParseAcquirerCode(a["代码发放方"], a["收单机构代码"]); err != nil {
			found = append(found, a["编号"]+": "+err.Error())
		}
	}
	for _, p := range c["providers.csv"] {
		if (p["备案状态"] == "有效") != (p["取消日期"] == "") || (p["备案状态"] == "有效") != (p["授权收单机构"] != "") {
			found = append(found, p["编号"]+": filing, its end and the mandates contradict each other")
		}
	}
	homes := map[string]string{"审核员": "institutions.csv", "风控员": "institutions.csv", "调度员": "providers.csv", "上门人员": "providers.csv", "监督员": "supervisors.csv"}
	for _, s := range c["staff.csv"] {
		if c.find(homes[s["角色"]], "编号", s["所属机构"]) == nil {
			found = append(found, fmt.Sprintf("%s: no %s can belong to %s", s["编号"], s["角色"], s["所属机构"]))
		}
	}
	return found
}

func (c city) deviceComplaints() []string {
	var found []string
	for _, d := range c["devices.csv"] {
		model, maker := c.find("models.csv", "型号", d["型号"]), c.find("makers.csv", "编号", d["厂商"])
		serial, _ := identifier.ParseSerial(d["终端序列号"]) // checked with its column
		hardware, _ := identifier.ParseVersionPattern(model["硬件版本"])
		firmware, _ := identifier.ParseVersionPattern(model["固件版本"])
		if serial.Maker() != maker["厂商代码"] || serial.Type() != model["终端类型"] || model["厂商"] != d["厂商"] {
			found = append(found, serial.String()+": maker or type differ from serial and model")
		}
		if !hardware.Match(d["硬件版本"]) || !firmware.Match(d["固件版本"]) {
			found = append(found, serial.String()+": hardware or firmware is not as listed")
		}
	}
	return found
}

func (c city) orderComplaints(o Row) []string {
	var found []string
	complain := func(wrong bool, what string) {
		if wrong {
			found = append(found, what)
		}
	}
	shop, merchant, model := c.find("shops.csv", "编号", o["店铺"]), c.find("merchants.csv", "编号", o["商户"]), c.find("models.csv", "型号", o["机型"])
	acquirer, provider := c.find("institutions.csv", "编号", o["收单机构"]), c.find("providers.csv", "编号", o["服务商"])
	complain(shop["商户"] != o["商户"] || merchant["收单机构"] != o["收单机构"], "shop, merchant and acquirer do not belong together")
	complain(!slices.Contains(strings.Split(provider["授权收单机构"], ";"), o["收单机构"]), "the provider has no mandate")
	complain(!slices.Contains(strings.Split(acquirer["业务地区"], ";"), shop["省级代码"]), "the licence does not cover the province")
	complain(model["批准到期"] <= o["上门开始"][:10], "the model's listing ends before the visit")
	brings := o["类型"] == "安装" || o["类型"] == "换机"
	complain(brings == (o["终端序列号"] != ""), "a visit names the device that is there, and none that is still to come")
	complain((o["类型"] == "换机") != (o["旧机序列号"] != "" && o["旧终端号"] != "" && o["旧终端号"] != o["终端号"]), "a swap names the old terminal, whose code is another")
	complain((o["类型"] == "移机") != (o["旧店铺"] != "" && o["旧店铺"] != o["店铺"]), "a relocation names the place it comes from")
	if old := c.find("shops.csv", "编号", o["旧店铺"]); old != nil {
		complain(old["商户"] != o["商户"], "shop, merchant and acquirer do not belong together")
	}
	for header, fee := range o {
		complain(o["类型"] == "巡检" && (strings.Contains(header, "分）") || strings.Contains(header, "百万分之")) && fee != "0", "an inspection costs nothing")
	}
	for _, serial := range []string{o["终端序列号"], o["旧机序列号"]} { // the city swaps like for like
		if device := c.find("devices.csv", "终端序列号", serial); device != nil {
			complain(device["型号"] != o["机型"], "the device is another model")
		}
	}
	return found
}

func TestTheCityHoldsTogether(t *testing.T) {
	for _, complaint := range load(t).complaints() {
		t.Error(complaint)
	}
}

func TestTheChecksCanFail(t *testing.T) {
	for _, r := range []struct{ sheet, line, header, value, complaint string }{
		{"merchants.csv", "wei", "负责人身份证号", "329999197803151011", "resident_id_check"},
		{"merchants.csv", "wei", "统一社会信用代码", "91350100M000100Y4Z", "credit_code_shape"},
		{"merchants.csv", "wei", "结算账户", "6299990000000604", "account_card_check"},
		{"merchants.csv", "wei", "负责人手机", "13800000000", "range that nobody has"},
		{"merchants.csv", "wei", "负责人手机", "15400000012", "is also staff"},
		{"merchants.csv", "mei", "负责人手机", "15400000101", "stands twice"},
		{"staff.csv", "lan", "所属机构", "jianghe", "no 上门人员 can belong to"},
		{"institutions.csv", "jianghe", "业务地区", "32;99", "province_unknown"},
		{"institutions.csv", "jianghe", "业务地区", "32;32", "in the list"},
		{"institutions.csv", "jianghe", "业务地区", "31", "does not cover the province"},
		{"institutions.csv", "jianghe", "收单机构代码", "4990-3050", "acquirer_code_shape"},
		{"providers.csv", "qingluo", "备案状态", "已取消", "contradict each other"},
		{"providers.csv", "qingluo", "授权收单机构", "xingdu", "no mandate"},
		{"shops.csv", "wei-1", "位置", "+131.95120/+120.25340", "position_shape"},
		{"shops.csv", "wei-1", "营业时间", "25:00-26:00", "营业时间"},
		{"shops.csv", "wei-1", "商户", "nobody", "merchants.csv has no"},
		{"orders.csv", "order-wei-1", "押金（分）", "299.00", "押金"},
		{"orders.csv", "order-wei-1", "上门开始", "2026-11-23T14:00:00+08:00", "上门开始"},
		{"orders.csv", "order-wei-1", "上门开始", "2026-11-23T06:00:30Z", "whole minute"},
		{"orders.csv", "order-wei-1", "机型", "T1", "listing ends before"},
		{"orders.csv", "order-wei-1", "商户", "mei", "belong together"},
		{"orders.csv", "order-wei-2", "服务费（分）", "100", "costs nothing"},
		{"orders.csv", "order-wei-2", "终端序列号", "", "names the device that is there"},
		{"orders.csv", "order-wei-1", "终端序列号", "9999010426T9280117", "none that is still to come"},
		{"orders.csv", "order-jian-2", "旧终端号", "", "names the old terminal"},
		{"orders.csv", "order-jian-2", "旧终端号", "MQ000011", "whose code is another"},
		{"orders.csv", "order-jian-2", "旧机序列号", "9999010426T9280131", "another model"},
		{"orders.csv", "order-shu-3", "旧店铺", "", "the place it comes from"},
		{"orders.csv", "order-shu-3", "旧店铺", "wei-1", "belong together"},
		{"orders.csv", "order-wei-2", "终端序列号", "9999020426L2280152", "another model"},
	} {
		c := load(t)
		row := c.find(r.sheet, "编号", r.line)
		if row == nil {
			t.Fatalf("%s has no line %s", r.sheet, r.line)
		}
		row[r.header] = r.value
		if got := strings.Join(c.complaints(), "\n"); !strings.Contains(got, r.complaint) {
			t.Errorf("%s %s with %s %q: %q, want %q", r.sheet, r.line, r.header, r.value, got, r.complaint)
		}
	}
	c := load(t)
	c["devices.csv"][2]["终端序列号"] = "9999020426T9280131"
	c["devices.csv"][1]["固件版本"] = "8.21.0407"
	got := strings.Join(c.complaints(), "; ")
	if !strings.Contains(got, "9999020426T9280131: maker or type") || !strings.Contains(got, "9999010426T9280124: hardware or firmware") {
		t.Errorf("a foreign maker and an unlisted firmware pass: %q", got)
	}
}

func TestTheCityHasWhatTheDemonstrationNeeds(t *testing.T) {
	c := load(t)
	for name, want := range map[string]int{"institutions.csv": 2, "providers.csv": 3, "merchants.csv": 6, "supervisors.csv": 2} {
		if got := len(c[name]); got != want {
			t.Errorf("%s has %d lines, want %d", name, got, want)
		}
	}
	tally := map[string]int{}
	for _, r := range slices.Concat(c["staff.csv"], c["providers.csv"], c["orders.csv"]) {
		for _, header := range []string{"角色", "备案状态", "类型"} {
			tally[r[header]]++
		}
	}
	if tally["上门人员"] != 4 || tally["调度员"] != 2 || tally["审核员"] != 2 || tally["已取消"] != 1 || tally["安装"] < 6 ||
		tally["巡检"]*tally["换机"]*tally["维修"]*tally["移机"]*tally["撤机"] == 0 {
		t.Errorf("tally: %v", tally)
	}
	risks, expired := map[string]bool{}, 0
	for _, o := range c["orders.csv"] {
		risks[o["风险等级"]] = true
	}
	for _, m := range c["models.csv"] {
		if m["批准到期"] < "2026-11-22" {
			expired++
		}
	}
	if len(risks) != 3 || expired != 1 {
		t.Errorf("risks %v, %d models past their listing; want three, one", risks, expired)
	}
}

// One merchant's code says another trade than the shop's: the warning the demonstration shows.
func TestExactlyOneMerchantCodeWarns(t *testing.T) {
	c := load(t)
	var warned []string
	for _, s := range c["shops.csv"] {
		code, err := identifier.ParseMerchantCode(c.find("merchants.csv", "编号", s["商户"])["商户编码"])
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range code.Warnings(s["清算地区码"], s["商户类别码"]) {
			warned = append(warned, s["编号"]+" "+w.Code)
		}
	}
	if got := strings.Join(warned, ", "); got != "man-1 merchant_code_trade_differs" {
		t.Errorf("warnings: %s", got)
	}
}

func TestTheShopsLieInOneCity(t *testing.T) {
	var first identifier.Position
	for _, s := range load(t)["shops.csv"] {
		p, err := identifier.ParsePosition(s["位置"])
		if err != nil {
			t.Fatal(err)
		}
		if first == (identifier.Position{}) {
			first = p
		}
		if metres := first.MetresTo(p); metres > 10_000 {
			t.Errorf("%s lies %.0f m away", s["编号"], metres)
		}
	}
}

func TestEverySheetIsPlainAndKnown(t *testing.T) {
	names, err := fs.Glob(Files, "*")
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Sorted(maps.Keys(sheets)); !slices.Equal(names, want) {
		t.Errorf("sheets %q, want %q", names, want)
	}
	readme, err := fs.ReadFile(docs, "README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		content, err := fs.ReadFile(Files, name)
		if err != nil {
			t.Fatal(err)
		}
		var headers []string
		for _, col := range sheets[name] {
			headers = append(headers, col.header)
			if !bytes.Contains(readme, []byte("`"+col.header+"`")) {
				t.Errorf("README.md does not explain %s of %s", col.header, name)
			}
		}
		header, _, _ := strings.Cut(string(content), "\n")
		switch {
		case header != strings.Join(headers, ","):
			t.Errorf("%s: header %q", name, header) // a byte order mark would show here
		case bytes.ContainsAny(content, "\r\"") || !bytes.HasSuffix(content, []byte("\n")):
			t.Errorf("%s has quotes or foreign line ends", name)
		}
	}
}

func TestRowsRefusesWhatItCannotRead(t *testing.T) {
	if _, err := Rows("absent.csv"); err == nil {
		t.Error("an absent sheet was read")
	}
	for name, lines := range map[string][][]string{
		"nothing": {}, "a header only": {{"编号"}}, "two columns with one header": {{"编号", "编号"}, {"a", "b"}},
	} {
		if _, err := rows("made-up.csv", lines); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
