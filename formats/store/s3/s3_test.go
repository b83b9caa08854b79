// SPDX-License-Identifier: BSD-3-Clause

package s3_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/store/s3"
	"github.com/arrayrun/arrayrun/formats/store/storetest"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// server makes this program a server of S3 when it is set.
const server = "ARRAYRUN_TEST_S3_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(server) != "" {
		serve()
		return
	}
	os.Exit(storetest.Alone(m, "AWS_"))
}

// serve runs the server until its standard input ends, and prints its address.
func serve() {
	mem := s3mem.New()
	for _, b := range []string{"bucket", "other"} {
		if err := mem.CreateBucket(b); err != nil {
			panic(err)
		}
	}
	s := httptest.NewServer(gofakes3.New(mem, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	fmt.Println(s.URL)
	_, _ = io.Copy(io.Discard, os.Stdin) // whatever ends it
}

// process starts the server as a process and returns its address.
func process(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe)
	c.Env = append(os.Environ(), server+"=1")
	in, err1 := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	if err := errors.Join(err1, err2, c.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func login(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

func open(t *testing.T, endpoint string) *s3.Bucket {
	t.Helper()
	b, err := s3.New("bucket", s3.Options{Endpoint: endpoint, HTTP: store.HTTPOptions{Pause: time.Millisecond, Stall: 300 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBucket(t *testing.T) {
	at := process(t)
	for _, signed := range []bool{true, false} {
		t.Run(fmt.Sprintf("signed=%v", signed), func(t *testing.T) {
			if signed {
				login(t)
			}
			b := open(t, at)
			storetest.Store(t, store.Below(b, fmt.Sprintf("a prefix/with+signs&%v", signed)))
		})
	}
	b := open(t, at)
	ctx := context.Background()
	for i := range 2300 { // three pages of a listing
		if err := b.Put(ctx, fmt.Sprintf("long/%04d", i), []byte("x"), store.PutOpt{}); err != nil {
			t.Fatal(err)
		}
	}
	l, err := b.List(ctx, "long")
	if err != nil || len(l) != 2300 || l[2299].Name != "2299" || l[0].Size != 1 {
		t.Errorf("List = %d entries, %v, want 2300", len(l), err)
	}
	missing, err := s3.New("nowhere", s3.Options{Endpoint: at})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := missing.Get(ctx, "a", store.All, -1, nil); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "bucket does not exist") {
		t.Errorf("Get from a bucket that does not exist = %v, want an error that no reader takes for a missing chunk", err)
	}
}

func TestFaults(t *testing.T) {
	login(t)
	at := process(t)
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Remote(t, func(t *testing.T, wrap func(http.Handler) http.Handler) store.Store {
		s := httptest.NewServer(wrap(httputil.NewSingleHostReverseProxy(u)))
		t.Cleanup(s.Close)
		return open(t, s.URL)
	}, func(t *testing.T, key string, b []byte) {
		if err := open(t, at).Put(context.Background(), key, b, store.PutOpt{}); err != nil {
			t.Fatal(err)
		}
	}, true)
}

func TestWho(t *testing.T) {
	var auth, host string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		auth, host = r.Header.Get("Authorization"), r.Header.Get("X-Amz-Security-Token")
		w.Header().Set("Content-Length", "0")
	}))
	defer s.Close()
	dir := t.TempDir()
	conf, keys := filepath.Join(dir, "config"), filepath.Join(dir, "credentials")
	os.WriteFile(conf, []byte("[default]\nregion = eu-north-1\n[profile lab]\ns3 =\n  region = nonsense\nregion=ap-south-1\nendpoint_url="+s.URL+"\n"), 0o600)
	os.WriteFile(keys, []byte("[default]\naws_access_key_id=DEFAULT\naws_secret_access_key=x\n[lab]\naws_access_key_id=LAB\naws_secret_access_key=y\naws_session_token=tok\n"), 0o600)
	for name, c := range map[string]struct {
		env  map[string]string
		opt  s3.Options
		want string // the beginning of the credential's scope, "" for anonymous
		tok  string
	}{
		"nobody":      {nil, s3.Options{}, "", ""},
		"environment": {map[string]string{"AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "z", "AWS_REGION": "us-west-2"}, s3.Options{}, "ENV/us-west-2", ""},
		"default":     {map[string]string{"AWS_CONFIG_FILE": conf, "AWS_SHARED_CREDENTIALS_FILE": keys}, s3.Options{}, "DEFAULT/eu-north-1", ""},
		"profile":     {map[string]string{"AWS_CONFIG_FILE": conf, "AWS_SHARED_CREDENTIALS_FILE": keys, "AWS_PROFILE": "lab"}, s3.Options{}, "LAB/ap-south-1", "tok"},
		"unsigned": {map[string]string{"AWS_CONFIG_FILE": conf, "AWS_SHARED_CREDENTIALS_FILE": keys, "AWS_PROFILE": "lab", "AWS_NO_SIGN_REQUEST": "YES"},
			s3.Options{}, "", ""},
		"option": {map[string]string{"AWS_CONFIG_FILE": conf, "AWS_SHARED_CREDENTIALS_FILE": keys, "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "z"},
			s3.Options{Profile: "lab", Region: "cn-north-1"}, "LAB/cn-north-1", "tok"},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			if name != "profile" {
				t.Setenv("AWS_ENDPOINT_URL", s.URL)
			}
			b, err := s3.New("bucket", c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Get(context.Background(), "k", store.All, -1, nil); err != nil {
				t.Fatal(err)
			}
			got := ""
			if auth != "" {
				var scope string
				if _, err := fmt.Sscanf(auth, "AWS4-HMAC-SHA256 Credential=%s", &scope); err != nil {
					t.Fatal(err)
				}
				p := strings.Split(scope, "/")
				got = p[0] + "/" + p[2]
			}
			if got != c.want || host != c.tok {
				t.Errorf("asked as %q with token %q, want %q and %q", got, host, c.want, c.tok)
			}
		})
	}
	t.Setenv("AWS_PROFILE", "nobody")
	if _, err := s3.New("bucket", s3.Options{}); err == nil {
		t.Error("New with a profile that is not there succeeds, want an error")
	}
	for _, name := range []string{"", "a", "a/b", "..", "a..b", "a b", "a\nb", "-ab", strings.Repeat("x", 300)} {
		if _, err := s3.New(name, s3.Options{Anonymous: true}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("New(%q) = %v, want fs.ErrInvalid", name, err)
		}
	}
}

// TestRefusals: what a server says in its document decides.
func TestRefusals(t *testing.T) {
	login(t)
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
		in     string
	}{
		"denied":   {403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", fs.ErrPermission, "AWS_NO_SIGN_REQUEST"},
		"expired":  {400, "<Error><Code>ExpiredToken</Code></Error>", fs.ErrPermission, "ExpiredToken"},
		"no key":   {404, "<Error><Code>NoSuchKey</Code></Error>", fs.ErrNotExist, ""},
		"teapot":   {418, "short and stout", nil, "418"},
		"redirect": {301, "<Error><Code>PermanentRedirect</Code></Error>", nil, "PermanentRedirect"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}))
		_, err := open(t, s.URL).Get(context.Background(), "k", store.All, -1, nil)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.in) || strings.Contains(err.Error(), "wJalr") {
			t.Errorf("%s: %v, want %v and %q", name, err, c.want, c.in)
		}
		s.Close()
	}
}

// TestRegion: a bucket elsewhere is found by what the server says, and a server that sends back and forth is given up.
func TestRegion(t *testing.T) {
	login(t)
	n := 0
	var last string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		last = r.Header.Get("Authorization")
		if !strings.Contains(last, "/eu-central-1/s3/") {
			w.Header().Set("X-Amz-Bucket-Region", "eu-central-1")
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		io.WriteString(w, "here")
	}))
	defer s.Close()
	b := open(t, s.URL)
	for range 2 {
		if v, err := b.Get(context.Background(), "k", store.All, -1, nil); err != nil || string(v) != "here" {
			t.Errorf("Get = %q, %v", v, err)
		}
	}
	if n != 3 {
		t.Errorf("%d requests, want one in the wrong region and two in the right one", n)
	}
	n = 0
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		w.Header().Set("X-Amz-Bucket-Region", fmt.Sprintf("region-%d", n))
		w.WriteHeader(http.StatusMovedPermanently)
	}))
	defer liar.Close()
	if _, err := open(t, liar.URL).Get(context.Background(), "k", store.All, -1, nil); err == nil || n > 10 {
		t.Errorf("Get = %v after %d requests, want an error soon", err, n)
	}
}
