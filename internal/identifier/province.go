package identifier

import (
	"maps"
	"slices"

	"github.com/menshen-project/menshen/internal/fault"
)

var errProvince = fault.New(fault.Invalid, "province_unknown",
	"没有这个省级代码（GB/T 2260 的前两位）。",
	"No province has this code (the first two digits of GB/T 2260).")

// provinces are the provincial codes of GB/T 2260-2007. They have not changed since Chongqing (50) and
// Macao (82); codes below them change every year and are not listed.
var provinces = map[string]fault.Text{
	"11": {Zh: "北京", En: "Beijing"}, "12": {Zh: "天津", En: "Tianjin"}, "13": {Zh: "河北", En: "Hebei"},
	"14": {Zh: "山西", En: "Shanxi"}, "15": {Zh: "内蒙古", En: "Inner Mongolia"},
	"21": {Zh: "辽宁", En: "Liaoning"}, "22": {Zh: "吉林", En: "Jilin"}, "23": {Zh: "黑龙江", En: "Heilongjiang"},
	"31": {Zh: "上海", En: "Shanghai"}, "32": {Zh: "江苏", En: "Jiangsu"}, "33": {Zh: "浙江", En: "Zhejiang"},
	"34": {Zh: "安徽", En: "Anhui"}, "35": {Zh: "福建", En: "Fujian"}, "36": {Zh: "江西", En: "Jiangxi"},
	"37": {Zh: "山东", En: "Shandong"},
	"41": {Zh: "河南", En: "Henan"}, "42": {Zh: "湖北", En: "Hubei"}, "43": {Zh: "湖南", En: "Hunan"},
	"44": {Zh: "广东", En: "Guangdong"}, "45": {Zh: "广西", En: "Guangxi"}, "46": {Zh: "海南", En: "Hainan"},
	"50": {Zh: "重庆", En: "Chongqing"}, "51": {Zh: "四川", En: "Sichuan"}, "52": {Zh: "贵州", En: "Guizhou"},
	"53": {Zh: "云南", En: "Yunnan"}, "54": {Zh: "西藏", En: "Tibet"},
	"61": {Zh: "陕西", En: "Shaanxi"}, "62": {Zh: "甘肃", En: "Gansu"}, "63": {Zh: "青海", En: "Qinghai"},
	"64": {Zh: "宁夏", En: "Ningxia"}, "65": {Zh: "新疆", En: "Xinjiang"},
	"71": {Zh: "台湾", En: "Taiwan"}, "81": {Zh: "香港", En: "Hong Kong"}, "82": {Zh: "澳门", En: "Macao"},
}

// CheckProvince accepts the two-digit provincial codes of GB/T 2260, as leaves and regions of licences
// use them. Fault: province_unknown.
func CheckProvince(code string) error {
	if _, ok := provinces[code]; !ok {
		return errProvince
	}
	return nil
}

// ProvinceName gives the short name of a provincial code in both languages; false when unknown.
func ProvinceName(code string) (fault.Text, bool) {
	name, ok := provinces[code]
	return name, ok
}

// Provinces lists every provincial code in ascending order.
func Provinces() []string { return slices.Sorted(maps.Keys(provinces)) }
