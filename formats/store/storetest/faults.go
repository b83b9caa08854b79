// SPDX-License-Identifier: BSD-3-Clause

package storetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/formats/store"
)

// Fault is something a server does wrong with its n-th request, counted from 1.
type Fault func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler)

// cut is a ResponseWriter that breaks the connection after some bytes.
type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Write(p []byte) (int, error) {
	if len(p) > c.left {
		_, _ = c.ResponseWriter.Write(p[:c.left]) // the connection breaks anyway
		panic(http.ErrAbortHandler)
	}
	c.left -= len(p)
	return c.ResponseWriter.Write(p)
}

func first(n int64, f func(w http.ResponseWriter, r *http.Request, next http.Handler)) Fault {
	return func(i int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if i <= n {
			f(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	}
}

func status(code int) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Error(w, "an answer of a test", code)
	}
}

// silence takes a request and says nothing until the client goes, which a server notices when the body has been read.
func silence(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, r.Body) // the client may be gone
	<-r.Context().Done()
}

// passing are faults that a store gets over.
var passing = map[string]Fault{
	"is busy":      first(3, status(http.StatusServiceUnavailable)),
	"limits rates": first(2, status(http.StatusTooManyRequests)),
	"is broken":    first(2, status(http.StatusInternalServerError)),
	"times out":    first(2, status(http.StatusRequestTimeout)),
	"drops":        first(3, func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }),
	"truncates": func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(&cut{w, 100_000}, r)
	},
	"delays": func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		time.Sleep(20 * time.Millisecond)
		next.ServeHTTP(w, r)
	},
	"stalls": first(1, silence),
	"forgets range": func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		r.Header.Del("Range")
		next.ServeHTTP(w, r)
	},
}

// Remote checks a store behind an HTTP server against the faults of servers and networks. open returns the store with its
// server's answers passing through wrap, patient for 300 ms with a connection without bytes and pausing for a millisecond.
// put makes a value there. writes says that the store can be written.
func Remote(t *testing.T, open func(t *testing.T, wrap func(http.Handler) http.Handler) store.Store, put func(t *testing.T, key string, b []byte), writes bool) {
	t.Helper()
	ctx := context.Background()
	big := make([]byte, 300_000)
	for i := range big {
		big[i] = byte(i * i >> 7)
	}
	put(t, "faults/big", big)
	with := func(t *testing.T, f Fault) (store.Store, *atomic.Int64) {
		var n atomic.Int64
		return open(t, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f(n.Add(1), w, r, next) })
		}), &n
	}
	for name, f := range passing {
		t.Run(name, func(t *testing.T) {
			s, n := with(t, f)
			got, err := s.Get(ctx, "faults/big", store.Range{Off: 1000, Len: 250_000}, -1, nil)
			if err != nil || !bytes.Equal(got, big[1000:251_000]) {
				t.Errorf("Get = %d bytes, %v, or other bytes", len(got), err)
			}
			if n.Load() == 0 {
				t.Error("no request came through the faulty server")
			}
			if !writes || name == "truncates" || name == "forgets range" {
				return
			}
			n.Store(0)
			if err := s.Put(ctx, "faults/put", big, store.PutOpt{IfNoneMatch: true}); err != nil {
				t.Errorf("Put = %v", err)
			}
			if got, err := s.Get(ctx, "faults/put", store.All, -1, nil); err != nil || !bytes.Equal(got, big) {
				t.Errorf("Get of what was put = %d bytes, %v, or other bytes", len(got), err)
			}
			n.Store(0)
			if err := s.Delete(ctx, "faults/put"); err != nil {
				t.Errorf("Delete = %v", err)
			}
		})
	}
	t.Run("loses the answer of a put", func(t *testing.T) {
		if !writes {
			t.Skip("the store is only read")
		}
		s, _ := with(t, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method == http.MethodPut && n == 1 {
				next.ServeHTTP(&cut{w, -1}, r)
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
		})
		if err := s.Put(ctx, "faults/lost", big, store.PutOpt{IfNoneMatch: true}); err != nil {
			t.Errorf("Put = %v, want success: the value is there because of it", err)
		}
		if err := s.Put(ctx, "faults/lost", big[1:], store.PutOpt{IfNoneMatch: true}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("Put of another value = %v, want fs.ErrExist", err)
		}
	})
	for name, c := range map[string]struct {
		f    Fault
		want error
	}{
		"forbids": {func(_ int64, w http.ResponseWriter, r *http.Request, _ http.Handler) {
			status(http.StatusForbidden)(w, r, nil)
		}, fs.ErrPermission},
		"wants a login": {func(_ int64, w http.ResponseWriter, r *http.Request, _ http.Handler) {
			status(http.StatusUnauthorized)(w, r, nil)
		}, fs.ErrPermission},
		"lies": {func(_ int64, w http.ResponseWriter, r *http.Request, _ http.Handler) {
			w.Header().Set("Content-Range", "bytes 0-9/10")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(big[:10]) // the client may be gone
		}, store.ErrRange},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := with(t, c.f)
			if got, err := s.Get(ctx, "faults/big", store.Range{Off: 1000, Len: 250_000}, -1, nil); !errors.Is(err, c.want) {
				t.Errorf("Get = %d bytes, %v, want %v", len(got), err, c.want)
			}
		})
	}
	t.Run("stays broken", func(t *testing.T) {
		s, n := with(t, func(_ int64, w http.ResponseWriter, r *http.Request, _ http.Handler) {
			status(http.StatusBadGateway)(w, r, nil)
		})
		if _, err := s.Get(ctx, "faults/big", store.All, -1, nil); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Get = %v, want an error that is not fs.ErrNotExist", err)
		}
		if n.Load() < 3 || n.Load() > 10 {
			t.Errorf("%d requests, want some and not many", n.Load())
		}
	})
	t.Run("answers never", func(t *testing.T) {
		s, _ := with(t, func(_ int64, w http.ResponseWriter, r *http.Request, _ http.Handler) { silence(w, r, nil) })
		ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		if _, err := s.Get(ctx, "faults/big", store.All, -1, nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second {
			t.Errorf("Get until a deadline = %v after %v, want context.DeadlineExceeded at once", err, time.Since(start))
		}
	})
	t.Run("many at once", func(t *testing.T) {
		var now, most atomic.Int64
		s, n := with(t, func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(5 * time.Millisecond)
			now.Add(-1)
			next.ServeHTTP(w, r)
		})
		var reqs []store.Req
		for i := range int64(200) {
			put := store.Req{Key: "faults/big", Range: store.Range{Off: i * 1500, Len: 100}, Limit: 100}
			reqs = append(reqs, put)
		}
		err := store.GetMany(ctx, s, reqs, func(i int, b []byte, err error) error {
			if err != nil || !bytes.Equal(b, big[i*1500:i*1500+100]) {
				t.Errorf("range %d: %d bytes, %v, or other bytes", i, len(b), err)
			}
			return nil
		})
		if err != nil || n.Load() > 3 {
			t.Errorf("GetMany of 200 ranges in 300 kB = %v with %d requests, want one or two", err, n.Load())
		}
		for i := range reqs {
			reqs[i].Range = store.All
			reqs[i].Limit = -1
		}
		n.Store(0)
		if err := store.GetMany(ctx, s, reqs, func(i int, b []byte, err error) error { return err }); err != nil {
			t.Errorf("GetMany of 200 values = %v", err)
		}
		if most.Load() < 4 || most.Load() > 64 {
			t.Errorf("%d requests were under way at once, want a bounded number and more than a few", most.Load())
		}
	})
}
