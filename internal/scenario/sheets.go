package scenario

import (
	"context"
	"io"
	"io/fs"
	"strings"

	"github.com/menshen-project/menshen/internal/app"
)

// Sheets are the registry's sheets for the cast and its corner shop, as an acquirer's people upload them: by file
// name, CSV.
func (c *Cast) Sheets(model string) map[string]string {
	return c.SheetsFor(model, CornerShop(c.Merchant.ID))
}

// SheetsFor is Sheets for another shop of the merchant's.
func (c *Cast) SheetsFor(model string, s Shop) map[string]string {
	account := "对公账户"
	if s.CreditCode == "" {
		s.CreditCode, account, s.Account = "小微", "银行卡", "6200000000000005"
	}
	line := func(cells ...string) string { return strings.Join(cells, ",") + "\n" }
	return map[string]string{
		"institutions.csv": line("编号", "名称", "统一社会信用代码", "支付业务许可证", "许可业务", "业务地区", "收单机构代码", "代码发放方", "服务电话") +
			line(c.Acquirer.ID, "槐山支付（演示）", "91329999MAXX01018X", "Z2990132000010", Business, "31", s.AcquirerCode, "clearing-house", "0529-65550001"),
		"providers.csv": line("编号", "名称", "统一社会信用代码", "备案编号", "备案状态", "备案日期", "取消日期", "授权收单机构", "联系电话") +
			line(c.Provider.ID, "安装到家（演示）", "91329999MAXX02010C", "WB-990001", "有效", "2024-03-18", "", c.Acquirer.ID, "0529-65550101"),
		"makers.csv": line("编号", "名称", "统一社会信用代码", "厂商代码", "联系电话") +
			line(c.Maker.ID, "天盾终端（演示）", "91329999MAXX03013W", "000057", "0529-65550301"),
		"models.csv": line("型号", "厂商", "名称", "终端类型", "硬件版本", "固件版本", "PCI PTS 批准号", "批准到期", "入网认证编号", "机型课程") +
			line(model, c.Maker.ID, "天盾智能 POS", "04", "TD-x", "1.x", "6-99001", "2030-04-30", "P9901", FamilyCourse),
		"merchants.csv": line("编号", "名称", "统一社会信用代码", "负责人", "负责人身份证号", "负责人手机", "结算账户类型", "结算账户", "收单机构", "商户编码") +
			line(c.Merchant.ID, s.Name, s.CreditCode, "魏安", s.Principal, "15400000101", account, s.Account, c.Acquirer.ID, s.MerchantCode),
		"shops.csv": line("编号", "商户", "店名", "地址", "位置", "省级代码", "清算地区码", "商户类别码", "营业时间") +
			line(s.ID, c.Merchant.ID, s.Name, s.Address, s.Position, s.Province, "2900", "5812", "06:00-20:30"),
	}
}

// Register imports the cast's sheets, as the operator does with menshen import.
func (d *Deployment) Register(ctx context.Context, model string) (app.ImportResult, error) {
	return d.RegisterAs(ctx, model, CornerShop(d.Cast.Merchant.ID))
}

// RegisterAs is Register for another shop of the merchant's.
func (d *Deployment) RegisterAs(ctx context.Context, model string, s Shop) (app.ImportResult, error) {
	sheets := d.Cast.SheetsFor(model, s)
	return d.App.ImportSheets(ctx, app.ImportRequest{Partial: true, Tell: func(string, int) {}, Open: func(name string) (io.ReadCloser, error) {
		text, given := sheets[name]
		if !given {
			return nil, fs.ErrNotExist
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}})
}
