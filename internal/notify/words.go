package notify

import "github.com/menshen-project/menshen/internal/fault"

// sentences are what a person reads, by kind and code, else by kind.
var sentences = map[string]fault.Text{
	VisitStopped:                      {Zh: "门神：一次上门被停住了，请打开工作台处理。", En: "menshen: a visit was stopped; open the console."},
	VisitStopped + "/report_incident": {Zh: "门神：有人举报，这次上门已停住，请马上处理。", En: "menshen: somebody reported an incident and the visit is stopped; look at once."},
	VisitStopped + "/refuse":          {Zh: "门神：店里没让上门的人进，请打开工作台看原因。", En: "menshen: a shop turned the technician away; the console says why."},
	VisitStopped + "/roll_back":       {Zh: "门神：新机没装好，已退回旧机，请重新安排。", En: "menshen: a new terminal was rolled back; arrange another visit."},
	VisitStopped + "/abort":           {Zh: "门神：一次上门取消了，请重新安排。", En: "menshen: a visit was called off; arrange another."},
	BadgeRevoked:                      {Zh: "门神：一名上门人员的工作证停用了，别再派他。", En: "menshen: a technician's badge was taken back; do not send him."},
	DoorCall + "/expected":            {Zh: "【门神】有人在查您的店。今天约了人上门：请打开您自己的订单页，按“人到了，先核对”。没核对好，别让人动 POS 机。", En: "menshen: somebody looked up your shop. A visit is booked: open your own order page and check the person first."},
	DoorCall + "/unexpected":          {Zh: "【门神】有人在查您的店，现在没有安排人上门。别让对方碰 POS 机，别给钱，别给验证码。", En: "menshen: somebody looked up your shop. Nobody is scheduled now: no touching, no money, no codes."},
	OrderLink:                         {Zh: "【门神】您的 POS 上门订单：", En: "menshen: your order for a terminal visit: "},
	DeviceMarked + "/lost":            {Zh: "门神：一次上门要用的机器报了丢失，先别派，等风控查验。", En: "menshen: the device of an open visit was reported lost; send nobody with it until the risk desk has looked."},
	DeviceMarked + "/quarantined":     {Zh: "门神：一次上门要用的机器被扣下查验，先别派，等风控查验。", En: "menshen: the device of an open visit was set aside; send nobody with it until the risk desk has looked."},
	ShopDevice + "/lost":              {Zh: "【门神】要装到您店里的那台机器报了丢失。有人拿着它上门，别让他装，打订单页上的电话问。", En: "menshen: the terminal meant for your shop was reported lost. If somebody brings it, do not let it in; call the number on your order page."},
	ShopDevice + "/quarantined":       {Zh: "【门神】要装到您店里的那台机器被扣下查验了。没查完之前别让人装，有事打订单页上的电话。", En: "menshen: the terminal meant for your shop was set aside to be looked at. Let nobody install it before that; call the number on your order page."},
	TicketLate + "/response":          {Zh: "门神：一张工单过了答复时限，还没人接。", En: "menshen: a ticket passed its response time unanswered."},
	TicketLate + "/resolution":        {Zh: "门神：一张工单过了修好的时限。", En: "menshen: a ticket passed its resolution time."},
}
