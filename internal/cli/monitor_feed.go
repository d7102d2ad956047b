package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
)

// feedName is the file of opened leaves, a line each, in a monitor's folder and in an organisation's export.
const feedName = "feed.jsonl"

// maxFeedPage bounds an answer of the feed.
const maxFeedPage = 64 << 20

var errFeed = fault.New(fault.Unavailable, "feed_not_readable", "运营方的监控接口没有给出内容：检查网址和凭证，稍后再看。", "The operator's feed gave nothing: see to address and token, and look again later.")

// feedLine is one opened leaf.
type feedLine struct {
	Index int64          `json:"index"`
	Named bool           `json:"named"`
	Entry evidence.Entry `json:"entry"`
}

// pull appends what the operator's feed has beyond what dir holds. What is kept is kept: an operator who shows
// another past later is found out by the log.
func (m monitoring) pull(ctx context.Context) error {
	token, err := readFile(m.token)
	if err != nil {
		return errConfigRead.At(m.token).Because(err)
	}
	f, after, err := openFeed(m.openings)
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		page, err := fetchFeed(ctx, m.feed, strings.TrimSpace(string(token)), after)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		for _, line := range page.Items {
			if err := enc.Encode(line); err != nil {
				return err
			}
		}
		_, err = f.Write(b.Bytes())
		if err := errors.Join(err, f.Sync()); err != nil {
			return errBackup.At(feedName).Because(err)
		}
		if page.Next <= after {
			return nil
		}
		after = page.Next
	}
}

// openFeed opens the monitor's own copy for appending, without a last line that a crash cut off, and says up to
// where in the log it goes.
func openFeed(dir string) (*os.File, int64, error) {
	path, after := filepath.Join(dir, feedName), int64(-1)
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, 0, errOpenings.At(feedName).Because(err)
	}
	whole := data[:bytes.LastIndexByte(data, '\n')+1]
	for line := range bytes.Lines(whole) {
		var l feedLine
		if err := json.Unmarshal(line, &l); err != nil {
			return nil, 0, errOpenings.At(feedName).Because(err)
		}
		if !l.Named {
			after = max(after, l.Index)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, 0, errBackup.At(feedName).Because(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, errBackup.At(feedName).Because(err)
	}
	err = f.Truncate(int64(len(whole)))
	if err == nil {
		_, err = f.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, 0, errors.Join(errBackup.At(feedName).Because(err), f.Close())
	}
	return f, after, nil
}

type feedPage struct {
	Items []feedLine `json:"items"`
	Next  int64      `json:"next"`
}

func fetchFeed(ctx context.Context, site, token string, after int64) (page feedPage, err error) {
	root, err := url.Parse(site)
	if err != nil || root.Host == "" {
		return page, errFeed.At("--feed").Because(err)
	}
	address := root.JoinPath("v1/feed")
	address.RawQuery = url.Values{"after": {strconv.FormatInt(after, 10)}, "limit": {"100"}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return page, errFeed.At("--feed").Because(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	// A token goes where it was given for, and nowhere else.
	client := http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		return page, errFeed.Because(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxFeedPage+1))
	if err != nil || len(data) > maxFeedPage || answer.StatusCode != http.StatusOK {
		return page, errFeed.At("status " + strconv.Itoa(answer.StatusCode)).Because(err)
	}
	if err := json.Unmarshal(data, &page); err != nil {
		return page, errFeed.Because(err)
	}
	return page, nil
}

// openedLeaves reads every opened leaf of a folder: a feed's or an organisation's export, or a whole export.
func openedLeaves(dir string, each func(feedLine) error) error {
	path := filepath.Join(dir, feedName)
	if _, err := os.Stat(path); err == nil {
		return lines(path, func(l []byte) error {
			var line feedLine
			if err := json.Unmarshal(l, &line); err != nil {
				return errOpenings.At(feedName).Because(err)
			}
			return each(line)
		})
	}
	return exportedLeaves(dir, each)
}
