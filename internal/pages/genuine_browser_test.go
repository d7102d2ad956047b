//go:build browser

package pages

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/scenario"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

// orderCase is an order package with something wrong, and what lan's phone must say.
type orderCase struct {
	name string
	Pack app.Package   `json:"pack"`
	Key  statement.Key `json:"key"`
	Want struct {
		Visit      string `json:"visit"`
		Technician string `json:"technician"`
		Now        int64  `json:"now"`
	} `json:"want"`
	said string // link and code; "!" for any refusal
}

const verifyAll = `const { verifyOrder } = await load("genuine.mjs");
	const out = [];
	for (const c of cases) { const v = await verifyOrder(c.pack, c.key, c.want); out.push(v.ok ? v.acquirer + " " + v.provider : v.link + " " + v.code); }
	return out;`

func (b *bench) orders(cases []orderCase) {
	b.t.Helper()
	data, err := json.Marshal(cases)
	if err != nil {
		b.t.Fatal(err)
	}
	var got []string
	b.run("const cases = "+string(data)+";"+verifyAll, &got)
	for i, c := range cases {
		if got[i] != c.said && (c.said != "!" || !strings.Contains(got[i], "_")) {
			b.t.Errorf("%s: %q, want %q", c.name, got[i], c.said)
		}
	}
}

// The technician's phone tells a genuine order from a server's invention, link by link.
func TestIsTheOrderGenuine(t *testing.T) {
	t.Parallel()
	f := newField(t)
	p, c := f.play, f.Cast
	pack, err := f.App.Package(t.Context(), app.Actor{Person: "lan", Organisation: "svc-anzhuang", Role: visit.RoleTechnician}, "v1")
	if err != nil {
		t.Fatal(err)
	}
	good := orderCase{name: "good", Pack: pack, Key: f.App.Trust.File().TrustListKey, said: "槐山支付（演示） 安装到家（演示）"}
	good.Want.Visit, good.Want.Technician, good.Want.Now = "v1", "lan", time.Now().Unix()
	with := func(name, said string, change func(*orderCase)) orderCase {
		one := good
		one.name, one.said = name, said
		change(&one)
		return one
	}
	sealed := func(by *scenario.Actor, d scenario.Draft) string {
		d.At = time.Now()
		return base64.StdEncoding.EncodeToString(by.Forge(d))
	}
	dispatch := scenario.Draft{Stream: p.VisitStream(), Type: visit.TypeDispatch, Body: p.Dispatch}
	enrolled := func(by *scenario.Actor, e statement.Enrolment) string {
		return sealed(by, scenario.Draft{Stream: visit.StreamOrganisation + "/" + by.ID, Type: statement.TypeEnrolment, Body: e})
	}
	mine := scenario.Enrolment(c.Dispatcher, time.Now())
	cases := []orderCase{good,
		with("a list of somebody else's", "list signer_key_differs", func(o *orderCase) { o.Key = c.Merchant.Public() }),
		with("never told whose list", "list trust_list_key_unknown", func(o *orderCase) { o.Key = statement.Key{} }),
		with("list out of date", "list trust_list_stale", func(o *orderCase) { o.Want.Now += 40 * 86400 }),
		with("no order", "order envelope_malformed", func(o *orderCase) { o.Pack.Papers.Order = "" }),
		with("nobody vouches for the approver", "order envelope_malformed", func(o *orderCase) { o.Pack.Papers.OrderKey = "" }),
		with("the dispatcher's paper for the approver", "order signer_not_enrolled", func(o *orderCase) { o.Pack.Papers.OrderKey = o.Pack.Papers.DispatchKey }),
		with("a dispatch in the order's place", "order statement_type_differs", func(o *orderCase) { o.Pack.Papers.Order = o.Pack.Dispatch.Envelope }),
		with("another kind of work", "order order_differs", func(o *orderCase) { o.Pack.Kind = visit.Removal }),
		with("another order", "order order_differs", func(o *orderCase) { o.Pack.Order = "o-v2" }),
		with("somebody else is sent", "dispatch dispatch_of_another", func(o *orderCase) { o.Want.Technician = "ma" }),
		with("another visit", "dispatch dispatch_differs", func(o *orderCase) { o.Want.Visit = "v2" }),
		with("another shop on the screen", "dispatch opening_stray", func(o *orderCase) {
			other := *o.Pack.Openings.Shop
			other.Value = "别的路 1 号"
			o.Pack.Openings.Shop = &other
		}),
		with("a stranger dispatches", "dispatch signer_not_enrolled", func(o *orderCase) {
			o.Pack.Dispatch.Envelope = sealed(c.Stranger, func() scenario.Draft { d := dispatch; d.As = visit.RoleDispatcher; return d }())
		}),
		with("a stranger vouches", "dispatch signer_key_differs", func(o *orderCase) { o.Pack.Papers.DispatchKey = enrolled(c.Stranger, mine) }),
		with("the acquirer vouches for the provider's", "dispatch signer_not_enrolled", func(o *orderCase) { o.Pack.Papers.DispatchKey = enrolled(c.Acquirer, mine) }),
		with("vouched for too late", "dispatch enrolment_lapsed", func(o *orderCase) {
			late := mine
			late.From = statement.At(time.Now().Add(time.Hour))
			o.Pack.Papers.DispatchKey = enrolled(c.Provider, late)
		}),
		with("ended before", "dispatch enrolment_lapsed", func(o *orderCase) {
			over := mine
			over.From, over.Until = statement.At(time.Now().Add(-48*time.Hour)), statement.At(time.Now().Add(-24*time.Hour))
			o.Pack.Papers.DispatchKey = enrolled(c.Provider, over)
		}),
	}
	for name, field := range map[string]func(*orderCase) *string{"dispatch": func(o *orderCase) *string { return &o.Pack.Dispatch.Envelope },
		"order": func(o *orderCase) *string { return &o.Pack.Papers.Order }, "order key": func(o *orderCase) *string { return &o.Pack.Papers.OrderKey },
		"dispatch key": func(o *orderCase) *string { return &o.Pack.Papers.DispatchKey }} {
		raw, err := base64.StdEncoding.DecodeString(*field(&good))
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(raw); at += 23 {
			cases = append(cases, with(name+" spoilt", "!", func(o *orderCase) {
				spoilt := append([]byte{}, raw...)
				spoilt[at] ^= 1
				*field(o) = base64.StdEncoding.EncodeToString(spoilt)
			}))
		}
	}
	b := newBench(t, browser(t), needs{api: true, passkey: true}, nil)
	b.orders(cases)
	b.dispatchedByPasskey(good, enrolled, mine, c)
}

