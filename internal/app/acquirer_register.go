package app

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"unicode"

	"github.com/menshen-project/menshen/internal/access"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
	"github.com/menshen-project/menshen/internal/visit"
)

// NewMerchant is one merchant with his shop, as an acquirer's approver types it: a line of merchants.csv and one of
// shops.csv, under the same rules. An empty id is chosen here.
type NewMerchant struct {
	ID, Name, CreditCode                string
	Micro                               bool // has no credit code: his principal's number stands for it
	Principal, PrincipalID, Phone       string
	AccountKind, Account                string // AccountKind: card or company
	Code                                string // merchant code
	Shop, ShopName, Address, Position   string // Shop: the shop's id
	Province, Region, Category, Opening string
	Another                             bool // the credit code is on file already, and this is another merchant all the same
}

// Wrong is a field with what is wrong with it; never the value.
type Wrong struct {
	Field string // as newMerchantFields names it
	Code  string
	Text  fault.Text
}

var (
	errNewMerchant   = fault.New(fault.Invalid, "merchant_fields", "有几处要改，都标在旁边了；什么也没有登记。", "Some fields need changing, each is marked; nothing was registered.")
	errFieldEmpty    = fault.New(fault.Invalid, "field_empty", "这里要填。", "This must be filled in.")
	errFieldText     = fault.New(fault.Invalid, "field_text", "太长了，或者里面有看不见的字符。", "It is too long, or holds characters that cannot be seen.")
	errFieldOne      = fault.New(fault.Invalid, "field_one_only", "这里只能写一个。", "Only one may stand here.")
	errMicroAccount  = fault.New(fault.Invalid, "company_account_of_micro", "小微商户没有对公账户：结算账户要写负责人本人的银行卡。", "A merchant without a credit code has no company account: write the principal's own card.")
	errCreditMicro   = fault.New(fault.Invalid, "credit_code_of_micro", "小微商户没有信用代码，这里要空着。", "A merchant without a credit code has nothing to write here.")
	errNoInstitution = fault.New(fault.Refused, "institution_not_on_file", "本机构还没有登记在这里，请找运营方先导入机构表（institutions）。", "Your institution is not on file here; ask the operator to import the sheet of institutions first.")
	errMerchantTaken = fault.New(fault.Conflict, "merchant_id_taken", "这个商户编号已经有人用了，请换一个，或者空着。", "This merchant id is in use; take another, or leave it empty.")
	errShopTaken     = fault.New(fault.Conflict, "shop_id_taken", "这个店铺编号已经有人用了，请换一个，或者空着。", "This shop id is in use; take another, or leave it empty.")
	errMerchantKnown = fault.New(fault.Conflict, "merchant_on_file", "这个信用代码已经登记过商户。要是加店，请到那一家去加；确实是另一家，请勾上再登记。", "A merchant with this credit code is on file. To add a shop, go to that one; if it is another merchant all the same, tick so and register again.")
)

// newMerchantFields names each column of the two sheets as the API and the page do.
var newMerchantFields = []struct {
	sheet, column, field string
	value                func(*NewMerchant) *string
}{
	{"merchants.csv", "编号", "id", func(m *NewMerchant) *string { return &m.ID }},
	{"merchants.csv", "名称", "name", func(m *NewMerchant) *string { return &m.Name }},
	{"merchants.csv", columnCredit, fieldCredit, func(m *NewMerchant) *string { return &m.CreditCode }},
	{"merchants.csv", "负责人", "principal", func(m *NewMerchant) *string { return &m.Principal }},
	{"merchants.csv", "负责人身份证号", "principal_id", func(m *NewMerchant) *string { return &m.PrincipalID }},
	{"merchants.csv", "负责人手机", "phone", func(m *NewMerchant) *string { return &m.Phone }},
	{"merchants.csv", "结算账户类型", "account_kind", func(m *NewMerchant) *string { return &m.AccountKind }},
	{"merchants.csv", "结算账户", "account", func(m *NewMerchant) *string { return &m.Account }},
	{"merchants.csv", "商户编码", "merchant_code", func(m *NewMerchant) *string { return &m.Code }},
	{"shops.csv", "编号", "shop.id", func(m *NewMerchant) *string { return &m.Shop }},
	{"shops.csv", "店名", "shop.name", func(m *NewMerchant) *string { return &m.ShopName }},
	{"shops.csv", "地址", "shop.address", func(m *NewMerchant) *string { return &m.Address }},
	{"shops.csv", "位置", "shop.position", func(m *NewMerchant) *string { return &m.Position }},
	{"shops.csv", "省级代码", "shop.province", func(m *NewMerchant) *string { return &m.Province }},
	{"shops.csv", "清算地区码", "shop.region", func(m *NewMerchant) *string { return &m.Region }},
	{"shops.csv", "商户类别码", "shop.category", func(m *NewMerchant) *string { return &m.Category }},
	{"shops.csv", "营业时间", "shop.opening_hours", func(m *NewMerchant) *string { return &m.Opening }},
}

