package app

import (
	"slices"
	"strconv"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/identifier"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// orderKinds maps the words of the sheets to kinds of visit.
var orderKinds = map[string]string{"安装": visit.Install, "换机": visit.Swap, "维修": visit.Repair, "移机": visit.Relocation, "撤机": visit.Removal,
	"巡检": visit.Inspection}

var (
	errCellSpare    = fault.New(fault.Invalid, "cell_not_for_kind", "这一类上门不填这一格：旧机只有换机才有，旧店铺只有移机才有。", "This kind of visit leaves the cell empty: only a swap has an old terminal, only a relocation an old shop.")
	errCellNeeded   = fault.New(fault.Invalid, "cell_needed_for_kind", "这一类上门要填这一格。", "This kind of visit needs the cell filled in.")
	errCellSameOld  = fault.New(fault.Invalid, "cell_same_as_old", "新的和旧的不能一样：换机要有自己的机具和终端号，移机要换地方。", "New and old must differ: a swap has a device and terminal code of its own, a relocation another place.")
	errCellShopHand = fault.New(fault.Invalid, "cell_shop_of_other", "这家店是别的商户的。", "This shop is another merchant's.")
)

var orderColumns = []column{must("编号", isID), must("类型", oneOf("安装", "换机", "维修", "移机", "撤机", "巡检")), must("店铺", isShopOfMerchant),
	must("商户", refersTo("编号", "merchants.csv")), must("收单机构", refersTo("编号", "institutions.csv")), must("服务商", refersTo("编号", "providers.csv")),
	must("机型", refersTo("型号", "models.csv")),
	// An installation's and a swap's new device may still be open; every other visit is about the one that is there.
	{header: "终端序列号", optional: true, check: isSerial, filled: unlessIn("安装", "换机")},
	must("终端号", format(identifier.CheckTerminalCode)),
	{header: "旧机序列号", optional: true, added: true, check: isOther(isSerial, "终端序列号"), filled: onlyIn("换机")},
	{header: "旧终端号", optional: true, added: true, check: isOther(format(identifier.CheckTerminalCode), "终端号"), filled: onlyIn("换机")},
	{header: "旧店铺", optional: true, added: true, check: isOther(isShopOfMerchant, "店铺"), filled: onlyIn("移机")},
	must("风险等级", oneOf("0", "1", "2")), must("上门开始", isMoment),
	must("上门时长（分钟）", isNumber), must("押金（分）", isNumber), must("激活费（分）", isNumber), must("流量费（分/年）", isNumber), must("服务费（分）", isNumber),
	must("借记卡费率（百万分之）", isNumber), must("贷记卡费率（百万分之）", isNumber), must("扫码费率（百万分之）", isNumber)}

// onlyIn wants a cell filled in orders of one kind, and empty in every other. A kind nobody knows is told once, by its own cell.
func onlyIn(kind string) func(Row, string) error {
	return func(r Row, value string) error {
		switch {
		case orderKinds[r["类型"]] == "" || (r["类型"] == kind) == (value != ""):
			return nil
		case value == "":
			return errCellNeeded
		}
		return errCellSpare
	}
}

// unlessIn wants a cell filled in every order but those of these kinds, which may have it.
func unlessIn(kinds ...string) func(Row, string) error {
	return func(r Row, value string) error {
		if value == "" && orderKinds[r["类型"]] != "" && !slices.Contains(kinds, r["类型"]) {
			return errCellNeeded
		}
		return nil
	}
}

// isOther checks a cell, and that it differs from the row's new one.
func isOther(check func(*book, Row, string) error, than string) func(*book, Row, string) error {
	return func(b *book, r Row, v string) error {
		if v == r[than] {
			return errCellSameOld
		}
		return check(b, r, v)
	}
}

// isShopOfMerchant wants a shop that exists and, where its sheet is at hand, that is this order's merchant's.
func isShopOfMerchant(b *book, r Row, v string) error {
	if err := refersTo("编号", "shops.csv")(b, r, v); err != nil {
		return err
	}
	for _, shop := range b.rows["shops.csv"] {
		if shop["编号"] == v && shop["商户"] != r["商户"] {
			return errCellShopHand
		}
	}
	return nil
}

// putOrder keeps an order that was planned. It becomes one only when an approver signs it.
func putOrder(w *sheetWriter, r Row) error {
	from, err := statement.Time(r["上门开始"]).Parse()
	if err != nil {
		return err
	}
	minutes, err := strconv.Atoi(r["上门时长（分钟）"])
	if err != nil {
		return err
	}
	risk, err := strconv.Atoi(r["风险等级"])
	if err != nil {
		return err
	}
	known, err := w.tx.Order(w.ctx, r["编号"])
	switch {
	case err == nil && known.State != OrderPlanned:
		return nil // signed since: the sheet no longer speaks for it
	case err != nil && fault.KindOf(err) != fault.NotFound:
		return err
	}
	d, err := doc(r, "机型", "终端序列号", "终端号", "旧机序列号", "旧终端号", "旧店铺", "押金（分）", "激活费（分）", "流量费（分/年）", "服务费（分）", "借记卡费率（百万分之）", "贷记卡费率（百万分之）", "扫码费率（百万分之）")
	if err != nil {
		return err
	}
	return w.tx.PutOrder(w.ctx, store.Order{Org: r["收单机构"], ID: r["编号"], Provider: r["服务商"], Merchant: r["商户"], Shop: r["店铺"], Kind: orderKinds[r["类型"]],
		Risk: int64(risk), State: OrderPlanned, WindowStartAt: store.At(from), WindowEndAt: store.At(from.Add(time.Duration(minutes) * time.Minute)),
		CreatedAt: store.At(w.now), Doc: d})
}

// States of an order's row.
const (
	OrderPlanned = "planned" // from a sheet; nobody signed it
	OrderBooked  = "booked"
)
