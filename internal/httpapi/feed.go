package httpapi

import (
	"context"
	"net/http"

	"github.com/menshen-project/menshen/evidence"
)

// FeedItem is one opened leaf.
type FeedItem struct {
	Index int64          `json:"index" doc:"of the leaf in the log"`
	Named bool           `json:"named" doc:"not your own matter: a decision of your visit rests on it"`
	Entry evidence.Entry `json:"entry"`
}

// FeedPage is one page of a monitor's feed.
type FeedPage struct {
	Items []FeedItem `json:"items" nullable:"false"`
	Next  int64      `json:"next" doc:"ask on after this; unchanged when there is nothing more yet"`
}

type feedInput struct {
	After int64 `query:"after" minimum:"-1" default:"-1" doc:"上一页给的 · from the page before; -1 for the beginning"`
	Limit int   `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"每页看几条日志 · leaves to look at for a page"`
}

func (a *API) feedOperations() {
	example := FeedItem{Index: 7, Entry: evidence.Entry{Event: "eyJ9", Statement: "eyJ9", Salt: egNonce, Day: "2026-11-22", Province: "31", Receipt: "c2sp.org/tlog-proof@v1\n"}}
	o := operation{id: "read_feed", method: http.MethodGet, path: "/v1/feed", tag: "service", zh: "监控用：打开和本机构有关的日志记录", en: "for monitors: the opened leaves that concern one's organisation",
		more: "In the log's order, each with all that its leaf commits to. The regulator gets every leaf; a gap in what he gets is a finding.", success: http.StatusOK,
		answer: FeedPage{Items: []FeedItem{example}, Next: 7}}
	register(a, o, func(ctx context.Context, in *feedInput) (*answered[FeedPage], error) {
		page, err := a.app.OpenedLeaves(ctx, actorOf(ctx), in.After, in.Limit)
		out := FeedPage{Items: make([]FeedItem, 0, len(page.Items)), Next: page.Next}
		for _, it := range page.Items {
			out.Items = append(out.Items, FeedItem(it))
		}
		return &answered[FeedPage]{Status: http.StatusOK, Body: out}, err
	})
}
