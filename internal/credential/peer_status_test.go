//go:build openapi

package credential

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/statement"
)

// listed is a status list token in this dialect: for irmago it names its issuer by did:jwk.
func (d dialect) listed(head, claims string) string {
	if d.did {
		head = `{"kid":"#0",` + head[1:]
		claims = `{"iss":"` + didOf(providerKey.PublicKey) + `",` + claims[1:]
	}
	return compact(d, providerKey, head, claims)
}

// ofNoon is an honest list's claims around a list.
func ofNoon(list string) string {
	return fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d,"ttl":43200,"status_list":%s}`, lanStatuses().URI, noon.Add(-time.Hour).Unix(), noon.Add(time.Hour).Unix(), list)
}

func spelled(bits int, lst string) string { return fmt.Sprintf(`{"bits":%d,"lst":%q}`, bits, lst) }

const listHeader = `{"alg":"ES256","typ":"statuslist+jwt"}`

// peerLists is to lists what peerRows is to badges. @sd-jwt only reads a list: every check of the token is
// its caller's.
var peerLists = []struct {
	name, head, claims, code string
	npm, irmago              bool
}{
	{"honest", listHeader, ofNoon(spelled(2, encode(deflate([]byte{0x24, 0x15})))), "", true, true},
	{"type of a badge", `{"alg":"ES256","typ":"dc+sd-jwt"}`, ofNoon(spelled(2, encode(deflate([]byte{0, 0})))), "status_list_type", true, false},
	{"algorithm none", `{"alg":"none","typ":"statuslist+jwt"}`, ofNoon(spelled(2, encode(deflate([]byte{0, 0})))), "status_list_algorithm", true, false},
	{"another list's name", listHeader, string(bytes.Replace([]byte(ofNoon(spelled(2, encode(deflate([]byte{0, 0}))))), []byte("status/1"), []byte("status/2"), 1)), "status_list_uri_other", true, false},
	{"expired a second ago", listHeader, lasting(-1, 43200), "status_list_stale", true, true},
	{"expired an hour ago", listHeader, lasting(-1800, 43200), "status_list_stale", true, false},
	{"older than its time to live", listHeader, lasting(3600, 60), "status_list_stale", true, true},
	{"of a year", listHeader, lasting(365*86400, 43200), "status_list_too_long", true, true},
	{"no time to live", listHeader, lasting(3600, 0), "status_list_window", true, true},
	{"three bits", listHeader, ofNoon(spelled(3, encode(deflate([]byte{0, 0})))), "status_list_bits", false, false},
	{"list in another spelling", listHeader, ofNoon(spelled(2, sameBits(encode(deflate([]byte{0, 0}))))), "status_list_malformed", true, true},
	{"list with padding", listHeader, ofNoon(spelled(2, encode(deflate([]byte{0, 0}))+"==")), "status_list_malformed", true, false},
	{"bytes after the compressed ones", listHeader, ofNoon(spelled(2, encode(append(deflate([]byte{0, 0}), 1, 2)))), "status_list_compression", true, true},
	{"checksum wrong", listHeader, ofNoon(spelled(2, encode(spoilt(deflate([]byte{0, 0}))))), "status_list_compression", false, false},
	{"inflates to 2 MB", listHeader, ofNoon(spelled(2, encode(deflate(make([]byte, 2<<20))))), "status_list_inflates_too_large", true, true},
	{"inflates to 6 MB", listHeader, ofNoon(spelled(2, encode(deflate(make([]byte, 6<<20))))), "status_list_inflates_too_large", true, false},
}

// lasting is a list that expires some seconds after noon, with a time to live in seconds.
func lasting(exp, ttl int) string {
	return fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d,"ttl":%d,"status_list":%s}`, lanStatuses().URI, noon.Add(-time.Hour).Unix(), noon.Unix()+int64(exp), ttl,
		spelled(2, encode(deflate([]byte{0, 0}))))
}

func spoilt(compressed []byte) []byte {
	compressed[len(compressed)-1] ^= 1
	return compressed
}

