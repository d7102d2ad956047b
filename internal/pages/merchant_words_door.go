package pages

// doorWords are the door check's, kept as pages.md has them.
var doorWords = texts(map[string]both{
	"door.title": {"核对上门的人", "Check the visitor"}, "door.start": {"人到了？先核对，再让进", "They are here? Check before you let them in"},
	"door.start.do": {"您的手机出一个码，对方用自己的手机扫。结果只出现在您这里。", "Your phone shows a code, they scan it with theirs. The result appears only here."}, "door.begin": {"开始核对", "Start the check"},
	"door.waiting": {"请对方用自己的手机扫这个码。对方给的码，一个也别扫。", "Let them scan this code with their own phone. Never scan a code they show you."}, "door.qr": {"给对方扫的二维码", "QR code for the visitor to scan"},
	"door.left": {"还剩", "Time left:"}, "door.seconds": {"秒", "seconds"}, "door.nosignal": {"没有信号，也能核对：对方扫完，再用您的手机扫他屏幕上的码。", "There is no signal; it works all the same: after they scan, scan the code on their screen with this page."},
	"door.scan": {"对方扫好了，我来扫他的", "They have scanned: now I scan theirs"}, "door.digits.ask": {"对方的相机坏了？", "Their camera is broken?"}, "door.digits.do": {"把这六个数念给对方，让他输进自己的手机。只能试一次。", "Read these six digits to them; they type them into their phone. One try only."}, "door.digits.label": {"六位数", "Six digits"},
	"door.scan.say": {"对准对方屏幕上的码。只在这一页扫，别用别的软件扫。", "Point at the code on their screen. Scan only on this page, with no other app."}, "door.camera": {"相机画面", "Camera picture"}, "door.again": {"重新核对", "Check again"},
	"door.face": {"还差一步：照片上的人，是您面前这位吗？", "One more step: is the person in the photo the one in front of you?"}, "door.photo": {"工作证上的照片", "Photo on the badge"}, "door.nophoto": {"没有照片，不能算核对过。请选「不是」。", "There is no photo, so this cannot count. Choose “No”."},
	"door.name": {"姓名", "Name"}, "door.company": {"公司", "Company"}, "door.job": {"来做什么", "Job"}, "door.distance": {"对方手机离您", "Their phone is"}, "door.two": {"对方手机上也要是这个数", "Their phone must show it too"},
	"door.face.offline": {"没信号也核对过了，有信号后会自动再查。请看照片。", "Checked without signal; it will be checked again by itself. Look at the photo."}, "door.same": {"是同一个人", "Same person"}, "door.other": {"不是", "No"},
	"door.on": {"下一步", "Next"}, "door.judged.good": {"有信号了，服务器也查过：没问题。", "Signal is back; the server checked too: all is well."}, "door.judged.bad": {"有信号了，服务器查出问题：别让对方继续，打订单上的电话。", "Signal is back, and the server found a problem: do not let them go on; call the number on your order."}, "door.waits": {"有信号了，已送到服务器，还在等对方手机的位置，稍后再查。", "Signal is back and it was sent; their phone's position is still to come, and it is checked again by itself."}, "door.queued": {"您的签字已存在手机里，有信号会自动送出。", "Your signature is kept in this phone and goes out when there is signal."},
	"verdict.why":      {"原因：", "Why: "},
	"verdict.admitted": {"可以开始", "They may begin"}, "verdict.admitted.do": {"请有人一直在旁边看着。订单上没写的钱，一分都不用给；身份证、银行卡、验证码也别给。", "Have someone watch. Pay nothing that is not on the order; give no ID, card or code."},
	"verdict.offline": {"可以开始（没信号时核对的）", "They may begin (checked without signal)"}, "verdict.offline.do": {"有信号后会自动再查。请有人一直在旁边看着。订单上没写的钱，一分都不用给。", "It will be checked again when there is signal. Have someone watch. Pay nothing that is not on the order."},
	"verdict.weak": {"先别开始", "Do not begin yet"}, "verdict.weak.do": {"没信号，只核对了一部分。打订单上的电话问一问；打不通，请对方改天来。", "Only partly checked without signal. Call the number on your order; if it fails, ask them to come another day."},
	"verdict.refused": {"别让对方动 POS 机", "Do not let them touch the terminal"}, "verdict.refused.do": {"请对方离开。不用争，不走就打 110。", "Ask them to leave. Do not argue; if they stay, call 110."},
	"verdict.another": {"这个人不是派来的", "This is not the one who was sent"}, "verdict.another.do": {"别让对方动 POS 机，请对方离开。不用争，不走就打 110。派来的人要是也到了，他扫同一个码就行。", "Do not let them touch the terminal; ask them to leave. Do not argue; if they stay, call 110. If the one who was sent is here too, the same code works for them."},
	"door.go_on": {"派来的人也到了，让他扫", "The one who was sent is here too: let them scan"}, "door.others": {"刚才另有一部手机扫过这个码，那人不是派来的。只认照片上这位。", "Another phone scanned this code before; its holder was not sent. Go by this photo alone."},
	"verdict.expired": {"这个码过时了", "This code has expired"}, "verdict.expired.do": {"90 秒里没有人答上来，就是还没核对，别让对方碰 POS 机。对方扫不了，多半不是派来的人：打订单上的电话。人还在门口，就重新出一个码。", "Nobody answered in 90 seconds: nothing is checked, and nobody may touch the terminal. Who cannot answer is probably not the one who was sent: call the number on your order. If they are still here, show a new code."},
	"verdict.clock": {"手机的时间不对", "This phone's clock is wrong"}, "verdict.clock.do": {"时间不对就没法核对，我们不猜。请在手机设置里打开「自动设置时间」，再来一次；等不及就打电话。", "With a wrong clock nothing can be checked, and we do not guess. Turn on automatic time in the phone's settings and try again, or call."},
	"verdict.unscheduled": {"现在没有安排人到您店里", "Nobody is scheduled now"}, "verdict.unscheduled.do": {"别让对方碰 POS 机，别给钱，别给验证码。", "No touching, no money, no codes."},
	"verdict.nophone": {"这部手机还没开通", "This phone is not set up"}, "verdict.nophone.do": {"没开通的手机核对不了。请用开通过的手机，或打订单上的电话。没核对以前，别让对方碰 POS 机。", "A phone that is not set up cannot check. Use the one that is, or call the number on your order. Until then, no touching."},
	"verdict.failed": {"没能核对", "The check did not work"}, "verdict.failed.do": {"没核对成，就当没核对：别让对方动 POS 机。再试一次，或打订单上的电话。", "No check is no check: do not let them touch the terminal. Try again, or call the number on your order."},
})
