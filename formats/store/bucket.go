// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Pattern returns a test of names against a regular expression. It is compiled when it is first asked: programs that
// open no bucket do not pay for its repetitions, about a millisecond.
func Pattern(expr string) func(name string) bool {
	re := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
	return func(name string) bool { return re().MatchString(name) }
}

// ErrorDocument returns the code of an answer with the interface of S3, "" where its body has none, and an error that says what the
// server said.
func ErrorDocument(res *http.Response, body []byte) (code string, err error) {
	var doc struct {
		Code    string
		Message string
	}
	_ = xml.Unmarshal(body, &doc) // an answer without a document has its status
	return doc.Code, fmt.Errorf("%s: %s %s", res.Status, doc.Code, doc.Message)
}

// Limits of a listing.
const (
	maxListed   = 4 << 20  // entries
	maxListPage = 16 << 20 // bytes of one answer
	maxEmpty    = 1000     // answers without an entry, one after the other
)

// ListBucket lists the entries directly below a prefix of a server with the interface of S3, second version, whose bucket is the base
// URL. Google's XML interface is one.
func (h *HTTP) ListBucket(ctx context.Context, prefix string) ([]Info, error) {
	return h.ListPages(ctx, prefix, func(dir, token string) (url.Values, func(io.Reader) (Page, error)) {
		q := url.Values{"list-type": {"2"}, "delimiter": {"/"}, "prefix": {dir}, "encoding-type": {"url"}}
		if token != "" {
			q.Set("continuation-token", token)
		}
		return q, bucketPage
	})
}

// Page is one answer of a listing: whole keys.
type Page struct {
	Values []Info   // Name is a key here
	Dirs   []string // prefixes that end in a slash
	Next   string   // asks for the next page; "" is the last one
}

// ListPages lists the entries directly below a prefix. ask returns the query for the page after a token, "" the first, of keys
// that start with dir, and what reads the answer.
func (h *HTTP) ListPages(ctx context.Context, prefix string, ask func(dir, token string) (url.Values, func(io.Reader) (Page, error))) ([]Info, error) {
	dir := ""
	if prefix != "" {
		if err := checkKey(prefix); err != nil {
			return nil, err
		}
		dir = prefix + "/"
	}
	out, err := h.listPages(ctx, dir, ask)
	if err != nil {
		return nil, fmt.Errorf("store: list %s/%s: %w", h.Name(), prefix, err)
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (h *HTTP) listPages(ctx context.Context, dir string, ask func(dir, token string) (url.Values, func(io.Reader) (Page, error))) ([]Info, error) {
	out := []Info{}
	add := func(key string, i Info) {
		i.Name = strings.TrimPrefix(key, dir)
		if strings.HasPrefix(key, dir) && checkKey(i.Name) == nil && !strings.Contains(i.Name, "/") { // else a marker of a folder, or nothing that has a key
			out = append(out, i)
		}
	}
	empty := 0
	for token := ""; ; {
		q, read := ask(dir, token)
		var p Page
		err := h.Send(ctx, Request{Method: http.MethodGet, Query: q, Read: func(res *http.Response) (err error) {
			p, err = read(io.LimitReader(res.Body, maxListPage))
			var syntax *xml.SyntaxError
			if errors.As(err, &syntax) { // as a cut off answer gives
				return temporary{error: err}
			}
			return err
		}})
		if err != nil {
			return nil, err
		}
		for _, v := range p.Values {
			add(v.Name, v)
		}
		for _, d := range p.Dirs {
			add(strings.TrimSuffix(d, "/"), Info{Dir: true, Size: -1})
		}
		if p.Next == "" {
			return out, nil
		}
		if empty++; len(p.Values)+len(p.Dirs) > 0 {
			empty = 0
		}
		if p.Next == token || len(out) > maxListed || empty > maxEmpty {
			return nil, fmt.Errorf("the listing does not end after %d entries", len(out))
		}
		token = p.Next
	}
}

func bucketPage(r io.Reader) (Page, error) {
	var doc struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Encoding string   `xml:"EncodingType"`
		Contents []struct {
			Key  string
			Size int64
		}
		CommonPrefixes        []struct{ Prefix string }
		NextContinuationToken string
		IsTruncated           bool
	}
	if err := xml.NewDecoder(r).Decode(&doc); err != nil {
		return Page{}, err
	}
	var p Page
	plain := func(s string) string {
		if doc.Encoding == "url" {
			if t, err := url.QueryUnescape(s); err == nil {
				return t
			}
		}
		return s
	}
	for _, c := range doc.Contents {
		p.Values = append(p.Values, Info{Name: plain(c.Key), Size: c.Size})
	}
	for _, c := range doc.CommonPrefixes {
		p.Dirs = append(p.Dirs, plain(c.Prefix))
	}
	if doc.IsTruncated {
		if p.Next = doc.NextContinuationToken; p.Next == "" {
			return Page{}, fmt.Errorf("a listing that goes on without a token: %w", fs.ErrInvalid)
		}
	}
	return p, nil
}
