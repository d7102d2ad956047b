package app

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// sheet is one kind of record: its file, its columns (the first is the key) and how a line is kept.
type sheet struct {
	file    string
	columns []column
	put     func(*sheetWriter, Row) error
}

type column struct {
	header   string
	optional bool
	added    bool // later than the sheet: one without the column is read as if its cells were empty
	check    func(b *book, row Row, value string) error
	filled   func(row Row, value string) error // says whether this row's cell may be empty, and whether it must be
}

func must(header string, check func(*book, Row, string) error) column {
	return column{header: header, check: check}
}

func may(header string, check func(*book, Row, string) error) column {
	return column{header: header, check: check, optional: true}
}

func format(check func(string) error) func(*book, Row, string) error {
	return func(_ *book, _ Row, v string) error { return check(v) }
}

func oneOf(values ...string) func(*book, Row, string) error {
	return format(func(v string) error {
		for _, w := range values {
			if v == w {
				return nil
			}
		}
		return errCellUnknown
	})
}

// refersTo demands that each ;-separated id is a line of one of the sheets.
func refersTo(header string, files ...string) func(*book, Row, string) error {
	return func(b *book, _ Row, v string) error {
		for _, id := range strings.Split(v, ";") {
			found := false
			for _, f := range files {
				found = found || b.has(f, header, id)
			}
			if !found {
				return errCellDangling
			}
		}
		return nil
	}
}

var (
	isID     = format(identifier.CheckID)
	isCredit = format(func(v string) error { _, err := identifier.ParseCreditCode(v); return err })
	isMicro  = func(b *book, row Row, v string) error { // of a merchant: a code, or the word for having none
		if v == noCreditCode {
			return nil
		}
		return isCredit(b, row, v)
	}
	isPhone    = format(func(v string) error { _, err := identifier.ParsePhone(v); return err })
	isResident = format(func(v string) error { _, err := identifier.ParseResidentID(v); return err })
	isLicence  = format(func(v string) error { _, err := identifier.ParseLicence(v); return err })
	isPosition = format(func(v string) error { _, err := identifier.ParsePosition(v); return err })
	isMID      = format(func(v string) error { _, err := identifier.ParseMerchantCode(v); return err })
	isSerial   = format(func(v string) error { _, err := identifier.ParseSerial(v); return err })
	isDay      = format(func(v string) error {
		if _, err := time.Parse(time.DateOnly, v); err != nil {
			return errCellUnknown
		}
		return nil
	})
	isMoment = format(func(v string) error { _, err := statement.Time(v).Parse(); return err })
	isNumber = format(func(v string) error {
		if n, err := strconv.ParseInt(v, 10, 64); err != nil || n < 0 {
			return errCellUnknown
		}
		return nil
	})
	isProvinces = format(func(v string) error {
		for _, p := range strings.Split(v, ";") {
			if err := identifier.CheckProvince(p); err != nil {
				return err
			}
		}
		return nil
	})
	isAccount = func(_ *book, row Row, v string) error {
		kind := identifier.AccountCard
		if row["结算账户类型"] == companyAccount {
			if row[columnCredit] == noCreditCode {
				return errMicroAccount
			}
			kind = identifier.AccountCompany
		}
		_, err := identifier.ParseAccount(kind, v)
		return err
	}
)

// isSerialOfMaker also compares a serial's first six digits with the maker's code, where the makers'
// sheet is at hand: what is left of a serial that lost its zeros often still looks like one.
func isSerialOfMaker(b *book, row Row, v string) error {
	if err := isSerial(b, row, v); err != nil {
		return err
	}
	for _, m := range b.rows["makers.csv"] {
		if m["编号"] == row["厂商"] && !strings.HasPrefix(v, m["厂商代码"]) {
			return errCellMaker
		}
	}
	return nil
}

// staffRoles maps the words of the sheets to roles.
var staffRoles = map[string]string{"审核员": visit.RoleApprover, "风控员": visit.RoleRisk, "调度员": visit.RoleDispatcher,
	"上门人员": visit.RoleTechnician, "监督员": visit.RoleSupervisor}

