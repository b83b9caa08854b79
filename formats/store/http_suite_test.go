// SPDX-License-Identifier: BSD-3-Clause

package store_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/store/storetest"
)

func TestHTTP(t *testing.T) {
	values := storetest.Values()
	plain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := values[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(v))
	})
	open := func(t *testing.T, wrap func(http.Handler) http.Handler) store.Store {
		s := httptest.NewServer(wrap(plain))
		t.Cleanup(s.Close)
		h, err := store.NewHTTP(s.URL, store.HTTPOptions{Pause: time.Millisecond, Stall: 300 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	h := open(t, func(next http.Handler) http.Handler { return next })
	storetest.Read(t, h, false)
	storetest.ReadOnly(t, h)
	storetest.Remote(t, open, func(_ *testing.T, key string, b []byte) { values[key] = string(b) }, false)
}
