package pages

// shopClerkWords are those of letting a clerk's phone in, and of phones that come and go.
var shopClerkWords = texts(map[string]both{
	"clerks.title": {"店员的手机", "Clerks' phones"}, "clerks.what": {"您不在店里的时候，店员的手机也能核对来人、马上叫停。价格和最后确认，只有您的手机能签。", "When you are away, a clerk's phone can check who comes, and stop them. Only your phone signs the price and the end."},
	"clerks.begin": {"让一部手机进来", "Let a phone in"}, "clerks.scan": {"让店员用自己的手机扫这个码", "Let the clerk scan this with their own phone"},
	"clerks.qr": {"给店员扫的二维码", "QR code for the clerk"}, "clerks.typed": {"扫不了，就在店员的手机上输入：", "If it cannot be scanned, type it on the clerk's phone:"}, "clerks.ten": {"10 分钟内有效，只给站在您面前的店员看。别拍照，别转发。", "Good for ten minutes. Show it only to the clerk in front of you; no photos, no forwarding."},
	"clerks.compare": {"店员的手机上，也是这四个数字吗？", "Does the clerk's phone show the same four digits?"}, "clerks.compare.why": {"自己看一眼他的屏幕，再点。", "Look at their screen yourself, then tap."},
	"clerks.same": {"一样，让它进来", "The same: let it in"}, "clerks.other": {"不一样", "They differ"},
	"clerks.done": {"好了，这部手机能核对来人了", "Done: this phone can check who comes"}, "clerks.done.what": {"店员走了，记得在这里停掉它。", "When the clerk leaves, end it here."},
	"clerks.stopped": {"没有让它进来", "It was not let in"}, "clerks.stopped.what": {"可能有别的手机抢先用了这个码。重新出一个码，只给您面前的人看。", "Another phone may have used this code first. Make a new one, and show it only to the person in front of you."}, "clerks.again": {"重新出一个码", "Make a new code"},
	"clerks.list": {"已经让进来的手机", "Phones let in"}, "clerks.none": {"还没有。", "None yet."}, "clerks.phone": {"店员手机", "Clerk's phone"}, "clerks.since": {"开通于", "since"},
	"clerks.end": {"停掉这部手机", "End this phone"}, "clerks.end.what": {"点了马上生效：它不能再核对，也看不到订单。", "It takes effect at once: it can no longer check, nor see orders."},

	"clerk.title": {"店员开通", "Set up a clerk's phone"}, "clerk.what": {"老板让您的手机帮店里核对上门的人。您能核对、能叫停，不能签价格。", "The owner lets your phone check visitors for the shop. You can check and stop; you cannot sign the price."},
	"clerk.code": {"老板手机上的码", "The code on the owner's phone"}, "clerk.code.hint": {"扫码进来的已经填好了。", "Filled in already if you scanned it."},
	"clerk.key": {"会在这个浏览器里存一把密钥：清了浏览器数据它就没了，要请老板重新让您进来。", "A key will be kept in this browser: clearing its data loses it, and the owner must let you in again."},
	"clerk.go":  {"下一步", "Next"}, "clerk.show": {"把这四个数字给老板看", "Show the owner these four digits"}, "clerk.wait": {"等老板在他的手机上点同意。这一页会自己往下走。", "Waiting for the owner to agree on their phone. This page goes on by itself."},
	"clerk.renew.not": {"不能用了？请老板再出一个码，扫进来。", "Does it not work? Ask the owner for a new code and scan it."},

	"renew.title": {"这部手机开通过", "This phone was set up"}, "renew.what": {"只是太久没用，要用它的密钥再进一次。", "It was not used for long: sign in once more with its key."}, "renew.go": {"用这部手机进入", "Sign in with this phone"},
	"phone.end.clerk": {"这部手机会忘掉密钥并退出。再请老板在他的手机上也停掉它。", "This phone forgets its key and signs out. Ask the owner to end it on his phone, too."},
	"phone.end.sure":  {"确定停用？停用以后，您让进来的店员手机也一起停。", "Are you sure? The clerks' phones that you let in end with it."},
})
