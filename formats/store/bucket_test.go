// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestListingThatDoesNotEnd: a server that goes on for ever is given up.
func TestListingThatDoesNotEnd(t *testing.T) {
	for _, body := range []string{
		"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken></ListBucketResult>",
		"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
		"<Something/>", "<ListBucketResult><Contents><Key>a</Key><Size>x</Size></Contents></ListBucketResult>", "",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		h, err := NewHTTP(s.URL, HTTPOptions{Pause: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if l, err := h.ListBucket(context.Background(), "a"); err == nil {
			t.Errorf("%q lists %v, want an error", body, l)
		}
		s.Close()
	}
}

// TestURL: keys are spelt as signatures want them.
func TestURL(t *testing.T) {
	h, err := NewHTTP("http://host/a%20b/?sig=x%2Fy", HTTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := h.URL("c d/e+f&g=h/ü%2F.x-_~"), "http://host/a%20b/c%20d/e%2Bf%26g%3Dh/%C3%BC%252F.x-_~?sig=x%2Fy"; got != want {
		t.Errorf("URL = %s, want %s", got, want)
	}
}

func FuzzBucketPage(f *testing.F) {
	f.Add([]byte("<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%2Fb</Key><Size>7</Size></Contents><CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes></ListBucketResult>"))
	f.Add([]byte("<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken></ListBucketResult>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := bucketPage(bytes.NewReader(b))
		if err == nil && p.Next != "" && !bytes.Contains(b, []byte("Token")) {
			t.Errorf("%q goes on at %q", b, p.Next)
		}
	})
}
