package organisation

import (
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/credential"
	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/orgapi"
	"github.com/menshen-project/menshen/internal/statement"
	"github.com/menshen-project/menshen/internal/visit"
)

func TestAMerchantEnrolsANewPhone(t *testing.T) {
	s := acquirerStage(t)
	wei := s.phone("wei", visit.RoleMerchant)
	ask := wei.asks(s.code("wei", visit.RoleMerchant, reasonReplaced))
	a, err := s.Enrol(ask)
	if err != nil || len(a.Statements) != 1 {
		t.Fatal(a, err)
	}
	var e statement.Enrolment
	s.read(a.Statements[0], statement.TypeEnrolment, &e)
	if err := e.InForce(s.time); err != nil || e.Holder != "wei" || e.Role != visit.RoleMerchant || e.Key.Thumbprint() != wei.public().Thumbprint() || e.HeldBy != statement.HeldByHolder {
		t.Errorf("%+v, %v", e, err)
	}
	if a.Statements[0].Verb != visit.Enrol || a.Statements[0].Number != 1 {
		t.Errorf("%+v", a.Statements[0])
	}

	t.Run("asked again, the same answer", func(t *testing.T) {
		s.reopen()
		again, err := s.Enrol(wei.possessing(ask)) // signed anew: it is the key and the code that count
		if err != nil || !slices.Equal(again.Statements, a.Statements) || len(s.all()) != 1 {
			t.Errorf("%v, %v", again, err)
		}
	})
	t.Run("another phone with the same code", func(t *testing.T) {
		s.refuses("code_used", s.phone("wei", visit.RoleMerchant).asks(usedCode(s)))
	})
}

// usedCode gives a code that another phone has used. Only a test has it still: the service keeps none.
func usedCode(s *stage) credential.Code {
	s.Helper()
	made := s.code("wei", visit.RoleMerchant, Additional)
	first := s.phone("wei", visit.RoleMerchant)
	if _, err := s.Enrol(first.asks(made)); err != nil {
		s.Fatal(err)
	}
	return made
}

func TestEachCodeIsRefusedForItsOwnReason(t *testing.T) {
	s := acquirerStage(t)
	code := s.code("wei", visit.RoleMerchant, reasonReplaced)
	wei := s.phone("wei", visit.RoleMerchant)

	told := func(want string) {
		t.Helper()
		list := s.People().People
		p := list[slices.IndexFunc(list, func(p orgapi.Person) bool { return p.Holder == "wei" && p.Role == visit.RoleMerchant })]
		if p.CodeState != want || (p.CodeUsed != "") != (want == codeUsed) || p.CodeMade == "" {
			t.Errorf("the roll says %+v, want %s", p, want)
		}
	}
	t.Run("for another holder", func(t *testing.T) {
		s.code("bo", visit.RoleMerchant, reasonReplaced)
		s.refuses("code_wrong", s.phone("bo", visit.RoleMerchant).asks(code))
	})
	t.Run("for another role", func(t *testing.T) {
		s.code("wei", visit.RoleApprover, reasonReplaced)
		s.refuses("code_wrong", s.phone("wei", visit.RoleApprover).asks(code))
	})
	t.Run("for somebody unknown", func(t *testing.T) { s.refuses("code_wrong", s.phone("nobody", visit.RoleMerchant).asks(code)) })
	t.Run("taken back", func(t *testing.T) {
		if err := s.RevokeCode("wei", visit.RoleMerchant); err != nil {
			t.Fatal(err)
		}
		told(codeRevoked)
		s.refuses("code_revoked", wei.asks(code))
	})
	t.Run("replaced by a newer one", func(t *testing.T) {
		old := s.code("wei", visit.RoleMerchant, reasonReplaced)
		s.code("wei", visit.RoleMerchant, reasonReplaced)
		s.refuses("code_revoked", wei.asks(old))
	})
	t.Run("past its date", func(t *testing.T) {
		late := s.code("wei", visit.RoleMerchant, reasonReplaced)
		s.wait(days(14) - time.Second)
		s.refuses("code_wrong", wei.asks(credential.NewCode())) // still counts as a try
		s.wait(time.Second)
		told(codeExpired)
		s.refuses("code_expired", wei.asks(late))
	})
	t.Run("a fortnight is enough", func(t *testing.T) {
		fresh := s.code("wei", visit.RoleMerchant, reasonReplaced)
		s.wait(days(14) - time.Second)
		told(codeLive)
		if _, err := s.Enrol(wei.asks(fresh)); err != nil {
			t.Error(err)
		}
		told(codeUsed)
	})
}

