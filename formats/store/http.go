// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// HTTP is a Store behind an HTTP or HTTPS server, which is read: a key is a path below the base URL, whose query goes
// with every request. Requests that fail for a time (429, 5xx, connections that break or stall) are sent again,
// from where their answer broke off, with growing pauses. Listing is not possible.
type HTTP struct {
	base   *url.URL
	client *http.Client
	flight chan struct{} // a place for each request under way
	tries  int
	pause  time.Duration // before the second try; doubled for each further one
	stall  time.Duration // without a byte, after which a connection counts as broken
}

var _ Store = (*HTTP)(nil)

// maxFlight bounds the requests under way in one store.
const maxFlight = 32

// NewHTTP returns the store at a base URL such as "https://host/data/air.zarr". Errors wrap fs.ErrInvalid.
func NewHTTP(base string) (*HTTP, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("store: %q is no URL of http or https: %w", base, fs.ErrInvalid)
	}
	u.Path, u.RawPath, u.Fragment = strings.TrimRight(u.Path, "/"), "", ""
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = maxFlight
	t.DisableCompression = true // ranges are of the stored bytes
	return &HTTP{base: u, client: &http.Client{Transport: t}, flight: make(chan struct{}, maxFlight), tries: 6, pause: 100 * time.Millisecond, stall: 30 * time.Second}, nil
}

// Name returns the base URL without a password or the query, which may be a secret.
func (h *HTTP) Name() string {
	u := *h.base
	u.RawQuery = ""
	return u.Redacted()
}

// temporary is an error after which the request is sent again.
type temporary struct {
	error
	after time.Duration // the server's own wish
}

func (t temporary) Unwrap() error { return t.error }

// Get implements Store.
func (h *HTTP) Get(ctx context.Context, key string, r Range, limit int64, buf []byte) ([]byte, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return nil, err
	}
	g := &getting{h: h, r: r, limit: limit, buf: buf[:0]}
	if err := h.again(ctx, func() error { return g.try(ctx, key) }); err != nil {
		return nil, fmt.Errorf("store: get %s/%s: %w", h.Name(), key, err)
	}
	return g.buf, nil
}

// again calls try until it succeeds, fails for good or has been called often enough.
func (h *HTTP) again(ctx context.Context, try func() error) error {
	pause := h.pause
	for n := 1; ; n++ {
		err := try()
		var t temporary
		if err == nil || !errors.As(err, &t) || n == h.tries {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		// half of the pause is chance, so that many readers do not come back at once
		wait := pause/2 + rand.N(pause/2+1)
		wait = max(wait, min(t.after, time.Minute))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		pause = min(2*pause, 10*time.Second)
	}
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
	return g.h.do(ctx, http.MethodGet, key, g.rangeHeader(), func(res *http.Response) error {
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
		have := int64(len(g.buf))
		g.buf = grow(g.buf, g.total)[:have]
		n, err := io.ReadFull(res.Body, g.buf[have:g.total])
		if g.buf = g.buf[:have+int64(n)]; err != nil {
			return temporary{error: fmt.Errorf("it breaks off after %d of %d bytes: %w", len(g.buf), g.total, err)}
		}
		return nil
	})
}

// plan finds what is to be read, when the size of the value is known.
func (g *getting) plan(res *http.Response, size int64) error {
	lo, hi, err := g.r.of(size)
	if err != nil {
		return err
	}
	if g.limit >= 0 && hi-lo > g.limit {
		return tooLong(hi-lo, g.limit)
	}
	old := g.buf
	g.buf = grow(old, hi-lo)[:0]
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

// do sends one request and lets read take a good answer.
func (h *HTTP) do(ctx context.Context, method, key, ranges string, read func(*http.Response) error) error {
	select {
	case h.flight <- struct{}{}:
		defer func() { <-h.flight }()
	case <-ctx.Done():
		return ctx.Err()
	}
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := time.AfterFunc(h.stall, cancel)
	defer watch.Stop()
	at := *h.base
	at.Path += "/" + key
	req, err := http.NewRequestWithContext(ctx, method, at.String(), nil)
	if err != nil {
		return err
	}
	if ranges != "" {
		req.Header.Set("Range", ranges)
	}
	req.Header.Set("Accept-Encoding", "identity")
	res, err := h.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the URL, which may hold a password
		}
		return h.lasting(outer, err)
	}
	defer res.Body.Close()
	res.Body = &watched{res.Body, watch, h.stall}
	if err := verdict(res); err != nil {
		return err
	}
	return h.lasting(outer, read(res))
}

// lasting makes errors of the connection temporary, unless it is the caller who has given up.
func (h *HTTP) lasting(outer context.Context, err error) error {
	var t temporary
	switch {
	case err == nil:
		return nil
	case outer.Err() != nil:
		return outer.Err()
	case errors.Is(err, context.Canceled):
		return temporary{error: fmt.Errorf("no byte for %v: %w", h.stall, context.DeadlineExceeded)}
	case errors.As(err, &t) || errors.Is(err, ErrRange) || errors.Is(err, fs.ErrNotExist):
		return err
	}
	var dial interface{ Timeout() bool }
	if errors.As(err, &dial) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return temporary{error: err}
	}
	return err
}

// verdict says what a status means.
func verdict(res *http.Response) error {
	switch c := res.StatusCode; {
	case c == http.StatusOK || c == http.StatusPartialContent:
		return nil
	case c == http.StatusNotFound || c == http.StatusGone:
		return fs.ErrNotExist
	case c == http.StatusForbidden || c == http.StatusUnauthorized:
		return fmt.Errorf("%s: %w", res.Status, fs.ErrPermission)
	case c == http.StatusRequestedRangeNotSatisfiable:
		return fmt.Errorf("%s: %w", res.Status, ErrRange)
	case c == http.StatusTooManyRequests || c == http.StatusRequestTimeout || c >= 500 && c != http.StatusNotImplemented:
		sec, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return temporary{errors.New(res.Status), time.Duration(sec) * time.Second}
	}
	return errors.New(res.Status)
}

// watched is a body that puts off its watch with every byte.
type watched struct {
	io.ReadCloser
	watch *time.Timer
	stall time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if n > 0 {
		w.watch.Reset(w.stall)
	}
	return n, err
}

// Stat implements Store.
func (h *HTTP) Stat(ctx context.Context, key string) (Info, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return Info{}, err
	}
	var info Info
	err := h.again(ctx, func() (err error) {
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
	err := h.do(ctx, http.MethodHead, key, "", take)
	var t temporary
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.As(err, &t) || ctx.Err() != nil {
		return info, err
	}
	err = h.do(ctx, http.MethodGet, key, "bytes=0-0", take)
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
