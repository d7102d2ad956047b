package cli

import (
	"time"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/notify"
)

// ReceiverConfig is somebody outside who hears of what concerns his organisation: by web hook, by mail, or, to
// merchants' own phones, through an SMS gateway that takes web hooks. Exactly one of the three.
type ReceiverConfig struct {
	Name         string      `yaml:"name"`
	Organisation string      `yaml:"organisation"`
	Kinds        []string    `yaml:"kinds"`
	WebHook      *HookConfig `yaml:"web_hook"`
	SMS          *HookConfig `yaml:"sms"`
	Mail         *MailConfig `yaml:"mail"`
}

// HookConfig is how a web hook is reached.
type HookConfig struct {
	URL        string `yaml:"url"`
	SecretFile string `yaml:"secret_file"` // one line: whsec_ and base64
	PinSHA256  string `yaml:"pin_sha256"`  // of the receiver's public key or its issuer's, for https
}

// MailConfig is a mailbox of an organisation's desk.
type MailConfig struct {
	Server       string `yaml:"server"` // host:port
	From         string `yaml:"from"`
	To           string `yaml:"to"`
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
}

func (r ReceiverConfig) bare() notify.Receiver {
	return notify.Receiver{Name: r.Name, Organisation: r.Organisation, Kinds: r.Kinds, Phones: r.SMS != nil}
}

// secrets are the files of what only the receiver may know, none or one.
func (r ReceiverConfig) secrets() []string {
	switch {
	case r.WebHook != nil:
		return []string{r.WebHook.SecretFile}
	case r.SMS != nil:
		return []string{r.SMS.SecretFile}
	case r.Mail != nil && r.Mail.PasswordFile != "":
		return []string{r.Mail.PasswordFile}
	}
	return nil
}

func (c Config) receiverProblems() []string {
	var out []string
	names := map[string]bool{}
	for _, r := range c.Notify {
		ways := 0
		for _, there := range []bool{r.WebHook != nil, r.SMS != nil, r.Mail != nil} {
			if there {
				ways++
			}
		}
		if r.bare().Check() != nil || ways != 1 || names[r.Name] {
			out = append(out, "notify: want a name of its own, organisation, known kinds, and one of web_hook, sms and mail")
		}
		if r.SMS != nil && c.PublicURL == "" {
			out = append(out, "notify: an sms gateway sends links, which need public_url")
		}
		names[r.Name] = true
	}
	return out
}

// receivers are those who hear of what happens; nothing is called yet.
func (c Config) receivers() ([]notify.Receiver, error) {
	var out []notify.Receiver
	for _, r := range c.Notify {
		made := r.bare()
		var err error
		switch {
		case r.Mail != nil:
			made.Sender, err = c.mail(*r.Mail)
		case r.SMS != nil:
			made.Sender, err = c.hook(*r.SMS, true)
		default:
			made.Sender, err = c.hook(*r.WebHook, false)
		}
		if err != nil {
			return nil, fault.At(err, r.Name)
		}
		out = append(out, made)
	}
	return out, nil
}

func (c Config) hook(h HookConfig, phones bool) (notify.Sender, error) {
	secret, err := readToken(c.path(h.SecretFile))
	if err != nil {
		return nil, err
	}
	return notify.NewHook(notify.HookConfig{URL: h.URL, Secret: secret, Pin: h.PinSHA256, Phones: phones, Now: time.Now})
}

func (c Config) mail(m MailConfig) (notify.Sender, error) {
	password := ""
	if m.PasswordFile != "" {
		var err error
		if password, err = readToken(c.path(m.PasswordFile)); err != nil {
			return nil, err
		}
	}
	return notify.NewMail(notify.MailConfig{Server: m.Server, From: m.From, To: m.To, User: m.User, Password: password, Now: time.Now})
}