// maxField bounds a field that somebody types, in bytes; an address is the longest.
const maxField = 400

// RegisterMerchant puts one merchant and his shop on the actor's own acquirer's registers: an import of one line, with
// everything that is wrong told at once, by field. Unlike an import it changes nobody who is there already.
// Faults: access_denied, merchant_fields (see the list), merchant_id_taken, shop_id_taken, merchant_on_file.
func (a *App) RegisterMerchant(ctx context.Context, actor Actor, m NewMerchant) (NewMerchant, []Wrong, error) {
	if err := access.Require(access.Role(actor.Role), access.ImportSheets, access.OwnOrganisation); err != nil {
		return m, nil, err
	}
	for id, begins := range map[*string]string{&m.ID: "m-", &m.Shop: "s-"} {
		if *id = strings.TrimSpace(*id); *id == "" {
			*id = begins + strings.ToLower(rand.Text())[:12]
		}
	}
	if m.Micro && strings.TrimSpace(m.CreditCode) != "" {
		return m, []Wrong{{Field: fieldCredit, Code: errCreditMicro.Code, Text: errCreditMicro.Text}}, errNewMerchant
	}
	b := newBook(true)
	rows := m.rows(b, actor.Organisation)
	var wrong []Wrong
	err := a.lookUp(ctx, b, func() {
		if wrong = wrongFields(b, rows); !b.has("institutions.csv", "", actor.Organisation) {
			b.failed = firstError(b.failed, errNoInstitution)
		}
	})
	if err != nil {
		return m, nil, err
	}
	if len(wrong) > 0 {
		return m, wrong, errNewMerchant
	}
	if !m.Another {
		known, err := a.known(ctx, actor, rows["merchants.csv"])
		if err != nil {
			return m, nil, err
		}
		if len(known) > 0 {
			return m, nil, errMerchantKnown.At(fieldCredit)
		}
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		_, merchant := tx.Merchant(ctx, m.ID)
		_, shop := tx.Shop(ctx, m.Shop)
		for _, id := range []struct {
			found error
			taken *fault.Fault
			field string
		}{{merchant, errMerchantTaken, "id"}, {shop, errShopTaken, "shop.id"}} {
			switch {
			case id.found == nil:
				return id.taken.At(id.field)
			case fault.KindOf(id.found) != fault.NotFound:
				return id.found
			}
		}
		_, err := a.writeBook(ctx, tx, b)
		return err
	})
	return m, nil, err
}

// known finds merchants on file that may be the one of a new line: under the same credit code, or, without one, those of
// the same principal that have none either.
func (a *App) known(ctx context.Context, actor Actor, row Row) ([]string, error) {
	if row[columnCredit] != noCreditCode {
		return a.FindMerchants(ctx, actor, row[columnCredit])
	}
	found, err := a.FindMerchants(ctx, actor, row["负责人身份证号"])
	if err != nil {
		return nil, err
	}
	var out []string
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		for _, id := range found {
			item, err := itemOnFile(ctx, tx, id)
			if err != nil {
				return err
			}
			if item == visit.ItemPrincipal {
				out = append(out, id)
			}
		}
		return nil
	})
	return out, err
}

// rows makes the two lines, each value read as its column reads it.
func (m *NewMerchant) rows(b *book, org string) map[string]Row {
	rows := map[string]Row{"merchants.csv": {"收单机构": org}, "shops.csv": {"商户": m.ID}}
	for _, f := range newMerchantFields {
		rows[f.sheet][f.column] = b.cell(sheetOf(f.sheet), line{number: 1}, f.column, *f.value(m))
	}
	if m.Micro {
		rows["merchants.csv"][columnCredit] = noCreditCode
	}
	for file, row := range rows {
		b.rows[file], b.numbers[file], b.keys[file] = []Row{row}, []int{1}, map[string]bool{row["编号"]: true}
	}
	return rows
}

func sheetOf(file string) sheet {
	return sheets[slices.IndexFunc(sheets, func(s sheet) bool { return s.file == file })]
}

// wrongFields says what is wrong, in the order of the fields.
func wrongFields(b *book, rows map[string]Row) []Wrong {
	var out []Wrong
	for _, f := range newMerchantFields {
		if err := wrongField(b, f.sheet, f.column, rows[f.sheet]); err != nil {
			w := fault.Of(err)
			out = append(out, Wrong{Field: f.field, Code: w.Code, Text: w.Text})
		}
	}
	return out
}

func wrongField(b *book, file, header string, row Row) error {
	columns := sheetOf(file).columns
	c, v := columns[slices.IndexFunc(columns, func(c column) bool { return c.header == header })], row[header]
	switch {
	case v == "":
		return errFieldEmpty
	case len(v) > maxField || strings.ContainsFunc(v, unseen):
		return errFieldText
	case header == "省级代码" && strings.Contains(v, ";"): // a licence has several, a shop stands in one
		return errFieldOne
	case c.check == nil:
		return nil
	}
	return c.check(b, row, v)
}

// unseen is what nobody types on purpose: controls, and marks that turn or hide what stands beside them.
func unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
}
