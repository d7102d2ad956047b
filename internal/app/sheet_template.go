package app

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
)

// SheetNames lists the sheets of a registry, in the order in which they refer to each other.
func SheetNames() []string {
	names := make([]string, len(sheets))
	for i, s := range sheets {
		names[i] = s.file
	}
	return names
}

// SheetNamed finds which sheet a file is of, by its name without folder and ending: staff.csv,
// staff.xlsx and STAFF.CSV are all "staff.csv". Fault: sheet_unknown.
func SheetNamed(file string) (string, error) {
	base, _, _ := strings.Cut(strings.ToLower(file), ".")
	for _, s := range sheets {
		if s.file == base+".csv" {
			return s.file, nil
		}
	}
	return "", errSheetUnknown.At(file)
}

// SheetTemplate gives an empty sheet: the header in Chinese, as CSV that spreadsheets open rightly, and
// beside it what each column wants, as text.
func SheetTemplate(name string) (table, explained []byte, err error) {
	if name == settlementFile {
		return templateOf(settlementSheet)
	}
	i := slices.IndexFunc(sheets, func(s sheet) bool { return s.file == name })
	if i < 0 {
		return nil, nil, errSheetUnknown.At(name)
	}
	return templateOf(sheets[i])
}

func templateOf(s sheet) (table, explained []byte, err error) {
	english := map[string]string{}
	for en, zh := range headers {
		english[zh] = en
	}
	var header []string
	var text strings.Builder
	for _, c := range s.columns {
		header = append(header, c.header)
		text.WriteString(c.header + " · " + english[c.header])
		if c.optional {
			text.WriteString("（可空 may be empty）")
		}
		if example := examples[c.header]; example != "" {
			text.WriteString("：例 for example " + example)
		}
		text.WriteString("\n")
	}
	var out bytes.Buffer
	out.WriteString("\ufeff") // without it, spreadsheets take UTF-8 for GBK
	w := csv.NewWriter(&out)
	if err := w.Write(header); err != nil {
		return nil, nil, errSheetRead.Because(err)
	}
	w.Flush()
	return out.Bytes(), []byte(text.String()), nil
}

// examples are made-up values in the right form; nobody has them.
var examples = map[string]string{"编号": "wei", "统一社会信用代码": "91110000600037341L", "支付业务许可证": "Z2002211000010", "业务地区": "31;32",
	"备案状态": "有效 (in force), 已取消 (struck off)", "备案日期": "2026-01-31", "取消日期": "2026-01-31", "批准到期": "2029-04-30", "角色": "审核员 风控员 调度员 上门人员 监督员",
	"手机": "15400000001", "负责人手机": "15400000001", "负责人身份证号": "11010519491231002X", "结算账户类型": "银行卡 (card), 对公账户 (company)", "商户编码": "531000012973385",
	"位置": "+31.23/+121.47", "省级代码": "31", "商户类别码": "5411", "终端序列号": "00005702280117638929", "终端号": "W1489724", "风险等级": "0, 1, 2",
	"上门开始": "2026-11-23T06:00:00Z", "上门时长（分钟）": "120", "押金（分）": "0", "PCI PTS 批准号": "4-30432", "入网认证编号": "P3100", "可驻店": "是 (yes), 否 (no)",
	"类型": "安装 (install), 换机 (swap), 维修 (repair), 移机 (relocation), 撤机 (removal), 巡检 (inspection)", "旧机序列号": "00005702280117638921，只有换机 swap only",
	"旧终端号": "W1489723，只有换机 swap only", "旧店铺": "wei-1，只有移机 relocation only"}
