package notify

import (
	"bufio"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen-project/menshen/internal/acquirer"
	"github.com/menshen-project/menshen/internal/fault"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"

func stopped() Notice {
	return Notice{ID: "n-1", Kind: VisitStopped, At: "2026-11-22T12:00:00Z", Organisation: "svc-anzhuang", About: "visit/v1", Code: "freeze", By: "chen"}
}

// desk is a receiver that checks what it gets as the documentation tells it to.
type desk struct {
	t      *testing.T
	status int
	got    []hookBody
	raw    []string
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		d.t.Error(err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		d.t.Error(err)
	}
	given, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Webhook-Signature"), "v1,"))
	if err != nil || !hmac.Equal(given, MAC(key, r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp"), body)) {
		d.t.Errorf("the signature is not over id, time and body: %v", err)
	}
	var b hookBody
	if err := json.Unmarshal(body, &b); err != nil || b.ID != r.Header.Get("Webhook-Id") {
		d.t.Errorf("%s: %v", body, err)
	}
	d.got, d.raw = append(d.got, b), append(d.raw, string(body))
	if d.status == http.StatusFound {
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
		return
	}
	w.WriteHeader(d.status)
	_, _ = io.WriteString(w, strings.Repeat("x", 1<<20)) // a receiver that talks too much
}

func hooked(t *testing.T, phones bool) (*Hook, *desk) {
	t.Helper()
	d := &desk{t: t, status: http.StatusNoContent}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	h, err := NewHook(HookConfig{URL: server.URL + "/hooks/menshen", Secret: secret, Phones: phones, Now: atNoon})
	if err != nil {
		t.Fatal(err)
	}
	return h, d
}

// A hook carries what happened, signed, and no personal value: a number and a link go to a gateway alone.
func TestAHookIsSignedAndHoldsNoNumber(t *testing.T) {
	h, d := hooked(t, false)
	m := Message{Notice: stopped(), To: "13800138000", Link: "https://menshen.example/enter/menshen_secret"}
	for range 2 {
		if err := h.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.raw) != 2 || d.raw[0] != d.raw[1] || d.got[0].Zh == "" || d.got[0].En == "" || d.got[0].About != "visit/v1" {
		t.Errorf("two tries are not the same: %q", d.raw)
	}
	if strings.Contains(d.raw[0], "138") || strings.Contains(d.raw[0], "menshen_") || strings.Contains(d.raw[0], "chen") && strings.Contains(d.raw[0], `"by"`) {
		t.Errorf("says too much: %s", d.raw[0])
	}
}

func TestAGatewayGetsNumberAndLink(t *testing.T) {
	h, d := hooked(t, true)
	m := Message{Notice: stopped(), To: "13800138000", Link: "https://menshen.example/enter/x"}
	m.Kind, m.Code = OrderLink, "sent"
	if err := h.Send(m); err != nil {
		t.Fatal(err)
	}
	if b := d.got[0]; b.To != m.To || !strings.HasSuffix(b.Zh, m.Link) || !strings.HasSuffix(b.En, m.Link) || b.By != "" {
		t.Errorf("%+v", b)
	}
}

// Whatever is not a yes is tried again; a redirect is not followed.
func TestWhatIsNoYesIsTriedAgain(t *testing.T) {
	h, d := hooked(t, false)
	for _, status := range []int{http.StatusBadRequest, http.StatusGone, http.StatusInternalServerError, http.StatusFound} {
		d.status = status
		if err := h.Send(Message{Notice: stopped()}); fault.CodeOf(err) != "notify_declined" || fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%d: %v", status, err)
		}
	}
	if len(d.got) != 4 {
		t.Errorf("%d calls: a redirect was followed", len(d.got))
	}
	gone := httptest.NewServer(d)
	gone.Close()
	h, err := NewHook(HookConfig{URL: gone.URL + "/x", Secret: secret, Now: atNoon})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Send(Message{Notice: stopped()}); fault.CodeOf(err) != "notify_unreachable" || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("nobody there: %v", err)
	}
}

