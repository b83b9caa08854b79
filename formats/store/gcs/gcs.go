// SPDX-License-Identifier: BSD-3-Clause

package gcs

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/arrayrun/arrayrun/formats/store"
)

// Options say where a bucket is and who asks. What is empty comes from the environment.
type Options struct {
	Endpoint  string // URL of a server that is not Google's
	Anonymous bool   // without credentials, whatever there are

	HTTP store.HTTPOptions // patience; Name, Sign and Explain are this package's own
}

// Bucket is a store.Store in a bucket: keys are the names of objects.
type Bucket struct {
	*store.HTTP
	who *identity
}

var _ store.Store = (*Bucket)(nil)

var bucketName = store.Pattern(`^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$`)

// New returns the store in a bucket. Errors wrap fs.ErrInvalid for a name that is none, or say why the credentials cannot be
// used. Nothing is asked of the server.
func New(bucket string, o Options) (*Bucket, error) {
	if !bucketName(bucket) || strings.Contains(bucket, "..") {
		return nil, fmt.Errorf("store/gcs: %q is no name of a bucket: %w", bucket, fs.ErrInvalid)
	}
	endpoint := o.Endpoint
	if endpoint == "" {
		endpoint = os.Getenv("STORAGE_EMULATOR_HOST")
		if endpoint != "" && !strings.Contains(endpoint, "://") {
			endpoint = "http://" + endpoint
		}
	}
	if endpoint == "" {
		endpoint = "https://storage.googleapis.com"
	}
	b := &Bucket{who: &identity{from: "as was wished"}}
	if !o.Anonymous {
		var err error
		if b.who, err = newIdentity(); err != nil {
			return nil, fmt.Errorf("store/gcs: bucket %s: %w", bucket, err)
		}
	}
	h := o.HTTP
	h.Name, h.Sign, h.Explain = "gs://"+bucket, b.sign, b.explain
	var err error
	if b.HTTP, err = store.NewHTTP(strings.TrimRight(endpoint, "/")+"/"+bucket, h); err != nil {
		return nil, fmt.Errorf("store/gcs: bucket %s: endpoint: %w", bucket, err)
	}
	return b, nil
}

func (b *Bucket) sign(req *http.Request, _ []byte) error {
	t, err := b.who.token(req.Context())
	if err == nil && t != "" {
		req.Header.Set("Authorization", "Bearer "+t)
	}
	return err
}

// explain says what the code in the body of an answer means where its status says less.
func (b *Bucket) explain(res *http.Response, body []byte) error {
	code, err := store.ErrorDocument(res, body)
	switch {
	case code == "NoSuchBucket": // were it fs.ErrNotExist, every chunk would read as fill value
		return fmt.Errorf("the bucket does not exist: %w", fs.ErrInvalid)
	case res.StatusCode == http.StatusUnauthorized && b.who.forget():
		return store.Temporary(fmt.Errorf("%w (%s): %w", err, b.who.from, fs.ErrPermission), 0)
	case res.StatusCode == http.StatusForbidden || res.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%w (credentials: %s): %w", err, b.who.from, fs.ErrPermission)
	case res.StatusCode == http.StatusBadRequest:
		return err
	}
	return nil
}

// List implements store.Store.
func (b *Bucket) List(ctx context.Context, prefix string) ([]store.Info, error) {
	return b.ListBucket(ctx, prefix)
}

// Put implements store.Store: an object appears whole or not at all.
func (b *Bucket) Put(ctx context.Context, key string, v []byte, opt store.PutOpt) error {
	header := http.Header{"Content-Type": {"application/octet-stream"}}
	if opt.IfNoneMatch {
		header.Set("X-Goog-If-Generation-Match", "0")
	}
	return b.Upload(ctx, key, v, header, opt.IfNoneMatch)
}

// Delete implements store.Store.
func (b *Bucket) Delete(ctx context.Context, key string) error { return b.Remove(ctx, key) }
