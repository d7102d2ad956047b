package pages

import "github.com/menshen-project/menshen/internal/ticket"

// shopTicketWords are those of asking for help, and of what comes after a visit.
var shopTicketWords = texts(map[string]both{
	"tickets.title": {"报修、求助", "Help and repairs"}, "tickets.new": {"报修、求助", "Ask for help"}, "tickets.none": {"还没有报过修。", "You have asked for nothing yet."},
	"tickets.what": {"哪里不对？", "What is wrong?"}, "tickets.which": {"哪一次装的机器", "Which terminal, by its visit"}, "tickets.no_visit": {"还没有办过机器，先打电话问。", "There is no visit yet; call first."},
	"tickets.fault": {"机器", "The terminal"}, "tickets.money": {"钱", "Money"}, "tickets.service": {"别的", "Other"},
	"tickets.note": {"再说几句（可以不写）", "A few words (optional)"}, "tickets.note.hint": {"别写卡号、密码、验证码。", "No card numbers, passwords or codes."}, "tickets.send": {"报上去", "Send"},
	"ticket.kind.device": {"机器坏了、刷不了卡", "It is broken, or takes no cards"}, "ticket.kind.network": {"连不上网", "No connection"}, "ticket.kind.printing": {"打不出小票", "It does not print"},
	"ticket.kind.refund": {"退款退不了、退错了", "A refund fails or is wrong"}, "ticket.kind.fees": {"多收了钱、押金没退", "Charged too much, or a deposit not returned"}, "ticket.kind.training": {"不会用，请人教", "We need to be shown how"},
	"ticket.kind.photos_missing": {"上门拍的照片没传到", "Photos of the visit never came"}, "ticket.head.photos_missing": {"签了字的照片，过了一天还没传到", "A day later, signed photos have not been brought"},
	"ticket.then.photos_missing": {"服务商要把照片补上，或说明为什么没有。您不用做什么；照片来了，在「现场照片」里看。", "The provider brings them or says why there are none. You need do nothing; once here, they are under “Photos from the visit”."},
	"ticket.kind.stranger":       {"来路不明的人上门", "An unknown visitor"}, "ticket.kind.other": {"别的事", "Something else"},

	"ticket.head." + ticket.Opened: {"收到了，等人回话", "Received; somebody will answer"}, "ticket.head." + ticket.Answered: {"有人在处理了", "Somebody is on it"}, "ticket.head." + ticket.Paused: {"先停一停", "It waits"},
	"ticket.head." + ticket.Resolved: {"那边说修好了，您看看", "They say it is mended: please look"}, "ticket.head." + ticket.Closed: {"修好了", "Mended"}, "ticket.head.late": {"说好的时间过了", "The promised time is over"}, "ticket.head.stranger": {"已告诉收单机构的风控", "The acquirer's risk desk knows"},
	"ticket.then." + ticket.Opened: {"有人回话，这里会变。不用再报一次。", "This page changes when somebody answers. Once is enough."}, "ticket.then." + ticket.Answered: {"修好以前，下面的钟一直走。", "Until it is mended the clock below runs."},
	"ticket.then." + ticket.Resolved: {"能收款、能打票，再点「修好了」。", "Tap “It works” only when it takes payments and prints."}, "ticket.then." + ticket.Closed: {"再坏了，再报一次。", "If it fails again, ask again."},
	"ticket.then.late": {"打电话催。这里的记录就是凭据。", "Call them; this page is your record."}, "ticket.then.stranger": {"别让对方碰 POS 机，别给钱，别给验证码。风控会打给您。", "No touching the terminal, no money, no codes. The risk desk will call you."},
	"ticket.pause.shop_closed": {"去过了，店没开门", "They came, and the shop was closed"}, "ticket.pause.waits_for_merchant": {"在等您回话", "They wait for your answer"}, "ticket.pause.waits_for_part": {"在等配件", "They wait for a part"},
	"ticket.pause.waits_for_acquirer": {"在等收单机构", "They wait for the acquirer"}, "ticket.pause.waits_for_visit": {"在等上门的时间", "They wait for the visit's time"},

	"clock.response": {"回话", "Answer"}, "clock.resolution": {"修好", "Repair"}, "clock.none": {"价格表上没写期限", "No time promised on the price sheet"}, "clock.answered": {"回了", "answered"}, "clock.resolved": {"修好", "repaired"},
	"clock.was_late": {"，晚了", ", late"}, "clock.stands": {"停表，等完再走", "stopped while it waits"}, "clock.late": {"该在 {at} 以前，已经晚了", "was due by {at}: late"}, "clock.until": {"{at} 以前", "by {at}"},
	"warranty": {"保修", "Warranty"}, "warranty.none": {"价格表上没写保修", "None on the price sheet"}, "warranty.free": {"保到 {at}，这次不收钱", "until {at}: this repair is free"}, "warranty.over": {"{at} 已到期，修理按价格表收", "ended {at}: repairs cost what the sheet says"},
	"ticket.events": {"经过", "What happened"}, "ticket.by.shop": {"店里", "The shop"}, "ticket.visit": {"看那次上门的订单", "The order of that visit"},
	"ticket.verb." + ticket.Open: {"报了", "asked"}, "ticket.verb." + ticket.Answer: {"回话", "answered"}, "ticket.verb." + ticket.Pause: {"先停一停", "paused it"}, "ticket.verb." + ticket.Continue: {"接着办", "went on"},
	"ticket.verb." + ticket.Resolve: {"说修好了", "said it is mended"}, "ticket.verb." + ticket.Reopen: {"说没修好", "said it is not"}, "ticket.verb." + ticket.Close: {"说修好了，关单", "said it works: closed"},
	"ticket.well": {"修好了吗？", "Is it mended?"}, "ticket.close": {"修好了", "It works"}, "ticket.still": {"没修好的话，哪里还不对？", "If not, what is still wrong?"}, "ticket.reopen": {"没修好", "It is not mended"}, "ticket.owner": {"修没修好，要老板的手机来说。", "Whether it is mended the owner's phone says."},

	"call.note.nobody": {"那时没有安排人上门", "Nobody was scheduled then"}, "call.note.expected": {"那时安排了人上门", "Somebody was scheduled then"},
	"call.report": {"告诉收单机构的风控", "Tell the acquirer's risk desk"}, "call.reported": {"已告诉风控，看处理", "The risk desk knows: see what they do"},
	"home.stopped": {"已停止，等收单机构查", "Stopped; the acquirer looks into it"}, "sticker.no_address": {"门贴现在印不了：网站还没写明自己的网址。请运营方在配置里填 public_url。", "The sticker cannot be printed yet: this site was not told its own address. The operator sets public_url in the config."},

	"next.charged": {"机器开通了，但多扣了钱", "It is open, but something else was charged"},
	"alarm.later":  {"下面的钱，价格表上没有。查清楚以前，别再付任何钱。", "What follows is not on the price sheet. Pay nothing more until it is cleared up."}, "alarm.ticket": {"让收单机构查、退钱", "Ask the acquirer to look into it and pay it back"}, "alarm.stop": {"马上停，报告", "Stop and report"},
	"back.install": {"新机没装好，已经撤走", "The terminal is not ready and was taken back"}, "back.install.do": {"机器没有开通，没人能用它扣您的钱。", "It was not opened; nobody can charge you through it."},
	"back.dead": {"新机没装好，旧机现在也收不了钱", "The new one is not ready, and the old one takes no payments"}, "back.dead.do": {"马上打收单机构的电话，让他们先借您一台。", "Call the acquirer now and ask for a loan terminal."},
	"back.again": {"下次上门：{at}，不另收钱。", "Next visit: {at}, at no charge."}, "back.soon": {"下次什么时候来还没定，定了这里会写，不另收钱。等不及就打订单上的电话。", "The next visit has no time yet; it will stand here, at no charge. If it takes too long, call the number on your order."},
	"back.order":    {"看下次的订单", "See the next order"},
	"back.evidence": {"下载证据、打印报告", "Download the evidence, print the report"}, "back.lost": {"耽误的时间", "Lost time"}, "back.same": {"没修好，机器照旧能用", "Not mended; the terminal works as before"},
	"deposit.title": {"押金", "Deposit"}, "deposit.kept": {"押金 {yuan} 是您的钱，退机的时候记得要回来。", "The deposit of {yuan} is yours: ask for it when the terminal goes back."}, "deposit.due": {"没办成。押金 {yuan} 您要是已经付了，该退给您。", "It was not installed. If you have paid the deposit of {yuan}, it is due back."},
	"deposit.removal": {"这台机器当初签了押金 {yuan}。机器拆走，钱该退给您；上门的人不收也不退现金，由收单机构退。", "A deposit of {yuan} was signed for this terminal. It is due back when the terminal goes; the acquirer returns it, the visitor neither takes nor pays cash."},
	"deposit.gone":    {"机器拆走了，押金 {yuan} 该退给您。", "The terminal is gone; the deposit of {yuan} is due back to you."},
	"deposit.ask":     {"没退？点这里要", "Not returned? Ask for it"},
})