func TestAfterFiveWrongTriesTheCodeIsLocked(t *testing.T) {
	s := acquirerStage(t)
	code := s.code("wei", visit.RoleMerchant, reasonReplaced)
	wei := s.phone("wei", visit.RoleMerchant)
	for range maxTries - 1 {
		s.refuses("code_wrong", wei.asks(credential.NewCode()))
	}
	s.reopen() // a restart gives no new tries
	s.refuses("code_locked", wei.asks(credential.NewCode()))
	s.refuses("code_locked", wei.asks(code))
	if p := s.People().People[0]; p.CodeState != codeLocked || p.Key != "" {
		t.Errorf("%+v", p)
	}
	size := s.journal.Size()
	s.refuses("code_locked", wei.asks(credential.NewCode()))
	if s.journal.Size() != size {
		t.Error("tries against a locked code fill the journal")
	}
	if _, err := s.Enrol(wei.asks(s.code("wei", visit.RoleMerchant, reasonReplaced))); err != nil {
		t.Errorf("a new code: %v", err)
	}
}

// menshen carries the request. Whatever a lying server changes of it is refused, and costs no key.
func TestALyingServerCannotSwapAnything(t *testing.T) {
	s := acquirerStage(t)
	code := s.code("wei", visit.RoleMerchant, reasonReplaced)
	honest := s.phone("wei", visit.RoleMerchant).asks(code)
	liar := s.phone("wei", visit.RoleMerchant)
	for name, lie := range map[string]struct {
		change func(a *orgapi.EnrolmentAsk)
		why    string
	}{
		"its own key":                        {func(a *orgapi.EnrolmentAsk) { a.Key = liar.public(); *a = liar.possessing(*a) }, "code_wrong"},
		"its own key, the phone's signature": {func(a *orgapi.EnrolmentAsk) { a.Key = liar.public() }, "key_not_shown"},
		"an origin of its own": {func(a *orgapi.EnrolmentAsk) {
			a.Key.Kind, a.Key.RPID, a.Key.Origins = statement.WebAuthn, "evil.example", []string{"https://evil.example"}
		}, "key_not_shown"},
		"held by the operator":                   {func(a *orgapi.EnrolmentAsk) { a.HeldBy = statement.HeldByOperator }, "organisation_ask_malformed"},
		"another holder":                         {func(a *orgapi.EnrolmentAsk) { a.Holder = "bo" }, "key_not_shown"},
		"another role":                           {func(a *orgapi.EnrolmentAsk) { a.Role = visit.RoleApprover }, "key_not_shown"},
		"another organisation":                   {func(a *orgapi.EnrolmentAsk) { a.Organisation = "linjiang" }, "organisation_other"},
		"a role that is not this organisation's": {func(a *orgapi.EnrolmentAsk) { a.Role = visit.RoleTechnician }, "role_not_of_organisation"},
		"no role":                                {func(a *orgapi.EnrolmentAsk) { a.Role = "platform" }, "role_not_of_organisation"},
		"no proof":                               {func(a *orgapi.EnrolmentAsk) { a.Proof = "" }, "organisation_ask_malformed"},
		"no key":                                 {func(a *orgapi.EnrolmentAsk) { a.Key.X = "AA" }, "organisation_ask_malformed"},
		"no holder":                              {func(a *orgapi.EnrolmentAsk) { a.Holder = "../wei" }, "organisation_ask_malformed"},
		"no possession":                          {func(a *orgapi.EnrolmentAsk) { a.Possession = "" }, "key_not_shown"},
		"not base64":                             {func(a *orgapi.EnrolmentAsk) { a.Possession = "?" }, "key_not_shown"},
		"another's statement": {func(a *orgapi.EnrolmentAsk) {
			a.Possession = liar.signs("organisation/jianghe", "nothing_to_keep", visit.NothingToKeep{Visit: "v1"})
		}, "key_not_shown"},
	} {
		t.Run(name, func(t *testing.T) {
			ask := honest
			lie.change(&ask)
			s.refuses(lie.why, ask)
		})
	}
	if _, err := s.Enrol(honest); err != nil {
		t.Errorf("after all that the true phone: %v", err)
	}
}

