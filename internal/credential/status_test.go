package credential

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

// lanStatuses is the provider's list of noon; lan has index 5.
func lanStatuses() StatusListClaims {
	return StatusListClaims{URI: "https://provider-1.example/status/1", IssuedAt: noon.Add(-time.Hour), ExpiresAt: noon.Add(11 * time.Hour),
		TTL: 12 * time.Hour, Bits: 2, Statuses: []Status{Valid, Invalid, Suspended, 3, Valid, Valid, Valid}}
}

func wantedList() StatusExpectation {
	return StatusExpectation{Issuer: pub(providerKey), IssuerID: "provider-1", URI: "https://provider-1.example/status/1", Now: noon}
}

func statusList(t testing.TB, c StatusListClaims) StatusList {
	t.Helper()
	token, err := BuildStatusList(providerKey, c)
	if err != nil {
		t.Fatal(err)
	}
	l, err := VerifyStatusList(token, wantedList())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestStatusListSaysWhatWasPublished(t *testing.T) {
	c := lanStatuses()
	c.TTL = 2 * time.Hour
	token, err := BuildStatusList(providerKey, c)
	if err != nil {
		t.Fatal(err)
	}
	l, err := VerifyStatusList(token, wantedList())
	if err != nil {
		t.Fatal(err)
	}
	if !l.OK() || l.Issuer() != "provider-1" || l.URI() != c.URI || !l.IssuedAt().Equal(c.IssuedAt) || l.Digest() != statement.Digest(token) {
		t.Errorf("the list reads %+v", l)
	}
	if !l.Until().Equal(c.IssuedAt.Add(2 * time.Hour)) {
		t.Errorf("until %v", l.Until())
	}
	for i, row := range []struct {
		status Status
		code   string
	}{{Valid, ""}, {Invalid, ""}, {Suspended, ""}, {Invalid, "status_unknown"}, {Valid, ""}, {Valid, ""}, {Valid, ""},
		{Invalid, ""}, // fills up the last byte
		{Invalid, "status_index_outside"}} {
		s, err := l.At(i)
		wantCode(t, err, row.code)
		if s != row.status {
			t.Errorf("index %d has status %d, want %d", i, s, row.status)
		}
	}
	_, err = l.At(-1)
	wantCode(t, err, "status_index_outside")
}

func TestZeroStatusListRefuses(t *testing.T) {
	var l StatusList
	s, err := l.At(0)
	wantCode(t, err, "status_list_unverified")
	if l.OK() || s == Valid {
		t.Error("the zero list answers")
	}
	b, err := VerifyBadge(lanBadge(t), pub(providerKey), "provider-1", noon)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, l.Admits(b), "status_list_unverified")
}

func TestAdmits(t *testing.T) {
	for _, row := range []struct {
		name  string
		index int
		uri   string
		list  func(l *StatusList)
		code  string
	}{
		{"valid", 5, "", nil, ""},
		{"revoked", 1, "", nil, "badge_revoked"},
		{"suspended", 2, "", nil, "badge_suspended"},
		{"status 3", 3, "", nil, "status_unknown"},
		{"outside", 8, "", nil, "status_index_outside"},
		{"another list", 5, "https://provider-1.example/status/2", nil, "status_list_uri_other"},
		{"another organisation's", 5, "", func(l *StatusList) { l.issuer = "provider-2" }, "status_list_issuer_other"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := lanClaims()
			c.StatusIndex = row.index
			if row.uri != "" {
				c.StatusURI = row.uri
			}
			badge, err := Issue(providerKey, c)
			if err != nil {
				t.Fatal(err)
			}
			b, err := VerifyBadge(badge, pub(providerKey), "provider-1", noon)
			if err != nil {
				t.Fatal(err)
			}
			l := statusList(t, lanStatuses())
			if row.list != nil {
				row.list(&l)
			}
			wantCode(t, l.Admits(b), row.code)
		})
	}
}

// packed is a list in the draft's form.
func packed(t testing.TB, bits int, data []byte) string {
	t.Helper()
	return fmt.Sprintf(`{"bits":%d,"lst":%q}`, bits, encode(deflate(data)))
}

