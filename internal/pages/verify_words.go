package pages

// verifyWords are those of the page on which a bundle is checked in the browser.
var verifyWords = texts(map[string]both{
	"verify.title": {"在这里核对证据包", "Check a bundle here"},
	"verify.what": {"选好两个文件，这个网页自己就能核对，用的是和收单机构主机同一套规则。文件哪儿也不去：打开以后断网也能用。",
		"Choose two files; this page checks them by itself, by the same rules as the acquirer's host. They go nowhere: once open, it works without a network."},
	"verify.trust": {"信任文件（要从发布它的机构拿，不从门神拿）", "Trust file (from its publisher, not from menshen)"}, "verify.bundle": {"证据包", "Bundle"},
	"verify.go": {"核对", "Check"}, "verify.busy": {"正在核对……第一次要等程序载入，大约 2.5 MB。", "Checking … the first time the program is loaded, about 2.5 MB."},
	"verify.keep":   {"存一份到自己的电脑：整页加程序就一个文件，打开就能核对，连不了任何网站。", "Keep a copy: page and program in one file, which checks from your own disk and can reach no site."},
	"verify.get":    {"存下这一页", "Save this page as a file"},
	"verify.absent": {"这台服务器没有带网页版核对程序。请在自己的电脑上用 menshen-verify 核对。", "This server was built without its checker for browsers. Use menshen-verify on your own computer."},
	"verify.yes":    {"可信", "Accepted"}, "verify.yes_demo": {"对得上，但只是演示", "It holds, but as a demonstration only"}, "verify.no": {"不可信", "Refused"}, "verify.unreadable": {"文件读不出来", "A file cannot be read"}, "verify.broken": {"没能核对", "The check did not run"},
	"verify.broken.do": {"这个浏览器运行不了核对程序。请换一个新一点的浏览器，或在电脑上用 menshen-verify。", "This browser cannot run the checker. Use a newer one, or menshen-verify on a computer."},
	"verify.whose":     {"信任文件指纹", "Trust file fingerprint"}, "verify.demo": {"演示用的信任文件：什么都证明不了。", "A demonstration's trust file: it proves nothing."},
	"verify.visit": {"上门", "Visit"}, "verify.order": {"订单", "Order"}, "verify.stage": {"到哪一步", "Stage"}, "verify.complete": {"完整到第几条", "Complete to event"}, "verify.log": {"日志大小", "Log size"},
	"verify.decided": {"决定", "Decisions"}, "verify.when": {"谁在什么时候做了什么", "Who did what, and when"}, "verify.cannot": {"证明不了的", "What this cannot prove"},
	"verify.rerun": {"重新验过", "re-run"}, "verify.attested": {"登记说的", "attested"}, "verify.not_opened": {"没打开", "not opened"},
	"verify.some_closed": {"项没打开，按门神当时的说法", "verdicts were not opened and rest on menshen's word"}, "verify.kept": {"这些角色的密钥由运营方代管", "Roles whose keys the operator keeps"},
	"verify.why": {"原因：", "Why: "}, "verify.here": {"在浏览器里核对", "Check it in the browser"},
})
