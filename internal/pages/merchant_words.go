package pages

import (
	"github.com/menshen-project/menshen/internal/agreement"
)

// shopWords is what a merchant reads, with a customer at the till and a stranger at the counter.
var shopWords = texts(map[string]both{
	"shop.title":    {"我的店", "My shop"},
	"shop.home":     {"回到我的店", "Back to my shop"},
	"shop.back":     {"回到订单", "Back to the order"},
	"shop.phrase":   {"您的暗语（没有它，就不是真的页面）", "Your phrase (without it, the page is not real)"},
	"shop.offline":  {"现在没有信号。您看到的是上次打开时的样子。", "There is no signal. This is how it was when you last opened it."},
	"shop.browser":  {"请点右上角「…」，选「在浏览器打开」。", "Tap “…” at the top right and choose “Open in browser”."},
	"shop.noscript": {"这个浏览器没有开 JavaScript：能看，不能核对、不能签字。", "JavaScript is off here: you can read, but neither check nor sign."},

	"lack.title":    {"这里有些事做不了", "Some things do not work here"},
	"lack.storage":  {"这个浏览器不让网页存东西（可能开了无痕模式），签不了字。", "This browser lets pages keep nothing (perhaps private mode), so it cannot sign."},
	"lack.crypto":   {"这个浏览器不会签名，请换一个浏览器。", "This browser cannot sign; use another one."},
	"lack.insecure": {"这个网址不是 https 开头的，谁都能在中间改。请用收单机构给您的链接重新打开。", "This address does not begin with https, so anybody on the way could change it. Open the link that your acquirer gave you."},
	"lack.wechat":   {"您是在微信里打开的。微信里存的东西说不定哪天就清掉，所以请不要在这里开通。", "You opened this inside WeChat, which may clear what is kept at any time: do not enrol here."},
	"lack.old":      {"这个浏览器太旧了，请更新它，或换一个浏览器打开这一页。", "This browser is too old. Update it, or open this page in another one."},
	"lack.still":    {"在这里还可以：看订单、看价格、打电话。", "What still works here: reading the order and the price, and calling."},

	"next.sheet_comes": {"价格还没出来", "No price yet"}, "do.sheet_comes": {"收单机构把价格写好，这里就能看、能签。没签以前不会派人来。", "Once the acquirer has written the price you can read and sign it here. Nobody is sent before."},
	"next.price": {"先看价格", "Read the price first"}, "do.price": {"看清楚每一笔再签。您没签，谁也不能上门动机器。", "Read every line, then sign. Without your signature nobody may come and touch the terminal."},
	"next.send": {"等派人", "Somebody will be sent"}, "do.send": {"价格签好了，等着派人。没派以前，谁来都不是我们的人。", "The price is signed. Until somebody is sent, whoever comes is not ours."},
	"next.door": {"人到了，先核对", "When they come, check first"}, "do.door": {"核对通过以前，别让任何人碰 POS 机，别给钱，别给验证码。", "Until the check is green: no touching the terminal, no money, no codes."},
	"next.checking": {"您核对过了，再等一下", "You have checked; one moment"}, "do.checking": {"门神还在查最后几项。这里没变以前，先别让对方动手。", "menshen is looking into the last points. Until this page changes, do not let them begin."},
	"next.device": {"可以开始，先核对机器", "They may begin; check the device first"}, "do.device": {"请有人一直在旁边看着。订单上没写的钱，一分都不用给；身份证、银行卡、验证码也别给。", "Have someone watch. Pay nothing that is not on the order; give no ID, card or code."},
	"next.keep": {"旧机里有东西要留吗", "Is there data to keep?"}, "do.keep": {"回答一句就行。", "One answer is enough."},
	"next.work": {"正在安装", "At work"}, "do.work": {"请有人一直在旁边看着。装好会试一笔 ¥0.01，不用您的卡。", "Have someone watch. When it is in place they try ¥0.01, not with your card."},
	"next.trial": {"看着试一笔", "Watch the test"}, "do.trial": {"对方用测试卡试一笔 ¥0.01，会自动退回。不用您的卡。", "They try ¥0.01 with a test card; it comes back by itself. Not your card."},
	"next.confirm": {"都好了？您来说", "All done? You say so"}, "do.confirm": {"四个问题，照实回答。您没点头，机器开不了。", "Four questions; answer as it is. Without your yes the terminal does not open."},
	"next.live": {"等机器开通", "The terminal is being opened"}, "do.live": {"您这边都做完了，机器会自动开通。", "You are done; the terminal opens by itself."},
	"next.review": {"办好了", "Done"}, "do.review": {"机器能用了。觉得他们办得怎么样？评一句，谁也删不掉。", "The terminal works. How was it? Your review cannot be removed by anybody."},
	"next.done": {"办好了", "Done"}, "do.done": {"机器能用了，这次的证据都给您留着。", "The terminal works, and all evidence of this visit is kept for you."},
	"next.stopped": {"已停止", "Stopped"}, "do.stopped": {"有人按了停止。弄清楚以前，别让任何人碰 POS 机，别给钱。", "Somebody pulled the brake. Until it is cleared up: no touching the terminal, no money."},
	"next.refused": {"没让进", "Turned away"}, "do.refused": {"别让对方动 POS 机，请对方离开。不用争，不走就打 110。", "Do not let them touch the terminal; ask them to leave. Do not argue; if they stay, call 110."},
	"next.ended": {"没办成", "Called off"}, "do.ended": {"这次上门取消了，机器没有开通。要再办，打订单上的电话。", "This visit was called off; nothing was opened. To go on, call the number on your order."},
	"next.rolled_back": {"新机没装好，旧机照常能用", "The old terminal works as before"}, "do.rolled_back": {"再来一次不另收钱。时间定了，这里会写。", "The next visit is free. Its time will be shown here."},
	"go.price": {"看价格、签字", "Read the price and sign"}, "go.door": {"人到了，先核对", "They are here: check first"}, "go.device": {"核对机器", "Check the device"},
	"go.keep": {"回答", "Answer"}, "go.trial": {"看着试一笔", "Watch the test"}, "go.confirm": {"都好了，确认", "All done: confirm"}, "go.review": {"评价", "Review"}, "go.report": {"有问题，马上停", "Something is wrong: stop"},

	"total.unknown": {"价格还没出来。没有价格，一分钱都别给。", "There is no price yet. Without one, pay nothing."},
	"total.free":    {"巡检不收钱，谁要都别给。", "An inspection costs nothing. Give no money to anybody."},
	"total.none":    {"本单一共 ¥0.00。上门的人不收钱，谁要都别给。", "This order costs ¥0.00 in all. Visitors take no money; give none to anybody."},
	"total.deposit": {"本单一共 {yuan}（押金，退机时退）。只在这一页付，别付给上门的人。", "This order costs {yuan} in all (a deposit, returned with the terminal). Pay on this page only, never the visitor."},
	"total.part":    {"本单一共 {yuan}，其中押金 {deposit} 退机时退。只在这一页付，别付给上门的人。", "This order costs {yuan} in all; {deposit} of it is a deposit, returned with the terminal. Pay on this page only, never the visitor."},
	"total.some":    {"本单一共 {yuan}。只在这一页付，别付给上门的人。", "This order costs {yuan} in all. Pay on this page only, never the visitor."},

	"fold.firm": {"谁派来的，有没有牌照", "Who sends them, and their licence"}, "fold.acquirer": {"收单机构", "Acquirer"}, "fold.provider": {"上门的公司", "Company that comes"},
	"fold.licence": {"支付业务许可证", "Payment licence"}, "fold.filing": {"备案编号", "Filing number"},
	"firm.sent":       {"{provider} 由 {acquirer} 委托上门，支付业务许可证 {licence}。", "{provider} comes for {acquirer}, payment licence {licence}."},
	"firm.sent.plain": {"{provider} 由 {acquirer} 委托上门。", "{provider} comes for {acquirer}."},
	"fold.price":      {"价格", "Price"}, "fold.device": {"机器", "Device"}, "fold.model": {"型号", "Model"}, "fold.serial": {"机身号后六位", "Last six on its back"},
	"fold.contact": {"打电话问", "Call"}, "fold.contact.say": {"只打这里的电话，别打上门的人给的电话。", "Call only these numbers, never one that a visitor gives you."},
	"fold.rights": {"您的权利", "Your rights"}, "fold.record": {"看全部记录、下载证据", "See the whole record, download the evidence"},
	"right.1": {"价格表上没写的钱，一分都可以不给。", "You need pay nothing that is not on the price sheet."},
	"right.2": {"随时可以说“停”，不用讲理由。", "You can say “stop” at any time, without a reason."},
	"right.3": {"身份证、银行卡、验证码，上门的人都无权要。", "A visitor may not ask for your ID, bank card or codes."},
	"right.4": {"证据归您：每一步都能下载，自己核对。", "The evidence is yours: download every step and check it yourself."},
	"right.5": {"谁看过您的资料，您都能查。", "You can see who looked at your data."},

	"call.110": {"拨打 110", "Call 110"}, "call.96110": {"拨打 96110 反诈", "Call 96110 (anti-fraud)"}, "call.order": {"订单上的电话", "Your order's number:"},
	"alarm.title": {"多扣钱了，马上停", "Something else was charged: stop"}, "alarm.do": {"下面的钱，价格表和试机里都没有。别让对方继续，打电话问。", "What follows is neither on the price sheet nor in the test. Do not let them go on; call."},

	"charge.unlisted": {"（价格表上没有）", " (not on the price sheet)"}, "charge.coded": {"（收单机构记的是“{code}”，打电话时可以问）", " (the acquirer calls it “{code}”; ask about it)"}, "charge.other": {"价格表上没有的一笔", "Something that is not on the price sheet"},
	"price.title": {"看价格、签字", "The price, and your signature"}, "price.none": {"什么都不收", "Nothing is charged"}, "price.back": {"退还：", "Returned: "},
	"price.service": {"保修 {w} 个月；报修 {a} 小时内回应，{b} 小时内修好。", "Warranty {w} months; answer to a fault within {a} hours, repair within {b}."},
	"price.scope":   {"包括什么", "What is included"}, "price.clauses": {"全部 {n} 条条款", "All {n} clauses"}, "price.clauses.one": {"1 条条款", "1 clause"},
	"price.signed": {"您已经签过这份价格。它改一个字，都要您重新签。", "You have signed this price. If one word changes, you must sign again."},
	"price.ack":    {"我看到了", "I have seen this"},
	"price.today":  {"现在，谁给您打款？", "Who pays you today?"}, "price.today.why": {"就是您刷卡收的钱，现在由哪家公司打到您账上。", "Which company now sends your card takings to your account."},
	"price.today.none": {"现在没有 POS 机", "I have no terminal now"}, "price.today.other": {"别的公司，或者不清楚", "Another company, or I do not know"},
	"price.after": {"办完以后，谁给您打款？", "Who pays you after this?"}, "price.after.none": {"不变", "No change"}, "price.after.unsure": {"不是这家，或者不清楚", "Another one, or I do not know"},
	"price.after.ask": {"先别签。打订单上的电话问清楚，再来签。", "Do not sign yet. Call the number on your order first."},
	"price.sign":      {"看明白了，签字", "I understand: sign"}, "price.sign.what": {"用这部手机里的密钥签。签完谁也改不了，您也留一份。", "Signed with the key in this phone. Nobody can change it afterwards, and you keep a copy."},
	"clerk.price": {"店员的手机不能签价格", "A clerk's phone cannot sign the price"}, "clerk.price.do": {"价格只有老板自己能签。请老板用自己的手机打开订单。", "Only the owner signs the price. Ask the owner to open the order on their own phone."},
	"clerk.not": {"这一步要老板的手机来做。", "This step needs the owner's phone."},

	"device.ask.before": {"机身背后的号码，最后六位是", "Are the last six of the number on the back"}, "device.ask.after": {"吗？", "?"},
	"device.where": {"把机器翻过来看标签。一位一位地对。", "Turn the device over and look at the label. Compare digit by digit."},
	"device.yes":   {"是", "Yes"}, "device.no": {"不是这台", "Another device"}, "device.none": {"还不知道是哪台机器", "The device is not known yet"}, "device.none.do": {"派人的公司还没写明。先别让对方拆机器。", "The company has not named it. Do not let them unpack anything."},
	"keep.ask": {"旧机里有没有要留的东西？", "Is there anything to keep on the old terminal?"}, "keep.why": {"比如会员、库存、没对完的账。动旧机以前要先备份好。", "Such as members, stock, open accounts. It is backed up before anybody touches the old one."},
	"keep.nothing": {"没有要留的", "Nothing to keep"}, "keep.some": {"有要留的", "There is something"}, "keep.some.do": {"请上门的人先备份，并当场恢复一次给您看。做完这里会自动往下走；没做完，机器试不了。", "Ask the technician to back up first and show you a restore. This page then goes on by itself; until then no test is possible."},
	"trial.title": {"看着试一笔", "Watch the test"}, "trial.say": {"对方用测试卡试一笔 ¥0.01，会自动退回。不用您的卡。", "They try ¥0.01 with a test card; it comes back by itself. Not your card."},
	"trial.charged": {"主机收到的", "What the host saw"}, "trial.none": {"还没有开始。开始以后，每一步都会出现在这里。一直没有动静，最多等 30 分钟就能再试；等不及，打收单机构的电话，请它收回这次试机许可，马上就能再试。",
		"Not started. Every step will appear here. If nothing comes, it can be tried again after 30 minutes at most; to try at once, call the acquirer to take this trial permit back."},
	"confirm.title": {"四个问题，照实回答", "Four questions; answer as it is"}, "confirm.why": {"有一条不对，机器就不开通，先解决。", "If one thing is not right the terminal is not opened; the problem is solved first."},
	"confirm.works": {"机器能正常收款？", "Does the terminal take payments?"}, "confirm.staff_shown": {"店里的人会用了？", "Were your staff shown how?"},
	"confirm.refunds_protected": {"退款要输密码？", "Do refunds ask for a password?"}, "confirm.paid_nothing_beside": {"价格表以外的钱，您给过吗？", "Did you pay anything beside the price sheet?"},
	"confirm.works.yes": {"能", "Yes"}, "confirm.works.no": {"不能", "No"}, "confirm.staff_shown.yes": {"会了", "Yes"}, "confirm.staff_shown.no": {"还不会", "No"},
	"confirm.refunds_protected.yes": {"要", "Yes"}, "confirm.refunds_protected.no": {"不要", "No"}, "confirm.paid_nothing_beside.yes": {"没给过", "No, nothing"}, "confirm.paid_nothing_beside.no": {"给过", "Yes, I did"},
	"confirm.sign": {"签字确认", "Sign"}, "confirm.some_no": {"有一条不对。照实签就好：机器不会开通，会有人来解决。", "Something is not right. Sign it as it is: the terminal stays closed until the problem is solved."},
	"review.title": {"这次办得怎么样？", "How was this visit?"}, "review.why": {"只有办过这一单的人能评，一人一次，删不掉。", "Only parties of this visit review it, once each; no review can be removed."},
	"review.stars": {"几分", "Your mark"}, "review.5": {"5 分，很好", "5, very good"}, "review.4": {"4 分，不错", "4, good"}, "review.3": {"3 分，一般", "3, fair"}, "review.2": {"2 分，不好", "2, poor"}, "review.1": {"1 分，很差", "1, bad"}, "review.sign": {"签字提交", "Sign and send"},
	"wrong.title": {"有问题，马上停", "Something is wrong: stop"}, "wrong.go": {"有问题，马上停", "Something is wrong: stop"}, "wrong.more": {"又出了事，再报告", "Something else happened: report it too"}, "wrong.tap": {"报告，停止这次上门", "Report it and stop this visit"},
	"wrong.what": {"点一下，这次上门马上停住，证据自动保存。", "One tap stops this visit at once and keeps the evidence."}, "wrong.kind": {"出了什么事？", "What happened?"},
	"wrong.kind.wrong_person": {"来的人不对", "It is the wrong person"}, "wrong.kind.asked_for_money": {"要钱、要卡、要验证码", "They ask for money, a card or codes"}, "wrong.kind.device": {"机器不是这台", "It is another device"}, "wrong.kind.other": {"别的", "Something else"},
	"wrong.sign": {"停止这次上门", "Stop this visit"}, "wrong.taken": {"已记下并停止这次上门。", "Recorded, and this visit is stopped."}, "wrong.number": {"编号", "No."}, "wrong.then": {"别让任何人碰 POS 机。收单机构的风控会打给您。", "Let nobody touch the terminal. The acquirer's risk desk will call you."},
})

