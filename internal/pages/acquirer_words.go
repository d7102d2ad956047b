package pages

// acquirerWords are what the acquirer's console says.
var acquirerWords = texts(map[string]both{
	"acq.merchants":        {"商户", "Merchants"},
	"acq.merchant":         {"商户", "Merchant"},
	"acq.code":             {"商户编码", "Merchant code"},
	"acq.shops":            {"店铺", "Shops"},
	"acq.terminals":        {"在用终端", "Terminals"},
	"acq.bindings":         {"终端", "Terminals"},
	"acq.terminal":         {"终端号", "terminal"},
	"acq.phone":            {"店主手机", "Merchant's phone"},
	"acq.phone.none":       {"还没开通手机", "no phone set up yet"},
	"acq.phone.enrolled":   {"手机已开通", "phone set up"},
	"acq.phone.ended":      {"手机已停用，要重新开通", "phone ended: set up again"},
	"acq.search.hint":      {"整个编号（商户、店铺、订单、机身号），或整个手机号、店名、信用代码", "a whole id (merchant, shop, order, serial), or a whole phone number, name or credit code"},
	"acq.search.wrong":     {"地址里不能写手机号、证件号和姓名。请在上面的框里查，不要写进网址。", "Addresses hold no phone, identity number or name. Search in the box above instead."},
	"acq.none":             {"还没有商户。", "No merchants yet."},
	"acq.none.more":        {"用“导入”把商户和店铺的表格传上来。", "Upload the sheets of merchants and shops under Import."},
	"acq.none.match":       {"没有对得上的商户。", "No merchant matches."},
	"acq.back":             {"回到商户列表", "Back to the merchants"},
	"acq.setup":            {"上门之前要办好的", "Before anybody goes"},
	"acq.identity":         {"身份核验", "Identity check"},
	"acq.identity.none":    {"还没有。下订单时由审批人写明核验方式和结论，签字才算。", "None yet. The approver states method and result when booking an order, and signs it."},
	"acq.identity.yes":     {"通过", "accepted"},
	"acq.identity.no":      {"不通过", "not accepted"},
	"acq.identity.rule":    {"结论是本收单机构的，上门的人不核验身份，也看不到证件。", "The verdict is the acquirer's own. Nobody in the field checks identity or sees papers."},
	"acq.onetime":          {"一次性开通码", "One-time code"},
	"acq.onetime.rule":     {"码在本机构自己的服务里做，只显示一次，门神从来看不到。当面交、寄合同或回拨电话告诉店主。", "Made and shown once by your organisation's own service; menshen never sees it. Hand it over in person, with the contract or by calling back."},
	"acq.onetime.go":       {"到本机构的服务里做开通码", "Make a code in our own service"},
	"acq.onetime.unknown":  {"本机构的服务没有接上或没有回答，看不到状态。", "Our own service is not connected or does not answer; its state is not known."},
	"acq.onetime.no":       {"还没做过", "none made yet"},
	"acq.onetime.live":     {"做好了，店主还没用", "made, not used yet"},
	"acq.onetime.used":     {"用过了", "used"},
	"acq.onetime.expired":  {"过期了，没用上：再做一个", "expired unused: make another"},
	"acq.onetime.locked":   {"输错太多，锁住了：再做一个", "locked after wrong tries: make another"},
	"acq.onetime.revoked":  {"收回了", "taken back"},
	"acq.onetime.made":     {"做于", "made"},
	"acq.onetime.usedat":   {"用于", "used"},
	"acq.onetime.until":    {"有效到", "good until"},
	"acq.values":           {"登记的资料", "What is on file"},
	"acq.values.rule":      {"默认遮住。每看一次都记下是谁看的，店主看得到。", "Masked. Every look is recorded with your name, and the merchant sees it."},
	"acq.show":             {"显示", "Show"},
	"acq.shops.none":       {"还没有店铺。", "No shops yet."},
	"acq.province":         {"省级代码", "province"},
	"acq.sticker":          {"打印门贴", "Print the door sticker"},
	"acq.orders":           {"订单", "Orders"},
	"acq.orders.none":      {"还没有订单。", "No orders yet."},
	"acq.order.planned":    {"计划中，还没签", "planned, not signed"},
	"acq.order.booked":     {"已签下", "booked"},
	"acq.terminals.none":   {"还没有终端。", "No terminals yet."},
	"acq.binding.reserved": {"已预留", "reserved"},
	"acq.binding.open":     {"在用", "in use"},
	"acq.binding.ended":    {"已停用", "ended"},
	"acq.phones":           {"开通过的手机", "Phones"},
	"acq.clerks":           {"店主放进来的店员", "Clerks whom the merchant let in"},
	"acq.clerks.none":      {"没有。", "None."},
	"acq.key.webauthn":     {"通行密钥", "passkey"},
	"acq.key.es256":        {"网页密钥", "page key"},
	"acq.key.counts":       {"有效", "counts"},
	"acq.key.ended":        {"已停用", "ended"},
	"acq.key.over":         {"过期或还没到", "over or not yet begun"},
})

