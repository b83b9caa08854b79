// SPDX-License-Identifier: BSD-3-Clause

package gcs

import (
	"context"
	"testing"
)

// FuzzCredentials: whatever a file of credentials holds is an error or something that asks with a request, and nothing else.
func FuzzCredentials(f *testing.F) {
	f.Add([]byte(`{"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c"}`))
	f.Add([]byte(`{"type": "authorized_user", "token_uri": ":/%"}`))
	f.Add([]byte(`{"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"}`))
	f.Add([]byte(`{"type": "service_account", "private_key": "none"}`))
	f.Add([]byte(`{"type": "external_account"}`))
	f.Add([]byte(`[{"type": 1}]`))
	f.Fuzz(func(t *testing.T, file []byte) {
		ask, err := asker(file)
		if (ask == nil) == (err == nil) {
			t.Fatalf("asker(%q): a way to ask is there: %v, error %v", file, ask != nil, err)
		}
		if err != nil {
			return
		}
		req, err := ask(context.Background())
		if (req == nil) == (err == nil) {
			t.Fatalf("asker(%q): request %v, error %v", file, req, err)
		}
		if err == nil && (req.Method != "POST" || req.Body == nil) {
			t.Errorf("asker(%q): %s %s without a body", file, req.Method, req.URL)
		}
	})
}
