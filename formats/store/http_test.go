// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// serve returns a store over a server whose answers pass through wrap.
func serve(t *testing.T, values map[string]string, wrap func(http.ResponseWriter, *http.Request, http.Handler)) *HTTP {
	plain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := values[strings.TrimPrefix(r.URL.Path, "/base/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, len(v)))
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(v))
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wrap == nil {
			plain.ServeHTTP(w, r)
			return
		}
		wrap(w, r, plain)
	}))
	t.Cleanup(s.Close)
	h, err := NewHTTP(s.URL+"/base/?token=secret", HTTPOptions{Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// cut is a ResponseWriter that drops the connection after some bytes.
type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Write(p []byte) (int, error) {
	if len(p) > c.left {
		c.ResponseWriter.Write(p[:c.left])
		panic(http.ErrAbortHandler)
	}
	c.left -= len(p)
	return c.ResponseWriter.Write(p)
}

func TestHTTPFaults(t *testing.T) {
	big := make([]byte, 300000)
	for i := range big {
		big[i] = byte(rand.Uint32())
	}
	values := map[string]string{"big": string(big)}
	for name, c := range map[string]struct {
		wrap func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler)
		want error
	}{
		"drops": {func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(&cut{w, 100000}, r)
		}, nil},
		"busy": {func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if n < 4 {
				http.Error(w, "later", http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		}, nil},
		"no ranges": {func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			r.Header.Del("Range")
			next.ServeHTTP(w, r)
		}, nil},
		"stalls": {func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if n == 1 {
				w.Header().Set("Content-Length", "300000")
				w.Write(big[:1000])
				w.(http.Flusher).Flush()
				<-r.Context().Done()
				return
			}
			next.ServeHTTP(w, r)
		}, nil},
		"forbids": {func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			http.Error(w, "no", http.StatusForbidden)
		}, fs.ErrPermission},
		"is gone": {func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			http.Error(w, "no", http.StatusGone)
		}, fs.ErrNotExist},
		"lies": {func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			w.Header().Set("Content-Range", "bytes 0-9/10")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(big[:10])
		}, ErrRange},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			h := serve(t, values, func(w http.ResponseWriter, r *http.Request, next http.Handler) { c.wrap(n.Add(1), w, r, next) })
			h.opt.Stall = 200 * time.Millisecond
			got, err := h.Get(context.Background(), "big", Range{1000, 250000}, -1, nil)
			if c.want != nil {
				if !errors.Is(err, c.want) {
					t.Errorf("Get = %v, want %v", err, c.want)
				}
				return
			}
			if err != nil || !bytes.Equal(got, big[1000:251000]) {
				t.Errorf("Get = %d bytes, %v, or other bytes", len(got), err)
			}
		})
	}
	h := serve(t, values, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Error(w, "x", http.StatusBadGateway)
	})
	if _, err := h.Get(context.Background(), "big", All, -1, nil); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("Get from a broken server = %v, want an error without the query", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	h = serve(t, values, func(w http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() })
	if _, err := h.Get(ctx, "big", All, -1, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get until a deadline = %v, want context.DeadlineExceeded", err)
	}
}