// shopMoreWords are those of home, phones and the public page.
var shopMoreWords = texts(map[string]both{
	"home.nobody": {"现在没有安排人到您店里", "Nobody is scheduled now"}, "home.nobody.do": {"别让对方碰 POS 机，别给钱，别给验证码。", "No touching, no money, no codes."},
	"home.here": {"有人已经在店里？", "Somebody is here already?"}, "home.older": {"以前的", "Earlier"}, "home.phone": {"这部手机，和您的暗语", "This phone, and your phrase"},
	"home.order": {"看这一单", "See this order"}, "home.clerk": {"您不在店里？让店员的手机也能核对", "Not at the shop? Let a clerk's phone check, too"},
	"whose.you": {"轮到您", "Your turn"}, "whose.door": {"人来了，就轮到您", "Your turn once they are here"}, "whose.review": {"都好了，想评就评一句", "All is done; a review is up to you"},
	"whose.sheet_comes": {"您先等着，轮到收单机构", "Just wait: it is up to the acquirer"}, "whose.send": {"您先等着，轮到派人的公司", "Just wait: the company sends somebody"},
	"whose.checking": {"您先等着，轮到门神", "Just wait: it is up to menshen"}, "whose.work": {"您先看着，轮到上门的人", "Just watch: it is up to the technician"}, "whose.work.removal": {"您先等着，轮到收单机构", "Just wait: it is up to the acquirer"},
	"whose.live": {"您先等着，轮到收单机构", "Just wait: it is up to the acquirer"}, "whose.live.removal": {"您不用做什么，轮到上门的人", "Just wait: it is up to the technician"}, "whose.live.inspection": {"您不用做什么，轮到上门的人", "Just wait: it is up to the technician"},
	"whose.closing": {"您不用做什么，轮到上门的人", "Just wait: it is up to the technician"}, "whose.charged": {"轮到您：看看多扣了什么", "Your turn: see what was charged"}, "whose.over": {"这一单到此为止", "This visit is over"}, "whose.look": {"点开看看现在怎么样", "Open it to see how it stands"},
	"unset.title": {"这部手机还没开通", "This phone is not set up"}, "unset.what": {"没开通，签不了字，也核对不了上门的人。", "Until it is, it can neither sign nor check who comes."}, "unset.go": {"在这部手机上开通", "Set up this phone"},
	"home.calls": {"有人在门口问过", "Somebody asked at the door"}, "home.call.expected": {"那时候确实安排了人。还是要先核对，再让对方动手。", "Somebody was indeed scheduled then. Check first all the same."},
	"home.call.nobody":       {"那时候没有安排任何人。别让对方碰 POS 机，别给钱，别给验证码。", "Nobody was scheduled then. No touching, no money, no codes."},
	"call.kind.someone_here": {"有人说是来弄 POS 机的", "Somebody says they came about the terminal"}, "call.kind.asks_money": {"对方要钱", "They ask for money"},
	"call.kind.asks_codes": {"对方要身份证、银行卡或验证码", "They ask for an ID, card or code"}, "call.kind.touches_terminal": {"对方已经在动 POS 机", "They are touching the terminal"},

	"phone.title": {"在这部手机上开通", "Set up this phone"}, "phone.has": {"这部手机已经开通，可以核对、可以签字。", "This phone is set up: it can check and sign."},
	"phone.code": {"输入开通码", "Enter your code"}, "phone.code.why": {"开通码在合同上，或者由收单机构当面、打电话告诉您。短信里的链接只是地址，光有链接没用。上门的人不会有，也不该问您要。", "The code is in your contract, or the acquirer told you. The link in the message is only an address. A visitor never has the code and must not ask for it."},
	"phone.code.label": {"开通码（12 位）", "Code (12 characters)"}, "phone.code.hint": {"大小写、空格、横线都不要紧。只能用一次。", "Case, spaces and dashes do not matter. It works once."},
	"phone.passkey":     {"会用这部手机的指纹、面容或锁屏密码来签字，密钥存在手机里，拿不走。", "Signing will use this phone's fingerprint, face or screen lock; the key stays in the phone."},
	"phone.page":        {"这个浏览器没有指纹签字。会在这个浏览器里存一把密钥：清了浏览器数据它就没了，要重新开通；签的文件上会写明是这一种。", "This browser has no passkey. A key will be kept in this browser: clearing its data loses it, and you must set up again. What you sign says that it is of this kind."},
	"phone.passkey.has": {"用指纹、面容或锁屏密码签字。", "It signs with fingerprint, face or screen lock."}, "phone.page.has": {"密钥存在这个浏览器里。清浏览器数据会丢，丢了要新的开通码。", "The key is kept in this browser. Clearing its data loses it; you then need a new code."},
	"phone.go": {"开通", "Set up"}, "phone.end": {"在这部手机上停用", "End this phone"}, "phone.end.what": {"这部手机以后不能核对、不能签字。要再用，得要新的开通码。", "This phone will no longer check or sign. To use it again you need a new code."}, "phone.end.go": {"停用这部手机", "End this phone"},
	"phone.lost": {"手机丢了、换了", "Lost or new phone"}, "phone.lost.do": {"打收单机构的电话，让他们停掉旧手机，要一个新的开通码。旧手机停掉以前签的东西不变。", "Call the acquirer: have the old phone ended and get a new code. What was signed before stays as it is."},
	"phrase.title": {"您的暗语", "Your phrase"}, "phrase.other": {"换一句暗语", "Choose another phrase"}, "phrase.why": {"自己定一句话。以后每一页顶上都有它，只给您看。哪一页没有，就是假的。", "Choose a few words. Every page of yours shows them, to nobody else. A page without them is false."},
	"phrase.label": {"暗语", "Phrase"}, "phrase.hint": {"2 到 24 个字。别用姓名、电话、密码。", "2 to 24 characters. Not a name, number or password."}, "phrase.keep": {"就用这句", "Use this"},

	"public.title":  {"有人上门弄 POS 机？", "Somebody at the door about the terminal?"},
	"public.always": {"请打开您自己的订单页。它没说可以之前，别让任何人碰 POS 机，别给钱，别给验证码。", "Open your own order page. Until it says so: no touching, no money, no codes."},
	"public.ask":    {"告诉这家店的老板", "Tell the owner of this shop"}, "public.code": {"店的编号（在门贴上）", "The shop's code (on the door sticker)"}, "public.what": {"现在怎么样", "What is going on"},
	"public.tell": {"告诉老板", "Tell the owner"}, "public.where": {"回答只出现在老板自己的页面上。这里对谁都说一样的话。", "The answer appears on the owner's own page only. This page says the same to everybody."},
	"public.own": {"您就是店里的人？在自己的手机上打开这家店：这件事已经在那里，点一下就报告给收单机构。", "Are you of this shop? Open it on your own phone: this is there already, and one tap reports it to the acquirer."}, "public.report": {"这是我的店：报告", "This is my shop: report it"},
	"public.told":   {"已转告。老板会在自己的页面上看到。", "Passed on. The owner sees it on their own page."},
	"sticker.title": {"门贴", "Door sticker"}, "sticker.head": {"上门弄 POS 机？先核对。", "About the card terminal? Check first."}, "sticker.scan": {"店里的人：扫这个码，或打开自己的订单页。上门的人没有核对，不能动机器。", "Staff: scan this, or open your own order page. Nobody touches the terminal unchecked."},
	"sticker.qr": {"打开核对页的二维码", "QR code of the check page"}, "sticker.print": {"用 A5 或 A4 纸打印，贴在收银台和门上。", "Print on A5 or A4; put it at the till and on the door."},
})