// orderWords are what orders and their booking say.
var orderWords = texts(map[string]both{
	"order.search.hint":   {"整个编号：订单、商户、店铺、上门、机身号", "a whole id: order, merchant, shop, visit, serial"},
	"order.none":          {"没有符合的订单。", "No order matches."},
	"order.none.more":     {"从商户的店铺那里下订单，或者换个条件。", "Book one from a merchant's shop, or change the filter."},
	"order.back":          {"回到订单列表", "Back to the orders"},
	"order.no_sheet":      {"订单已签，价目单还没签", "booked, sheet not signed"},
	"order.offered":       {"价目单已签，等店主", "sheet signed, waiting for the merchant"},
	"order.visit":         {"看这次上门：停住、取消、链接", "This visit: stop, call off, link"},
	"order.open":          {"安排上门", "Open the visit"},
	"order.open.why":      {"订单已签下，上门还没开出来（多半是当时断了网）。再签一次就好。", "The order is signed, but its visit was not opened, probably for lack of signal. Sign that now."},
	"order.facts":         {"订单内容", "The order"},
	"order.booker":        {"谁下的", "Booked by"},
	"order.duties":        {"谁做什么", "Who does what"},
	"order.duties.rule":   {"审批、上门、监督、店主必须是不同的人、不同的手机；是不是，由条件核对。", "Approver, technician, supervisor and merchant must be different people and phones; the gate checks it."},
	"order.duties.twice":  {"同一个人", "the same person"},
	"order.side.acquirer": {"本机构签字", "Our signature"},
	"order.side.merchant": {"店主签字", "The merchant's signature"},
	"order.side.none":     {"还没签", "not signed yet"},
	"order.differ":        {"两边签的不是同一份。", "The two sides signed different sheets."},
	"order.write":         {"写价目单", "Write a sheet"},
	"order.sent":          {"送来待签的价目单", "Sent for signing"},
	"order.sign":          {"签这份价目单", "Sign this sheet"},
	"order.reads.order":   {"订单", "Order"},
	"order.reads.total":   {"店主会看到", "The shop will read"},
	"book.go":             {"下订单", "Book an order"},
	"book.plan":           {"签这份计划中的订单", "Sign this planned order"},
	"book.title":          {"下订单", "Book an order"},
	"book.shop":           {"店铺", "Shop"},
	"book.kind":           {"办什么", "Kind"},
	"book.from":           {"从", "From"},
	"book.until":          {"到", "Until"},
	"book.model":          {"机型", "Model"},
	"book.terminal":       {"终端号（8 位）", "Terminal code (8)"},
	"book.old":            {"店里现在的机器", "The terminal there now"},
	"book.old.none":       {"请选", "Choose"},
	"book.old.shop":       {"从哪家店搬来", "From which shop"},
	"book.risk":           {"风险等级", "Risk"},
	"book.risk.0":         {"0：店主看着，事后抽查", "0: the merchant watches, audits after"},
	"book.risk.1":         {"1：远程监督", "1: remote supervisor"},
	"book.risk.2":         {"2：监督到场", "2: supervisor present"},
	"book.business":       {"业务", "Business"},
	"book.method":         {"怎么核验的", "How it was checked"},
	"book.checked":        {"核验于", "Checked at"},
	"book.accepted":       {"核验通过，由本机构负责", "Accepted, in our institution's name"},
	"book.values":         {"签字时会取出这家商户的名称、信用代码、账户、负责人证件号、店址和位置，只放进承诺里；这一次查看会留记录，店主看得到。", "Signing takes this merchant's name, credit code, account, identity number, address and position out of the vault and commits to them. The look is recorded and the merchant sees it."},
	"book.missing":        {"资料不全，先补齐再下单：", "Missing on file, complete these first: "},
	"book.sign":           {"签下订单", "Sign the order"},
})

