package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/record"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/transparency"
)

var (
	errMonitor = fault.New(fault.Refused, "monitor_found", "监控发现了问题，见上面的名单。", "The monitor found something; see the list.")
	errOrdered = fault.New(fault.Invalid, "monitor_ordered_unreadable", "--ordered 的文件要一行一个摘要（64 位小写十六进制）。", "The file of --ordered wants a digest a line: 64 hex digits in lower case.")
	errState   = fault.New(fault.Invalid, "monitor_state_damaged", "记录看到哪里的文件用不了：从备份放回去；没有备份，就用 mv 把它移开，监控会从头再读一遍（以前的回退就看不出来了）。",
		"The file that remembers how far the log was read cannot be used: put a copy back. Without one, mv it away; monitor then reads the log from its beginning, and no longer knows of rollbacks before.")
	errStateKept = fault.New(fault.Unavailable, "monitor_state_not_kept", "看到哪里没有记下来，下一次会再看一遍：看看文件夹和磁盘。", "How far the log was read is not remembered; the next look reads it again. See to folder and disk.")
	errOpenings  = fault.New(fault.Invalid, "monitor_openings_unreadable", "事件原文读不出来：要 menshen export 写的文件夹。", "The openings cannot be read: want a folder that menshen export wrote.")
)

// monitoring is what monitor is asked for.
type monitoring struct {
	trust, log, state, openings, ordered, organisation, feed, token string
	every                                                           time.Duration
	once, json, whole                                               bool
}

// alarm is one thing that a monitor found. It names events by stream and number, and no person.
type alarm struct {
	Code  string     `json:"code"`
	Where string     `json:"where"`
	Text  fault.Text `json:"text"`
}

// watchedLog is what one round of a monitor tells.
type watchedLog struct {
	Size   uint64  `json:"size"`
	New    uint64  `json:"new"`
	Opened int     `json:"opened"` // leaves whose events this monitor has
	First  bool    `json:"first"`  // nothing was remembered: a rollback before this look cannot be seen
	Alarms []alarm `json:"alarms"`
}

func newMonitor() *cobra.Command {
	var m monitoring
	cmd := &cobra.Command{
		Use:   "monitor --trust FILE --log URL --state FILE",
		Short: "监控公开日志，给收单机构和监管用 · watch the log, for acquirers and regulators",
		Long: `由运营方以外的人运行：自己核对日志签名、公证人数和每一条记录，记住看到哪里，日志分叉或回退就报警。
--feed 从运营方取和本机构有关的原文，存在 --openings（也可以是交来的导出，docs/export.md）：再核对事件都在日志里、冻结以后有没有
放行、有没有用旧名单，并按证据重新判断每个决定；监管加 --whole：每一条都要交出原文。加上 --organisation 和 --ordered（本机构自己
签过的登记和工作证的摘要，一行一个），报告不是自己签发的。退出码：0 没有发现，3 有。

Run by somebody else than the operator: verifies log signature, quorum and every leaf itself, remembers how far it read, and
reports forks and rollbacks. --feed fetches the openings that concern the organisation into --openings (which may also be an
export that was handed over, docs/export.md): then also whether its events are in the log, releases after a freeze, lists used
after a newer one, and every decision is judged again; the regulator adds --whole: every leaf must be opened. With
--organisation and --ordered (digests of the enrolments and badges that this organisation signed, one a line) those that it
did not order. Exit code 0: nothing found; 3: something.`,
		Example: "  menshen monitor --trust trust.json --log https://menshen.example/log --state monitor.json --once\n" +
			"  menshen monitor --trust trust.json --log https://menshen.example/log --state monitor.json --feed https://menshen.example --token risk.token --openings kept",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if m.trust == "" || m.log == "" || m.state == "" {
				return errUsage.At("--trust, --log, --state")
			}
			if (m.ordered == "") != (m.organisation == "") {
				return errUsage.At("--organisation, --ordered")
			}
			if m.feed != "" && (m.token == "" || m.openings == "") {
				return errUsage.At("--feed, --token, --openings")
			}
			return m.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&m.trust, "trust", "", "信任文件 trust file (required)")
	f.StringVar(&m.log, "log", "", "日志的网址 address of the log (required)")
	f.StringVar(&m.state, "state", "", "看到哪里的记录 file that remembers how far was read (required)")
	f.StringVar(&m.openings, "openings", "", "原文的文件夹：运营方交来的导出，或者 --feed 存放的地方 folder of openings: an export, or where --feed keeps them")
	f.StringVar(&m.feed, "feed", "", "运营方的网址：自己去取原文 address of the operator's site: fetch the openings")
	f.StringVar(&m.token, "token", "", "凭证文件 file with the token for --feed")
	f.BoolVar(&m.whole, "whole", false, "监管用：每一条都要有原文 for the regulator: every leaf must be opened")
	f.StringVar(&m.organisation, "organisation", "", "自己的机构编号 own organisation id")
	f.StringVar(&m.ordered, "ordered", "", "自己签过的摘要，一行一个 digests that the organisation signed, one a line")
	f.DurationVar(&m.every, "every", time.Minute, "多久看一次 how often to look")
	f.BoolVar(&m.once, "once", false, "只看一次 look once")
	f.BoolVar(&m.json, "json", false, "给机器读 for machines")
	return cmd
}