func TestOurVerdictOnListsBesideTwoOthers(t *testing.T) {
	var plain, dids []string
	for _, r := range peerLists {
		token := dialect{TB: t}.listed(r.head, r.claims)
		_, err := VerifyStatusList([]byte(token), wantedList())
		wantCode(t, err, r.code)
		plain, dids = append(plain, token), append(dids, dialect{TB: t, did: true}.listed(r.head, r.claims))
	}
	ask := map[string]any{"ask": "lists", "now": noon.Unix(), "uri": lanStatuses().URI, "indexes": []int{0, 1, 2, 3, 4}}
	var theirs, irmas []said
	ask["lists"] = plain
	npm(t, ask, &theirs)
	ask["lists"] = dids
	irmago(t, ask, &irmas)
	for i, r := range peerLists {
		if theirs[i].OK != r.npm {
			t.Errorf("%s: @sd-jwt says %v %s", r.name, theirs[i].OK, theirs[i].Error)
		}
		if irmas[i].OK != r.irmago {
			t.Errorf("%s: irmago says %v %s", r.name, irmas[i].OK, irmas[i].Error)
		}
	}
	if got := fmt.Sprint(irmas[0].Statuses); got != "[valid invalid suspended valid invalid]" {
		t.Errorf("irmago reads %s", got)
	}
}

// Every width and status that we publish is read as we meant it, by both.
func TestTwoOthersReadOurLists(t *testing.T) {
	words := []string{"valid", "invalid", "suspended"}
	for _, bits := range []int{1, 2, 4, 8} {
		c := lanStatuses()
		c.Bits, c.Statuses = bits, nil
		var indexes []int
		var numbers, names []any
		for i := range 37 {
			s := Status(i*i%7) % Status(min(3, 1<<bits))
			c.Statuses = append(c.Statuses, s)
			indexes, numbers, names = append(indexes, i), append(numbers, float64(s)), append(names, words[s])
		}
		token, err := BuildStatusList(providerKey, c)
		if err != nil {
			t.Fatal(err)
		}
		data, err := pack(c.Statuses, bits)
		if err != nil {
			t.Fatal(err)
		}
		ask := map[string]any{"ask": "lists", "now": noon.Unix(), "uri": c.URI, "indexes": indexes, "lists": []string{string(token)}}
		var theirs, irmas []said
		npm(t, ask, &theirs)
		ask["lists"] = []string{dialect{TB: t, did: true}.listed(listHeader, ofNoon(spelled(bits, encode(deflate(data)))))}
		irmago(t, ask, &irmas)
		if !slices.Equal(theirs[0].Statuses, numbers) {
			t.Errorf("%d bits: @sd-jwt reads %v %s", bits, theirs[0].Statuses, theirs[0].Error)
		}
		if !slices.Equal(irmas[0].Statuses, names) {
			t.Errorf("%d bits: irmago reads %v %s", bits, irmas[0].Statuses, irmas[0].Error)
		}
	}
}

// What @sd-jwt publishes, we read. irmago publishes none outside its own tests.
func TestWeReadListsOfAnother(t *testing.T) {
	c := lanStatuses()
	statuses := []Status{Valid, Invalid, Suspended, Valid, Invalid, Invalid, Valid, Suspended, Valid}
	numbers := make([]int, len(statuses))
	for i, s := range statuses {
		numbers[i] = int(s)
	}
	var got struct {
		Issuer statement.Key `json:"issuer"`
		Token  string        `json:"token"`
	}
	npm(t, map[string]any{"ask": "publishes", "bits": 2, "statuses": numbers,
		"claims": map[string]any{"sub": c.URI, "iat": c.IssuedAt.Unix(), "exp": c.ExpiresAt.Unix(), "ttl": 43200}}, &got)
	want := wantedList()
	want.Issuer = got.Issuer
	l, err := VerifyStatusList([]byte(got.Token), want)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range statuses {
		if read, err := l.At(i); err != nil || read != s {
			t.Errorf("index %d reads %d, %v", i, read, err)
		}
	}
}