var sheets = []sheet{
	{"institutions.csv", []column{must("编号", isID), must("名称", nil), must("统一社会信用代码", isCredit), must("支付业务许可证", isLicence), must("许可业务", nil),
		must("业务地区", isProvinces), must("收单机构代码", nil), must("代码发放方", isID), must("服务电话", isPhone)}, putOrganisation("acquirer")},
	{"providers.csv", []column{must("编号", isID), must("名称", nil), must("统一社会信用代码", isCredit), must("备案编号", nil), must("备案状态", oneOf("有效", "已取消")),
		must("备案日期", isDay), may("取消日期", isDay), may("授权收单机构", refersTo("编号", "institutions.csv")), must("联系电话", isPhone)}, putOrganisation("provider")},
	{"makers.csv", []column{must("编号", isID), must("名称", nil), must("统一社会信用代码", isCredit), must("厂商代码", nil), must("联系电话", isPhone)}, putOrganisation("maker")},
	{"course_issuers.csv", []column{must("编号", isID), must("名称", nil), must("统一社会信用代码", isCredit), may("安全课程", nil), may("机型课程", nil), must("联系电话", isPhone)}, putOrganisation("course_issuer")},
	{"supervisors.csv", []column{must("编号", isID), must("名称", nil), must("统一社会信用代码", isCredit), must("可驻店", oneOf("是", "否")), must("联系电话", isPhone)}, putOrganisation("supervisor")},
	{"staff.csv", []column{must("编号", isID), must("工号", isID), must("所属机构", refersTo("编号", "institutions.csv", "providers.csv", "supervisors.csv")),
		must("角色", oneOf("审核员", "风控员", "调度员", "上门人员", "监督员")), must("姓名", nil), must("手机", isPhone)}, putStaff},
	{"merchants.csv", []column{must("编号", isID), must("名称", nil), must(columnCredit, isMicro), must("负责人", nil), must("负责人身份证号", isResident),
		must("负责人手机", isPhone), must("结算账户类型", oneOf("银行卡", companyAccount)), must("结算账户", isAccount), must("收单机构", refersTo("编号", "institutions.csv")),
		must("商户编码", isMID)}, putMerchant},
	{"shops.csv", []column{must("编号", isID), must("商户", refersTo("编号", "merchants.csv")), must("店名", nil), must("地址", nil), must("位置", isPosition),
		must("省级代码", isProvinces), must("清算地区码", nil), must("商户类别码", format(identifier.CheckMCC)), must("营业时间", nil)}, putShop},
	{"models.csv", []column{must("型号", isID), must("厂商", refersTo("编号", "makers.csv")), must("名称", nil), must("终端类型", nil), must("硬件版本", nil), must("固件版本", nil),
		must("PCI PTS 批准号", format(identifier.CheckPTSNumber)), must("批准到期", isDay), must("入网认证编号", format(identifier.CheckNetworkLicence)), must("机型课程", isID)}, putModel},
	{"devices.csv", []column{must("终端序列号", isSerialOfMaker), must("型号", refersTo("型号", "models.csv")), must("厂商", refersTo("编号", "makers.csv")), must("硬件版本", nil),
		must("固件版本", nil), must("箱号", nil), must("封签号", nil)}, putDevice},
	{"orders.csv", orderColumns, putOrder},
}

// doc keeps a line's public columns as JSON.
func doc(r Row, headers ...string) (string, error) {
	kept := map[string]string{}
	for _, h := range headers {
		kept[h] = r[h]
	}
	data, err := json.Marshal(kept)
	return string(data), err
}

func putOrganisation(kind string) func(*sheetWriter, Row) error {
	return func(w *sheetWriter, r Row) error {
		public := make([]string, 0, len(r))
		for h := range r {
			public = append(public, h)
		}
		d, err := doc(r, public...)
		if err != nil {
			return err
		}
		return w.tx.PutOrganisation(w.ctx, store.Organisation{ID: r["编号"], Kind: kind, Name: r["名称"], Doc: d})
	}
}

func putStaff(w *sheetWriter, r Row) error {
	if _, err := w.personal(r["编号"], "name", r["姓名"]); err != nil {
		return err
	}
	if _, err := w.personal(r["编号"], "phone", r["手机"]); err != nil {
		return err
	}
	return w.tx.PutPerson(w.ctx, store.Person{ID: r["编号"], Org: r["所属机构"], Role: staffRoles[r["角色"]], StaffNo: r["工号"], State: "active", Doc: "{}"})
}

// columnCredit is the unified social credit code; noCreditCode stands there for a merchant who has none (小微商户), since
// an empty cell is more often one that was forgotten.
const (
	columnCredit = "统一社会信用代码"
	noCreditCode = "小微"

	companyAccount = "对公账户"
)

func putMerchant(w *sheetWriter, r Row) error {
	fields := map[string]string{"merchant_name": "名称", fieldCredit: columnCredit, "principal": "负责人", fieldPrincipal: "负责人身份证号", "phone": "负责人手机", "account": "结算账户"}
	if r[columnCredit] == noCreditCode {
		delete(fields, fieldCredit)
	}
	kept, err := w.keep(r["编号"], r, fields, "商户编码", "结算账户类型")
	if err != nil {
		return err
	}
	return w.tx.PutMerchant(w.ctx, store.Merchant{ID: r["编号"], Org: r["收单机构"], Doc: kept})
}

func putShop(w *sheetWriter, r Row) error {
	kept, err := w.keep(r["商户"], r, map[string]string{"shop_name": "店名", "address": "地址", "position": "位置"}, "商户类别码", "营业时间")
	if err != nil {
		return err
	}
	return w.tx.PutShop(w.ctx, store.Shop{ID: r["编号"], Merchant: r["商户"], Province: r["省级代码"], Region: r["清算地区码"], Doc: kept})
}

// commitmentOf comes before a field's name among a row's public columns: which of the vault's values is the
// row's. A merchant with two shops has two addresses there.
const commitmentOf = "commitment."

// keep puts a line's personal values into the vault under their owner, and gives its public columns with the
// commitments of those values as JSON.
func (w *sheetWriter) keep(subject string, r Row, fields map[string]string, public ...string) (string, error) {
	kept := map[string]string{}
	for _, h := range public {
		kept[h] = r[h]
	}
	for field, header := range fields {
		commitment, err := w.personal(subject, field, r[header])
		if err != nil {
			return "", err
		}
		kept[commitmentOf+field] = commitment
	}
	data, err := json.Marshal(kept)
	return string(data), err
}

func putModel(w *sheetWriter, r Row) error {
	d, err := doc(r, "厂商", "名称", "终端类型", "硬件版本", "固件版本", "PCI PTS 批准号", "批准到期", "入网认证编号", "机型课程")
	if err != nil {
		return err
	}
	return w.tx.PutModel(w.ctx, store.Model{ID: r["型号"], Doc: d})
}

func putDevice(w *sheetWriter, r Row) error {
	d, err := doc(r, "硬件版本", "固件版本", "箱号", "封签号")
	if err != nil {
		return err
	}
	return w.tx.PutDevice(w.ctx, store.Device{Serial: r["终端序列号"], Model: r["型号"], Maker: r["厂商"], Holder: r["厂商"], State: "made", Doc: d})
}