// A value that changes between two tries must not be put together of both.
func TestHTTPChanged(t *testing.T) {
	v := strings.Repeat("a", 100000)
	var n atomic.Int64
	h := serve(t, map[string]string{"v": v}, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if n.Add(1) == 1 {
			next.ServeHTTP(&cut{w, 50000}, r)
			return
		}
		w.Header().Set("ETag", `"other"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(strings.Repeat("b", 100000)))
	})
	if got, err := h.Get(context.Background(), "v", All, -1, nil); err == nil {
		t.Errorf("Get of a value that changed = %d bytes, want an error", len(got))
	}
}

func TestObject(t *testing.T) {
	big := make([]byte, 3*objectPageBytes+777)
	for i := range big {
		big[i] = byte(rand.Uint32())
	}
	var requests atomic.Int64
	h := serve(t, map[string]string{"f": string(big)}, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		requests.Add(1)
		next.ServeHTTP(w, r)
	})
	o, err := NewObject(context.Background(), h, "f")
	if err != nil || o.Size() != int64(len(big)) {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for range 200 {
				off := r.IntN(len(big))
				p := make([]byte, r.IntN(3000))
				n, err := o.ReadAt(p, int64(off))
				want := big[off:min(off+len(p), len(big))]
				if !bytes.Equal(p[:n], want) || err != nil && !(err == io.EOF && n < len(p)) {
					t.Errorf("ReadAt(%d bytes at %d) = %d, %v", len(p), off, n, err)
				}
			}
		})
	}
	wg.Wait()
	if n := requests.Load(); n > 5 {
		t.Errorf("%d requests, want one for each page and one for the size", n)
	}
	p := make([]byte, 2*objectPageBytes)
	if n, err := o.ReadAt(p, 100); n != len(p) || err != nil || !bytes.Equal(p, big[100:100+len(p)]) {
		t.Errorf("ReadAt of two pages = %d, %v", n, err)
	}
}

// TestObjectAhead counts requests: few where pages follow each other, one a page where they do not, and pages that Ahead has asked for
// at once come with few.
func TestObjectAhead(t *testing.T) {
	big := make([]byte, 40*objectPageBytes)
	for i := range big {
		big[i] = byte(i >> 10)
	}
	var requests atomic.Int64
	h := serve(t, map[string]string{"f": string(big)}, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		requests.Add(1)
		next.ServeHTTP(w, r)
	})
	read := func(o *Object, off int64) {
		t.Helper()
		var p [100]byte
		if n, err := o.ReadAt(p[:], off); n != 100 || err != nil || !bytes.Equal(p[:], big[off:off+100]) {
			t.Errorf("ReadAt(%d) = %d, %v, or other bytes", off, n, err)
		}
	}
	for name, c := range map[string]struct {
		run  func(o *Object)
		most int64
	}{
		"in order": {func(o *Object) {
			for off := int64(0); off < int64(len(big))-100; off += 10_000 {
				read(o, off)
			}
		}, 1 + 2 + 5},
		"two in order": {func(o *Object) {
			for off := int64(0); off < int64(len(big))/2-100; off += 10_000 {
				read(o, off)
				read(o, off+int64(len(big))/2)
			}
		}, 2*(1+2+3) + 1},
		"across": {func(o *Object) { read(o, 9*objectPageBytes-50) }, 2},
		"here and there": {func(o *Object) {
			for _, i := range []int64{30, 20, 10, 35, 5} {
				read(o, i*objectPageBytes)
			}
		}, 6},
		"asked ahead": {func(o *Object) {
			o.Ahead([]int64{5, 3 * objectPageBytes, 4 * objectPageBytes, 4*objectPageBytes + 1, 30 * objectPageBytes, -1, 1 << 60})
			before := requests.Load()
			for _, i := range []int64{0, 3, 4, 30} {
				read(o, i*objectPageBytes)
			}
			if n := requests.Load() - before; n > 0 {
				t.Errorf("%d requests for what was asked for ahead", n)
			}
		}, 3},
	} {
		requests.Store(0)
		o, err := NewObject(context.Background(), h, "f")
		if err != nil || o.Size() != int64(len(big)) {
			t.Fatal(err)
		}
		c.run(o)
		if n := requests.Load(); n > c.most {
			t.Errorf("%s: %d requests, want at most %d", name, n, c.most)
		}
	}
	pages.mu.Lock()
	defer pages.mu.Unlock()
	if pages.bytes > maxPageBytes || len(pages.pages) != pages.lru.Len() {
		t.Errorf("%d bytes in %d pages are kept, %d of them whole, want at most %d bytes", pages.bytes, len(pages.pages), pages.lru.Len(), maxPageBytes)
	}
	if _, err := NewObject(context.Background(), h, "nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("NewObject of nothing = %v, want fs.ErrNotExist", err)
	}
}

func TestNewHTTP(t *testing.T) {
	for _, u := range []string{"ftp://x/y", "http://", "nothing", "http://[::1", "file:///etc/passwd"} {
		if _, err := NewHTTP(u, HTTPOptions{}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("NewHTTP(%q) = %v, want fs.ErrInvalid", u, err)
		}
	}
}
