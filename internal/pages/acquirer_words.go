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
