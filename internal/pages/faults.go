package pages

import "github.com/menshen-project/menshen/internal/fault"

var (
	errSalt      = fault.New(fault.Invalid, "leaf_salt_malformed", "日志条目的盐写得不对。", "The salt of a log leaf is malformed.")
	errNoRoute   = fault.New(fault.NotFound, "page_absent", "没有这一页。", "There is no such page.")
	errVisitID   = fault.New(fault.NotFound, "visit_id_malformed", "没有这次上门。", "There is no such visit.")
	errOrigin    = fault.New(fault.Forbidden, "cross_origin", "这个请求来自别的网站。", "The request comes from another site.")
	errOfAnother = fault.New(fault.Unauthenticated, "session_of_another", "现在登录的是另一个人，这一份不能替他发。", "Somebody else is signed in now; this cannot be sent in that name.")
	errNowhere   = fault.New(fault.Internal, "sign_in_elsewhere", "进入以后不能去别的网站。", "Signing in may lead only to this site.")
)
