// SPDX-License-Identifier: BSD-3-Clause

package azure

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/formats/store"
)

// identity is who asks: with the account's key, a shared access signature in every URL, or tokens; or nobody.
type identity struct {
	account string
	key     []byte
	sas     string
	tokens  *store.Tokens
	from    string // for messages
}

// newIdentity completes o from the environment.
func newIdentity(o *Options) (*identity, error) {
	set := map[string]string{}
	if text := os.Getenv("AZURE_STORAGE_CONNECTION_STRING"); text != "" {
		for _, part := range strings.Split(text, ";") {
			k, v, _ := strings.Cut(part, "=")
			set[k] = v
		}
	}
	first := func(values ...string) string {
		for _, v := range values {
			if v != "" {
				return v
			}
		}
		return ""
	}
	own := first(set["AccountName"], os.Getenv("AZURE_STORAGE_ACCOUNT"), os.Getenv("AZURE_STORAGE_ACCOUNT_NAME"))
	if o.Account == "" {
		o.Account = own
	}
	if o.Endpoint == "" && (set["AccountName"] == "" || set["AccountName"] == o.Account) {
		o.Endpoint = set["BlobEndpoint"]
		if suffix := set["EndpointSuffix"]; o.Endpoint == "" && suffix != "" {
			o.Endpoint = "https://" + o.Account + ".blob." + suffix
		}
	}
	who := &identity{account: o.Account, from: "none, as was wished"}
	if o.Anonymous {
		return who, nil
	}
	// a key or signature is one account's: another one must not see it
	if own == "" || own == o.Account {
		if key := first(set["AccountKey"], os.Getenv("AZURE_STORAGE_KEY"), os.Getenv("AZURE_STORAGE_ACCOUNT_KEY")); key != "" {
			var err error
			if who.key, err = base64.StdEncoding.DecodeString(key); err != nil {
				return nil, fmt.Errorf("the key of account %s is not base64", o.Account)
			}
			who.from = "the account's key"
			return who, nil
		}
		if who.sas = strings.TrimPrefix(first(set["SharedAccessSignature"], os.Getenv("AZURE_STORAGE_SAS_TOKEN")), "?"); who.sas != "" {
			who.from = "a shared access signature"
			return who, nil
		}
	}
	tenant, client, secret := os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID"), os.Getenv("AZURE_CLIENT_SECRET")
	switch {
	case tenant != "" && client != "" && secret != "":
		who.from = "application " + client
		who.tokens = &store.Tokens{Ask: func(ctx context.Context) (*http.Request, error) {
			form := url.Values{"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {secret}, "scope": {"https://storage.azure.com/.default"}}
			host := strings.TrimRight(first(os.Getenv("AZURE_AUTHORITY_HOST"), "https://login.microsoftonline.com"), "/")
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, host+"/"+url.PathEscape(tenant)+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
			if err == nil {
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			return req, err
		}}
	case inAzure():
		who.from = "the identity of this machine"
		who.tokens = &store.Tokens{Ask: func(ctx context.Context) (*http.Request, error) {
			q := url.Values{"api-version": {"2018-02-01"}, "resource": {"https://storage.azure.com/"}}
			if client != "" {
				q.Set("client_id", client)
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://169.254.169.254/metadata/identity/oauth2/token?"+q.Encode(), nil)
			if err == nil {
				req.Header.Set("Metadata", "true")
			}
			return req, err
		}}
	default:
		who.from = "none, since the environment has none"
	}
	return who, nil
}

// inAzure reports whether the machine is one of Azure's, which all have this tag: asking an address that nobody answers would cost
// seconds elsewhere.
func inAzure() bool {
	b, err := os.ReadFile("/sys/class/dmi/id/chassis_asset_tag")
	return err == nil && strings.TrimSpace(string(b)) == "7783-7084-3265-9085-8269-3286-77"
}

// forget gives a refused token up and reports whether there may be another one.
func (i *identity) forget() bool {
	if i.tokens == nil {
		return false
	}
	i.tokens.Forget()
	return true
}

func (i *identity) sign(req *http.Request) error {
	switch {
	case i.key != nil:
		mac := hmac.New(sha256.New, i.key)
		mac.Write([]byte(i.toSign(req)))
		req.Header.Set("Authorization", "SharedKey "+i.account+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	case i.tokens != nil:
		t, err := i.tokens.Token(req.Context())
		if err != nil {
			return fmt.Errorf("%s: %w", i.from, err)
		}
		req.Header.Set("Authorization", "Bearer "+t)
	}
	return nil
}

// toSign returns the text that the signature of a request is of.
// Specification: "Authorize with Shared Key", Blob service, version 2015-02-21 and later.
func (i *identity) toSign(req *http.Request) string {
	length := ""
	if req.ContentLength > 0 {
		length = strconv.FormatInt(req.ContentLength, 10)
	}
	b := []byte(req.Method + "\n")
	for _, name := range []string{"Content-Encoding", "Content-Language", "", "Content-MD5", "Content-Type", "Date", "If-Modified-Since", "If-Match", "If-None-Match",
		"If-Unmodified-Since", "Range"} {
		v := length
		if name != "" {
			v = req.Header.Get(name)
		}
		b = append(append(b, v...), '\n')
	}
	var own []string
	for name, v := range req.Header {
		if name := strings.ToLower(name); strings.HasPrefix(name, "x-ms-") {
			own = append(own, name+":"+strings.TrimSpace(strings.Join(v, ","))+"\n")
		}
	}
	slices.Sort(own)
	b = append(b, strings.Join(own, "")...)
	b = append(append(append(b, '/'), i.account...), req.URL.EscapedPath()...)
	var query []string
	for name, v := range req.URL.Query() {
		slices.Sort(v)
		query = append(query, "\n"+strings.ToLower(name)+":"+strings.Join(v, ","))
	}
	slices.Sort(query)
	return string(append(b, strings.Join(query, "")...))
}
