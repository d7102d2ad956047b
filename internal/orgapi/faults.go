package orgapi

import "github.com/menshen-project/menshen/internal/fault"

// Refusals of an organisation's service. They are named here because menshen shows them to the person who
// asked: of a refusal only the code travels, and the words are ours.
var (
	ErrCodeWrong   = fault.New(fault.Refused, "code_wrong", "开通码不对。请照着纸上再输一遍；连错几次，这个码就不能用了。", "The code is wrong. Type it again as printed; after a few wrong tries it is locked.")
	ErrCodeUsed    = fault.New(fault.Refused, "code_used", "这个开通码已经用过了。换手机要找机构要新的码；要不是您自己用的，请马上打电话告诉机构。", "This code was used already. A new phone needs a new code; if it was not you, call the organisation at once.")
	ErrCodeExpired = fault.New(fault.Refused, "code_expired", "开通码过期了，请找机构要一个新的。", "The code is past its date; ask the organisation for a new one.")
	ErrCodeLocked  = fault.New(fault.Refused, "code_locked", "输错次数太多，这个开通码不能用了，请找机构要一个新的。", "Too many wrong tries: the code is locked; ask the organisation for a new one.")
	ErrCodeRevoked = fault.New(fault.Refused, "code_revoked", "机构收回了这个开通码，请找机构要一个新的。", "The organisation took this code back; ask it for a new one.")
	ErrAskForm     = fault.New(fault.Invalid, "organisation_ask_malformed", "申请写得不完整。", "The request to the organisation is incomplete or malformed.")
	ErrElsewhere   = fault.New(fault.Refused, "organisation_other", "这不是找这家机构的申请。", "This request is for another organisation.")
	ErrRoleOther   = fault.New(fault.Refused, "role_not_of_organisation", "这家机构不能登记这种身份。", "This organisation enrols nobody in this role.")
	ErrPossession  = fault.New(fault.Refused, "key_not_shown", "没有用新密钥签名，不能登记。", "The request is not signed with the key that it brings.")
	ErrKeyTaken    = fault.New(fault.Refused, "key_taken", "这把密钥已经登记给别人或别的身份了。", "This key is enrolled for another holder or role already.")
	ErrNoPerson    = fault.New(fault.NotFound, "person_unknown", "机构的名册上没有这个人。", "The organisation has no such person on its roll.")
	ErrNotActive   = fault.New(fault.Refused, "person_not_active", "这个人已经离职或被停职。", "This person has left or is suspended.")
	ErrNoKey       = fault.New(fault.Refused, "person_without_key", "这个人还没有登记密钥，或者申请不是用登记的密钥签的。", "This person has no enrolled key, or the request is not signed with it.")
	ErrKeyUnknown  = fault.New(fault.NotFound, "key_unknown", "机构没有登记过这把密钥。", "The organisation never enrolled this key.")
	ErrStale       = fault.New(fault.Refused, "badge_request_stale", "申请的时间和机构的时钟差太多，请对一下手机的时间。", "The request's time is too far from the organisation's clock; set the phone's clock.")
	ErrKeyReused   = fault.New(fault.Refused, "badge_key_reused", "每天的工作证要用一把新的密钥。", "Each day's badge needs a fresh key.")
	ErrManyBadges  = fault.New(fault.Refused, "badge_too_many", "这个人今天领的工作证太多了，请找调度。", "This person has too many badges in force; ask the dispatcher.")
	ErrNoCard      = fault.New(fault.Refused, "person_without_card", "名册上还没有这个人的姓名和照片，不能发工作证。", "The roll has no name and photo for this person, so no badge is issued.")
	ErrNotIssuer   = fault.New(fault.Refused, "badge_issuer_not", "这家机构不发工作证。", "This organisation issues no badges.")
	ErrReason      = fault.New(fault.Invalid, "reason_unknown", "没有这种原因。", "There is no such reason.")
)

// told are the refusals that menshen repeats in its own words.
var told = append([]*fault.Fault{ErrCodeWrong, ErrCodeUsed, ErrCodeExpired, ErrCodeLocked, ErrCodeRevoked, ErrAskForm, ErrElsewhere, ErrRoleOther, ErrPossession,
	ErrKeyTaken, ErrNoPerson, ErrNotActive, ErrNoKey, ErrKeyUnknown, ErrStale, ErrKeyReused, ErrManyBadges, ErrNoCard, ErrNotIssuer, ErrReason}, courseFaults...)
