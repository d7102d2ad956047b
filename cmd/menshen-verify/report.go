package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
)

func write(out io.Writer, o options, r report) error {
	if o.json {
		return writeJSON(out, r)
	}
	p := printer{out: out, lang: o.lang}
	p.head(r)
	for i, d := range r.Decisions {
		p.decision(i+1, d)
	}
	p.story(r)
	p.verdict(r)
	p.drawn(r)
	return p.err
}

// document is the form for machines.
type document struct {
	Accepted    bool             `json:"accepted"`
	Visit       string           `json:"visit"`
	Order       string           `json:"order"`
	Kind        string           `json:"kind"`
	Stage       string           `json:"stage"`
	CompleteTo  int              `json:"complete_to_event"`
	LogSize     int64            `json:"log_size"`
	TrustFile   string           `json:"trust_file"` // fingerprint
	Demo        bool             `json:"demonstration"`
	NotOpened   int              `json:"not_opened"`
	Lost        *lost            `json:"lost"` // null when the shop lost no time up to the last decision
	KeptByUs    []string         `json:"keys_kept_by_operator"`
	Refusal     *refusal         `json:"refusal"`
	Audit       *audit           `json:"audit"`         // null without --audit
	Undrawn     *refusal         `json:"audit_refusal"` // why the checkpoint draws nothing
	Decisions   []decision       `json:"decisions"`
	Events      []evidence.Story `json:"events"`
	Limitations []evidence.Text  `json:"cannot_prove"`
}

// audit is whether the visit is looked at again by somebody who was not there.
type audit struct {
	Drawn      bool   `json:"drawn"`
	Number     int    `json:"number"`
	PerMille   int    `json:"per_mille"`
	Witness    string `json:"witness"`
	After      string `json:"after"`
	CosignedAt string `json:"cosigned_at"`
}

// lost is the time in which the shop could take no money, and who answers for it.
type lost struct {
	Minutes      int    `json:"minutes"`
	From         string `json:"from"`
	Until        string `json:"until"`
	Open         bool   `json:"open"`
	Cause        string `json:"cause"`
	Step         string `json:"step"`
	Organisation string `json:"organisation"`
}

func lostOf(r report) *lost {
	l := r.Last().Lost()
	if !r.Accepted() || l.Minutes == 0 {
		return nil
	}
	return &lost{Minutes: l.Minutes, From: l.From.UTC().Format(moment), Until: l.Until.UTC().Format(moment), Open: l.Open, Cause: l.Cause, Step: l.Step, Organisation: l.Organisation}
}

type refusal struct {
	Code  string        `json:"code"`
	Where string        `json:"where"`
	Text  evidence.Text `json:"text"`
}

type decision struct {
	Ask        string               `json:"ask"`
	DecidedAt  string               `json:"decided_at"`
	Granted    bool                 `json:"granted"`
	Conditions []evidence.Condition `json:"conditions"`
}

func refusalOf(err error) *refusal {
	if err == nil {
		return nil
	}
	f := fault.Of(err)
	return &refusal{Code: f.Code, Where: f.Where, Text: f.Text}
}

const moment = "2006-01-02T15:04:05Z"