// run looks once, or again and again until it is interrupted.
func (m monitoring) run(ctx context.Context, out io.Writer) error {
	trust, err := readTrust(m.trust)
	if err != nil {
		return err
	}
	if err := m.ready(); err != nil {
		return err
	}
	policy, err := record.NewPolicy(logPolicy(trust))
	if err != nil {
		return err
	}
	reader, err := transparency.NewURLReader(m.log, policy)
	if err != nil {
		return err
	}
	found := false
	for {
		w, err := m.look(ctx, reader, trust)
		found = found || errors.Is(err, errMonitor)
		if err == nil || fault.KindOf(err) == fault.Refused {
			if err := m.tell(out, w); err != nil {
				return err
			}
		}
		if m.once || err != nil && fault.KindOf(err) != fault.Unavailable && fault.KindOf(err) != fault.Refused {
			return err
		}
		select {
		case <-ctx.Done():
			if found { // whoever ends it sees in the exit code that there is something to read
				return errMonitor
			}
			return nil
		case <-time.After(m.every):
		}
	}
}

// ready reads once what every look reads, so that what is wrong is told before a log is fetched.
func (m monitoring) ready() error {
	if m.feed != "" {
		if !webAddress(m.feed) {
			return errUsage.At("--feed")
		}
		if _, err := readToken(m.token); err != nil {
			return err
		}
	}
	if m.openings != "" {
		err := files.Folder(m.openings)
		if err != nil && (m.feed == "" || !errors.Is(err, fs.ErrNotExist)) { // the feed makes its own
			return errOpenings.At(m.openings).Because(err)
		}
	}
	if m.organisation != "" && identifier.CheckID(m.organisation) != nil {
		return errUsage.At("--organisation")
	}
	if m.ordered != "" {
		if _, err := orderedBy(m.ordered); err != nil {
			return err
		}
	}
	if m.every < time.Second && !m.once {
		return errUsage.At("--every")
	}
	_, _, err := m.seen()
	return err
}

// look follows the log once. What it saw is kept only when every leaf was proven.
func (m monitoring) look(ctx context.Context, reader *transparency.Reader, trust evidence.Trust) (watchedLog, error) {
	w := watchedLog{Alarms: []alarm{}}
	seen, first, err := m.seen()
	if err != nil {
		return w, err
	}
	w.First = first
	next, _, err := reader.Follow(ctx, seen, func(uint64, []byte) error { return nil })
	if fault.KindOf(err) == fault.Refused {
		w.raise(err, "log")
		return w, errMonitor
	}
	if err != nil {
		return w, err
	}
	w.Size, w.New = next.Size, next.Size-seen.Size
	if m.feed != "" {
		if err := m.pull(ctx); err != nil {
			return w, err
		}
	}
	if m.openings != "" {
		if err := m.compare(ctx, reader, trust, &w); err != nil {
			return w, err
		}
	}
	if err := m.keep(next); err != nil {
		return w, err
	}
	if len(w.Alarms) > 0 {
		return w, errMonitor
	}
	return w, nil
}

func (w *watchedLog) raise(err error, where string) {
	f := fault.Of(err)
	w.Alarms = append(w.Alarms, alarm{Code: f.Code, Where: where, Text: f.Text})
}