func TestSpoiledStatusLists(t *testing.T) {
	const head, uri = `{"alg":"ES256","typ":"statuslist+jwt"}`, "https://provider-1.example/status/1"
	body := func(sub string, iat, exp, ttl time.Duration, list string) string {
		return fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d,"ttl":%d,"status_list":%s}`, sub, noon.Add(iat).Unix(), noon.Add(exp).Unix(), ttl/time.Second, list)
	}
	good := packed(t, 1, []byte{0})
	day := 24 * time.Hour
	cut := deflate(bytes.Repeat([]byte{1, 2, 3}, 100))
	for _, row := range []struct{ name, head, body, code string }{
		{"nothing is wrong", head, body(uri, -time.Hour, time.Hour, time.Hour+time.Second, good), ""},
		{"claims in another order", head, `{"status_list":` + good + body(uri, -time.Hour, time.Hour, day, good)[len(`{"sub":"`+uri+`"`):strings.Index(body(uri, -time.Hour, time.Hour, day, good), `,"status_list"`)] + `,"sub":"` + uri + `"}`, ""},
		{"own key", `{"alg":"ES256","typ":"statuslist+jwt","x5c":[]}`, body(uri, -time.Hour, time.Hour, day, good), "status_list_self_vouched"},
		{"other kid", `{"alg":"ES256","typ":"statuslist+jwt","kid":"12"}`, body(uri, -time.Hour, time.Hour, day, good), "status_list_key_other"},
		{"none", `{"alg":"none","typ":"statuslist+jwt"}`, body(uri, -time.Hour, time.Hour, day, good), "status_list_algorithm"},
		{"a badge", `{"alg":"ES256","typ":"dc+sd-jwt"}`, body(uri, -time.Hour, time.Hour, day, good), "status_list_type"},
		{"no header", ``, body(uri, -time.Hour, time.Hour, day, good), "status_list_malformed"},
		{"no payload", head, ``, "status_list_malformed"},
		{"no exp", head, strings.Replace(body(uri, -time.Hour, time.Hour, day, good), `"exp"`, `"nbf"`, 1), "status_list_malformed"},
		{"aggregation", head, body(uri, -time.Hour, time.Hour, day, `{"aggregation_uri":"x",`+good[1:]), "status_list_malformed"},
		{"another list", head, body("https://provider-1.example/status/2", -time.Hour, time.Hour, day, good), "status_list_uri_other"},
		{"expires now", head, body(uri, -time.Hour, 0, day, good), "status_list_stale"},
		{"expires in a second", head, body(uri, -time.Hour, time.Second, day, good), ""},
		{"time to live ends now", head, body(uri, -time.Hour, time.Hour, time.Hour, good), "status_list_stale"},
		{"5 s from the future", head, body(uri, 5*time.Second, time.Hour, day, good), ""},
		{"6 s from the future", head, body(uri, 6*time.Second, time.Hour, day, good), "status_list_not_yet"},
		{"exp before iat", head, body(uri, time.Hour, -time.Hour, day, good), "status_list_window"},
		{"no time to live", head, body(uri, -time.Hour, time.Hour, 0, good), "status_list_window"},
		{"iat is no time", head, body(uri, -noon.Sub(time.Unix(0, 0)), time.Hour, day, good), "status_list_window"},
		{"25 hours", head, body(uri, -time.Hour, day, day, good), "status_list_too_long"},
		{"3 bits", head, body(uri, -time.Hour, time.Hour, day, strings.Replace(good, `"bits":1`, `"bits":3`, 1)), "status_list_bits"},
		{"padded lst", head, body(uri, -time.Hour, time.Hour, day, `{"bits":1,"lst":"eNrbuRgAAhcBXQ=="}`), "status_list_malformed"},
		{"no zlib", head, body(uri, -time.Hour, time.Hour, day, `{"bits":1,"lst":"AAAA"}`), "status_list_compression"},
		{"empty lst", head, body(uri, -time.Hour, time.Hour, day, `{"bits":1,"lst":""}`), "status_list_compression"},
		{"truncated zlib", head, body(uri, -time.Hour, time.Hour, day, `{"bits":1,"lst":"`+encode(cut[:len(cut)-5])+`"}`), "status_list_compression"},
		{"wrong checksum", head, body(uri, -time.Hour, time.Hour, day, `{"bits":1,"lst":"eNrbuRgAAhcBXA"}`), "status_list_compression"},
		{"bytes after the end", head, body(uri, -time.Hour, time.Hour, day, `{"bits":1,"lst":"`+encode(append(deflate([]byte{0}), 0))+`"}`), "status_list_compression"},
		{"at the bound", head, body(uri, -time.Hour, time.Hour, day, packed(t, 1, make([]byte, maxStatusInflated))), ""},
		{"zip bomb", head, body(uri, -time.Hour, time.Hour, day, packed(t, 1, make([]byte, 64<<20))), "status_list_inflates_too_large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			l, err := VerifyStatusList([]byte(compact(t, providerKey, row.head, row.body)), wantedList())
			wantCode(t, err, row.code)
			if l.OK() != (row.code == "") {
				t.Error("OK and the error disagree")
			}
		})
	}
}

func TestStatusListOfAnotherKey(t *testing.T) {
	token, err := BuildStatusList(malloryKey, lanStatuses())
	if err != nil {
		t.Fatal(err)
	}
	_, err = VerifyStatusList(token, wantedList())
	wantCode(t, err, "status_list_signature")
}

func TestStatusListOverSize(t *testing.T) {
	_, err := VerifyStatusList(make([]byte, maxStatusToken+1), wantedList())
	wantCode(t, err, "status_list_too_large")
}

func TestStatusExpectationMustBeComplete(t *testing.T) {
	token, err := BuildStatusList(providerKey, lanStatuses())
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(e *StatusExpectation){
		"issuer id": func(e *StatusExpectation) { e.IssuerID = "" },
		"uri":       func(e *StatusExpectation) { e.URI = "" },
		"now":       func(e *StatusExpectation) { e.Now = time.Time{} },
	} {
		t.Run(name, func(t *testing.T) {
			want := wantedList()
			spoil(&want)
			_, err := VerifyStatusList(token, want)
			wantCode(t, err, "status_list_expectation")
		})
	}
	want := wantedList()
	want.Issuer.Kind = statement.WebAuthn
	_, err = VerifyStatusList(token, want)
	wantCode(t, err, "credential_issuer_key")
}

func TestBuildStatusListGivesOutNothingThatIsRefused(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(c *StatusListClaims)
		code  string
	}{
		{"bits", func(c *StatusListClaims) { c.Bits = 3 }, "status_list_bits"},
		{"no bits", func(c *StatusListClaims) { c.Bits = 0 }, "status_list_bits"},
		{"suspended in one bit", func(c *StatusListClaims) { c.Bits = 1 }, "status_list_bits"},
		{"life", func(c *StatusListClaims) { c.ExpiresAt = c.IssuedAt.Add(25 * time.Hour) }, "status_list_too_long"},
		{"time to live", func(c *StatusListClaims) { c.TTL = time.Millisecond }, "status_list_window"},
		{"name", func(c *StatusListClaims) { c.URI = "no scheme" }, "status_list_uri_other"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := lanStatuses()
			row.spoil(&c)
			token, err := BuildStatusList(providerKey, c)
			wantCode(t, err, row.code)
			if token != nil {
				t.Error("a refused list was given out")
			}
		})
	}
}

// The vectors are those of draft-ietf-oauth-status-list §4.2 and appendix C: what that draft's
// authors packed is read here entry by entry, and packing the entries gives the same bytes.
func TestStatusVectorsOfTheDraft(t *testing.T) {
	raw, err := os.ReadFile("testdata/status_list_draft_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name    string         `json:"name"`
		Bits    int            `json:"bits"`
		Entries int            `json:"entries"`
		Set     map[int]Status `json:"set"`
		Lst     string         `json:"lst"`
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 5 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			l := StatusList{ok: true}
			if err := l.readList(packedList{Bits: v.Bits, Lst: v.Lst}); err != nil {
				t.Fatal(err)
			}
			statuses := make([]Status, v.Entries)
			for i, s := range v.Set {
				statuses[i] = s
			}
			again, err := pack(statuses, v.Bits)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(again, l.data) {
				t.Fatal("packing gives other bytes than the draft's")
			}
			for i := range v.Entries {
				want := v.Set[i]
				got, err := l.At(i)
				if (err == nil) != (want <= Suspended) || (err == nil && got != want) {
					t.Fatalf("index %d: %d, %v; the draft says %d", i, got, err, want)
				}
			}
		})
	}
}

func TestEveryWidthKeepsEveryStatus(t *testing.T) {
	for _, bits := range []int{1, 2, 4, 8} {
		statuses := make([]Status, 1<<bits)
		for i := range statuses {
			statuses[i] = Status(i)
		}
		data, err := pack(statuses, bits)
		if err != nil {
			t.Fatal(err)
		}
		l := StatusList{ok: true, bits: bits, data: data}
		for i := range statuses {
			s, err := l.At(i)
			if i <= int(Suspended) && (err != nil || int(s) != i) {
				t.Errorf("%d bits, index %d: %d, %v", bits, i, s, err)
			}
			if i > int(Suspended) {
				wantCode(t, err, "status_unknown")
			}
		}
	}
}

// A bomb is not inflated to see how large it is: this one is damaged behind the bound, and nobody comes to where.
func TestInflatingStopsAtTheBound(t *testing.T) {
	bomb := deflate(make([]byte, 64<<20))
	_, err := inflate(bomb[:len(bomb)/2])
	wantCode(t, err, "status_list_inflates_too_large")
	short := deflate(make([]byte, maxStatusInflated))
	_, err = inflate(short[:len(short)/2])
	wantCode(t, err, "status_list_compression")
}

// A list that another zlib packed less tightly is read all the same.
func TestStoredBlocksAreRead(t *testing.T) {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, zlib.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte{0xb9, 0xa3}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := inflate(b.Bytes())
	if err != nil || !slices.Equal(got, []byte{0xb9, 0xa3}) {
		t.Errorf("got %x, %v", got, err)
	}
}
