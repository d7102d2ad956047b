package pages

import (
	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/visit"
)

// stageWords name a stage in as few characters as a stepper has room for.
var stageWords = texts(map[string]both{
	string(visit.Booked): {"已预约", "Booked"}, string(visit.Dispatched): {"已派人", "Sent"}, string(visit.Admitted): {"已核对", "Checked"},
	string(visit.Trial): {"试机", "Trial"}, string(visit.Live): {"开通", "Live"}, string(visit.Closed): {"完成", "Closed"},
	string(visit.Refused): {"没让进", "Refused"}, string(visit.Aborted): {"已取消", "Off"}, string(visit.RolledBack): {"换回旧机", "Rolled back"},
	StepKeysEnded: {"旧密钥作废", "Keys ended"},
})

// stageBy says by whose act a stage is reached.
var stageBy = texts(map[string]both{
	string(visit.Booked): {"收单机构审批人", "by the acquirer's approver"}, string(visit.Dispatched): {"服务商派单", "by the provider"},
	string(visit.Admitted): {"店主当面核对", "by the merchant at the door"}, string(visit.Trial): {"收单主机装试用密钥", "by the acquirer's host"},
	string(visit.Live): {"收单主机装正式密钥", "by the acquirer's host"}, string(visit.Closed): {"门神关单", "by menshen"},
	string(visit.Refused): {"店主或上门人员", "by merchant or technician"}, string(visit.Aborted): {"由当事人取消", "by a party"},
	string(visit.RolledBack): {"由当事人或到点自动", "by a party or the timer"}, StepKeysEnded: {"收单主机作废密钥", "by the acquirer's host"},
})

var kindWords = texts(map[string]both{
	visit.Install: {"安装", "Installation"}, visit.Swap: {"换机", "Swap"}, visit.Relocation: {"移机", "Relocation"},
	visit.Repair: {"维修", "Repair"}, visit.Removal: {"撤机", "Removal"}, visit.Inspection: {"巡检", "Inspection"},
})

var roleWords = texts(map[string]both{
	visit.RoleMerchant: {"店主", "merchant"}, roleClerk: {"店员", "clerk"}, visit.RoleTechnician: {"上门人员", "technician"},
	visit.RoleDispatcher: {"服务商派单员", "dispatcher"}, visit.RoleApprover: {"收单机构审批人", "approver"}, visit.RoleSupervisor: {"监督人员", "supervisor"},
	visit.RoleHost: {"收单主机", "acquirer's host"}, visit.RoleRisk: {"收单机构风控", "risk desk"}, visit.RoleRegulator: {"监管", "regulator"},
	visit.RolePlatform: {"门神", "menshen"}, visit.RoleMaker: {"厂家", "maker"}, visit.RoleCourseIssuer: {"培训机构", "course issuer"},
	visit.RoleCustodian: {"仓库", "warehouse"}, visit.RoleOrganisation: {"机构", "organisation"}, app.RoleOperations: {"运营", "operations"},
})

var askWords = texts(map[string]both{
	visit.AskDispatch: {"派人前问", "before sending"}, visit.AskAdmit: {"进店时问", "at the door"}, visit.AskTrial: {"试机前问", "before the trial"},
	visit.AskLive: {"正式开通前问", "before going live"}, visit.AskClose: {"关单前问", "before closing"}, visit.AskEnd: {"停用前问", "before ending"},
})

var decisionWords = texts(map[string]both{
	visit.AskDispatch: {"条件成立，同意派人", "conditions held: may be sent"}, visit.AskAdmit: {"条件成立，可以开始", "conditions held: may begin"},
	visit.AskTrial: {"条件成立，发试机许可", "conditions held: trial permit"}, visit.AskLive: {"条件成立，发正式开通许可", "conditions held: live permit"},
	visit.AskEnd: {"条件成立，发停用许可", "conditions held: end permit"}, visit.AskClose: {"条件成立，关单", "conditions held: closed"},
})

