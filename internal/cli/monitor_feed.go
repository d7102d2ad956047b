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
	"time"

	"github.com/menshen-project/menshen/evidence"
	"github.com/menshen-project/menshen/internal/fault"
)

// feedName is the file of opened leaves, a line each, in a monitor's folder and in an organisation's export.
const feedName = "feed.jsonl"

// maxFeedPage bounds an answer of the feed.
const maxFeedPage = 64 << 20

var errFeedKept = fault.New(fault.Unavailable, "feed_not_kept", "取来的原文存不下来，下一次会再取：看看文件夹和磁盘。", "What the feed gave cannot be kept; the next look fetches it again. See to folder and disk.")

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
	token, err := readToken(m.token)
	if err != nil {
		return err
	}
	f, after, err := openFeed(m.openings)
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		page, err := fetchFeed(ctx, m.feed, token, after)
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
			return errFeedKept.At(f.Name()).Because(err)
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
	path := filepath.Join(dir, feedName)
	whole, after, err := keptFeed(path)
	if err != nil {
		return nil, 0, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, 0, errFeedKept.At(dir).Because(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, errFeedKept.At(path).Because(err)
	}
	err = f.Truncate(whole)
	if err == nil {
		_, err = f.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, 0, errors.Join(errFeedKept.At(path).Because(err), f.Close())
	}
	return f, after, nil
}

// keptFeed reads a monitor's own copy: how many bytes of it are whole lines, and up to where in the log they go.
func keptFeed(path string) (whole, after int64, err error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return 0, -1, nil
	}
	after = -1
	err = wholeLines(path, func(line []byte) error {
		var l feedLine
		if err := json.Unmarshal(line, &l); err != nil {
			return errOpenings.Because(err)
		}
		if whole += int64(len(line)); !l.Named {
			after = max(after, l.Index)
		}
		return nil
	})
	return whole, after, err
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
				return errOpenings.Because(err)
			}
			return each(line)
		})
	}
	return exportedLeaves(dir, each)
}