// keptState is the state file's form: how far the log was read.
type keptState struct {
	Size   uint64   `json:"size"`
	Hashes []string `json:"hashes"`          // base64, of transparency.Seen
	Check  string   `json:"check,omitempty"` // digest of the others; files of before have none
}

// digest covers what is kept: one changed character of a hash would otherwise look like a log that forked.
func (k keptState) digest() string {
	return statement.Digest(fmt.Appendf(nil, "%d %q", k.Size, k.Hashes))
}

// seen reads the state file; without one nothing was seen yet, and first says so. A damaged one is never taken for none:
// that would forget every rollback.
func (m monitoring) seen() (s transparency.Seen, first bool, err error) {
	data, err := files.Read(m.state, files.MaxSmall)
	if errors.Is(err, fs.ErrNotExist) {
		return s, true, nil
	}
	var kept keptState
	if err == nil {
		err = statement.Decode(bytes.TrimSpace(data), &kept)
	}
	if err == nil && kept.Check != "" && kept.Check != kept.digest() {
		err = errors.New("the check does not fit")
	}
	s.Size = kept.Size
	for _, h := range kept.Hashes {
		hash, bad := statement.Base64(h)
		s.Hashes, err = append(s.Hashes, hash), errors.Join(err, bad)
	}
	if err != nil {
		return transparency.Seen{}, false, errState.At(m.state).Because(err)
	}
	return s, false, nil
}

// keep replaces the state file whole: half of one would be a rollback that nobody made.
func (m monitoring) keep(s transparency.Seen) error {
	kept := keptState{Size: s.Size, Hashes: []string{}}
	for _, h := range s.Hashes {
		kept.Hashes = append(kept.Hashes, base64.StdEncoding.EncodeToString(h))
	}
	kept.Check = kept.digest()
	data, err := statement.Canonical(kept)
	if err != nil {
		return err
	}
	if err := files.Replace(m.state, data); err != nil {
		return errStateKept.Because(err)
	}
	return nil
}

func (m monitoring) tell(out io.Writer, w watchedLog) error {
	if m.json {
		return json.NewEncoder(out).Encode(w)
	}
	for _, a := range w.Alarms {
		fmt.Fprintf(out, "%s: %s / %s (%s)\n", a.Where, a.Text.Zh, a.Text.En, a.Code)
	}
	if w.First {
		fmt.Fprintln(out, "没有以前看到哪里的记录，从头看起：这以前的回退看不出来 / nothing was remembered, read from the beginning: a rollback before this look cannot be seen")
	}
	_, err := fmt.Fprintf(out, "日志 leaves: %d  新 new: %d  看过内容 opened: %d  报警 alarms: %d\n", w.Size, w.New, w.Opened, len(w.Alarms))
	return err
}

// maxLine bounds a line of what monitor reads, in bytes.
const maxLine = 16 << 20

// lines reads a file a line at a time, and says which line it could not take.
func lines(path string, each func(line []byte) error) error {
	return split(path, bufio.ScanLines, each)
}

// wholeLines is lines, each with its end, without a last one that a crash cut off.
func wholeLines(path string, each func(line []byte) error) error {
	return split(path, func(data []byte, _ bool) (int, []byte, error) {
		n := bytes.IndexByte(data, '\n') + 1
		if n == 0 {
			return 0, nil, nil // more, or no more
		}
		return n, data[:n], nil
	}, each)
}

func split(path string, how bufio.SplitFunc, each func(line []byte) error) error {
	f, err := files.Open(path)
	if err != nil {
		return errOpenings.At(path).Because(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, maxLine)
	s.Split(how)
	n := 0
	for s.Scan() {
		n++
		if err := each(s.Bytes()); err != nil {
			return fault.At(err, fmt.Sprintf("%s line %d", path, n))
		}
	}
	if err := s.Err(); err != nil {
		return errOpenings.Atf("%s line %d", path, n+1).Because(err)
	}
	return nil
}

// orderedBy reads the digests that an organisation knows it signed.
func orderedBy(path string) (map[string]bool, error) {
	known := map[string]bool{}
	err := lines(path, func(l []byte) error {
		d := strings.TrimSpace(string(l))
		switch {
		case statement.IsDigest(d):
			known[d] = true
		case d != "":
			return errOrdered
		}
		return nil
	})
	if errors.Is(err, errOpenings) { // the file, not a line
		err = errOrdered.At(path).Because(fault.Of(err).Unwrap())
	}
	return known, err
}
