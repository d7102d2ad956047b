package store

import (
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/menshen-project/menshen/internal/fault"
)

var (
	errBackupElsewhere = fault.New(fault.Refused, "store_backup_elsewhere", "这种数据库要用它自己的工具备份（pg_dump），见 docs/operations.md。",
		"This database is backed up by its own tool (pg_dump); see docs/operations.md.")
	errAddress = fault.New(fault.Invalid, "store_address_unknown",
		"数据库地址只能是 sqlite:文件路径 或 postgres://…。",
		"A database address is sqlite:PATH or postgres://….")
	errOpen = fault.New(fault.Unavailable, "store_cannot_open",
		"数据库打不开，请检查地址、权限和磁盘。",
		"The database cannot be opened; check address, permissions and disk.")
	errNewer = fault.New(fault.Refused, "store_newer_than_program",
		"数据库由更新的版本写成，请升级程序。",
		"The database was written by a newer version; upgrade the program.")
	errClosed = fault.New(fault.Unavailable, "store_closed",
		"系统正在停止，请稍后再试。", "The system is stopping; try again later.")
	errDatabase = fault.New(fault.Unavailable, "store_failed",
		"数据没有写入或读出，请再试一次。", "The data was not written or read; try again.")
	errFull = fault.New(fault.Unavailable, "store_disk_full",
		"数据库所在的磁盘满了，这一步没有记下；腾出空间后再试，不用重启。", "The database's disk is full and this was not recorded; make room and try again, no restart is needed.")
	errReadOnly = fault.New(fault.Unavailable, "store_read_only",
		"数据库现在只能读，这一步没有记下；请管理员检查磁盘和权限。", "The database can only be read and this was not recorded; whoever runs it looks at disk and permissions.")
	errBusy = fault.New(fault.Unavailable, "store_busy",
		"同时操作的人太多，请再试一次。", "Too many people act at once; try again.")
	errTxOver = fault.New(fault.Internal, "store_transaction_over",
		"系统出错了：事务已结束。", "Our defect: the transaction is already over.")
	errText = fault.New(fault.Invalid, "text_not_storable",
		"文字里有不能保存的字节（NUL，或者不是 UTF-8）。", "A text holds bytes that cannot be stored: NUL, or not UTF-8.")
	errNotFound = fault.New(fault.NotFound, "record_not_found",
		"没有这条记录。", "There is no such record.")
	errExists = fault.New(fault.Conflict, "record_exists",
		"这条记录已经存在，内容不同。", "This record exists already with other content.")
	errStreamConflict = fault.New(fault.Conflict, "stream_conflict",
		"别人先写入了，请刷新后重试。", "Somebody else wrote first; refresh and try again.")
	errStreamOwner = fault.New(fault.Conflict, "stream_of_other_organisation",
		"这个编号属于另一家机构。", "This id belongs to another organisation.")
	errResequenced = fault.New(fault.Conflict, "leaf_already_sequenced",
		"这条记录在日志中已有另一个位置。", "This record already has another place in the log.")
	errJobLease = fault.New(fault.Conflict, "job_lease_lost",
		"任务已转给别的进程。", "The job has passed to another worker.")
	errKeyReused = fault.New(fault.Conflict, "idempotency_key_reused",
		"同一个幂等键已用于另一个请求。", "This idempotency key was used for a different request.")
	errTokenUnknown = fault.New(fault.Unauthenticated, "token_unknown",
		"登录已失效，请重新登录。", "This sign-in is unknown or over; sign in again.")
	errKeyInUse = fault.New(fault.Conflict, "key_in_use",
		"这把密钥已属于另一个人。", "This key already belongs to another person.")
	errCursor = fault.New(fault.Invalid, "cursor_malformed",
		"翻页参数无效，请从第一页开始。", "The page cursor is invalid; start from the first page.")
	errChallengeUnknown = fault.New(fault.Refused, "challenge_unknown",
		"没有发出过这个挑战码。", "No such challenge was issued.")
	errChallengeUsed = fault.New(fault.Refused, "challenge_used",
		"挑战码已被使用，请换一个新的。", "The challenge was used already; ask for a new one.")
	errChallengeExpired = fault.New(fault.Refused, "challenge_expired",
		"挑战码已过期，请换一个新的。", "The challenge has expired; ask for a new one.")
	errBoundElsewhere = fault.New(fault.Conflict, "serial_bound_elsewhere",
		"这台终端的序列号已绑定在别处。", "This serial is bound elsewhere.")
	errTerminalTaken = fault.New(fault.Conflict, "terminal_code_taken",
		"这个终端号已属于另一台设备。", "This terminal code belongs to another serial.")
	errBindingState = fault.New(fault.Conflict, "binding_not_reserved",
		"序列号没有为这次上门预留。", "The serial is not reserved for this visit.")
	errPermitState = fault.New(fault.Conflict, "permit_state_changed",
		"许可的状态已改变，请重新读取。", "The permit's state has changed; read it again.")
)

// wrap makes a fault of whatever a query gave. The rows' values stay out of it: neither driver
// puts parameters into its errors.
func wrap(err error, where string) error {
	var f *fault.Fault
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return errNotFound.At(where)
	case errors.As(err, &f):
		return err
	default:
		return failed(where, err)
	}
}

// Reasons why a database cannot be written that people can do something about: SQLite's primary result
// codes (sqlite.org/rescode.html) and PostgreSQL's SQLSTATE (its manual, appendix A).
const (
	sqliteBusy       = 5 // another process held the file for all of busyTimeout
	sqliteReadOnly   = 8
	sqliteFull       = 13
	postgresFull     = "53100"
	postgresReadOnly = "25006"
)

// failed says why the database did not do it, as far as the cause tells what would help.
func failed(where string, err error) *fault.Fault {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	code, state := 0, ""
	if errors.As(err, &lite) {
		code = lite.Code() & 0xff
	}
	if errors.As(err, &pg) {
		state = pg.Code
	}
	f := errDatabase
	switch {
	case code == sqliteFull || state == postgresFull:
		f = errFull
	case code == sqliteReadOnly || state == postgresReadOnly:
		f = errReadOnly
	case code == sqliteBusy:
		f = errBusy
	}
	return f.At(where).Because(err)
}
