// SPDX-License-Identifier: BSD-3-Clause

package azure

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/store/storetest"
)

func TestMain(m *testing.M) {
	os.Exit(storetest.Alone(m, "AZURE_"))
}

// TestSign compares signatures with those of Microsoft's own library.
func TestSign(t *testing.T) {
	b, err := os.ReadFile("testdata/signed.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Key      string
		Always   map[string]string
		Requests []struct {
			Method, URL, Authorization string
			Headers                    map[string]string
		}
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AZURE_STORAGE_ACCOUNT", "climate")
	t.Setenv("AZURE_STORAGE_KEY", doc.Key)
	who, err := newIdentity(&Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range doc.Requests {
		req, err := http.NewRequest(r.Method, r.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range []map[string]string{doc.Always, r.Headers} {
			for k, v := range h {
				req.Header.Set(k, v)
			}
		}
		req.ContentLength, _ = strconv.ParseInt(r.Headers["content-length"], 10, 64)
		req.Header.Del("Content-Length")
		if err := who.sign(req); err != nil || req.Header.Get("Authorization") != r.Authorization {
			t.Errorf("%s %s: %q, %v, want %q", r.Method, r.URL, req.Header.Get("Authorization"), err, r.Authorization)
		}
	}
}

// fake answers as "Azure Storage REST API: Blob service" says, for one container and pages of few entries.
type fake struct {
	mu     sync.Mutex
	values map[string][]byte
	auth   func(*http.Request) bool
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, code string) {
		w.Header().Set("X-Ms-Error-Code", code)
		w.WriteHeader(status)
		fmt.Fprintf(w, "\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code></Error>", code)
	}
	container, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case r.Header.Get("X-Ms-Version") == "" || r.Header.Get("X-Ms-Date") == "":
		fail(400, "MissingRequiredHeader")
		return
	case f.auth != nil && !f.auth(r):
		fail(403, "AuthenticationFailed")
		return
	case container != "era5":
		fail(404, "ContainerNotFound")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch v, there := f.values[key]; {
	case key == "" && r.URL.Query().Get("comp") == "list" && r.URL.Query().Get("restype") == "container":
		f.list(w, r)
	case r.Method == http.MethodPut:
		b, err := io.ReadAll(r.Body)
		switch {
		case err != nil || int64(len(b)) != r.ContentLength || r.Header.Get("X-Ms-Blob-Type") != "BlockBlob":
			fail(400, "InvalidHeaderValue")
		case there && r.Header.Get("If-None-Match") == "*":
			fail(409, "BlobAlreadyExists")
		default:
			f.values[key] = b
			w.WriteHeader(http.StatusCreated)
		}
	case !there:
		fail(404, "BlobNotFound")
	case r.Method == http.MethodDelete:
		delete(f.values, key)
		w.WriteHeader(http.StatusAccepted)
	default:
		w.Header().Set("ETag", fmt.Sprintf(`"0x%X"`, len(v)))
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(v)))
	}
}

func (f *fake) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	page, next := storetest.Page(f.values, q.Get("prefix"), q.Get("delimiter"), q.Get("marker"), 3)
	fmt.Fprint(w, "\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>")
	for _, e := range page {
		var text strings.Builder
		xml.EscapeText(&text, []byte(e.Name))
		if e.Size < 0 {
			fmt.Fprintf(w, "<BlobPrefix><Name>%s</Name></BlobPrefix>", text.String())
		} else {
			fmt.Fprintf(w, "<Blob><Name>%s</Name><Properties><Etag>x</Etag><Content-Length>%d</Content-Length></Properties></Blob>", text.String(), e.Size)
		}
	}
	fmt.Fprintf(w, "</Blobs><NextMarker>%s</NextMarker></EnumerationResults>", next)
}

