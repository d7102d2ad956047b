package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Whatever stands in the place of a bundle or a trust file, the program says in both languages that it cannot be
// used, and accepts nothing.
func TestFilesThatAreNone(t *testing.T) {
	trust, bundle := files(t)
	honest, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	packed := func(data []byte) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(data)
		_ = z.Close()
		return b.Bytes()
	}
	foreign, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(`{"门神":"证据包"}`))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bad := map[string]string{"missing": filepath.Join(dir, "none"), "a folder": dir, "no device to read": os.DevNull, "no end": "/dev/zero",
		"a NUL in its name": "a\x00b", "a name of two lines": "a\nb", "a name that turns the line": "a\u202eb", "a name that is not UTF-8": "\xff\xfe", "a name too long": strings.Repeat("n", 1<<17)}
	for name, data := range map[string][]byte{
		"empty": {}, "cut": honest[:len(honest)/2], "twice": append(bytes.Clone(honest), honest...), "packed": packed(honest), "a bomb": packed(make([]byte, 64<<20)),
		"UTF-16": []byte("\xff\xfe{\x00}\x00"), "a byte order mark": append([]byte("\xef\xbb\xbf"), honest...), "GB18030": foreign,
		"deep": []byte(strings.Repeat("[", 1<<20)), "an empty object": []byte("{}"), "null": []byte("null"),
		"a member twice": bytes.Replace(honest, []byte("{"), []byte(`{"visit":"v0",`), 1), "huge": append(bytes.Clone(honest), bytes.Repeat([]byte(" "), 64<<20)...),
	} {
		bad[name] = put(t, dir, strings.ReplaceAll(name, " ", "_"), data)
	}
	for name, file := range bad {
		for as, args := range map[string][]string{"bundle": {"--trust", trust, file}, "trust": {"--trust", file, bundle}, "audit": {"--trust", trust, "--audit", file, bundle}} {
			code, out, errs := verify(args...)
			if as == "audit" && code == exitRefused { // a checkpoint that draws nothing is said in the report
				continue
			}
			lines := strings.Split(strings.TrimSpace(errs), "\n")
			if code != exitUnusable || out != "" || len(lines) != 2 || !strings.Contains(lines[0], "：") || !strings.Contains(lines[1], ": ") || len(errs) > 1200 || strings.ContainsAny(errs, "\x00\u202e") || !utf8.ValidString(errs) {
				t.Errorf("%s as %s: exit %d, %.200s%.600q", name, as, code, out, errs)
			}
		}
	}
}
