package gate

import "github.com/menshen-project/menshen/internal/fault"

// titles says each condition as a sentence that is true when it holds, for a shopkeeper.
var titles = map[string]fault.Text{
	InstitutionLicensed: {Zh: "收单机构有支付牌照，业务和地区都对得上", En: "The acquirer is licensed for this business and region"},
	ProviderFiled:       {Zh: "服务商已备案，由收单机构直接委托", En: "The provider is filed and mandated by this acquirer itself"},
	TechnicianTrained:   {Zh: "上门人员学过安全课和这个机型的课，证书没过期", En: "The technician passed the security course and this device's course"},
	DutiesSeparated:     {Zh: "审批、上门、监督、店主不是同一个人", En: "Approver, technician, supervisor and merchant are different people"},
	NothingOpen:         {Zh: "没有停用、举报或没弄清的矛盾", En: "No freeze, incident or contradiction is open"},
	AgreementSigned:     {Zh: "店主和收单机构签的是同一张价目单", En: "Merchant and acquirer signed the same price sheet"},
	MerchantVerified:    {Zh: "收单机构核实过店主身份，机具数量没超", En: "The acquirer verified the merchant, and limits are kept"},
	TechnicianAdmitted:  {Zh: "店主核对过上门的人，工作证现在仍有效", En: "The merchant checked the person at the door, and the badge still stands"},
	PlaceMatches:        {Zh: "人在店里", En: "They are at the shop"},
	ModelApproved:       {Zh: "机型、硬件和软件版本都在批准清单里", En: "Model, hardware and firmware are approved"},
	BindingUnique:       {Zh: "这台机具没有绑在别处，终端号没有重复", En: "This serial and terminal code are bound nowhere else"},
	CustodyUnbroken:     {Zh: "机具从工厂到店里每一手都有签收，封签完好", En: "Every hand-over from maker to counter is signed, seals intact"},
	DeviceGenuine:       {Zh: "机具是真的，没有被换过、刷过", En: "The device is genuine, not swapped or re-flashed"},
	DataBackedUp:        {Zh: "店里的数据有备份，并且试恢复成功", En: "The shop's data is backed up, proven by a restore"},
	RollbackReady:       {Zh: "旧机还能用，随时可以换回去", En: "The old terminal still works and can take over again"},
	StepsComplete:       {Zh: "每个步骤都做了，照片是当场拍的", En: "Every step is done, with photos taken on the spot"},
	Supervised:          {Zh: "按风险等级有人监督", En: "The visit was supervised as its risk requires"},
	AcceptancePassed:    {Zh: "收单机构的主机试过交易、退款和结算，全部通过", En: "The acquirer's host tested sale, refund and settlement: all passed"},
	FeesWithinSheet:     {Zh: "没有价目单以外的收费", En: "Nothing was charged beside the price sheet"},
	MerchantConfirmed:   {Zh: "店主确认能用、会用，退款要密码", En: "The merchant confirms that it works and refunds need a password"},
	KeysEnded:           {Zh: "旧机的密钥已经作废", En: "The old terminal's keys are gone"},
}

// Title is the sentence that is true when a condition holds; the zero Text for an unknown name.
func Title(condition string) fault.Text { return titles[condition] }