// A statement of the right key that is no request for this enrolment shows nothing.
func TestPossessionIsShownForThisEnrolmentOnly(t *testing.T) {
	s := acquirerStage(t)
	code := s.code("wei", visit.RoleMerchant, reasonReplaced)
	wei := s.phone("wei", visit.RoleMerchant)
	ask := wei.asks(code)
	for name, possession := range map[string]string{
		"another proof":    wei.possessing(wei.asks(credential.NewCode())).Possession,
		"another subject":  wei.signs("organisation/linjiang", "enrolment_request", map[string]string{"proof": ask.Proof}),
		"another type":     wei.signs("organisation/jianghe", "badge_request", map[string]string{"proof": ask.Proof}),
		"a member too few": wei.signs("organisation/jianghe", "enrolment_request", map[string]string{}),
	} {
		t.Run(name, func(t *testing.T) {
			other := ask
			other.Possession = possession
			s.refuses("key_not_shown", other)
		})
	}
}

// Whoever has a code of his own cannot have another's key enrolled for himself, nor one that is in use.
func TestAKeyIsOnePersons(t *testing.T) {
	s := acquirerStage(t)
	wei := s.enrolled("wei", visit.RoleMerchant)
	thief := *wei
	thief.holder = "bo"
	t.Run("enrolled for another", func(t *testing.T) {
		s.refuses("key_taken", thief.asks(s.code("bo", visit.RoleMerchant, reasonReplaced)))
	})
	t.Run("once more for the same", func(t *testing.T) {
		s.refuses("key_taken", wei.asks(s.code("wei", visit.RoleMerchant, reasonReplaced)))
	})
	t.Run("the organisation's own", func(t *testing.T) {
		own := s.phone("bo", visit.RoleMerchant)
		own.key = s.keys.Own
		s.refuses("key_taken", own.asks(s.code("bo", visit.RoleMerchant, reasonReplaced)))
	})
}

func TestANewPhoneEndsTheOldKey(t *testing.T) {
	s := acquirerStage(t)
	old := s.enrolled("wei", visit.RoleMerchant).public().Thumbprint()
	s.wait(days(30))
	fresh := s.phone("wei", visit.RoleMerchant)
	a, err := s.Enrol(fresh.asks(s.code("wei", visit.RoleMerchant, reasonReplaced)))
	if err != nil || len(a.Statements) != 2 {
		t.Fatal(a, err)
	}
	var end statement.EnrolmentEnd
	s.read(a.Statements[1], statement.TypeEnrolmentEnd, &end)
	if end.Key != old || end.Reason != reasonReplaced || end.From != statement.At(s.time) {
		t.Errorf("%+v", end)
	}
	t.Run("a lost one at once, before there is a new phone", func(t *testing.T) {
		s.code("wei", visit.RoleMerchant, reasonLost)
		list := s.all()
		s.read(list[len(list)-1], statement.TypeEnrolmentEnd, &end)
		if end.Key != fresh.public().Thumbprint() || end.Reason != reasonLost {
			t.Errorf("%+v", end)
		}
		if p := s.People().People[0]; p.Key != "" || p.CodeState != codeLive {
			t.Errorf("%+v", p)
		}
	})
	t.Run("an additional one leaves it", func(t *testing.T) {
		s.enrolled("chen", visit.RoleApprover)
		a, err := s.Enrol(s.phone("chen", visit.RoleApprover).asks(s.code("chen", visit.RoleApprover, Additional)))
		if err != nil || len(a.Statements) != 1 {
			t.Errorf("%v, %v", a, err)
		}
	})
}