// businessWords name what an acquirer may be licensed for.
var businessWords = texts(map[string]both{
	"bank_card_acquiring": {"银行卡收单", "bank card acquiring"}, "barcode_acquiring": {"条码支付收单", "barcode acquiring"},
})

// sheetWords are what the sheet builder says.
var sheetWords = texts(map[string]both{
	"sheet.title":                 {"价目单", "Price sheets"},
	"sheet.one":                   {"价目单", "Price sheet"},
	"sheet.lead":                  {"草稿和模板。签过字的在订单里，改不了。", "Drafts and templates. What was signed is on its order and does not change."},
	"sheet.new":                   {"新的价目单", "New sheet"},
	"sheet.none":                  {"还没有草稿。", "No drafts yet."},
	"sheet.name":                  {"名字", "Name"},
	"sheet.name.hint":             {"给同事看的，别写人名和电话。", "For colleagues. No names of people, no phone numbers."},
	"sheet.for":                   {"用于", "For"},
	"sheet.template":              {"模板", "template"},
	"sheet.now":                   {"本单要付", "Due now"},
	"sheet.updated":               {"改于", "Changed"},
	"sheet.copy":                  {"照这份再写一份", "Copy"},
	"sheet.back":                  {"回到价目单", "Back to the sheets"},
	"sheet.provider":              {"上门的公司", "Who comes"},
	"sheet.provider.none":         {"本机构自己派人", "our own people"},
	"sheet.fees":                  {"收费", "Fees"},
	"sheet.fees.hint":             {"空着就是没有这一项。写 0 就是写明不收。没写在单子上的钱，一分也不能收（条例第三十四条）。", "Left empty, a fee is not on the sheet; 0 says that it is free. What is not on the sheet may not be taken (art. 34)."},
	"sheet.fee":                   {"项目", "Fee"},
	"sheet.fee.more":              {"加一项", "Another fee"},
	"sheet.fee.code":              {"代号，如 stand", "short code, such as stand"},
	"sheet.label":                 {"店主看到的名字", "as the shop reads it"},
	"sheet.return":                {"什么时候退、怎么退", "when and how it comes back"},
	"sheet.amount":                {"金额（元）", "Amount (¥)"},
	"sheet.per":                   {"多久一次", "How often"},
	"sheet.when":                  {"什么时候收", "When due"},
	"sheet.paid_to":               {"交给", "Paid to"},
	"sheet.rates":                 {"费率", "Rates"},
	"sheet.rates.hint":            {"百分数，如 0.6。空着就是不收这种卡。", "Per cent, such as 0.6. Left empty, such cards are not taken."},
	"sheet.cap":                   {"封顶（元）", "cap (¥)"},
	"sheet.service":               {"做什么、保多久、多快来", "Scope, warranty, service"},
	"sheet.warranty":              {"保修（月）", "Warranty (months)"},
	"sheet.response":              {"几小时内答复", "Answer within (hours)"},
	"sheet.resolution":            {"几小时内修好", "Resolve within (hours)"},
	"sheet.terms":                 {"条款文件的摘要（SHA-256）", "Digest of the terms (SHA-256)"},
	"sheet.terms.file":            {"选条款文件，在这台电脑上算摘要，不上传", "Choose the terms; the digest is made on this computer, nothing is uploaded"},
	"sheet.settled":               {"办完以后由本机构给店主打款", "Afterwards our own institution pays the shop its takings"},
	"sheet.clause.more":           {"加一条", "Another clause"},
	"sheet.verdict":               {"店主会看到的", "What the shop will see"},
	"sheet.seen":                  {"店主会看到的", "What the shop will see"},
	"sheet.flags":                 {"要店主打勾的", "To be ticked"},
	"sheet.flags.what":            {"这些会逐条给店主看，一条一条打勾才能签。能改就改。", "The merchant is shown each of these and must tick it before signing. Change what you can."},
	"sheet.changes":               {"和上一份比", "Compared with the earlier sheet"},
	"sheet.save":                  {"存草稿", "Save draft"},
	"sheet.send":                  {"存好，送去签字", "Save and send for signing"},
	"sheet.saved":                 {"存好了。", "Saved."},
	"sheet.part.clauses":          {"条款", "Clauses"},
	"sheet.part.responsibility":   {"谁负责", "Who answers for"},
	"sheet.part.terms":            {"条款文件", "Terms"},
	"sheet.part.acquirer":         {"收单机构", "Acquirer"},
	"sheet.part.provider":         {"上门的公司", "Who comes"},
	"sheet.part.settled_by":       {"以后谁打款", "Who pays afterwards"},
	"sheet.part.scope":            {"做什么", "Scope"},
	"sheet.part.warranty_months":  {"保修（月）", "Warranty (months)"},
	"sheet.part.response_hours":   {"几小时内答复", "Answer within (hours)"},
	"sheet.part.resolution_hours": {"几小时内修好", "Resolve within (hours)"},
})

