package app

import "strings"

// headers maps the English name of a column to the Chinese one that it is kept under; a sheet may use
// either, and both in one header.
var headers = map[string]string{
	"id": "编号", "name": "名称", "credit code": "统一社会信用代码", "payment licence": "支付业务许可证", "licensed business": "许可业务", "regions": "业务地区",
	"acquirer code": "收单机构代码", "code issued by": "代码发放方", "service phone": "服务电话", "filing number": "备案编号", "filing state": "备案状态",
	"filed on": "备案日期", "struck off on": "取消日期", "mandated by": "授权收单机构", "contact phone": "联系电话", "maker code": "厂商代码",
	"security course": "安全课程", "model course": "机型课程", "on site": "可驻店", "staff number": "工号", "employer": "所属机构", "role": "角色", "full name": "姓名",
	"mobile": "手机", "principal": "负责人", "principal id number": "负责人身份证号", "principal mobile": "负责人手机", "account type": "结算账户类型",
	"settlement account": "结算账户", "acquirer": "收单机构", "merchant code": "商户编码", "merchant": "商户", "shop name": "店名", "address": "地址",
	"position": "位置", "province": "省级代码", "clearing region": "清算地区码", "mcc": "商户类别码", "opening hours": "营业时间", "model": "型号", "maker": "厂商",
	"terminal type": "终端类型", "hardware": "硬件版本", "firmware": "固件版本", "pci pts": "PCI PTS 批准号", "approved until": "批准到期",
	"network licence": "入网认证编号", "serial": "终端序列号", "box number": "箱号", "seal number": "封签号", "kind": "类型", "shop": "店铺", "provider": "服务商",
	"order model": "机型", "terminal code": "终端号", "old serial": "旧机序列号", "old terminal code": "旧终端号", "old shop": "旧店铺", "risk": "风险等级", "window start": "上门开始", "window minutes": "上门时长（分钟）", "deposit fen": "押金（分）",
	"activation fen": "激活费（分）", "data fee fen per year": "流量费（分/年）", "service fee fen": "服务费（分）", "debit rate ppm": "借记卡费率（百万分之）",
	"reference": columnReference, "charged at": columnAt, "charged for": columnItem, "trade fen": columnTrade, "taken fen": columnTaken,
	"credit rate ppm": "贷记卡费率（百万分之）", "barcode rate ppm": "扫码费率（百万分之）",
}

// header gives the Chinese name of a column, however it is written.
func header(cell string) string {
	h := strings.TrimSpace(strings.TrimPrefix(cell, "\ufeff"))
	if zh, ok := headers[strings.ToLower(strings.Join(strings.FieldsFunc(h, func(r rune) bool { return r == ' ' || r == '_' || r == '\u3000' }), " "))]; ok {
		return zh
	}
	return strings.NewReplacer("(", "（", ")", "）").Replace(h)
}

// words maps English values of a column with a fixed set to the Chinese ones.
var words = map[string]map[string]string{
	"角色":   {"approver": "审核员", "risk": "风控员", "dispatcher": "调度员", "technician": "上门人员", "supervisor": "监督员"},
	"类型":   {"install": "安装", "swap": "换机", "repair": "维修", "relocation": "移机", "removal": "撤机", "inspection": "巡检"},
	"可驻店":  {"yes": "是", "no": "否"},
	"备案状态": {"in force": "有效", "struck off": "已取消"},
	columnItem: {"debit": "借记卡", "credit": "贷记卡", "qr": "扫码", "foreign": "境外卡", "deposit": "押金", "activation": "激活费", "data": "流量费", "service": "服务费", "per_trade": "每笔服务费",
		"minimum": "最低消费", "exit": "退机费", "repair": "维修费", "other": "其他"},
	columnCredit: {"micro": noCreditCode},
	"结算账户类型":     {"card": "银行卡", "company": "对公账户"},
}
