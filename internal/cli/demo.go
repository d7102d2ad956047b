package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/visit"
)

var (
	errHonest = fault.New(fault.Internal, "honest_visit_failed", "老老实实的上门没有办成。", "The honest visit did not go through.")
	errBundle = fault.New(fault.Internal, "bundle_not_accepted", "证据包没有通过核对。", "The bundle was not accepted.")
	errPassed = fault.New(fault.Internal, "attack_not_refused", "有攻击没有被应该拦的那一关拦下。", "An attack was not refused by what it was meant for.")
)

// demo is what the command is asked for.
type demo struct {
	dir  string
	work string
	exit bool
	all  bool
	each int // with the first table, each so manieth of the others; 0 for none
}

func newDemo() *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "演一遍：六种上门，几十种攻击 · play every kind of visit honestly, then the attacks",
		Long: `在本机起服务、两个公证人、模拟的收单主机、三家机构自己的签名服务，各是各的进程、各有各的密钥；导入示例小城，在一家店里老老实实演完
六种上门：安装、巡检、换机、维修、移机、撤机，每一次的证据包都离线核对；再演几十种攻击，一一说明被哪一关、为什么拦下；然后继续开着网页。

Starts the server, two witnesses, the simulated acquirer's host and three organisations' own signing services as separate processes with keys of their own, imports the
example city and plays every kind of visit honestly on one shop: installation, inspection, swap, repair, relocation and removal, each with its bundle verified
offline. Then it plays the attacks, says for each who refused it and why, and keeps serving pages.`,
		Example: `  menshen demo
  menshen demo --exit --out out   写下 writes out/bundle.json, out/bundle-KIND.json, out/trust.json, out/attacks.json
  menshen demo --work parties    看各方的文件夹 keeps everybody's folder to look into`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	cmd.Flags().BoolVar(&d.exit, "exit", false, "演完就退出 leave when the play is over")
	cmd.Flags().BoolVar(&d.all, "all", false, "演全部攻击，要几分钟 play every attack; takes minutes")
	cmd.Flags().IntVar(&d.each, "each", 0, "再加全部攻击里的每第几个 with the first attacks, each so manieth of all")
	cmd.Flags().StringVar(&d.dir, "out", "", "结果写到哪里 where results go; a temporary folder when empty")
	cmd.Flags().StringVar(&d.work, "work", "", "各方的文件夹放在哪里，演完留着；要空的 where every party's folder is kept, an empty folder; a temporary one when not given")
	return cmd
}

func (d demo) run(ctx context.Context, out io.Writer) error {
	leave, err := d.folder()
	if err != nil {
		return err
	}
	defer leave()
	if d.dir == "" {
		d.dir = d.work
	}
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return errFolder.At(d.dir).Because(err)
	}
	s := &story{out: out, began: time.Now()}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	w, err := newWorld(d.work, staging{wanted: "127.0.0.1:8420", program: program, patience: demoPatience, school: true})
	if err != nil {
		return err
	}
	defer w.close()
	if err := d.play(ctx, s, w, d.table()); err != nil {
		return err
	}
	if d.exit {
		return nil
	}
	return d.stay(ctx, s, w)
}

// table is which attacks are played, in the order of the whole one where it is more than the first.
func (d demo) table() []scenario.Attack {
	if d.all {
		return scenario.Attacks()
	}
	table := scenario.FirstAttacks()
	if d.each < 1 {
		return table
	}
	for i, a := range scenario.Attacks() {
		if i%d.each == 0 && !slices.ContainsFunc(table, func(b scenario.Attack) bool { return b.Name == a.Name }) {
			table = append(table, a)
		}
	}
	return table
}

// folder makes the folder of all parties; leave removes it unless somebody wants to keep it.
func (d *demo) folder() (leave func(), err error) {
	if d.work == "" {
		if d.work, err = os.MkdirTemp("", "menshen-demo-"); err != nil {
			return nil, errFolder.Because(err)
		}
		return func() { os.RemoveAll(d.work) }, nil
	}
	if err := os.MkdirAll(d.work, 0o700); err != nil {
		return nil, errFolder.At(d.work).Because(err)
	}
	if entries, err := os.ReadDir(d.work); err != nil || len(entries) > 0 {
		return nil, errFolder.At(d.work).Because(err)
	}
	if d.work, err = filepath.Abs(d.work); err != nil {
		return nil, errFolder.Because(err)
	}
	return func() {}, nil
}

// play is the whole demonstration, from the first key to the last attack.
func (d demo) play(ctx context.Context, s *story, w *world, table []scenario.Attack) error {
	s.chapter("一、各方各就各位", "1. Everybody takes their place")
	s.line("钥匙各自生成；信任文件由协会发布", "everybody makes keys of their own; the association publishes the trust file")
	if err := w.register(ctx, s.indent()); err != nil {
		return err
	}
	if err := w.start(ctx); err != nil {
		return err
	}
	if err := w.teach(ctx); err != nil {
		return err
	}
	s.line(fmt.Sprintf("进程：公证人 %v、收单主机、机构服务、门神 %s", witnessesOf, w.site()), fmt.Sprintf("processes: witnesses %v, host, four organisations' services, server", witnessesOf))
	honest, err := d.honest(ctx, s, w)
	if err != nil {
		return err
	}
	if err := d.verify(ctx, s, w, honest); err != nil {
		return err
	}
	if err := d.inspect(ctx, s, w, honest); err != nil {
		return err
	}
	if err := d.kinds(ctx, s, w, honest); err != nil {
		return err
	}
	return d.attacks(ctx, s, w, table)
}