var (
	perWords   = texts(map[string]both{agreement.PerOnce: {"一次", "once"}, agreement.PerMonth: {"每月", "a month"}, agreement.PerYear: {"每年", "a year"}, agreement.PerTrade: {"每笔", "each payment"}})
	whenWords  = texts(map[string]both{agreement.WhenSigning: {"签字时", "when you sign"}, agreement.WhenLive: {"开通时", "when it opens"}, agreement.WhenPeriod: {"到期", "each time"}, agreement.WhenEvent: {"用到才收", "only if it happens"}})
	cardWords  = texts(map[string]both{agreement.CardDebit: {"储蓄卡，每笔", "Debit card, each"}, agreement.CardCredit: {"信用卡，每笔", "Credit card, each"}, agreement.CardQR: {"扫码，每笔", "QR payment, each"}, agreement.CardForeign: {"境外卡，每笔", "Foreign card, each"}})
	trialWords = texts(map[string]both{agreement.StepSignIn: {"机器连上了收单机构", "It reached the acquirer"}, agreement.StepApprovedSale: {"试收一笔，收到了", "A test payment went through"}, agreement.StepDeclinedSale: {"不该收的那笔，没收成", "A payment that must fail failed"},
		agreement.StepWrongMAC: {"被人改过的消息，不认", "A message that was tampered with was refused"}, agreement.StepReversal: {"断网没收成的，会自动退", "What a lost connection cut short came back"}, agreement.StepRefundWithoutPassword: {"没有密码，退不了款", "No refund without the password"},
		agreement.StepRefundWithPassword: {"试收的那笔，退回去了", "The test payment was returned"}, agreement.StepSettlement: {"对过账，没差", "The accounts agree"}})
)