func TestKeysEndOnceAndForAReason(t *testing.T) {
	s := acquirerStage(t)
	thumb := s.enrolled("wei", visit.RoleMerchant).public().Thumbprint()
	first, err := s.EndKey(thumb, "compromised", "fang")
	if err != nil || len(first.Statements) != 1 {
		t.Fatal(first, err)
	}
	s.reopen()
	s.wait(time.Hour)
	if again, err := s.EndKey(thumb, reasonLost, "fang"); err != nil || !slices.Equal(again.Statements, first.Statements) {
		t.Errorf("%v, %v", again, err)
	}
	for _, c := range []struct{ thumb, reason, by, want string }{
		{"nobody's", reasonLost, "fang", "key_unknown"}, {thumb, "whim", "fang", "reason_unknown"}, {thumb, reasonLost, "", "organisation_ask_malformed"},
	} {
		if _, err := s.EndKey(c.thumb, c.reason, c.by); fault.CodeOf(err) != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func TestWhoeverLeftEnrolsNothing(t *testing.T) {
	s := acquirerStage(t)
	code := s.code("chen", visit.RoleApprover, reasonReplaced)
	if _, err := s.Leave("chen", visit.RoleApprover, reasonLeft); err != nil {
		t.Fatal(err)
	}
	s.refuses("code_revoked", s.phone("chen", visit.RoleApprover).asks(code))
	if _, err := s.MakeCode("chen", visit.RoleApprover, reasonReplaced); fault.CodeOf(err) != "person_not_active" {
		t.Error(err)
	}
	if err := s.PutPerson("chen", visit.RoleApprover, "", ""); err != nil {
		t.Fatal(err)
	}
	s.refuses("code_revoked", s.phone("chen", visit.RoleApprover).asks(code)) // an old code does not come back with him
	s.enrolled("chen", visit.RoleApprover)
	a, err := s.Leave("chen", visit.RoleApprover, reasonLeft)
	if err != nil || len(a.Statements) != 1 || a.Statements[0].Verb != visit.EndEnrolment {
		t.Errorf("%v, %v", a, err)
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{second(s.Leave("nobody", visit.RoleApprover, reasonLeft)), "person_unknown"},
		{second(s.Leave("chen", visit.RoleApprover, "bored")), "reason_unknown"},
		{s.RevokeCode("nobody", visit.RoleApprover), "person_unknown"},
		{s.PutPerson("x", visit.RoleTechnician, "", ""), "role_not_of_organisation"},
		{s.PutPerson("?", visit.RoleApprover, "", ""), "organisation_ask_malformed"},
		{s.PutPerson("x", visit.RoleApprover, "name", ""), "card_malformed"},
		{second(s.MakeCode("?", visit.RoleApprover, reasonLost)), "organisation_ask_malformed"},
		{second(s.MakeCode("x", visit.RoleTechnician, reasonLost)), "role_not_of_organisation"},
		{second(s.MakeCode("x", visit.RoleApprover, "whim")), "reason_unknown"},
	} {
		if fault.CodeOf(c.err) != c.want {
			t.Errorf("%v, want %s", c.err, c.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// The folder never holds a code, and the proof that is in it serves nobody.
func TestTheFolderHoldsNoCode(t *testing.T) {
	s := acquirerStage(t)
	code := s.code("wei", visit.RoleMerchant, reasonReplaced)
	data, err := files.Read(s.dir+"/journal", files.MaxSmall)
	if err != nil {
		t.Fatal(err)
	}
	plain := code.Printed()
	for _, form := range []string{plain, plain[:4] + plain[5:9] + plain[10:], base64.StdEncoding.EncodeToString([]byte(plain))} {
		if contains(data, form) {
			t.Errorf("the journal holds the code")
		}
	}
}
