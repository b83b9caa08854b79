// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// partial answers with a part of a value, as header says, and with bytes without end where body is "".
func partial(header, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Range", header)
		w.WriteHeader(http.StatusPartialContent)
		if body == "" {
			endless(w, r)
			return
		}
		_, _ = io.WriteString(w, body) // the client may be gone
	}
}

// endless gives bytes for as long as somebody takes them.
func endless(w http.ResponseWriter, r *http.Request) {
	b := make([]byte, 32<<10)
	for r.Method != http.MethodHead && r.Context().Err() == nil {
		if _, err := w.Write(b); err != nil {
			return
		}
	}
}

// trickle writes one byte now and then until the client goes.
func trickle(w http.ResponseWriter, r *http.Request, pause time.Duration) {
	for r.Context().Err() == nil {
		if _, err := w.Write([]byte{' '}); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-time.After(pause):
		case <-r.Context().Done():
		}
	}
}

// TestHostileServers: servers that lie about lengths, lead in circles, never end or hardly begin. Each request ends with an error and has not made room for what
// was only promised.
func TestHostileServers(t *testing.T) {
	var turns atomic.Int64
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   error
		part   string
	}{
		"leads in a circle": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, fmt.Sprintf("/base/%d", turns.Add(1)%3), http.StatusFound)
		}, nil, "redirect"},
		"leads to a file": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, nil, "unsupported protocol"},
		"leads nowhere": {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusFound) }, nil, "302"},
		"says 416":      {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusRequestedRangeNotSatisfiable) }, ErrRange, ""},
		"says 204":      {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) }, nil, ""},
		"compresses": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 3000)) // the client may be gone
			_ = z.Close()
		}, errors.ErrUnsupported, "Content-Encoding"},
		"promises an exabyte": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1152921504606846976")
			_, _ = w.Write(make([]byte, 10_000)) // the client may be gone
		}, nil, ""},
		"promises an exabyte of a part": {partial("bytes 1000-1152921504606846975/1152921504606846976", "abc"), nil, ""},
		"does not end":                  {endless, nil, "how long"},
		"counts backwards":              {partial("bytes 1999-1000/3000", ""), nil, "Content-Range"},
		"ends behind the end":           {partial("bytes 1000-1999/1500", ""), nil, "Content-Range"},
		"counts below zero":             {partial("bytes -1000--1/3000", ""), nil, "Content-Range"},
		"counts too far":                {partial("bytes 1000-99999999999999999999/99999999999999999999", ""), nil, "Content-Range"},
		"knows no size":                 {partial("bytes 1000-1999/*", ""), nil, "Content-Range"},
		"speaks of seconds":             {partial("seconds 1-2/3", ""), nil, "Content-Range"},
		"begins too late":               {partial("bytes 1001-1999/3000", ""), ErrRange, ""},
		"ends too early":                {partial("bytes 0-999/3000", ""), ErrRange, ""},
		"is another value each time": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", fmt.Sprint(turns.Add(1)))
			partial(fmt.Sprintf("bytes 1000-1999/%d", 3000+turns.Load()), "abc")(w, r)
		}, nil, "changed"},
		"trickles": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "3000")
			trickle(w, r, 10*time.Millisecond)
		}, nil, "hardly a byte"},
		"trickles headers": {slowHeaders(t), nil, "hardly a byte"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(c.answer)
			defer s.CloseClientConnections()
			h, err := NewHTTP(s.URL+"/base", HTTPOptions{Pause: time.Millisecond, Stall: 100 * time.Millisecond, Tries: 3})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range []Range{{1000, 1000}, All, {1000, -1}, {-1000, 1000}} {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				got, err := h.Get(context.Background(), "v", r, -1, nil)
				runtime.ReadMemStats(&after)
				if err == nil && name != "says 204" && !(name == "promises an exabyte" && r.Len == 1000 && r.Off > 0) { // what is promised has that part
					t.Errorf("Get %v = %d bytes, want an error", r, len(got))
				}
				if r.Off == 1000 && r.Len == 1000 && (c.want != nil && !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.part)) {
					t.Errorf("Get %v = %v, want %v and %q", r, err, c.want, c.part)
				}
				if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
					t.Errorf("Get %v has taken %d MiB", r, n>>20)
				}
			}
			if i, err := h.Stat(context.Background(), "v"); err == nil && i.Size < 0 {
				t.Errorf("Stat = %d bytes", i.Size)
			}
			if o, err := NewObject(context.Background(), h, "v"); err == nil {
				if n, err := o.ReadAt(make([]byte, 100), 1000); err == nil && n < 100 {
					t.Errorf("ReadAt = %d bytes without an error", n)
				}
			}
		})
	}
}

// slowHeaders answers with headers that come line by line and do not end.
func slowHeaders(t *testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, b, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, err = b.WriteString("HTTP/1.1 200 OK\r\n")
		for i := 0; err == nil && i < 1000; i++ {
			fmt.Fprintf(b, "X-%d: y\r\n", i)
			err = b.Flush()
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// A context ends what trickles, at once.
func TestTrickleUntilDeadline(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { trickle(w, r, time.Millisecond) }))
	defer s.CloseClientConnections()
	h, err := NewHTTP(s.URL, HTTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err = h.Send(ctx, Request{Method: http.MethodGet, Key: "v", Read: func(res *http.Response) error {
		_, err := io.Copy(io.Discard, res.Body)
		return err
	}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Send = %v, want context.DeadlineExceeded", err)
	}
}

// A listing that goes in a circle of tokens ends, and so does one whose answer has no end.
func TestHostileListings(t *testing.T) {
	var n atomic.Int64
	for name, answer := range map[string]http.HandlerFunc{
		"circle": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>%d</NextContinuationToken></ListBucketResult>", n.Add(1)%2)
		},
		"endless": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "<ListBucketResult>")
			for r.Context().Err() == nil {
				if _, err := fmt.Fprint(w, strings.Repeat("<Contents><Key>a</Key><Size>1</Size></Contents>", 1000)); err != nil {
					return
				}
			}
		},
		"entities": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><ListBucketResult><Contents><Key>&b;</Key></Contents></ListBucketResult>`)
		},
	} {
		s := httptest.NewServer(answer)
		h, err := NewHTTP(s.URL, HTTPOptions{Pause: time.Millisecond, Tries: 1})
		if err != nil {
			t.Fatal(err)
		}
		l, err := h.ListBucket(context.Background(), "a")
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %d entries, %v, want an error", name, len(l), err)
		}
		s.CloseClientConnections()
		s.Close()
	}
}
