package app

import (
	"context"
	"slices"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
)

var (
	errSheetNotOwn = fault.New(fault.Forbidden, "sheet_not_yours", "这张表由运营方导入，您可以先检查，不能写入。", "This sheet is the operator's to import; you may check it, not write it.")
	errLineOther   = fault.New(fault.Forbidden, "line_of_other_organisation", "这一行属于别的机构，不能由您导入。", "This line belongs to another organisation and is not yours to import.")
)

// ownSheets are the sheets that an acquirer's own people may import, with the column that names the acquirer;
// "" where the line belongs to whoever has its merchant.
var ownSheets = map[string]string{"merchants.csv": "收单机构", "shops.csv": "", "orders.csv": "收单机构", "staff.csv": "所属机构"}

// ImportOwn is ImportSheets for an acquirer's approver: only sheets and lines of his own institution are written,
// and nothing that another one has is touched. A dry run checks any sheet. Faults: access_denied, import_problems.
func (a *App) ImportOwn(ctx context.Context, actor Actor, in ImportRequest) (ImportResult, error) {
	if err := access.Require(access.Role(actor.Role), access.ImportSheets, access.OwnOrganisation); err != nil {
		return ImportResult{}, err
	}
	in.Partial, in.owner = true, actor.Organisation
	return a.ImportSheets(ctx, in)
}

func (a *App) lookOwned(ctx context.Context, b *book, in ImportRequest) error {
	return a.Store.Read(ctx, func(tx *store.Tx) error {
		for _, s := range sheets {
			if err := b.owned(ctx, tx, s, in.owner, in.Dry); err != nil {
				return err
			}
		}
		return nil
	})
}

// owned complains about what is not the owner's. Whoever has an id already keeps it.
func (b *book) owned(ctx context.Context, tx *store.Tx, s sheet, owner string, dry bool) error {
	column, own := ownSheets[s.file]
	if !own {
		if _, given := b.rows[s.file]; given && !dry {
			b.complain(s.file, 0, "", errSheetNotOwn)
		}
		return nil
	}
	for i, row := range b.rows[s.file] {
		ours := column == "" || row[column] == owner
		if ours {
			var err error
			if ours, err = b.ours(ctx, tx, s.file, row, owner); err != nil {
				return err
			}
		}
		if !ours {
			b.complain(s.file, b.numbers[s.file][i], column, errLineOther)
		}
	}
	return nil
}

// ours says whether a line's id, and the merchant that it is about, belong to nobody else.
func (b *book) ours(ctx context.Context, tx *store.Tx, file string, row Row, owner string) (bool, error) {
	var had string
	var err error
	switch file {
	case "merchants.csv":
		return b.merchantOurs(ctx, tx, row["编号"], owner)
	case "staff.csv":
		var p store.Person
		p, err = tx.Person(ctx, row["编号"])
		had = p.Org
	case "orders.csv":
		var o store.Order
		o, err = tx.Order(ctx, row["编号"])
		had = o.Org
	case "shops.csv":
		known, found := tx.Shop(ctx, row["编号"])
		if found == nil && known.Merchant != row["商户"] {
			return b.merchantOurs(ctx, tx, known.Merchant, owner)
		}
		err = found
	}
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return false, err
	}
	if had != "" && had != owner {
		return false, nil
	}
	if file == "staff.csv" {
		return true, nil
	}
	return b.merchantOurs(ctx, tx, row["商户"], owner)
}

// merchantOurs says whether a merchant is the owner's, or new and in the sheets at hand.
func (b *book) merchantOurs(ctx context.Context, tx *store.Tx, id, owner string) (bool, error) {
	m, err := tx.Merchant(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return slices.ContainsFunc(b.rows["merchants.csv"], func(r Row) bool { return r["编号"] == id }), nil
	}
	return m.Org == owner, err
}