// dispatchedByPasskey has the dispatcher sign with a passkey, as consoles do.
func (b *bench) dispatchedByPasskey(good orderCase, enrolled func(*scenario.Actor, statement.Enrolment) string, mine statement.Enrolment, c *scenario.Cast) {
	b.t.Helper()
	b.authenticator(true)
	raw, err := base64.StdEncoding.DecodeString(good.Pack.Dispatch.Envelope)
	if err != nil {
		b.t.Fatal(err)
	}
	claims, err := statement.Parse(raw)
	if err != nil {
		b.t.Fatal(err)
	}
	var body json.RawMessage
	if err := claims.UntrustedBody(&body); err != nil {
		b.t.Fatal(err)
	}
	var page jsSigned
	b.run(`const keys = await load("keys.mjs"), { sign } = await load("statement.mjs");
		const signer = await keys.newPasskey({ name: "dispatcher", rpName: "门神", userName: "qiu" });
		return { key: keys.signerPublicKey(signer), signed: await sign(signer, { type: "dispatch", subject: "visit/v1", signer: "`+claims.Header.Signer+`", organisation: "`+claims.Header.Organisation+`",
			role: "dispatcher", at: "`+string(claims.Header.At)+`", previous: "", answers: "", body: `+string(body)+` }) };`, &page)
	passkey := good
	passkey.Pack.Dispatch.Envelope = base64.StdEncoding.EncodeToString([]byte(page.Signed.Envelope))
	vouch := func(name, said string, change func(*statement.Key)) orderCase {
		one := passkey
		one.name, one.said = name, said
		e := mine
		e.Key = page.Key
		change(&e.Key)
		one.Pack.Papers.DispatchKey = enrolled(c.Provider, e)
		return one
	}
	b.orders([]orderCase{
		vouch("by passkey", good.said, func(*statement.Key) {}),
		vouch("of another site", "dispatch assertion_origin", func(k *statement.Key) { k.Origins = []string{"https://evil.example"} }),
		vouch("for another site", "dispatch assertion_origin", func(k *statement.Key) { k.RPID = "evil.example" }),
		vouch("as a plain key", "dispatch signature_wrong", func(k *statement.Key) { k.Kind, k.RPID, k.Origins = statement.ES256, "", nil }),
	})
}
