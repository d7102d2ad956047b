package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	"github.com/menshen-project/menshen/internal/bench"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
)

var errBench = fault.New(fault.Internal, "bench_failed", "量不下去：有一步没有做成。", "The measurement could not be finished: a step failed.")

// benching is what `menshen bench` is asked for.
type benching struct {
	json, quick bool
	visits      int
	crews       int
	databases   bench.Databases
	dir         string
	profile     string
	progress    io.Writer
}

// Bounds of what a person may ask for.
const (
	mostFilled = 5_000_000
	quickCrews = 24  // bringing many takes longer than a short look
	mostCrews  = 250 // each has a loopback address of its own
)

func newBench() *cobra.Command {
	var b benching
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "量一遍速度、内存和大小，每个数旁边是底线 · measure speed, memory and sizes, each beside its floor",
		Long: `跑一遍，把每个数和“不能再省的那部分工作”放在一起：门禁的一次决定、工作证、整个卷宗、记事件、写日志，然后在本机起服务、
两个公证人和模拟主机，各是各的进程，让很多店同时办安装，量每秒办完几次、每一步等多久、内存和磁盘。用完删掉。

One run, each figure beside the work that cannot be left out: a decision, a badge, a whole dossier, events, log entries; then
server, two witnesses and the simulated host as processes of their own, with many shops installing at once: whole visits a
second, waits of each verb, memory, disk. Everything is removed afterwards. About four minutes; --quick about half a minute.`,
		Example: `  menshen bench
  menshen bench --quick --json
  menshen bench --postgres "postgres://menshen@/postgres?host=/run/postgresql"     用 PostgreSQL 量 with PostgreSQL
  menshen bench --visits 100000     先在库里放十万次上门，再量，列表也量 with 100,000 visits in the database first; lists, too`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if b.visits < 0 || b.visits > mostFilled || b.crews < 1 || b.crews > mostCrews {
				return errUsage.At("--visits, --crews")
			}
			if p := b.databases.Postgres; p != "" && (!isDatabase(p) || strings.HasPrefix(p, "sqlite:")) {
				return errUsage.At("--postgres")
			}
			if b.quick && !cmd.Flags().Changed("crews") {
				b.crews = quickCrews
			}
			b.progress = cmd.ErrOrStderr()
			return b.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&b.json, "json", false, "给机器读 for machines")
	cmd.Flags().BoolVar(&b.quick, "quick", false, "每样只量一会儿，数字粗 a short look at each; rough numbers")
	cmd.Flags().IntVar(&b.visits, "visits", 0, "库里先放多少次上门 visits to put into the database first")
	cmd.Flags().IntVar(&b.crews, "crews", 160, "几家店同时办（--quick 默认 24） how many shops install at the same time (24 by default with --quick)")
	cmd.Flags().StringVar(&b.databases.Postgres, "postgres", "", "用这台 PostgreSQL 量（postgres://…，要能建库；量完删掉自己建的库），不用 SQLite measure with this PostgreSQL server, whose user may make databases, instead of SQLite; its own databases are dropped afterwards")
	cmd.Flags().StringVar(&b.profile, "profile", "", "把整次上门那段时间里服务的处理器时间写到这个文件，用 go tool pprof 看 where to write the server's processor time during whole visits, for go tool pprof")
	cmd.Flags().StringVar(&b.dir, "dir", "", "在哪个文件夹里量；临时文件夹 the folder whose disk is measured; a temporary one when empty")
	return cmd
}

// run measures everything, in order of what rests on what.
func (b *benching) run(ctx context.Context, out io.Writer) (err error) {
	dir, err := os.MkdirTemp(b.dir, "menshen-bench-")
	if err != nil {
		return errFolder.Because(err)
	}
	defer func() { err = joinWrite(err, removeAll(dir)) }()
	defer func() {
		if dropped := b.databases.Drop(context.WithoutCancel(ctx)); dropped != nil && err == nil {
			err = errBench.At("drop").Because(dropped)
		}
	}()
	klog.SetSlogLogger(slog.New(slog.DiscardHandler)) // Tessera's lines are not figures
	began := time.Now()
	r := bench.Report{Machine: bench.ThisMachine(), Database: b.databases.Engine(), At: began.UTC().Format(time.RFC3339), Quick: b.quick}
	for _, part := range b.parts(dir) {
		b.say(part.zh, part.en)
		figures, err := part.measure(ctx, b.budget(part.long))
		if err != nil {
			return errBench.At(part.name).Because(err)
		}
		r.Figures = append(r.Figures, figures...)
	}
	r.TookMS = time.Since(began).Milliseconds()
	if b.json {
		return json.NewEncoder(out).Encode(r)
	}
	return r.Write(out)
}

// benchPart is one thing to measure and how long that may take in a full run.
type benchPart struct {
	name, zh, en string
	long         time.Duration
	measure      func(context.Context, time.Duration) ([]bench.Figure, error)
}

func (b *benching) parts(dir string) []benchPart {
	in := func(f func(context.Context, string, time.Duration) ([]bench.Figure, error)) func(context.Context, time.Duration) ([]bench.Figure, error) {
		return func(ctx context.Context, budget time.Duration) ([]bench.Figure, error) { return f(ctx, dir, budget) }
	}
	return []benchPart{
		{"deciding", "门禁、工作证、卷宗", "gate, badge, dossier", 12 * time.Second, bench.Deciding},
		{"store", "记事件", "events", 16 * time.Second, in(b.accepting)},
		{"log", "日志", "log", 16 * time.Second, in(bench.Logging)},
		{"visits", "整次上门，真进程", "whole visits, real processes", 40 * time.Second, in(b.wholeVisits)},
	}
}

func (b *benching) accepting(ctx context.Context, dir string, budget time.Duration) ([]bench.Figure, error) {
	return bench.Accepting(ctx, &b.databases, dir, budget)
}

// budget is shortened for a quick look.
func (b *benching) budget(long time.Duration) time.Duration {
	if b.quick {
		return long / 8
	}
	return long
}

func (b *benching) say(zh, en string) { fmt.Fprintf(b.progress, "… %s  %s\n", zh, en) }

// removeAll removes a folder in which somebody may still finish a write.
func removeAll(dir string) error {
	var err error
	for range 50 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errFolder.Because(err)
}

// fill puts visits into the server's database before anybody works there, and reads lists.
func (b *benching) fill(ctx context.Context, s *store.Store) ([]bench.Figure, error) {
	if b.visits == 0 {
		return nil, nil
	}
	told := time.Now()
	err := bench.Fill(ctx, s, b.visits, func(n int) {
		if time.Since(told) > 5*time.Second || n == b.visits {
			told = time.Now()
			b.say(fmt.Sprintf("放了 %d 次上门", n), fmt.Sprintf("%d visits filled in", n))
		}
	})
	if err != nil {
		return nil, err
	}
	return bench.Listing(ctx, s, b.visits)
}

// sizeOf adds up the files of a folder.
func sizeOf(dir string) (int64, error) {
	total := int64(0)
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
