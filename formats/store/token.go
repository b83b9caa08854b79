// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Tokens gives the bearer tokens that requests to Google's and Microsoft's servers have, and asks for another one before
// the last expires.
type Tokens struct {
	// Ask makes the request whose answer is a JSON object with access_token and expires_in.
	Ask func(ctx context.Context) (*http.Request, error)

	mu    sync.Mutex
	token string
	until time.Time
}

// Token returns a token that is good for a minute at least.
func (t *Tokens) Token(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != "" && time.Until(t.until) > time.Minute {
		return t.token, nil
	}
	var life time.Duration
	err := patience{tries: 4, pause: 200 * time.Millisecond}.again(ctx, func(int) (err error) {
		t.token, life, err = t.ask(ctx)
		return err
	})
	if err != nil {
		t.token = ""
		return "", fmt.Errorf("ask for a token: %w", err)
	}
	t.until = time.Now().Add(life)
	return t.token, nil
}

// Forget makes the next Token ask for another one.
func (t *Tokens) Forget() {
	t.mu.Lock()
	t.token = ""
	t.mu.Unlock()
}

func (t *Tokens) ask(ctx context.Context) (string, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := t.Ask(ctx)
	if err != nil {
		return "", 0, err
	}
	res, err := (&http.Client{Transport: transport()}).Do(req)
	if err != nil {
		return "", 0, Temporary(err, 0)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return "", 0, Temporary(err, 0)
	}
	if res.StatusCode != http.StatusOK {
		err := fmt.Errorf("%s: %.300s", res.Status, body)
		if res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests {
			err = Temporary(err, 0)
		}
		return "", 0, err
	}
	var doc struct {
		Token string      `json:"access_token"`
		Life  json.Number `json:"expires_in"` // a text in some answers
	}
	if err := json.Unmarshal(body, &doc); err != nil || doc.Token == "" {
		return "", 0, errors.New("the answer has no access_token")
	}
	sec, err := doc.Life.Int64()
	if err != nil || sec <= 0 || sec > 1<<20 {
		sec = 300
	}
	return doc.Token, time.Duration(sec) * time.Second, nil
}
