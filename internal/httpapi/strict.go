package httpapi

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/menshen-project/menshen/internal/statement"
)

// strictJSON reads bodies as statements are read. encoding/json, huma's default, takes duplicate and
// case-variant names without a word.
var strictJSON = huma.Format{
	Marshal: huma.DefaultJSONFormat.Marshal,
	Unmarshal: func(data []byte, v any) error {
		if s, ok := v.(interface{ decode([]byte) }); ok {
			s.decode(data)
			return nil
		}
		return json.Unmarshal(data, v)
	},
}

// strict is a body of T's form. What is wrong with the bytes is told by Resolve: an error out of
// Unmarshal would lose its code, and huma would put the whole body into it.
type strict[T any] struct {
	value T
	wrong error
}

func (s *strict[T]) decode(data []byte) { s.wrong = statement.Decode(data, &s.value) }

// Schema is T's.
func (s strict[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// Resolve tells huma what was wrong, before the handler runs.
func (s *strict[T]) Resolve(huma.Context) []error {
	if s.wrong != nil {
		return []error{s.wrong}
	}
	return nil
}

// Subject is the id in every path.
type Subject struct {
	ID string `path:"id" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" maxLength:"64" doc:"编号 · id" example:"v-2026-0042"`
}

// Writing is what every request that writes has in common.
type Writing struct {
	Subject
	Key string `header:"Idempotency-Key" required:"true" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" maxLength:"64" doc:"同一个键、同一个请求，得到同一个回答 · same key, same request, same answer" example:"0193-5d1c-7a2b"`
}

// posted is a request that writes, with its body.
type posted[T any] struct {
	Writing
	Body strict[T]
}

// answered is an answer with its status; 0 is the operation's own.
type answered[T any] struct {
	Status int
	Body   T
}
