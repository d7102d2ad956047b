package vault_test

import (
	"testing"

	"github.com/menshen-project/menshen/internal/vault"
)

func TestMask(t *testing.T) {
	for _, c := range []struct{ field, value, want string }{
		{"phone", "13800015678", "138****5678"},
		{"merchant_phone", "13800015678", "138****5678"},
		{"phone", "1380001567", "****"}, // too short to hide four
		{"name", "王小微", "王****"},
		{"technician_name", "欧阳", "欧****"},
		{"name", "王", "****"},
		{"name", "", "****"},
		{"shop_name", "魏记馄饨", "魏记馄饨"},
		{"merchant_name", "明桥市南塘区魏记馄饨店", "明桥市南塘区魏记馄饨店"},
		{"new_shop_name", "魏记馄饨", "魏****"}, // public by its whole name alone
		{"resident_id", "310101199001011234", "3****4"},
		{"account", "6222020200000006789", "****6789"},
		{"settlement_account", "1234567", "****"},
		{"address", "上海市黄浦区南京东路1号", "上海市黄浦区****"},
		{"address", "上海", "****"},
		{"credit_code", "91310000123456789X", "91****789X"},
		{"licence", "3101010000007", "31****07"},
		{"location", "31.2304,121.4737", "****"},
		{"microphone", "13800015678", "****"}, // a rule's name within a word is not the rule
		{"", "x", "****"},
	} {
		if got := vault.Mask(c.field, c.value); got != c.want {
			t.Errorf("%s: got %q, want %q", c.field, got, c.want)
		}
	}
}
