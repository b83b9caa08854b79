// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// HTTP is a Store behind an HTTP or HTTPS server, which is read: a key is a path below the base URL, whose query goes
// with every request. Requests that fail for a time (429, 5xx, connections that break or stall) are sent again,
// from where their answer broke off, with growing pauses. Listing is not possible. Stores of objects with an interface over
// HTTP are made of it: see Send, Upload and ListBucket.
type HTTP struct {
	base   *url.URL
	client *http.Client
	flight chan struct{} // a place for each request under way
	opt    HTTPOptions
}

var _ Store = (*HTTP)(nil)

// HTTPOptions say how an HTTP store asks. The zero value asks without credentials.
type HTTPOptions struct {
	// Name says where the store is, for messages; "" is the base URL.
	Name string
	// Sign adds credentials to a request. It is called for every try.
	Sign func(req *http.Request, body []byte) error
	// Explain says what an answer that is neither 200 nor 206 means, of which body is the beginning. nil is what its status
	// means everywhere.
	Explain func(res *http.Response, body []byte) error

	Tries int           // how often a request is sent at most; 0 is 6
	Pause time.Duration // before the second try, doubled for each further one; 0 is 100 ms
	Stall time.Duration // without a byte, after which a connection counts as broken; 0 is 30 s
}

// maxFlight bounds the requests under way in one store.
const maxFlight = 32

// NewHTTP returns the store at a base URL such as "https://host/data/air.zarr". Errors wrap fs.ErrInvalid.
func NewHTTP(base string, opt HTTPOptions) (*HTTP, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("store: %q is no URL of http or https: %w", base, fs.ErrInvalid)
	}
	u.Path, u.RawPath, u.Fragment = strings.TrimRight(u.Path, "/"), "", ""
	if opt.Tries == 0 {
		opt.Tries = 6
	}
	if opt.Pause == 0 {
		opt.Pause = 100 * time.Millisecond
	}
	if opt.Stall == 0 {
		opt.Stall = 30 * time.Second
	}
	client := &http.Client{Transport: transport()}
	if opt.Sign != nil { // credentials are for one host and one path
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return &HTTP{base: u, client: client, flight: make(chan struct{}, maxFlight), opt: opt}, nil
}

// transport keeps the connections of all stores: a data set may lie in many.
var transport = sync.OnceValue(func() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = maxFlight
	t.DisableCompression = true // ranges are of the stored bytes
	return t
})

// Name returns the base URL without a password or the query, which may be a secret, or what the options call it.
func (h *HTTP) Name() string {
	if h.opt.Name != "" {
		return h.opt.Name
	}
	u := *h.base
	u.RawQuery = ""
	return u.Redacted()
}

// Latency says that every request takes its time.
func (h *HTTP) Latency() Latency { return Remote }

func (h *HTTP) again(ctx context.Context, try func(n int) error) error {
	return patience{h.opt.Tries, h.opt.Pause}.again(ctx, try)
}

// Get implements Store.
func (h *HTTP) Get(ctx context.Context, key string, r Range, limit int64, buf []byte) ([]byte, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return nil, err
	}
	g := &getting{h: h, r: r, limit: limit, buf: buf[:0]}
	if err := h.again(ctx, func(int) error { return g.try(ctx, key) }); err != nil {
		return nil, fmt.Errorf("store: get %s/%s: %w", h.Name(), key, err)
	}
	return g.buf, nil
}

// Beginning returns up to n bytes from the start of the value at key, and its size, with one request.
func (h *HTTP) Beginning(ctx context.Context, key string, n int64) ([]byte, int64, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return nil, 0, err
	}
	g := &getting{h: h, r: Range{0, n}, limit: n, short: true}
	err := h.again(ctx, func(int) error { return g.try(ctx, key) })
	if errors.Is(err, ErrRange) { // an empty value has no first byte
		i, err := h.Stat(ctx, key)
		return nil, i.Size, err
	}
	if err != nil {
		return nil, 0, fmt.Errorf("store: get %s/%s: %w", h.Name(), key, err)
	}
	return g.buf, g.size, nil
}

// getting is one Get over several requests: what has arrived stays.
type getting struct {
	h     *HTTP
	r     Range
	limit int64
	buf   []byte
	start int64  // of the first byte of buf in the value, once known
	total int64  // bytes of the whole answer, once known
	size  int64  // of the value
	tag   string // of the value, once known: another one means that it has changed
	known bool
	short bool // the value may end before the range does
}

// rangeHeader asks for what has not arrived; "" for a whole value.
func (g *getting) rangeHeader() string {
	switch {
	case g.known:
		return fmt.Sprintf("bytes=%d-%d", g.start+int64(len(g.buf)), g.start+g.total-1)
	case g.r.Off < 0:
		return fmt.Sprintf("bytes=%d", g.r.Off)
	case g.r.Len >= 0:
		return fmt.Sprintf("bytes=%d-%d", g.r.Off, g.r.Off+g.r.Len-1)
	case g.r.Off > 0:
		return fmt.Sprintf("bytes=%d-", g.r.Off)
	}
	return ""
}

