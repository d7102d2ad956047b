package app

import (
	"context"
	"slices"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/registry"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// fieldCredit is the unified social credit code, which a 小微 merchant has none of.
const fieldCredit = "credit_code"

var (
	errOrderItem      = fault.New(fault.Refused, "order_item_not_on_file", "登记的商户有没有信用代码，和订单写的不一样。请从本机构的商户资料下单。", "The order names the merchant by a credit code or without one, unlike your register. Book it from the merchant on file.")
	errOrderAccount   = fault.New(fault.Refused, "order_account_not_principals", "没有信用代码的商户没有对公账户，登记的结算账户却是对公的。请先把结算账户改登记为负责人本人的银行卡。", "A merchant without a credit code has no company account, and a company's is on file for settlement. Put the principal's own card on file first.")
	errOrderPrincipal = fault.New(fault.Refused, "order_principal_not_on_file", "没有信用代码的商户按负责人证件号登记终端：订单写的不是登记的那一位。", "A merchant without a credit code is bound by his principal's number, and the order's is not the one on file.")
)

// itemsOnFile holds an order to how its acquirer has the merchant on file. One who is not there is the gate's matter.
func (w *writing) itemsOnFile(ctx context.Context, tx *store.Tx, o visit.Order) error {
	doc, err := merchantDoc(ctx, tx, o.Merchant)
	if err != nil || doc == nil {
		return err
	}
	if o.Items.Whose() != itemOf(doc) {
		return errOrderItem.At("items")
	}
	if o.Items.Principal == "" {
		return nil
	}
	if accountOf(doc) == registry.AccountCompany {
		return errOrderAccount.At("items.account")
	}
	kept, found, err := tx.VaultValueByCommitment(ctx, doc[commitmentOf+fieldPrincipal])
	if err != nil {
		return err
	}
	if !found {
		return errOrderPrincipal.At("items.principal")
	}
	onFile, err := w.app.Vault.Recheck(ctx, tx, kept)
	if err != nil {
		return err
	}
	given := func(o statement.Opening) bool { return o.Kind == fieldPrincipal }
	if !slices.ContainsFunc(w.in.Openings, given) || slices.ContainsFunc(w.in.Openings, func(o statement.Opening) bool { return given(o) && o.Value != onFile.Value }) {
		return errOrderPrincipal.At("items.principal")
	}
	return nil
}

// itemOnFile is which of the five items says who a merchant is by the register, "" for one who is not on file.
func itemOnFile(ctx context.Context, tx *store.Tx, merchant string) (string, error) {
	doc, err := merchantDoc(ctx, tx, merchant)
	return itemOf(doc), err
}

// merchantDoc reads a merchant's row, nil for one who is not on file.
func merchantDoc(ctx context.Context, tx *store.Tx, merchant string) (map[string]string, error) {
	m, err := tx.Merchant(ctx, merchant)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return docOf(m.Doc)
}

// accountOf is which kind of settlement account a merchant's row has.
func accountOf(doc map[string]string) string {
	return map[string]string{"银行卡": registry.AccountCard, companyAccount: registry.AccountCompany}[doc["结算账户类型"]]
}

// itemOf is itemOnFile for a row that was read.
func itemOf(doc map[string]string) string {
	switch {
	case doc[commitmentOf+fieldCredit] != "":
		return visit.ItemCreditCode
	case doc[commitmentOf+fieldPrincipal] != "":
		return visit.ItemPrincipal
	}
	return ""
}
