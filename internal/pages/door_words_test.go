package pages

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// remakeWords writes assets/door-words.mjs anew:
//
//	go test ./internal/pages -run TestTheDoorHasGosWords -remake-words
var remakeWords = flag.Bool("remake-words", false, "make assets/door-words.mjs anew")

var (
	faultLine = regexp.MustCompile(`fault\.New\(fault\.\w+, "([a-z_]+)", ("(?:[^"\\]|\\.)*"), ("(?:[^"\\]|\\.)*")\)`)
	doorCode  = regexp.MustCompile(`"((?:badge|kb|status|status_list|challenge_text|challenge|answer_text|answer|offline|credential|presentation|trust_list|trust|organisation|signer|signature|statement|envelope|key|time|issuer)_[a-z_]+)"`)
)

// wordsInGo are the sentences of every fault that door.mjs and trust.mjs may end in.
func wordsInGo(t *testing.T) map[string][2]string {
	t.Helper()
	out := map[string][2]string{}
	for _, folder := range []string{"statement", "credential", "door", "gate"} {
		files, err := filepath.Glob("../" + folder + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range faultLine.FindAllStringSubmatch(string(data), -1) {
				var zh, en string
				if json.Unmarshal([]byte(m[2]), &zh) != nil || json.Unmarshal([]byte(m[3]), &en) != nil {
					t.Fatalf("%s: %s", name, m[1])
				}
				out[m[1]] = [2]string{zh, en}
			}
		}
	}
	return out
}

// codesInPage are the codes that the modules end in: those written out, and those that open() puts together.
func codesInPage(a *assets) []string {
	codes := map[string]bool{"badge_name_differs": true, "badge_photo_differs": true}
	for _, kind := range []string{"badge", "kb", "status_list"} {
		for _, end := range []string{"malformed", "self_vouched", "algorithm", "type", "key_other", "signature"} {
			codes[kind+"_"+end] = true
		}
	}
	for _, end := range []string{"foreign", "cut", "malformed", "too_large"} {
		codes["challenge_text_"+end] = true
	}
	for _, module := range []string{"door.mjs", "trust.mjs"} {
		for _, m := range doorCode.FindAllStringSubmatch(string(a.files[module].data), -1) {
			codes[m[1]] = true
		}
	}
	delete(codes, "status_list") // what open() makes its codes of
	return slices.Sorted(maps.Keys(codes))
}

// pageOnly are the codes that no fault of Go's has.
var pageOnly = map[string][2]string{
	"badge_name_differs":     {"工作证上的名字和派来的人对不上。", "The badge's name is not that of the person who was sent."},
	"badge_photo_differs":    {"工作证上的照片和派来的人对不上。", "The badge's photo is not that of the person who was sent."},
	"trust_list_key_unknown": {"这部手机开通得早，还不知道该信谁的名单，没信号时核对不了。请重新开通，或打订单上的电话。", "This phone was never told whose lists to believe, so it cannot check without signal. Set it up anew, or call the number on your order."},
	"issuer_key_differs":     {"工作证的签发单位和信任名单上的对不上。", "The badge's issuer is not the one on the trust list."},
}

func TestTheDoorHasGosWords(t *testing.T) {
	a := loadAssets()
	inGo := wordsInGo(t)
	var lines []string
	for _, code := range codesInPage(a) {
		words, there := inGo[code]
		if !there {
			words, there = pageOnly[code]
		}
		if !there {
			t.Errorf("%s has no words", code)
			continue
		}
		zh, _ := json.Marshal(words[0])
		en, _ := json.Marshal(words[1])
		lines = append(lines, fmt.Sprintf("  %s: [%s, %s],", code, unescaped(zh), unescaped(en)))
	}
	want := `// What each code of door.mjs and trust.mjs says to people: Go's own sentences, written by door_words_test.go.
const words = {
` + strings.Join(lines, "\n") + `
};

/**
 * The sentence of a code, in both languages.
 * @param {string} code
 * @returns {{code: string, zh: string, en: string}}
 */
export function wordsOf(code) {
  const [zh, en] = Object.hasOwn(words, code) ? words[code] : ["没有核对通过。", "The check did not pass."];
  return { code, zh, en };
}
`
	if *remakeWords {
		if err := os.WriteFile("assets/door-words.mjs", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got := string(a.files["door-words.mjs"].data); got != want {
		t.Error("assets/door-words.mjs is not what Go says: run with -remake-words")
	}
	if len(lines) < 70 {
		t.Errorf("only %d codes", len(lines))
	}
}

// unescaped undoes what encoding/json does for HTML's sake.
func unescaped(data []byte) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(data))
}
