// SPDX-License-Identifier: BSD-3-Clause

package gcs

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/store/storetest"
)

func TestMain(m *testing.M) {
	os.Exit(storetest.Alone(m, "GOOGLE_", "CLOUDSDK_", "STORAGE_EMULATOR", "GCE_"))
}

// fake answers as "Cloud Storage XML API" says, for one bucket and pages of few entries.
type fake struct {
	mu     sync.Mutex
	values map[string][]byte
	auth   func(*http.Request) bool
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, code string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "<?xml version='1.0' encoding='UTF-8'?><Error><Code>%s</Code><Message>an answer of a test</Message></Error>", code)
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case f.auth != nil && !f.auth(r):
		fail(401, "AuthenticationRequired")
		return
	case bucket != "era5":
		fail(404, "NoSuchBucket")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch v, there := f.values[key]; {
	case key == "" && r.URL.Query().Get("list-type") == "2":
		f.list(w, r.URL.Query())
	case r.Method == http.MethodPut:
		b, err := io.ReadAll(r.Body)
		switch {
		case err != nil || int64(len(b)) != r.ContentLength:
			fail(400, "IncompleteBody")
		case there && r.Header.Get("X-Goog-If-Generation-Match") == "0":
			fail(412, "PreconditionFailed")
		default:
			f.values[key] = b
		}
	case !there:
		fail(404, "NoSuchKey")
	case r.Method == http.MethodDelete:
		delete(f.values, key)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(v)))
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(v)))
	}
}

func (f *fake) list(w http.ResponseWriter, q url.Values) {
	page, next := storetest.Page(f.values, q.Get("prefix"), q.Get("delimiter"), q.Get("continuation-token"), 3)
	fmt.Fprint(w, "<?xml version='1.0' encoding='UTF-8'?><ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'><Name>era5</Name><EncodingType>url</EncodingType>")
	for _, e := range page {
		if e.Size < 0 {
			fmt.Fprintf(w, "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>", url.QueryEscape(e.Name))
		} else {
			fmt.Fprintf(w, "<Contents><Key>%s</Key><Generation>1</Generation><Size>%d</Size></Contents>", url.QueryEscape(e.Name), e.Size)
		}
	}
	if next != "" {
		fmt.Fprintf(w, "<IsTruncated>true</IsTruncated><NextContinuationToken>%s</NextContinuationToken>", strings.ReplaceAll(next, "&", "&amp;"))
	}
	fmt.Fprint(w, "</ListBucketResult>")
}

func open(t *testing.T, endpoint string) *Bucket {
	t.Helper()
	b, err := New("era5", Options{Endpoint: endpoint, HTTP: store.HTTPOptions{Pause: time.Millisecond, Stall: 300 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBucket(t *testing.T) {
	f := &fake{values: map[string][]byte{}}
	s := httptest.NewServer(f)
	defer s.Close()
	for _, token := range []string{"", "ya29.token"} {
		want := ""
		if token != "" {
			want = "Bearer " + token
		}
		t.Setenv("GOOGLE_OAUTH_ACCESS_TOKEN", token)
		f.auth = func(r *http.Request) bool { return r.Header.Get("Authorization") == want }
		storetest.Store(t, store.Below(open(t, s.URL), "a prefix/with+signs&"+token))
	}
	storetest.Remote(t, func(t *testing.T, wrap func(http.Handler) http.Handler) store.Store {
		s := httptest.NewServer(wrap(f))
		t.Cleanup(s.Close)
		return open(t, s.URL)
	}, func(t *testing.T, key string, b []byte) { f.values[key] = b }, true)
	missing, err := New("other", Options{Endpoint: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := missing.Get(context.Background(), "a", store.All, -1, nil); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get from a bucket that does not exist = %v, want an error that no reader takes for a missing chunk", err)
	}
	for _, name := range []string{"", "a", "a/b", "..", "a..b", "A_B", "a b"} {
		if _, err := New(name, Options{Anonymous: true}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("New(%q) = %v, want fs.ErrInvalid", name, err)
		}
	}
}

// TestTokens asks with a service account, a user and the machine's account; the server checks the signature.
func TestTokens(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	var self string
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		ok := false
		switch {
		case r.FormValue("grant_type") == "refresh_token":
			ok = r.FormValue("refresh_token") == "again" && r.FormValue("client_secret") == "hush"
		case strings.HasPrefix(r.URL.Path, "/computeMetadata/"):
			ok = r.Header.Get("Metadata-Flavor") == "Google"
		default:
			p := strings.Split(r.FormValue("assertion"), ".")
			if len(p) != 3 {
				break
			}
			claims, _ := base64.RawURLEncoding.DecodeString(p[1])
			sig, _ := base64.RawURLEncoding.DecodeString(p[2])
			sum := sha256.Sum256([]byte(p[0] + "." + p[1]))
			var c struct {
				Iss, Aud, Scope string
				Iat, Exp        int64
			}
			ok = rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], sig) == nil && json.Unmarshal(claims, &c) == nil &&
				c.Iss == "robot@x" && c.Aud == self && c.Exp-c.Iat == 3600 && strings.Contains(c.Scope, "devstorage")
		}
		if !ok {
			http.Error(w, "invalid_grant", http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, `{"access_token": "fresh", "expires_in": 3599, "token_type": "Bearer"}`)
	}))
	defer login.Close()
	self = login.URL
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer fresh" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		io.WriteString(w, "here")
	}))
	defer s.Close()
	account := func(m map[string]string) string {
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "account.json")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, env := range map[string][2]string{
		"service": {"GOOGLE_APPLICATION_CREDENTIALS", account(map[string]string{"type": "service_account", "client_email": "robot@x", "token_uri": self,
			"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))})},
		"user":    {"GOOGLE_APPLICATION_CREDENTIALS", account(map[string]string{"type": "authorized_user", "refresh_token": "again", "client_secret": "hush", "token_uri": self})},
		"machine": {"GCE_METADATA_HOST", strings.TrimPrefix(login.URL, "http://")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(env[0], env[1])
			asked = 0
			b := open(t, s.URL)
			for range 3 {
				if v, err := b.Get(context.Background(), "k", store.All, -1, nil); err != nil || string(v) != "here" {
					t.Errorf("Get = %q, %v", v, err)
				}
			}
			if asked != 1 {
				t.Errorf("%d tokens were asked for, want 1", asked)
			}
		})
	}
	for _, bad := range []map[string]string{{"type": "external_account"}, {"type": "service_account", "private_key": "none"}, {}} {
		t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", account(bad))
		if _, err := New("era5", Options{}); err == nil {
			t.Errorf("New with credentials %v succeeds, want an error", bad)
		}
	}
}
