package pages

// shopKindWords are what the merchant reads on kinds that take over from a terminal.
var shopKindWords = texts(map[string]both{
	"next.work.swap": {"正在换机", "Being swapped"}, "next.work.repair": {"正在维修", "Being repaired"}, "next.work.relocation": {"正在移机", "Being moved"},
	"next.work.removal":  {"等旧密钥作废", "The keys are about to end"},
	"do.work.swap":       {"请有人一直在旁边看着。旧机照常能用，新机试好了才换。", "Have someone watch. The old terminal goes on working until the new one has passed."},
	"do.work.repair":     {"请有人一直在旁边看着。拆开修过，就要再试一笔 ¥0.01，不用您的卡。", "Have someone watch. If it was opened, they try ¥0.01 again, not with your card."},
	"do.work.relocation": {"请有人一直在旁边看着。到新地方要再试一笔 ¥0.01，不用您的卡。", "Have someone watch. At the new place they try ¥0.01 again, not with your card."},
	"do.work.removal":    {"收单机构的主机作废密钥以前，别让对方把机具拿走。", "Until the acquirer's host has ended the keys, do not let them take the device away."},
	"next.live.removal":  {"等关单", "About to be closed"}, "do.live.removal": {"您这边都做完了，会自动关单。", "You are done; the visit closes by itself."},
	"next.live.inspection": {"等关单", "About to be closed"}, "do.live.inspection": {"您这边都做完了，会自动关单。", "You are done; the visit closes by itself."},
	"next.closing": {"机具能收款了", "The terminal takes money"}, "do.closing": {"剩下的由上门的人收尾，您不用再做什么。", "The technician finishes the rest; there is nothing more for you to do."},
	"next.rolled_back.relocation": {"没装好，店里现在没有能用的机具", "Not ready, and the shop has no terminal"},
	"do.rolled_back.relocation":   {"打订单上的电话，要一台备用机。再来一次不另收钱。", "Call the number on your order for a loaner. The next visit is free."},
	"next.rolled_back.install":    {"没装好，没有开通", "Not ready, and not opened"}, "next.rolled_back.repair": {"没修好，机具退回到修以前的样子", "Not mended: it is as it was before"},
	"do.review.removal": {"机具撤走了，密钥也作废了。觉得他们办得怎么样？评一句，谁也删不掉。", "The device is gone and its keys are ended. How was it? Your review cannot be removed by anybody."},
	"do.done.removal":   {"机具撤走了，这次的证据都给您留着。", "The device is gone, and all evidence of this visit is kept for you."},
	"do.ended.swap":     {"这次上门取消了，新机没有开通。旧机能不能用，打订单上的电话问一问。", "This visit was called off; the new terminal was not opened. Call the number on your order about the old one."},
	"do.ended.removal":  {"这次上门取消了。机具能不能用，打订单上的电话问一问。", "This visit was called off. Call the number on your order about the terminal."},

	"next.outage": {"旧机现在收不了款", "The old terminal takes no money now"}, "do.outage": {"这是主机说的。要不要先停一会儿，您来定。", "The host says so. Whether to go without it for a while is yours to say."},
	"go.outage":  {"回答", "Answer"},
	"outage.ask": {"没有它，先停一会儿收款，行吗？", "May the shop go without it for a while?"},
	"outage.why": {"收单机构的主机说这台机具收不了款，机身号后六位是", "The acquirer's host says that this terminal takes no money. Its last six digits are"},
	"outage.yes": {"行，停多久都记下来", "Yes; the minutes are counted"},
	"outage.no":  {"不行，要一台备用机", "No, we need a loaner"}, "outage.no.do": {"先别让对方继续，打收单机构的电话要一台备用机。", "Do not let them go on; call the acquirer for a loaner."},

	"next.consent": {"旧密钥可以作废吗", "May the old keys end?"}, "do.consent": {"您没签字，谁也作废不了。", "Without your signature nobody ends them."}, "go.consent": {"看一看再签", "Read, then sign"},
	"consent.ask": {"新机能收款了，旧机的密钥可以作废吗？", "The new terminal takes money. May the old one's keys end?"}, "consent.why": {"作废以后，旧机再也收不了款。新机没试过、没收到钱，就别签。", "Afterwards the old terminal takes no money ever again. Do not sign before you have seen the new one take money."},
	"consent.ask.relocation": {"要搬走了，老地址的密钥可以作废吗？", "It is being moved. May the keys of the old place end?"}, "consent.why.relocation": {"作废以后，到新地址装好以前收不了款，停多久都记下来。", "Afterwards no money until it is live at the new place; the minutes are counted."},
	"consent.ask.removal": {"机具要撤走，密钥可以作废吗？", "The device is to be taken away. May its keys end?"}, "consent.why.removal": {"作废以后，这台机具再也收不了款。不是您要撤的，别签，点下面的举报。", "Afterwards it takes no money ever again. If it was not you who wanted this, do not sign, and report it."},
	"consent.yes": {"可以作废，签字", "Yes, they may end: sign"}, "consent.no": {"没想好就先不签，机具照常能用。", "Not sure? Do not sign; the terminal goes on working."},

	"next.hand_back": {"把机具交给上门的人", "Hand the device over"}, "do.hand_back": {"交给谁、哪一台，都要您签字。", "To whom and which device: both by your signature."}, "go.hand_back": {"核对号码，签字", "Compare the number and sign"},
	"hand_back.ask.before": {"交出去的机具，最后六位是", "Are the last six of the device that you hand over"}, "hand_back.ask.after": {"吗？", "?"},
	"hand_back.why":            {"密钥已经作废，它收不了款了。号码对，再交。", "Its keys are gone and it takes no money. Hand it over if the number is right."},
	"hand_back.why.relocation": {"对方把它带到新地址。号码对，再交。", "They carry it to the new place. Hand it over if the number is right."},
	"hand_back.yes":            {"是这台，交给他", "Yes, this one: hand it over"}, "hand_back.none": {"这台机具的交接记录还没有，先别交。", "There is no record of this device's hand-overs yet; do not hand it over."},
	"old.none": {"这次上门没有旧机", "This visit has no old terminal"},
})
