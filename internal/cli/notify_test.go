package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen-project/menshen/internal/fault"
)

const hookSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"

func telling(t *testing.T, list ...ReceiverConfig) Config {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"hook.secret": hookSecret + "\n", "short.secret": "whsec_MDEy\n", "mail.password": "secret-word\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Config{dir: dir, PublicURL: "https://menshen.example", Notify: list}
}

func TestReceiversOfNoticesAreMade(t *testing.T) {
	hook := &HookConfig{URL: "http://127.0.0.1:9/x", SecretFile: "hook.secret"}
	c := telling(t, ReceiverConfig{Name: "desk", Organisation: "o", Kinds: []string{"visit_stopped"}, WebHook: hook},
		ReceiverConfig{Name: "sms", Organisation: "o", Kinds: []string{"door_call", "order_link"}, SMS: hook},
		ReceiverConfig{Name: "post", Organisation: "o", Kinds: []string{"ticket_late"}, Mail: &MailConfig{Server: "mail.example:587", From: "a@example.com", To: "b@example.com", User: "a", PasswordFile: "mail.password"}})
	if p := c.receiverProblems(); len(p) > 0 {
		t.Fatal(p)
	}
	list, err := c.receivers()
	if err != nil || len(list) != 3 || list[0].Phones || !list[1].Phones || list[2].Sender == nil {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestReceiversThatAreWrittenWrongly(t *testing.T) {
	hook := &HookConfig{URL: "http://127.0.0.1:9/x", SecretFile: "hook.secret"}
	good := ReceiverConfig{Name: "desk", Organisation: "o", Kinds: []string{"visit_stopped"}, WebHook: hook}
	for what, list := range map[string][]ReceiverConfig{
		"twice": {good, good}, "no way": {{Name: "a", Organisation: "o", Kinds: []string{"visit_stopped"}}},
		"two ways": {{Name: "a", Organisation: "o", Kinds: []string{"visit_stopped"}, WebHook: hook, Mail: &MailConfig{}}},
		"kind":     {{Name: "a", Organisation: "o", Kinds: []string{"weather"}, WebHook: hook}},
	} {
		if p := telling(t, list...).receiverProblems(); len(p) != 1 || !strings.HasPrefix(p[0], "notify: ") {
			t.Errorf("%s: %v", what, p)
		}
	}
	c := telling(t, ReceiverConfig{Name: "sms", Organisation: "o", Kinds: []string{"door_call"}, SMS: hook})
	c.PublicURL = ""
	if p := c.receiverProblems(); len(p) != 1 || !strings.Contains(p[0], "public_url") {
		t.Errorf("a gateway without an address to send: %v", p)
	}
	for code, r := range map[string]ReceiverConfig{
		"key_file_unreadable": {Name: "a", WebHook: &HookConfig{URL: "http://127.0.0.1/x", SecretFile: "none"}},
		"notify_secret":       {Name: "a", WebHook: &HookConfig{URL: "http://127.0.0.1/x", SecretFile: "short.secret"}},
		"notify_mail":         {Name: "a", Mail: &MailConfig{Server: "x"}},
	} {
		if _, err := telling(t, r).receivers(); fault.CodeOf(err) != code {
			t.Errorf("%v, want %s", err, code)
		}
	}
	if _, err := telling(t, ReceiverConfig{Name: "a", Mail: &MailConfig{Server: "x:1", PasswordFile: "none"}}).receivers(); fault.CodeOf(err) != "key_file_unreadable" {
		t.Errorf("a password that is not there: %v", err)
	}
}
