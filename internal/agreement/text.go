package agreement

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/menshen-project/menshen/internal/identifier"
)

// isID is menshen's opaque id: one letter or digit, then up to 63 of letters, digits and "._-".
func isID(s string) bool { return identifier.CheckID(s) == nil }

// isOrganisation is an id that is not the word for "no organisation".
func isOrganisation(s string) bool { return isID(s) && s != None }

// isText accepts words that show as they are signed: no control, no invisible and no
// direction-changing characters, with which a page could show another contract than the one signed.
// Line feeds and the ideographic space of printed contracts pass. maxBytes bounds the UTF-8 form.
func isText(s string, maxBytes int) bool {
	if s == "" || len(s) > maxBytes || !utf8.ValidString(s) || strings.TrimSpace(s) != s {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) && r != '\n' && r != '\u3000' {
			return false
		}
	}
	return true
}

func place(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// simplified maps the traditional forms of the characters that the scan's words use.
var simplified = strings.NewReplacer(
	"會", "会", "員", "员", "費", "费", "續", "续", "約", "约", "動", "动", "換", "换", "機", "机", "調", "调",
	"單", "单", "滿", "满", "夠", "够", "還", "还", "額", "额", "達", "达", "標", "标", "級", "级", "構", "构",
	"違", "违", "終", "终", "開", "开", "權", "权", "變", "变", "無", "无", "時", "时", "實", "实", "統", "统",
	"為", "为", "視", "视", "結", "结", "筆", "笔", "凍", "冻", "錢", "钱", "詳", "详", "見", "见", "議", "议",
	"證", "证", "務", "务", "戶", "户", "賬", "账", "個", "个", "訂", "订", "註", "注", "銷", "销", "轉", "转",
	"給", "给", "業", "业", "現", "现", "積", "积", "計", "计", "順", "顺", "長", "长", "認", "认", "隨", "随",
	"際", "际", "協", "协")

// squeeze leaves only what a reader reads: compatibility forms folded (full-width letters, radicals
// that look like characters), traditional made simplified, letters lower-case, everything that is
// neither letter nor digit dropped. "自 動，續·約" and "自动续约" come out alike.
func squeeze(s string) string {
	s = simplified.Replace(strings.ToLower(norm.NFKC.String(s)))
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

// mentions says whether squeezed text holds any of the words.
func mentions(squeezed string, words []string) bool {
	for _, w := range words {
		if strings.Contains(squeezed, w) {
			return true
		}
	}
	return false
}
