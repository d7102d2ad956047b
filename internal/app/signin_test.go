package app_test

import (
	"encoding/base64"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/menshen-project/menshen/internal/app"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/store"
)

const site = "https://menshen.example"

// desk is an app with a clock that tests move, and the browser of one person.
type desk struct {
	*app.App
	now  time.Time
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "menshen.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &desk{now: time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC), rp: virtualwebauthn.RelyingParty{ID: "menshen.example", Origin: site},
		auth: virtualwebauthn.NewAuthenticator(), key: newKey()}
	d.App = app.New(app.Config{Store: db, Now: func() time.Time { return d.now }})
	return d
}

// newKey makes a credential that has a form: the library writes coordinates without their leading zeros,
// which COSE forbids, so every hundredth of its keys is none.
func newKey() virtualwebauthn.Credential {
	const whole = 77 // bytes of a COSE ES256 key
	for {
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) == whole {
			return c
		}
	}
}

func (d *desk) invite(t *testing.T, recover bool) string {
	t.Helper()
	code, err := d.Invite(t.Context(), "operator", app.Invitation{Person: "qiu", Organisation: "svc-anzhuang", Role: "dispatcher", Recover: recover, Until: d.now.Add(24 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// made answers creation options as an authenticator does, and notes the user handle.
func (d *desk) made(t *testing.T, o app.Options) []byte {
	t.Helper()
	options, err := virtualwebauthn.ParseAttestationOptions(`{"publicKey":` + string(o.JSON) + `}`)
	if err != nil {
		t.Fatal(err)
	}
	d.auth.Options.UserHandle = []byte(options.UserID)
	return []byte(virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.key, *options))
}

// shown answers request options.
func (d *desk) shown(t *testing.T, o app.Options) []byte {
	t.Helper()
	options, err := virtualwebauthn.ParseAssertionOptions(`{"publicKey":` + string(o.JSON) + `}`)
	if err != nil {
		t.Fatal(err)
	}
	d.key.Counter++
	return []byte(virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.key, *options))
}

func (d *desk) join(t *testing.T, code string) app.SignedIn {
	t.Helper()
	o, err := d.BeginJoin(t.Context(), site, code)
	if err != nil {
		t.Fatal(err)
	}
	in, err := d.FinishJoin(t.Context(), site, o.Secret, "办公桌", d.made(t, o), "Chrome · Linux")
	if err != nil {
		t.Fatal(fault.Of(err), fault.Of(err).Unwrap())
	}
	return in
}

func (d *desk) begin(t *testing.T) app.Options {
	t.Helper()
	o, err := d.BeginSignIn(t.Context(), site)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func code(t *testing.T, err error, want string) {
	t.Helper()
	if fault.CodeOf(err) != want {
		t.Errorf("%v (%v), want %s", err, fault.Of(err).Unwrap(), want)
	}
}

func TestInvitedSignedInAndOut(t *testing.T) {
	d := newDesk(t)
	typed := strings.ToLower(strings.ReplaceAll(d.invite(t, false), "-", " ")) // as people type it
	first := d.join(t, typed)
	if first.Actor.Person != "qiu" || first.Actor.Organisation != "svc-anzhuang" || first.Actor.Role != "dispatcher" {
		t.Errorf("%+v", first.Actor)
	}
	if _, err := d.BeginJoin(t.Context(), site, typed); err == nil {
		t.Error("an invitation was used twice")
	}
	d.now = d.now.Add(time.Hour)
	o := d.begin(t)
	second, err := d.FinishSignIn(t.Context(), site, o.Secret, d.shown(t, o), "Safari · iPhone")
	if err != nil {
		t.Fatal(err, fault.Of(err).Unwrap())
	}
	if second.Secret == first.Secret || second.Actor.Token == first.Actor.Token {
		t.Error("a sign-in took an old session over")
	}
	list, err := d.Sessions(t.Context(), second.Actor)
	if err != nil || len(list) != 2 || list[1].Label != "Safari · iPhone" {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := d.EndSession(t.Context(), second.Actor, first.Actor.Token); err != nil {
		t.Fatal(err)
	}
	_, err = d.Authenticate(t.Context(), first.Secret, store.TokenSession)
	code(t, err, "token_unknown")
	stranger := app.Actor{Person: "fang", Organisation: "acq-huaishan", Role: "risk"}
	code(t, d.EndSession(t.Context(), stranger, second.Actor.Token), "record_not_found")
	if _, err := d.Authenticate(t.Context(), second.Secret, store.TokenSession); err != nil {
		t.Error(err)
	}
}

// What a hostile or broken browser answers. Every one is refused in the same words.
func TestAnswersThatSignNobodyIn(t *testing.T) {
	for name, answer := range map[string]func(*testing.T, *desk, app.Options) (string, []byte){
		"another origin": func(t *testing.T, d *desk, o app.Options) (string, []byte) {
			d.rp.Origin = "https://menshen.example.evil"
			return o.Secret, d.shown(t, o)
		},
		"another site's id": func(t *testing.T, d *desk, o app.Options) (string, []byte) {
			d.rp.ID = "evil.example"
			return o.Secret, d.shown(t, o)
		},
		"the user not verified": func(t *testing.T, d *desk, o app.Options) (string, []byte) {
			d.auth.Options.UserNotVerified = true
			return o.Secret, d.shown(t, o)
		},
		"another browser's challenge": func(t *testing.T, d *desk, o app.Options) (string, []byte) { return d.begin(t).Secret, d.shown(t, o) },
		"no cookie":                   func(t *testing.T, d *desk, o app.Options) (string, []byte) { return "", d.shown(t, o) },
		"another key": func(t *testing.T, d *desk, o app.Options) (string, []byte) {
			id := d.key.ID
			d.key = newKey()
			d.key.ID = id
			return o.Secret, d.shown(t, o)
		},
		"a key that nobody has": func(t *testing.T, d *desk, o app.Options) (string, []byte) {
			d.key = newKey()
			return o.Secret, d.shown(t, o)
		},
		"an account that nobody has": func(t *testing.T, d *desk, o app.Options) (string, []byte) {
			d.auth.Options.UserHandle = []byte("nobody")
			return o.Secret, d.shown(t, o)
		},
		"no user handle": func(t *testing.T, d *desk, o app.Options) (string, []byte) {
			d.auth.Options.UserHandle = nil
			return o.Secret, d.shown(t, o)
		},
		"too late": func(t *testing.T, d *desk, o app.Options) (string, []byte) {
			d.now = d.now.Add(6 * time.Minute)
			return o.Secret, d.shown(t, o)
		},
		"nonsense": func(t *testing.T, d *desk, o app.Options) (string, []byte) { return o.Secret, []byte(`{"id":"x"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.join(t, d.invite(t, false))
			secret, data := answer(t, d, d.begin(t))
			_, err := d.FinishSignIn(t.Context(), site, secret, data, "")
			code(t, err, "sign_in_failed")
			if strings.Contains(fault.Of(err).Error(), "qiu") {
				t.Error("the refusal names somebody")
			}
		})
	}
}

func TestAChallengeCountsOnce(t *testing.T) {
	d := newDesk(t)
	d.join(t, d.invite(t, false))
	o := d.begin(t)
	answer := d.shown(t, o)
	if _, err := d.FinishSignIn(t.Context(), site, o.Secret, answer, ""); err != nil {
		t.Fatal(err)
	}
	_, err := d.FinishSignIn(t.Context(), site, o.Secret, answer, "")
	code(t, err, "sign_in_failed")
	o = d.begin(t)
	good := d.shown(t, o)
	if _, err := d.FinishSignIn(t.Context(), site, o.Secret, []byte("{}"), ""); err == nil {
		t.Fatal("nothing signed in")
	}
	_, err = d.FinishSignIn(t.Context(), site, o.Secret, good, "")
	code(t, err, "sign_in_failed") // a wrong answer does not bring it back
}

func TestACounterThatGoesBackIsACopy(t *testing.T) {
	d := newDesk(t)
	d.key.Counter = 7
	d.join(t, d.invite(t, false))
	d.key.Counter = 3
	o := d.begin(t)
	_, err := d.FinishSignIn(t.Context(), site, o.Secret, d.shown(t, o), "")
	code(t, err, "passkey_counter_back")
}

// A sign-in challenge is longer than a digest and says what it is for.
func TestASignInIsNoStatement(t *testing.T) {
	d := newDesk(t)
	var o struct {
		Raw   string `json:"challenge"`
		UV    string `json:"userVerification"`
		Allow []any  `json:"allowCredentials"`
	}
	if err := json.Unmarshal(d.begin(t).JSON, &o); err != nil {
		t.Fatal(err)
	}
	if len(o.Raw) <= 43 || o.UV != "required" || len(o.Allow) != 0 { // 32 bytes are 43 characters
		t.Errorf("%+v", o)
	}
}

func TestSessionsEndByThemselves(t *testing.T) {
	d := newDesk(t)
	in := d.join(t, d.invite(t, false))
	for range 11 { // used each hour: the idle limit of a dispatcher is two
		d.now = d.now.Add(time.Hour)
		if _, err := d.Authenticate(t.Context(), in.Secret, store.TokenSession); err != nil {
			t.Fatalf("at %s: %v", d.now, err)
		}
	}
	d.now = d.now.Add(61 * time.Minute)
	_, err := d.Authenticate(t.Context(), in.Secret, store.TokenSession)
	code(t, err, "token_unknown") // twelve hours are over
	o := d.begin(t)
	in, err = d.FinishSignIn(t.Context(), site, o.Secret, d.shown(t, o), "")
	if err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(2*time.Hour + time.Second)
	_, err = d.Authenticate(t.Context(), in.Secret, store.TokenSession)
	code(t, err, "token_unknown") // not used
}

func TestPasskeysOfOnePerson(t *testing.T) {
	d := newDesk(t)
	in := d.join(t, d.invite(t, false))
	first := d.key
	code(t, d.RemovePasskey(t.Context(), in.Actor, keyName(first)), "passkey_is_last")
	d.key = newKey()
	o, err := d.BeginAddPasskey(t.Context(), in.Actor, site)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.FinishAddPasskey(t.Context(), in.Actor, site, o.Secret, "手机", d.made(t, o)); err != nil {
		t.Fatal(err, fault.Of(err).Unwrap())
	}
	list, err := d.Passkeys(t.Context(), in.Actor)
	if err != nil || len(list) != 2 || list[1].Name+list[0].Name != "手机办公桌" && list[0].Name+list[1].Name != "手机办公桌" {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := d.RenamePasskey(t.Context(), in.Actor, list[0].ID, "旧的"); err != nil {
		t.Fatal(err)
	}
	code(t, d.RenamePasskey(t.Context(), in.Actor, list[0].ID, ""), "passkey_name_malformed")
	if err := d.RemovePasskey(t.Context(), in.Actor, keyName(first)); err != nil {
		t.Fatal(err)
	}
	second := d.key
	d.key = first
	begun := d.begin(t)
	_, err = d.FinishSignIn(t.Context(), site, begun.Secret, d.shown(t, begun), "")
	code(t, err, "sign_in_failed")
	d.key = second
	begun = d.begin(t)
	if _, err = d.FinishSignIn(t.Context(), site, begun.Secret, d.shown(t, begun), ""); err != nil {
		t.Error(err)
	}
}

// A lost phone: a new invitation ends what was there when it is used, and not before.
func TestRecovery(t *testing.T) {
	d := newDesk(t)
	in := d.join(t, d.invite(t, false))
	lost := d.key
	again := d.invite(t, true)
	if _, err := d.Authenticate(t.Context(), in.Secret, store.TokenSession); err != nil {
		t.Error("an invitation alone ended a session:", err)
	}
	d.key = newKey()
	d.join(t, again)
	_, err := d.Authenticate(t.Context(), in.Secret, store.TokenSession)
	code(t, err, "token_unknown")
	d.key = lost
	o := d.begin(t)
	_, err = d.FinishSignIn(t.Context(), site, o.Secret, d.shown(t, o), "")
	code(t, err, "sign_in_failed")
}

func TestInvitationsThatLetNobodyIn(t *testing.T) {
	d := newDesk(t)
	old := d.invite(t, false)
	current := d.invite(t, false)
	for name, c := range map[string]string{"an earlier one": old, "a guess": "AAAAA-AAAAA-AAAAA-AAAAA", "nothing": ""} {
		_, err := d.BeginJoin(t.Context(), site, c)
		if fault.CodeOf(err) != "invitation_not_open" {
			t.Errorf("%s: %v", name, err)
		}
	}
	o, err := d.BeginJoin(t.Context(), site, current)
	if err != nil {
		t.Fatal(err)
	}
	two, err := d.BeginJoin(t.Context(), site, current) // two browsers race with one code
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.FinishJoin(t.Context(), site, o.Secret, "a", d.made(t, o), ""); err != nil {
		t.Fatal(err)
	}
	d.key = newKey()
	_, err = d.FinishJoin(t.Context(), site, two.Secret, "b", d.made(t, two), "")
	code(t, err, "invitation_not_open")
	late := d.invite(t, false)
	d.now = d.now.Add(25 * time.Hour)
	_, err = d.BeginJoin(t.Context(), site, late)
	code(t, err, "invitation_not_open")
	by := app.Actor{Person: "qiu", Organisation: "svc-anzhuang", Role: "dispatcher"}
	_, err = d.InviteColleague(t.Context(), by, app.Invitation{Person: "chen", Role: "approver", Until: d.now.Add(time.Hour)})
	code(t, err, "access_denied")
	for where, i := range map[string]app.Invitation{
		"person": {Role: "technician", Until: d.now.Add(time.Hour)}, "until": {Person: "lan", Role: "technician", Until: d.now.Add(30 * 24 * time.Hour)},
	} {
		if _, err = d.InviteColleague(t.Context(), by, i); fault.CodeOf(err) != "invitation_malformed" || fault.Of(err).Where != where {
			t.Errorf("%s: %v", where, err)
		}
	}
}

func keyName(c virtualwebauthn.Credential) string { return b64(c.ID) }

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