// feeWords name kinds of fee.
var feeWords = texts(map[string]both{
	"deposit": {"押金", "Deposit"}, "activation": {"激活费", "Activation"}, "data": {"流量费", "Data"}, "service": {"服务费", "Service"}, "per_trade": {"每笔费", "Per payment"},
	"minimum": {"最低消费", "Minimum"}, "exit": {"退机费", "Leaving"}, "repair": {"维修费", "Repair"}, "other": {"其他", "Other"},
})

// dutyWords name the steps that somebody answers for.
var dutyWords = texts(map[string]both{
	"deliver": {"送到", "delivery"}, "back_up": {"备份", "backup"}, "mount": {"安装", "mounting"}, "trial": {"试机", "trial"}, "train": {"教会店员", "training"},
	"repair": {"维修", "repair"}, "take_away": {"收回旧机", "taking the old one away"}, "install": {"安装", "installation"}, "swap": {"换机", "swap"},
})

// fieldWords name personal values.
var fieldWords = texts(map[string]both{
	"merchant_name": {"名称", "Business name"}, "principal": {"负责人", "Principal"}, "resident_id": {"负责人身份证号", "Principal's identity number"},
	"phone": {"负责人手机", "Principal's phone"}, "credit_code": {"统一社会信用代码", "Credit code"}, "account": {"结算账户", "Settlement account"},
	"address": {"地址", "Address"}, "position": {"位置", "Position"}, "shop_name": {"店名", "Shop name"},
})

// methodWords name how an identity was checked.
var methodWords = texts(map[string]both{
	"in_person": {"当面", "in person"}, "video": {"视频", "by video"}, "records": {"查档", "from records"},
})

// codeKey is a code's state as a part of a text's key.
func codeKey(state string) string {
	if state == "" {
		return "no"
	}
	return state
}
