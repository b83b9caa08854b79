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
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/arrayrun/arrayrun/formats/store"
)

const scope = "https://www.googleapis.com/auth/devstorage.read_write"

// identity is who asks: nobody, the owner of one token, or somebody who can ask for tokens.
type identity struct {
	fixed  string
	tokens *store.Tokens
	from   string // for messages
}

func (i *identity) token(ctx context.Context) (string, error) {
	if i.tokens == nil {
		return i.fixed, nil
	}
	t, err := i.tokens.Token(ctx)
	if err != nil {
		return "", fmt.Errorf("%s: %w", i.from, err)
	}
	return t, nil
}

// forget gives a refused token up and reports whether there may be another one.
func (i *identity) forget() bool {
	if i.tokens == nil {
		return false
	}
	i.tokens.Forget()
	return true
}

func newIdentity() (*identity, error) {
	for _, name := range []string{"GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"} {
		if t := os.Getenv(name); t != "" {
			return &identity{fixed: t, from: name}, nil
		}
	}
	if os.Getenv("STORAGE_EMULATOR_HOST") != "" {
		return &identity{from: "none, for an emulator"}, nil
	}
	path := os.Getenv("GOOGLE_APPLICATION_CREDENTIALS")
	named := path != ""
	if !named {
		dir := os.Getenv("CLOUDSDK_CONFIG")
		if home, err := os.UserHomeDir(); dir == "" && err == nil {
			dir = filepath.Join(home, ".config", "gcloud")
		}
		path = filepath.Join(dir, "application_default_credentials.json")
	}
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
		ask, err := asker(b)
		if err != nil {
			return nil, fmt.Errorf("credentials in %s: %w", path, err)
		}
		return &identity{tokens: &store.Tokens{Ask: ask}, from: path}, nil
	case named:
		return nil, fmt.Errorf("credentials: %w", err)
	}
	if host := metadata(); host != "" {
		return &identity{tokens: &store.Tokens{Ask: func(ctx context.Context) (*http.Request, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/computeMetadata/v1/instance/service-accounts/default/token", nil)
			if err == nil {
				req.Header.Set("Metadata-Flavor", "Google")
			}
			return req, err
		}}, from: "the account of this machine"}, nil
	}
	return &identity{from: "none, since neither GOOGLE_APPLICATION_CREDENTIALS nor a login of gcloud has any"}, nil
}

// metadata returns the host of the metadata server, "" where the machine is not Google's: asking an address that nobody answers
// would cost seconds.
func metadata() string {
	if h := os.Getenv("GCE_METADATA_HOST"); h != "" {
		return h
	}
	b, err := os.ReadFile("/sys/class/dmi/id/product_name")
	if err == nil && strings.HasPrefix(string(b), "Google") {
		return "169.254.169.254"
	}
	return ""
}

// asker returns what asks for tokens with the credentials in a file.
func asker(file []byte) (func(context.Context) (*http.Request, error), error) {
	var c struct {
		Type         string
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		RefreshToken string `json:"refresh_token"`
		Email        string `json:"client_email"`
		Key          string `json:"private_key"`
		KeyID        string `json:"private_key_id"`
		TokenURI     string `json:"token_uri"`
	}
	if err := json.Unmarshal(file, &c); err != nil {
		return nil, err
	}
	if c.TokenURI == "" {
		c.TokenURI = "https://oauth2.googleapis.com/token"
	}
	post := func(ctx context.Context, form url.Values) (*http.Request, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.TokenURI, strings.NewReader(form.Encode()))
		if err == nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return req, err
	}
	switch c.Type {
	case "authorized_user":
		return func(ctx context.Context) (*http.Request, error) {
			return post(ctx, url.Values{"grant_type": {"refresh_token"}, "client_id": {c.ClientID}, "client_secret": {c.ClientSecret}, "refresh_token": {c.RefreshToken}})
		}, nil
	case "service_account":
		key, err := privateKey(c.Key)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) (*http.Request, error) {
			now := time.Now()
			t, err := assertion(key, c.KeyID, map[string]any{"iss": c.Email, "scope": scope, "aud": c.TokenURI, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()})
			if err != nil {
				return nil, err
			}
			return post(ctx, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {t}})
		}, nil
	}
	return nil, fmt.Errorf("type %q, want service_account or authorized_user", c.Type)
}

func privateKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("private_key is not PEM")
	}
	if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("private_key: %w", err)
	}
	r, ok := k.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("private_key is a %T, want RSA", k)
	}
	return r, nil
}

// assertion returns a signed JSON web token, RFC 7519 with RS256.
func assertion(key *rsa.PrivateKey, id string, claims map[string]any) (string, error) {
	head, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": id})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}