func open(t *testing.T, endpoint string) *Container {
	t.Helper()
	c, err := New("era5", Options{Account: "climate", Endpoint: endpoint, HTTP: store.HTTPOptions{Pause: time.Millisecond, Stall: 300 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestContainer(t *testing.T) {
	f := &fake{values: map[string][]byte{}}
	s := httptest.NewServer(f)
	defer s.Close()
	for name, c := range map[string]struct {
		env  map[string]string
		auth func(*http.Request) bool
	}{
		"nobody": {nil, func(r *http.Request) bool {
			return r.Header.Get("Authorization") == "" && r.URL.Query().Get("sig") == ""
		}},
		"key": {map[string]string{"AZURE_STORAGE_ACCOUNT": "climate", "AZURE_STORAGE_KEY": "c2VjcmV0"},
			func(r *http.Request) bool {
				return strings.HasPrefix(r.Header.Get("Authorization"), "SharedKey climate:")
			}},
		"signature": {map[string]string{"AZURE_STORAGE_SAS_TOKEN": "?sv=2021&sig=a%2Fb"}, func(r *http.Request) bool { return r.URL.Query().Get("sig") == "a/b" }},
		"connection": {map[string]string{"AZURE_STORAGE_CONNECTION_STRING": "DefaultEndpointsProtocol=https;AccountName=climate;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net"},
			func(r *http.Request) bool {
				return strings.HasPrefix(r.Header.Get("Authorization"), "SharedKey climate:")
			}},
		"somebody else's key": {map[string]string{"AZURE_STORAGE_ACCOUNT": "other", "AZURE_STORAGE_KEY": "c2VjcmV0"}, func(r *http.Request) bool { return r.Header.Get("Authorization") == "" }},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			f.auth = c.auth
			storetest.Store(t, store.Below(open(t, s.URL), "a prefix/with+signs&"+name))
		})
	}
	f.auth = nil
	storetest.Remote(t, func(t *testing.T, wrap func(http.Handler) http.Handler) store.Store {
		s := httptest.NewServer(wrap(f))
		t.Cleanup(s.Close)
		return open(t, s.URL)
	}, func(t *testing.T, key string, b []byte) { f.values[key] = b }, true)
	c, err := New("other", Options{Account: "climate", Endpoint: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(context.Background(), "a", store.All, -1, nil); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get from a container that does not exist = %v, want an error that no reader takes for a missing chunk", err)
	}
}

// TestTokens: a token is asked for once, and again when the server refuses it.
func TestTokens(t *testing.T) {
	asked := 0
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.FormValue("client_secret") != "hush" || r.URL.Path != "/tenant/oauth2/v2.0/token" {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, `{"access_token": "token-%d", "expires_in": "3600"}`, asked)
	}))
	defer login.Close()
	good := "Bearer token-1"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != good {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		io.WriteString(w, "here")
	}))
	defer s.Close()
	for k, v := range map[string]string{"AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "me", "AZURE_CLIENT_SECRET": "hush", "AZURE_AUTHORITY_HOST": login.URL} {
		t.Setenv(k, v)
	}
	c := open(t, s.URL)
	for i := range 4 {
		if i == 2 {
			good = "Bearer token-2"
		}
		if v, err := c.Get(context.Background(), "k", store.All, -1, nil); err != nil || string(v) != "here" {
			t.Errorf("Get = %q, %v", v, err)
		}
	}
	if asked != 2 {
		t.Errorf("%d tokens were asked for, want 2", asked)
	}
	t.Setenv("AZURE_CLIENT_SECRET", "wrong")
	if _, err := open(t, s.URL).Get(context.Background(), "k", store.All, -1, nil); err == nil || errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "wrong") {
		t.Errorf("Get with a wrong secret = %v, want an error without it", err)
	}
}

func TestNew(t *testing.T) {
	for _, c := range []struct{ container, account string }{{"", "climate"}, {"a", "climate"}, {"A_b", "climate"}, {"era5", ""}, {"era5", "no-account"}, {"era5@", ""}, {"../x", "climate"}} {
		if _, err := New(c.container, Options{Account: c.account}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("New(%q of %q) = %v, want fs.ErrInvalid", c.container, c.account, err)
		}
	}
	for container, want := range map[string]string{"era5@climate.dfs.core.windows.net": "https://climate.blob.core.windows.net/era5", "era5@climate.blob.core.chinacloudapi.cn": "https://climate.blob.core.chinacloudapi.cn/era5",
		"era5@climate": "https://climate.blob.core.windows.net/era5"} {
		c, err := New(container, Options{})
		if err != nil || c.Name() != "az://era5@climate" {
			t.Fatalf("New(%q) = %v", container, err)
		}
		if got := c.URL("k"); got != want+"/k" {
			t.Errorf("New(%q) is at %s, want %s", container, got, want+"/k")
		}
	}
}
