// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"testing"
)

// answer is a server of one answer, without a network.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) RoundTrip(r *http.Request) (*http.Response, error) {
	res := &http.Response{StatusCode: a.status, Status: strconv.Itoa(a.status), Header: a.header, Request: r, ContentLength: -1, Body: io.NopCloser(bytes.NewReader(a.body))}
	if n, err := strconv.ParseInt(a.header.Get("Content-Length"), 10, 64); err == nil {
		res.ContentLength = n
	}
	if r.Method == http.MethodHead {
		res.Body = http.NoBody
	}
	return res, nil
}

// FuzzAnswer: whatever a server answers to a request for a range, the bytes are as many as were asked for, or there is an error.
func FuzzAnswer(f *testing.F) {
	f.Add(206, "bytes 10-19/30", "10", []byte("0123456789"), int64(10), int64(10))
	f.Add(200, "", "30", []byte("012345678901234567890123456789"), int64(10), int64(10))
	f.Add(206, "bytes 20-29/30", "", []byte("0123456789"), int64(-10), int64(10))
	f.Add(206, "bytes 0-9223372036854775806/9223372036854775807", "5", []byte("01234"), int64(0), int64(-1))
	f.Add(416, "bytes */30", "", []byte(nil), int64(40), int64(-1))
	f.Fuzz(func(t *testing.T, status int, contentRange, length string, body []byte, off, n int64) {
		if status < 100 || status > 599 {
			return
		}
		h, err := NewHTTP("http://host/base", HTTPOptions{Tries: 1})
		if err != nil {
			t.Fatal(err)
		}
		h.client = &http.Client{Transport: &answer{status, http.Header{"Content-Range": {contentRange}, "Content-Length": {length}}, body}}
		got, err := h.Get(context.Background(), "k", Range{off, n}, 1<<30, nil)
		if err == nil && n >= 0 && int64(len(got)) != n {
			t.Errorf("%d bytes, want %d", len(got), n)
		}
		if err == nil && len(got) > len(body) {
			t.Errorf("%d bytes of %d", len(got), len(body))
		}
		if b, size, err := h.Beginning(context.Background(), "k", 100); err == nil && (len(b) > 100 || size < int64(len(b))) {
			t.Errorf("the beginning has %d bytes of %d", len(b), size)
		}
		if i, err := h.Stat(context.Background(), "k"); err == nil && i.Size < 0 {
			t.Errorf("%d bytes", i.Size)
		}
	})
}