var outcomeWords = texts(map[string]both{
	visit.Loaded: {"主机重新核对后，装上了密钥", "the host checked again and loaded the keys"}, visit.OutcomeRefused: {"主机核对后不同意", "the host checked and refused"},
	visit.OutcomeCanceled: {"主机取消了许可", "the host cancelled the permit"}, visit.KeysEnded: {"主机重新核对后，作废了旧密钥", "the host checked again and ended the old keys"},
})

// verbWords say what happened, by verb, or by verb and statement type where one verb brings several.
var verbWords = texts(map[string]both{
	visit.Book: {"预约了这次上门", "booked this visit"}, visit.DispatchVerb: {"定下谁去、带哪台机器", "named who goes, with which device"},
	visit.Reassign: {"换了人或机器", "named another person or device"}, visit.ChallengeVerb: {"出了一道一次性的题", "issued a one-time challenge"},
	visit.Admit: {"当面核对，签了字", "checked the person and signed"}, visit.Refuse: {"没让进", "turned them away"},
	visit.RecordStep: {"做完一个步骤", "recorded a step"}, visit.RecordStep + " arrival": {"在柜台扫了机箱和封签", "scanned box and seals at the counter"},
	visit.BackUp: {"备份了数据，并试恢复", "backed up the data and proved a restore"}, visit.BackUp + " " + visit.TypeNothingToKeep: {"说没有数据要留", "said there is no data to keep"},
	visit.AttestDevice: {"收到机器的自证", "received the device's own proof"}, visit.SignOffVerb: {"监督签字", "signed as supervisor"},
	visit.ReportAcceptance: {"签了试机报告", "signed the acceptance report"}, visit.ReportAcceptance + " charge_list": {"签了扣款清单", "signed the list of charges"},
	visit.RecordStep + " " + visit.TypeDeviceWork: {"说明有没有拆机", "said whether the device was opened"}, visit.ReportTerminal: {"主机说明旧机能不能用", "the host said whether the old terminal works"},
	visit.Confirm + " " + visit.TypeEndConsent: {"签字同意作废旧密钥", "signed that the old keys may end"}, visit.Confirm + " " + visit.TypeOutageAccepted: {"签字同意暂时停用", "signed for a time without the old terminal"},
	visit.Confirm: {"确认能用、没多收钱", "confirmed that it works and nothing extra was paid"}, visit.RequestPermit: {"发了许可", "issued a permit"},
	visit.ReleasePermit: {"把许可交给主机", "handed the permit to the host"}, visit.Publish: {"查了登记，签下摘录", "looked into the registers and signed the extract"},
	visit.Freeze: {"按了停止", "pulled the brake"}, visit.Cancel: {"取消许可", "cancelled the permit"}, visit.RollBack: {"换回旧机", "rolled back"},
	visit.Abort: {"取消了这次上门", "called the visit off"}, visit.Close: {"关单", "closed"}, visit.ReviewVerb: {"评价", "reviewed"},
	visit.ReportIncident: {"举报", "reported an incident"}, visit.Resume: {"查清后恢复", "looked into it and resumed"},
	visit.Settle: {"处理了一处矛盾，签了字", "ruled on a contradiction and signed"},
})

// waitingReasons replace the gate's sentence where nobody has to worry.
var waitingReasons = texts(map[string]both{
	"extract_absent":        {"走到这一步时，门神当场查登记。", "menshen looks into its registers when this step is asked for."},
	"extract_too_old":       {"上次查得太早，走到这一步时当场再查。", "The last look-up is too old; it is made again when this step is asked for."},
	"list_not_looked_up":    {"走到这一步时，门神当场查登记。", "menshen looks into its registers when this step is asked for."},
	"photo_not_looked_up":   {"走到这一步时，门神当场查照片有没有用过。", "menshen looks whether photos were used before when this step is asked for."},
	"binding_not_looked_up": {"走到这一步时，门神当场查登记。", "menshen looks into its registers when this step is asked for."},
	"person_not_looked_up":  {"走到这一步时，门神当场查登记。", "menshen looks into its registers when this step is asked for."},
	oneSideSigned:           {"还有一方没签。", "One side has not signed yet."},
	"evidence_absent":       {"还没有。", "Not there yet."},
	nobodySent:              {"还没有定下派谁来。", "Nobody has been named to go yet."},
})
