package organisation

import (
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/visit"
)

// chinaTime is what people in the shop read.
var chinaTime = time.FixedZone("Asia/Shanghai", 8*60*60)

// roleWords name roles for people.
var roleWords = map[string][2]string{
	visit.RoleMerchant: {"商户", "merchant"}, visit.RoleApprover: {"审批", "approver"}, visit.RoleRisk: {"风控", "risk desk"}, visit.RoleHost: {"收单主机", "host"},
	visit.RoleTechnician: {"上门人员", "technician"}, visit.RoleDispatcher: {"调度", "dispatcher"}, visit.RoleCustodian: {"仓库", "warehouse"},
	visit.RoleSupervisor: {"监督", "supervisor"},
}

// sheetWords are the lines of a code sheet, Chinese first.
type sheetWords struct {
	DeskCode
	RoleZh, RoleEn   string
	UntilZh, UntilEn string
	Style            template.CSS // "": the desk serves it
}

func (c DeskCode) words() sheetWords {
	w := sheetWords{DeskCode: c, RoleZh: c.Role, RoleEn: c.Role}
	if r, ok := roleWords[c.Role]; ok {
		w.RoleZh, w.RoleEn = r[0], r[1]
	}
	until, err := time.Parse(time.RFC3339, c.Until)
	if err == nil {
		until = until.In(chinaTime)
		w.UntilZh, w.UntilEn = until.Format("2006年1月2日 15:04"), until.Format("2 Jan 2006, 15:04")
	}
	return w
}

// Text is the sheet for a terminal or a plain printer.
func (c DeskCode) Text() string {
	w := c.words()
	var b strings.Builder
	line := func(zh, en string) { fmt.Fprintf(&b, "%s\n%s\n\n", zh, en) }
	fmt.Fprintf(&b, "%s · 开通码 one-time code\n\n", w.Name)
	fmt.Fprintf(&b, "        %s\n\n", w.Code)
	line(fmt.Sprintf("给：%s（%s，机构 %s）。只能用一次，%s 前有效。", w.Holder, w.RoleZh, w.Organisation, w.UntilZh),
		fmt.Sprintf("For %s (%s, of %s). Works once, until %s.", w.Holder, w.RoleEn, w.Organisation, w.UntilEn))
	if w.Site != "" {
		line("只在这个网址输入："+w.Site, "Type it only at: "+w.Site)
	}
	line("别告诉任何人，上门的人也别告诉。没有人会打电话来问您要这个码。", "Tell nobody, not even the person who comes. Nobody will call and ask for it.")
	if w.Phone != "" {
		line("不是您要的，或者丢了，请打："+w.Phone, "If you did not ask for it, or lost it, call: "+w.Phone)
	}
	return b.String()
}

var sheetPage = template.Must(template.New("sheet").Parse(`<!doctype html>
<html lang="zh"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>开通码 · one-time code</title>
{{if .Style}}<style>{{.Style}}</style>{{else}}<link rel="stylesheet" href="/desk.css">{{end}}</head><body class="sheet"><main>
<p class="from">{{.Name}}</p><h1>开通码 <small lang="en">one-time code</small></h1>
<p class="code" translate="no">{{.Code}}</p>
<p>给：<b>{{.Holder}}</b>（{{.RoleZh}}，机构 {{.Organisation}}）。只能用一次，<b>{{.UntilZh}}</b> 前有效。<br>
<span lang="en">For {{.Holder}} ({{.RoleEn}}, of {{.Organisation}}). Works once, until {{.UntilEn}}.</span></p>
{{if .Site}}<p>只在这个网址输入：<b>{{.Site}}</b><br><span lang="en">Type it only at this address.</span></p>{{end}}
<p>别告诉任何人，上门的人也别告诉。没有人会打电话来问您要这个码。<br><span lang="en">Tell nobody, not even the person who comes. Nobody will call and ask for it.</span></p>
{{if .Phone}}<p>不是您要的，或者丢了，请打：<b>{{.Phone}}</b><br><span lang="en">If you did not ask for it, or lost it, call this number.</span></p>{{end}}
<p class="noprint">这个码只显示这一次。现在打印（Ctrl-P），或者照着念给本人。<br><span lang="en">Shown this once. Print it now, or read it to the person.</span>{{if not .Style}} <a href="/">回名册 back</a>{{end}}</p>
</main></body></html>
`))

// HTML is the sheet as a page of the desk to print, A5 and up.
func (c DeskCode) HTML(w io.Writer) error { return sheetPage.Execute(w, c.words()) }

// File is the same page as a file that stands alone.
func (c DeskCode) File(w io.Writer) error {
	words := c.words()
	words.Style = template.CSS(deskCSS)
	return sheetPage.Execute(w, words)
}
