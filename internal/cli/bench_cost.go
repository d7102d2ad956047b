package cli

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/menshen-project/menshen/internal/bench"
)

// spending is the processor time that each part of the world has used so far, by part. What a visit costs is
// the same on a busy machine, which its rate is not.
type spending map[string]time.Duration

// costParts are the names of what a visit costs, in the order in which they are printed.
var costParts = []struct{ name, zh, en string }{
	{"server", "服务", "server"}, {"witness", "两个公证人", "two witnesses"}, {"host", "主机", "host"},
	{"organisations", "机构自己的签发服务", "the organisations' own signing services"}, {"people", "所有人的手机、机具和计量", "everybody's phones, the device, and the measuring"},
}

// clockTick is USER_HZ, in which Linux counts in /proc: 100 on every architecture that Go runs on.
const clockTick = 10 * time.Millisecond

// spent reads what was used; it is empty where the system keeps no such account.
func (y *yard) spent() spending {
	out := spending{}
	var self syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &self) == nil {
		out["people"] = time.Duration(self.Utime.Nano() + self.Stime.Nano())
	}
	y.children.mu.Lock()
	defer y.children.mu.Unlock()
	for _, k := range y.children.all {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", k.cmd.Process.Pid))
		if err != nil {
			continue
		}
		// proc_pid_stat(5): the command, in brackets, may hold anything; utime and stime are fields 14 and 15.
		fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
		if len(fields) < 13 {
			continue
		}
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		part := "organisations"
		for _, p := range costParts {
			if strings.Contains(k.name, p.name) {
				part = p.name
			}
		}
		out[part] += time.Duration(user+system) * clockTick
	}
	return out
}

// until gives the figures of what n visits used since.
func (s spending) until(now spending, n int) []bench.Figure {
	if n == 0 || len(now) < len(costParts) {
		return nil
	}
	var out []bench.Figure
	total := 0.0
	for _, p := range costParts {
		each := float64((now[p.name] - s[p.name]).Microseconds()) / 1000 / float64(n)
		total += each
		out = append(out, bench.Of("cpu_"+p.name, "一次安装用的处理器时间："+p.zh, "processor time of one installation: "+p.en, each, "ms"))
	}
	cores := float64(runtime.NumCPU())
	return append(out,
		bench.Of("visits_free", "这些核都空着时每秒能办多少（由处理器时间算出）", "installations that these cores could do if nobody else used them, by processor time", cores*1000/total, "/s"),
		bench.Of("visits_server", "服务独占这些核时每秒能办多少", "the same for the server's own part: witnesses, host and people elsewhere, as in life",
			cores*1000/(float64((now["server"]-s["server"]).Microseconds())/1000/float64(n)), "/s").Aimed(bench.Aim{Bound: nationsPeak, AtLeast: true}))
}
