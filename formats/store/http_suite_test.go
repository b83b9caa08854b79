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
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := storetest.Values()[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(v))
	}))
	defer s.Close()
	h, err := store.NewHTTP(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Read(t, h, false)
	storetest.ReadOnly(t, h)
}