func TestAHookThatIsWrittenWrongly(t *testing.T) {
	for _, c := range []struct{ url, secret, pin, code string }{
		{"https://hooks.example/x", secret, "", "host_pin"},
		{"http://hooks.example/x", secret, "", "host_url_in_clear"},
		{"https://hooks.example/x?token=1", secret, strings.Repeat("a", 64), "notify_url"},
		{"https://u:p@hooks.example/x", secret, strings.Repeat("a", 64), "notify_url"},
		{"://", secret, "", "notify_url"},
		{"http://127.0.0.1/x", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", "", "notify_secret"},
		{"http://127.0.0.1/x", "whsec_MDEyMw==", "", "notify_secret"},
		{"http://127.0.0.1/x", "whsec_!", "", "notify_secret"},
	} {
		if _, err := NewHook(HookConfig{URL: c.url, Secret: c.secret, Pin: c.pin, Now: atNoon}); fault.CodeOf(err) != c.code {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A server with another key than the pinned one gets nothing.
func TestOnlyThePinnedReceiverIsTold(t *testing.T) {
	d := &desk{t: t, status: http.StatusOK}
	server := httptest.NewTLSServer(d)
	defer server.Close()
	for want, pin := range []string{strings.Repeat("0", 64), acquirer.PinOf(server.Certificate())} {
		h, err := NewHook(HookConfig{URL: server.URL + "/x", Secret: secret, Pin: pin, Now: atNoon})
		if err != nil {
			t.Fatal(err)
		}
		err = h.Send(Message{Notice: stopped()})
		if len(d.got) != want || (err == nil) != (want == 1) {
			t.Errorf("pin %.4s: %d calls, %v", pin, len(d.got), err)
		}
	}
}

// Every kind and code has its sentence in both languages.
func TestEveryNoticeHasItsSentence(t *testing.T) {
	for _, n := range []Notice{{Kind: VisitStopped, Code: "freeze"}, {Kind: VisitStopped, Code: "report_incident"}, {Kind: VisitStopped, Code: "refuse"}, {Kind: VisitStopped, Code: "abort"},
		{Kind: VisitStopped, Code: "roll_back"}, {Kind: BadgeRevoked, Code: "lost"}, {Kind: DoorCall, Code: "expected"}, {Kind: DoorCall, Code: "unexpected"}, {Kind: OrderLink, Code: "sent"},
		{Kind: DeviceMarked, Code: "lost"}, {Kind: DeviceMarked, Code: "quarantined"}, {Kind: ShopDevice, Code: "lost"}, {Kind: ShopDevice, Code: "quarantined"},
		{Kind: TicketLate, Code: "response"}, {Kind: TicketLate, Code: "resolution"}} {
		if x := n.Text(); x.Zh == "" || x.En == "" {
			t.Errorf("%s/%s has no sentence", n.Kind, n.Code)
		}
	}
	if x := (Notice{Kind: "weather"}).Text(); x != (fault.Text{}) {
		t.Errorf("an unknown kind says %q", x.Zh)
	}
}

func TestWhoHearsOfWhat(t *testing.T) {
	r := Receiver{Name: "desk", Organisation: "svc-anzhuang", Kinds: []string{VisitStopped}}
	if err := r.Check(); err != nil || !r.Wants(stopped()) {
		t.Errorf("%v", err)
	}
	other, call := stopped(), stopped()
	other.Organisation, call.Kind = "svc-rival", DoorCall
	if r.Wants(other) || r.Wants(call) {
		t.Error("a receiver hears of another's, or of what it did not ask for")
	}
	r.Kinds = append(r.Kinds, OrderLink)
	link := stopped()
	link.Kind = OrderLink
	if r.Wants(link) {
		t.Error("an order's link goes to something that is no gateway")
	}
	if r.Kinds, link.Kind = append(r.Kinds, ShopDevice), ShopDevice; r.Wants(link) {
		t.Error("what is written to a shop goes to something that is no gateway")
	}
	for what, wrong := range map[string]Receiver{
		"name": {Name: "a b", Organisation: "o", Kinds: []string{VisitStopped}}, "organisation": {Name: "a", Kinds: []string{VisitStopped}},
		"no kinds": {Name: "a", Organisation: "o"}, "kind": {Name: "a", Organisation: "o", Kinds: []string{"weather"}},
		"link without a gateway": {Name: "a", Organisation: "o", Kinds: []string{OrderLink}},
		"gateway for the desk":   {Name: "a", Organisation: "o", Kinds: []string{VisitStopped}, Phones: true},
	} {
		if fault.CodeOf(wrong.Check()) != "notify_receiver" {
			t.Errorf("%s is taken", what)
		}
	}
	if !slices.Contains(Kinds(), TicketLate) {
		t.Error("kinds")
	}
}

// postOffice is a mail server of a few commands. It gives what it was told.
func postOffice(t *testing.T, refuse string) (address string, said func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	done := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			done <- ""
			return
		}
		defer conn.Close()
		var all strings.Builder
		answer := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
		answer("220 post.example")
		data := false
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			line := lines.Text()
			all.WriteString(line + "\n")
			verb, _, _ := strings.Cut(line, " ")
			switch {
			case data && line == ".":
				data = false
				answer("250 taken")
			case data:
			case verb == refuse:
				answer("550 no")
			case verb == "DATA":
				data = true
				answer("354 go on")
			case verb == "QUIT":
				answer("221 bye")
				done <- all.String()
				return
			default:
				answer("250 ok")
			}
		}
		done <- all.String()
	}()
	return l.Addr().String(), func() string { return <-done }
}

func TestMailToTheDesk(t *testing.T) {
	address, said := postOffice(t, "")
	m, err := NewMail(MailConfig{Server: address, From: "menshen@example.com", To: "ops@example.com", Now: atNoon})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Send(Message{Notice: stopped(), To: "13800138000"}); err != nil {
		t.Fatal(err)
	}
	got := said()
	for _, want := range []string{"MAIL FROM:<menshen@example.com>", "RCPT TO:<ops@example.com>", "Message-ID: <n-1@menshen>", "Subject: =?utf-8?b?"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
	_, text, _ := strings.Cut(got, "\n\n")
	text, _, _ = strings.Cut(text, "\n.")
	body, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(text, "\n", ""))
	if err != nil || !strings.Contains(string(body), "visit/v1 · freeze") || strings.Contains(string(body), "138") {
		t.Errorf("%s, %v", body, err)
	}
}

func TestMailThatDoesNotGo(t *testing.T) {
	for refuse, code := range map[string]string{"RCPT": "notify_declined", "DATA": "notify_declined", "EHLO": ""} {
		address, _ := postOffice(t, refuse)
		m, err := NewMail(MailConfig{Server: address, From: "a@example.com", To: "b@example.com", Now: atNoon})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Send(Message{Notice: stopped()}); fault.CodeOf(err) != code && code != "" {
			t.Errorf("%s refused: %v", refuse, err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	m, err := NewMail(MailConfig{Server: l.Addr().String(), From: "a@example.com", To: "b@example.com", Now: atNoon})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Send(Message{Notice: stopped()}); fault.CodeOf(err) != "notify_unreachable" {
		t.Errorf("nobody there: %v", err)
	}
	// In clear to another machine: nothing is said. The connection itself is to this one.
	address, _ := postOffice(t, "")
	if m, err = NewMail(MailConfig{Server: address, From: "a@example.com", To: "b@example.com", Now: atNoon}); err != nil {
		t.Fatal(err)
	}
	m.local = false
	if err := m.Send(Message{Notice: stopped()}); fault.CodeOf(err) != "notify_mail_in_clear" {
		t.Errorf("in clear: %v", err)
	}
	for what, wrong := range map[string]MailConfig{"server": {Server: "x", From: "a@b.example", To: "a@b.example"}, "from": {Server: "x:25", To: "a@b.example"}, "to": {Server: "x:25", From: "a@b.example", To: "nobody"},
		"user without password": {Server: "x:25", From: "a@b.example", To: "a@b.example", User: "a"}} {
		if _, err := NewMail(wrong); fault.CodeOf(err) != "notify_mail" {
			t.Errorf("%s: %v", what, err)
		}
	}
}