// honest plays one installation over the real API.
func (d demo) honest(ctx context.Context, s *story, w *world) (*scenario.Play, error) {
	s.chapter("二、一次老老实实的安装", "2. One honest installation")
	p := w.newPlay(s, w.city.Cast, "visit-wei-1", visit.Install, 1, 1)
	w.city.Begin(p.Cast, time.Now())
	if err := p.OpenCity(ctx); err != nil {
		return nil, errHonest.Because(err)
	}
	if err := scenario.Run(ctx, p.Install()); err != nil {
		return nil, errHonest.Because(err)
	}
	return p, nil
}

// verify exports the merchant's bundle and checks it as any reader would.
func (d demo) verify(ctx context.Context, s *story, w *world, p *scenario.Play) error {
	s.chapter("三、店主的证据包，离线核对", "3. The merchant's bundle, checked offline")
	data, err := p.Venue.Bundle(ctx, p.Cast.Merchant, p.ID)
	if err != nil {
		return err
	}
	trust, err := os.ReadFile(w.trustFile)
	if err != nil {
		return err
	}
	bundleFile := filepath.Join(d.dir, "bundle.json")
	if err := os.WriteFile(bundleFile, data, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(d.dir, "trust.json"), trust, 0o644); err != nil {
		return err
	}
	began := time.Now()
	r, err := acceptedBundle(data, w.trust)
	if err != nil {
		return err
	}
	s.line(fmt.Sprintf("可信：%d 个决定重新判断，结果一样；%d KB，%s", len(r.Decisions), len(data)/1024, time.Since(began).Round(time.Millisecond)),
		fmt.Sprintf("accepted: %d decisions judged again, each the same; %d kB", len(r.Decisions), len(data)/1024))
	s.line("自己核对：", fmt.Sprintf("check it yourself: menshen-verify --trust %s %s", filepath.Join(d.dir, "trust.json"), bundleFile))
	return nil
}

// inspect plays an inspection of the terminal that was just installed.
func (d demo) inspect(ctx context.Context, s *story, w *world, installed *scenario.Play) error {
	s.chapter("四、一次巡检（不需要许可）", "4. An inspection, the kind without a permit")
	p := w.newPlay(s, w.city.Cast, "visit-wei-2", visit.Inspection, 0, 0)
	p.Device = installed.Device
	p.NewOrder(visit.Inspection, 0)
	if err := scenario.Run(ctx, p.Inspect()); err != nil {
		return errHonest.Because(err)
	}
	return nil
}

// outcome is one line of attacks.json.
type outcome struct {
	Name      string `json:"name"`
	Expected  string `json:"expected"`
	RefusedBy string `json:"refused_by"`
	OK        bool   `json:"ok"`
}

// attacks plays the table: over the API against the running server wherever the attacker is a person
// or a device; in memory where the attacker is the server itself, or needs a clock that moves.
func (d demo) attacks(ctx context.Context, s *story, w *world, table []scenario.Attack) error {
	s.chapter("六、攻击", "6. The attacks")
	var list []outcome
	failed := 0
	inMemory := playInMemory(ctx, table) // on the other core meanwhile
	for i, a := range table {
		began := time.Now()
		ran, where := <-inMemory[i], "in memory"
		if overAPI(a) {
			ran, where = w.attack(ctx, a), "API"
		}
		o := outcomeOf(ran)
		if !o.OK {
			failed++
		}
		list = append(list, o)
		s.attack(a, o, where, time.Since(began), ran.Err)
	}
	data, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(d.dir, "attacks.json"), append(data, '\n'), 0o644); err != nil {
		return err
	}
	s.line(fmt.Sprintf("%d 项，%d 项和预期不一样；用时 %s", len(list), failed, s.elapsed()), fmt.Sprintf("%d played, %d not as expected", len(list), failed))
	if failed > 0 {
		return errPassed
	}
	return nil
}

func outcomeOf(r scenario.Ran) outcome {
	o := outcome{Name: r.Attack.Name, Expected: "pass", OK: r.AsExpected()}
	if overAPI(r.Attack) {
		o.OK = r.AsExpectedOfServer()
	}
	if len(r.Attack.Refused) > 0 {
		o.Expected = r.Attack.Refused[0].By + ": " + r.Attack.Refused[0].Code
	}
	if r.Err != nil {
		o.RefusedBy = r.Refusal.By + ": " + r.Refusal.Code
	}
	return o
}

// stay keeps serving and prints a link for each role.
func (d demo) stay(ctx context.Context, s *story, w *world) error {
	s.chapter("七、网页一直开着，Ctrl-C 结束", "7. The pages stay open; Ctrl-C ends")
	for _, who := range w.guests() {
		s.line(fmt.Sprintf("%-10s %s/enter/%s", who.zh, w.site(), w.links[who.actor]), who.en)
	}
	if err := w.handOver(ctx, s); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
