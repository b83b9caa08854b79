// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Request is one request to the server of an HTTP store.
type Request struct {
	Method string
	Key    string // "" is the base URL
	Query  url.Values
	Header http.Header
	Body   []byte
	// Read takes a good answer; nil: it says nothing more.
	Read func(res *http.Response) error

	ranges string
}

// Send sends a request, again where that fails for a time. Errors wrap fs.ErrNotExist, fs.ErrPermission and ErrRange where the
// status says so, fs.ErrExist where a condition of the request does not hold.
func (h *HTTP) Send(ctx context.Context, r Request) error {
	return h.again(ctx, func(int) error { return h.do(ctx, r) })
}

// Upload makes b the value at key with one PUT request that has the header. once says that the header makes the server refuse a
// key that is there; the error wraps fs.ErrExist then.
func (h *HTTP) Upload(ctx context.Context, key string, b []byte, header http.Header, once bool) error {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return err
	}
	err := h.again(ctx, func(n int) error {
		err := h.do(ctx, Request{Method: http.MethodPut, Key: key, Header: header, Body: b})
		if once && n > 1 && errors.Is(err, fs.ErrExist) {
			// an earlier try may have put the value before its answer was lost
			if v, e := h.Get(ctx, key, All, int64(len(b)), nil); e == nil && bytes.Equal(v, b) {
				return nil
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: put %s/%s: %w", h.Name(), key, err)
	}
	return nil
}

// Remove deletes the value at key with one DELETE request; one that is not there is no error.
func (h *HTTP) Remove(ctx context.Context, key string) error {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return err
	}
	err := h.Send(ctx, Request{Method: http.MethodDelete, Key: key})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: delete %s/%s: %w", h.Name(), key, err)
	}
	return nil
}

// escaped returns a key as the path of a URL in the strict spelling that signatures are of: all but letters, digits and -._~ in hexadecimal.
func escaped(key string) string {
	b := make([]byte, 0, len(key)+8)
	for i := range len(key) {
		c := key[i]
		switch {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' || c == '/':
			b = append(b, c)
		default:
			b = fmt.Appendf(b, "%%%02X", c)
		}
	}
	return string(b)
}

// URL returns the address of the value at key, with the query of the base URL, which may be a secret.
func (h *HTTP) URL(key string) string { return h.url(&Request{Key: key}) }

// url returns the address of a request.
func (h *HTTP) url(r *Request) string {
	at := *h.base
	if r.Key != "" || at.Path == "" {
		at.RawPath = at.EscapedPath() + "/" + escaped(r.Key)
		at.Path += "/" + r.Key
	}
	if len(r.Query) > 0 {
		if at.RawQuery != "" {
			at.RawQuery += "&"
		}
		at.RawQuery += r.Query.Encode()
	}
	return at.String()
}

// do sends one request and lets it read a good answer.
func (h *HTTP) do(ctx context.Context, r Request) error {
	select {
	case h.flight <- struct{}{}:
		defer func() { <-h.flight }()
	case <-ctx.Done():
		return ctx.Err()
	}
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := time.AfterFunc(h.opt.Stall, cancel)
	defer watch.Stop()
	req, err := http.NewRequestWithContext(ctx, r.Method, h.url(&r), nil)
	if err != nil {
		return err
	}
	for k, v := range r.Header {
		req.Header[k] = v
	}
	if r.ranges != "" {
		req.Header.Set("Range", r.ranges)
	}
	if r.Method == http.MethodPut {
		req.ContentLength = int64(len(r.Body))
		req.Body = http.NoBody
		if len(r.Body) > 0 {
			req.Body = &watched{ReadCloser: io.NopCloser(bytes.NewReader(r.Body)), watch: watch, stall: h.opt.Stall}
		}
	}
	req.Header.Set("Accept-Encoding", "identity")
	if h.opt.Sign != nil {
		if err := h.opt.Sign(req, r.Body); err != nil {
			return fmt.Errorf("credentials: %w", err)
		}
	}
	res, err := h.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the URL, which may hold a password
		}
		return h.lasting(outer, err)
	}
	defer res.Body.Close()
	res.Body = &watched{ReadCloser: res.Body, watch: watch, stall: h.opt.Stall}
	if err := h.verdict(res); err != nil {
		return err
	}
	if r.Read == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection serves the next request
		return h.lasting(outer, err)
	}
	return h.lasting(outer, r.Read(res))
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
		return temporary{error: fmt.Errorf("hardly a byte for %v: %w", h.opt.Stall, context.DeadlineExceeded)}
	case errors.As(err, &t) || errors.Is(err, ErrRange) || errors.Is(err, fs.ErrNotExist):
		return err
	}
	var name *net.DNSError
	if errors.As(err, &name) && name.IsNotFound {
		return err
	}
	var dial interface{ Timeout() bool }
	if errors.As(err, &dial) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return temporary{error: err}
	}
	return err
}

// maxExplanation bounds what is read of an answer that is an error.
const maxExplanation = 8 << 10

// codings are the encodings that change the bytes of a value: ranges would be of other bytes, and sizes wrong.
var codings = []string{"gzip", "x-gzip", "deflate", "compress", "br", "zstd"}

// verdict says what a status means.
func (h *HTTP) verdict(res *http.Response) error {
	c := res.StatusCode
	if c >= 200 && c < 300 {
		if coding := res.Header.Get("Content-Encoding"); slices.Contains(codings, strings.ToLower(coding)) {
			return fmt.Errorf("the server compresses the value (Content-Encoding %q), though it was asked for its bytes; store it without that header: %w", coding, errors.ErrUnsupported)
		}
		return nil
	}
	if h.opt.Explain != nil {
		body, _ := io.ReadAll(io.LimitReader(res.Body, maxExplanation)) // what is cut off explains less
		if err := h.opt.Explain(res, body); err != nil {
			return err
		}
	}
	switch {
	case c == http.StatusNotFound || c == http.StatusGone:
		return fs.ErrNotExist
	case c == http.StatusForbidden || c == http.StatusUnauthorized:
		return fmt.Errorf("%s: %w", res.Status, fs.ErrPermission)
	case c == http.StatusRequestedRangeNotSatisfiable:
		return fmt.Errorf("%s: %w", res.Status, ErrRange)
	case c == http.StatusPreconditionFailed:
		return fmt.Errorf("%s: %w", res.Status, fs.ErrExist)
	case c == http.StatusTooManyRequests || c == http.StatusRequestTimeout || c >= 500 && c != http.StatusNotImplemented:
		sec, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return temporary{errors.New(res.Status), time.Duration(sec) * time.Second}
	}
	return errors.New(res.Status)
}

// watched is a body that puts off its watch with every leastBytes: one that trickles has stalled, too.
type watched struct {
	io.ReadCloser
	watch *time.Timer
	stall time.Duration
	since int // bytes since the watch was put off
}

const leastBytes = 512

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if w.since += n; w.since >= leastBytes {
		w.watch.Reset(w.stall)
		w.since = 0
	}
	return n, err
}