func writeJSON(out io.Writer, r report) error {
	d := document{Accepted: r.Accepted(), Visit: r.Visit, Order: r.Order, Kind: r.Kind, Stage: r.Stage, CompleteTo: r.Events, LogSize: r.LogSize,
		TrustFile: r.Fingerprint, Demo: r.trust.File().Demonstration, NotOpened: r.NotOpened, Lost: lostOf(r), KeptByUs: append([]string{}, r.KeptByUs...),
		Decisions: []decision{}, Events: r.Story(), Limitations: evidence.CannotProve(), Refusal: refusalOf(r.Refusal), Undrawn: refusalOf(r.undrawn)}
	if a := r.audit; a != nil {
		d.Audit = &audit{Drawn: a.Drawn, Number: a.Number, PerMille: a.PerMille, Witness: a.Witness, After: a.After.Format(moment), CosignedAt: a.CosignedAt.Format(moment)}
	}
	for _, x := range r.Decisions {
		d.Decisions = append(d.Decisions, decision{Ask: x.Ask, DecidedAt: x.Now.UTC().Format(moment), Granted: x.Granted, Conditions: x.Conditions})
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(d)
}

// printer writes for people and remembers the first error.
type printer struct {
	out  io.Writer
	lang string
	err  error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

// say gives one sentence in the language asked for.
func (p *printer) say(zh, en string) string {
	switch p.lang {
	case "zh":
		return zh
	case "en":
		return en
	}
	return zh + " / " + en
}

func (p *printer) text(t evidence.Text) string { return p.say(t.Zh, t.En) }

func (p *printer) head(r report) {
	f := r.trust.File()
	p.line("%s", p.say("门神证据包核对（离线）", "menshen bundle check (offline)"))
	p.line("  %s: %s", p.say("上门", "visit"), r.Visit)
	p.line("  %s: %s, %s %s", p.say("信任文件", "trust file"), f.Name, p.say("发布", "published by"), f.Publisher)
	p.line("  %s: %s", p.say("信任文件指纹", "its fingerprint"), r.Fingerprint)
	if f.Demonstration {
		p.line("  %s", p.say("注意：这是演示用的信任文件，机具是模拟的", "note: a demonstration's trust file; its devices are simulated"))
	}
}

var marks = map[string]string{"holds": "✓", "fails": "✗", "not_opened": "…"}

func (p *printer) decision(n int, d evidence.Report) {
	p.line("")
	p.line("%d. %s %s  %s", n, p.say("决定", "decision"), d.Ask, d.Now.UTC().Format("2006-01-02 15:04:05 UTC"))
	for _, c := range d.Conditions {
		p.line("   %s %s [%s]", marks[c.Verdict], p.text(c.Title), p.basis(c.Basis))
		if c.Verdict != "holds" {
			p.line("     %s (%s)", p.text(c.Reason), c.Code)
		}
	}
}

func (p *printer) basis(b string) string {
	switch b {
	case "re-run":
		return p.say("重新验证", "re-run")
	case "attested":
		return p.say("登记摘录", "attested")
	}
	return p.say("没有打开，是门神的说法", "not opened, menshen's word")
}

func (p *printer) story(r report) {
	story := r.Story()
	if len(story) == 0 {
		return
	}
	p.line("")
	p.line("%s", p.say("经过", "what happened"))
	for _, s := range story {
		p.line("   %3d %s  %-16s %-16s %s", s.Number, s.ReceivedAt, s.Role, s.Verb, s.Type)
	}
}

func (p *printer) verdict(r report) {
	p.line("")
	if !r.Accepted() {
		f := fault.Of(r.Refusal)
		p.line("✗ %s: %s (%s)", p.say("不可信", "REFUSED"), p.text(f.Text), f.Code)
		if f.Where != "" {
			p.line("  %s: %s", p.say("位置", "where"), f.Where)
		}
		return
	}
	verdict := p.say("可信", "ACCEPTED")
	if r.NotOpened > 0 {
		verdict += fmt.Sprintf(", %d %s", r.NotOpened, p.say("项没有打开", "not opened"))
	}
	p.line("✓ %s: %s, %s", verdict, r.Kind, r.Stage)
	p.line("  %s %d, %s %d", p.say("完整到事件", "complete to event"), r.Events, p.say("日志大小", "log size"), r.LogSize)
	if l := lostOf(r); l != nil {
		p.lost(*l)
	}
	if len(r.KeptByUs) > 0 {
		p.line("  %s: %s", p.say("运营方代管密钥的身份", "keys kept by the operator for"), strings.Join(r.KeptByUs, ", "))
	}
	p.line("  %s", p.say("证明不了的事：", "What this cannot prove:"))
	for _, t := range evidence.CannotProve() {
		p.line("   - %s", p.text(t))
	}
}

var causes = map[string]evidence.Text{
	evidence.LostDead:  {Zh: "旧机坏了", En: "the old terminal was dead"},
	evidence.LostEnded: {Zh: "旧密钥已作废", En: "the old keys were gone"},
	evidence.LostTrial: {Zh: "机具在试机", En: "the device was on trial"},
}

// lost says what the visit cost the shop, and who answers for it by the signed sheet.
func (p *printer) lost(l lost) {
	step := l.Step
	if step == "" {
		step = p.say("责任表没有写，由收单机构承担", "no line in the responsibility table: the acquirer")
	}
	line := fmt.Sprintf("%s %d %s (%s), %s – %s", p.say("停业", "lost"), l.Minutes, p.say("分钟", "minutes"), p.text(causes[l.Cause]), l.From, l.Until)
	if l.Open {
		line += ", " + p.say("作决定时还在停", "not over at the last decision")
	}
	p.line("  %s; %s: %s (%s)", line, p.say("由谁负责", "answers"), l.Organisation, step)
}

// drawn says whether the visit was drawn for an audit, with everything somebody needs to check it by hand.
func (p *printer) drawn(r report) {
	switch a := r.audit; {
	case r.undrawn != nil:
		f := fault.Of(r.undrawn)
		p.line("✗ %s: %s (%s)", p.say("抽查：说不清", "audit: cannot be told"), p.text(f.Text), f.Code)
	case a != nil && a.Drawn:
		p.line("! %s: %d < %d, %s %s, %s", p.say("抽查：抽中了，要派没到过场的人复查", "audit: drawn; somebody who was not there looks again"),
			a.Number, a.PerMille, p.say("见证方", "witness"), a.Witness, a.CosignedAt.Format(moment))
	case a != nil:
		p.line("  %s: %d >= %d, %s %s, %s", p.say("抽查：没抽中", "audit: not drawn"), a.Number, a.PerMille, p.say("见证方", "witness"), a.Witness, a.CosignedAt.Format(moment))
	}
}