func (g *getting) try(ctx context.Context, key string) error {
	if g.r.Len == 0 { // no header can ask for nothing: only whether it could
		i, err := g.h.stat(ctx, key)
		if err == nil {
			_, _, err = g.r.of(i.Size)
		}
		return err
	}
	return g.h.do(ctx, Request{Method: http.MethodGet, Key: key, ranges: g.rangeHeader(), Read: func(res *http.Response) error {
		lo, hi, size, err := extent(res)
		if err != nil {
			return err
		}
		if !g.known {
			if err := g.plan(res, size); err != nil {
				return err
			}
		} else if t := etag(res); t != "" && g.tag != "" && t != g.tag || size != g.size {
			return fmt.Errorf("the value has changed from %q, %d bytes, to %q, %d bytes, while it was read", g.tag, g.size, t, size)
		}
		want := g.start + int64(len(g.buf)) // the first byte that is needed
		if lo > want || hi <= want && g.total > int64(len(g.buf)) {
			return fmt.Errorf("the server answers with bytes %d to %d, want %d: %w", lo, hi, want, ErrRange)
		}
		if _, err := io.CopyN(io.Discard, res.Body, want-lo); err != nil {
			return temporary{error: err}
		}
		return g.read(io.LimitReader(res.Body, hi-want)) // what follows is not what was announced
	}})
}

// firstRoom is what a value gets before any byte of it has come. A server may promise more than it has, so that room grows with what arrives.
const firstRoom = 4 << 20

// read reads what is missing.
func (g *getting) read(body io.Reader) error {
	for have := int64(len(g.buf)); have < g.total; have = int64(len(g.buf)) {
		room := min(g.total, max(int64(cap(g.buf)), 2*have, firstRoom))
		old := g.buf
		g.buf = grow(old, room)
		copy(g.buf, old)
		n, err := io.ReadFull(body, g.buf[have:])
		if g.buf = g.buf[:have+int64(n)]; err != nil {
			return temporary{error: fmt.Errorf("it breaks off after %d of %d bytes: %w", len(g.buf), g.total, err)}
		}
	}
	return nil
}

// plan finds what is to be read, when the size of the value is known.
func (g *getting) plan(res *http.Response, size int64) error {
	if g.short {
		g.r.Len = min(g.r.Len, size)
	}
	lo, hi, err := g.r.of(size)
	if err != nil {
		return err
	}
	if g.limit >= 0 && hi-lo > g.limit {
		return tooLong(hi-lo, g.limit)
	}
	g.start, g.total, g.size, g.tag, g.known = lo, hi-lo, size, etag(res), true
	return nil
}

func etag(res *http.Response) string {
	if t := res.Header.Get("ETag"); t != "" {
		return t
	}
	return res.Header.Get("Last-Modified")
}

// extent returns which bytes of the value an answer has, and the value's size.
func extent(res *http.Response) (lo, hi, size int64, err error) {
	if res.StatusCode != http.StatusPartialContent {
		if res.ContentLength < 0 {
			return 0, 0, 0, errors.New("the server does not say how long the value is")
		}
		return 0, res.ContentLength, res.ContentLength, nil
	}
	text := res.Header.Get("Content-Range")
	var last int64
	if n, _ := fmt.Sscanf(text, "bytes %d-%d/%d", &lo, &last, &size); n != 3 || lo < 0 || last < lo || size <= last {
		return 0, 0, 0, fmt.Errorf("Content-Range %q", text)
	}
	return lo, last + 1, size, nil
}

// Stat implements Store.
func (h *HTTP) Stat(ctx context.Context, key string) (Info, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return Info{}, err
	}
	var info Info
	err := h.again(ctx, func(int) (err error) {
		info, err = h.stat(ctx, key)
		return err
	})
	if err != nil {
		return Info{}, fmt.Errorf("store: stat %s/%s: %w", h.Name(), key, err)
	}
	return info, nil
}

// stat asks for the head of a value, or where that is not answered for its first byte.
func (h *HTTP) stat(ctx context.Context, key string) (Info, error) {
	info := Info{Name: key[strings.LastIndexByte(key, '/')+1:]}
	take := func(res *http.Response) (err error) {
		_, _, info.Size, err = extent(res)
		return err
	}
	err := h.do(ctx, Request{Method: http.MethodHead, Key: key, Read: take})
	var t temporary
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.As(err, &t) || ctx.Err() != nil {
		return info, err
	}
	err = h.do(ctx, Request{Method: http.MethodGet, Key: key, ranges: "bytes=0-0", Read: take})
	if errors.Is(err, ErrRange) { // an empty value has no first byte
		info.Size, err = 0, nil
	}
	return info, err
}

// List fails: HTTP has no listings.
func (h *HTTP) List(_ context.Context, prefix string) ([]Info, error) {
	return nil, fmt.Errorf("store: list %s/%s: HTTP servers cannot be listed; Zarr groups need consolidated metadata there: %w", h.Name(), prefix, errors.ErrUnsupported)
}

// Put fails: the store is read.
func (h *HTTP) Put(_ context.Context, key string, _ []byte, _ PutOpt) error {
	return fmt.Errorf("store: put %s/%s: %w", h.Name(), key, ErrReadOnly)
}

// Delete fails: the store is read.
func (h *HTTP) Delete(_ context.Context, key string) error {
	return fmt.Errorf("store: delete %s/%s: %w", h.Name(), key, ErrReadOnly)
}
