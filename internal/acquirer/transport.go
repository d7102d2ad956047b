package acquirer

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/menshen-project/menshen/internal/fault"
)

var errNotPinned = fault.New(fault.Refused, "host_key_not_pinned", "对方不是约定的那台收单主机。", "Whoever answers does not hold the pinned key of this host.")

// transport is for one host: no proxy from the environment, no compression, and either the pinned key
// or this very machine.
func transport(u *url.URL, pin string) (*http.Transport, error) {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	t := &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second, DisableCompression: true,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10}
	switch u.Scheme {
	case "https":
		raw, err := hex.DecodeString(pin)
		if err != nil || len(raw) != sha256.Size || hex.EncodeToString(raw) != pin {
			return nil, errConfigPin
		}
		t.TLSClientConfig = pinned([sha256.Size]byte(raw))
		return t, nil
	case "http":
		if pin != "" {
			return nil, errConfigPin // a pin that nothing checks would only look safe
		}
		if addr, err := netip.ParseAddr(u.Hostname()); u.Hostname() != "localhost" && (err != nil || !addr.IsLoopback()) {
			return nil, errConfigClear
		}
		dialer.ControlContext = loopbackOnly
		return t, nil
	}
	return nil, errConfigURL
}

// loopbackOnly looks at the address that is really dialled: a name can point anywhere.
func loopbackOnly(_ context.Context, _, address string, _ syscall.RawConn) error {
	peer, err := netip.ParseAddrPort(address)
	if err != nil || !peer.Addr().IsLoopback() {
		return errConfigClear
	}
	return nil
}

// pinned trusts exactly one public key: the host's own, or the one that issued its certificate.
// Name and dates of the certificate must hold as ever.
func pinned(pin [sha256.Size]byte) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, // the public roots do not vouch for a host; VerifyConnection asks for the pin
		VerifyConnection: func(s tls.ConnectionState) error {
			opts := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), DNSName: s.ServerName}
			for _, c := range s.PeerCertificates {
				if sha256.Sum256(c.RawSubjectPublicKeyInfo) == pin {
					opts.Roots.AddCert(c)
				} else {
					opts.Intermediates.AddCert(c)
				}
			}
			if _, err := s.PeerCertificates[0].Verify(opts); err != nil {
				return errNotPinned.Because(err)
			}
			return nil
		}}
}

// PinOf gives the pin of a certificate's key.
func PinOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}
