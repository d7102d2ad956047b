package notify

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"mime"
	"net"
	"net/mail"
	"net/netip"
	"net/smtp"
	"strings"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

var (
	errMail      = fault.New(fault.Invalid, "notify_mail", "邮件的设置写得不对：要服务器、发件人和收件人。", "Mail needs a server as host:port, and the addresses of sender and reader.")
	errMailClear = fault.New(fault.Refused, "notify_mail_in_clear", "邮件服务器不支持加密，没有发。", "The mail server offers no TLS; nothing was sent.")
)

// MailConfig is how notices go out as mail, to a mailbox of the organisation's own desk.
type MailConfig struct {
	Server         string // host:port; STARTTLS is needed unless it is this machine
	From, To       string
	User, Password string // "" for no sign-in
	Now            func() time.Time
}

// Mail sends notices as mail (RFC 5321, RFC 5322).
type Mail struct {
	MailConfig
	host  string
	local bool
}

// NewMail checks a configuration; nothing is called yet. Fault: notify_mail.
func NewMail(c MailConfig) (*Mail, error) {
	host, _, err := net.SplitHostPort(c.Server)
	from, errFrom := mail.ParseAddress(c.From)
	to, errTo := mail.ParseAddress(c.To)
	if errors.Join(err, errFrom, errTo) != nil || (c.User == "") != (c.Password == "") {
		return nil, errMail
	}
	addr, err := netip.ParseAddr(host)
	c.From, c.To = from.Address, to.Address
	return &Mail{MailConfig: c, host: host, local: host == "localhost" || err == nil && addr.IsLoopback()}, nil
}

// Send hands a message to the mail server once. The mail's own id is the notice's.
func (m *Mail) Send(msg Message) error {
	conn, err := net.DialTimeout("tcp", m.Server, sendTimeout)
	if err != nil {
		return errAway
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(sendTimeout)); err != nil {
		return errAway
	}
	err = m.deliver(conn, m.text(msg.Notice))
	if err == nil || fault.KindOf(err) != fault.Internal {
		return err
	}
	return errDeclined // what a server says may hold an address
}

func (m *Mail) deliver(conn net.Conn, text []byte) error {
	c, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return err
	}
	defer c.Close()
	if ok, _ := c.Extension("STARTTLS"); ok {
		if err := c.StartTLS(&tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12}); err != nil {
			return err
		}
	} else if !m.local {
		return errMailClear
	}
	if m.User != "" {
		if err := c.Auth(smtp.PlainAuth("", m.User, m.Password, m.host)); err != nil {
			return err
		}
	}
	if err := errors.Join(c.Mail(m.From), c.Rcpt(m.To)); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// text is the mail: the sentence in both languages, and what it is about.
func (m *Mail) text(n Notice) []byte {
	t := n.Text()
	body := t.Zh + "\r\n" + t.En + "\r\n\r\n" + n.About + " · " + n.Code + " · " + string(n.At) + "\r\n"
	lines := []string{"From: " + m.From, "To: " + m.To, "Subject: " + mime.BEncoding.Encode("utf-8", t.Zh), "Date: " + m.Now().Format(time.RFC1123Z),
		"Message-ID: <" + n.ID + "@menshen>", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "", folded(body)}
	return []byte(strings.Join(lines, "\r\n"))
}

// folded is base64 in lines of 76 characters (RFC 2045 §6.8).
func folded(s string) string {
	all := base64.StdEncoding.EncodeToString([]byte(s))
	var out strings.Builder
	for len(all) > 76 {
		out.WriteString(all[:76] + "\r\n")
		all = all[76:]
	}
	return out.String() + all + "\r\n"
}
