// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/minio/minio-go/v7/pkg/signer"
)

// Options say where a bucket is and who asks. What is empty comes from the environment and the profile.
type Options struct {
	Endpoint  string // URL of a server that is not Amazon's
	Region    string
	Profile   string
	Anonymous bool // without credentials, whatever there are

	HTTP store.HTTPOptions // patience; Name, Sign and Explain are this package's own
}

// Bucket is a store.Store in a bucket: keys are the names of objects.
type Bucket struct {
	*store.HTTP
	bucket string
	amazon bool                   // the host has the region in its name
	byHost bool                   // the host has the bucket in its name
	region atomic.Pointer[string] // as far as is known
	who    *identity
}

var _ store.Store = (*Bucket)(nil)

var (
	bucketName = store.Pattern(`^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$`)
	hostName   = store.Pattern(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)
	regionName = store.Pattern(`^[a-z0-9-]{1,32}$`)
)

// New returns the store in a bucket. Errors wrap fs.ErrInvalid for a name that is none, or say why the profile cannot be used.
// Nothing is asked of the server.
func New(bucket string, o Options) (*Bucket, error) {
	if !bucketName(bucket) || strings.Contains(bucket, "..") {
		return nil, fmt.Errorf("store/s3: %q is no name of a bucket: %w", bucket, fs.ErrInvalid)
	}
	set := settings(o)
	who, err := newIdentity(o, set)
	if err != nil {
		return nil, fmt.Errorf("store/s3: bucket %s: %w", bucket, err)
	}
	b := &Bucket{bucket: bucket, amazon: set.endpoint == "", who: who}
	region := set.region
	if region == "" {
		region = "us-east-1"
	}
	if !regionName(region) {
		return nil, fmt.Errorf("store/s3: bucket %s: region %q: want a name such as eu-west-1: %w", bucket, region, fs.ErrInvalid)
	}
	b.region.Store(&region)
	base := set.endpoint + "/" + bucket
	if b.amazon {
		if b.byHost = hostName(bucket); b.byHost {
			base = "https://" + b.host(region)
		} else {
			base = "https://" + b.host(region) + "/" + bucket
		}
	}
	h := o.HTTP
	h.Name, h.Sign, h.Explain = "s3://"+bucket, b.sign, b.explain
	if b.HTTP, err = store.NewHTTP(base, h); err != nil {
		return nil, fmt.Errorf("store/s3: bucket %s: endpoint: %w", bucket, err)
	}
	return b, nil
}

// host returns the name of Amazon's host for the bucket.
func (b *Bucket) host(region string) string {
	h := "s3." + region + ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		h += ".cn"
	}
	if b.byHost {
		h = b.bucket + "." + h
	}
	return h
}

// sign adds the credentials and the host of the region that is known by now.
func (b *Bucket) sign(req *http.Request, body []byte) error {
	region := *b.region.Load()
	if b.amazon {
		req.URL.Host = b.host(region)
		req.Host = req.URL.Host
	}
	v, err := b.who.value(req.Context())
	if err != nil || v.AccessKeyID == "" {
		return err
	}
	sum := sha256.Sum256(body)
	req.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	signer.SignV4(*req, v.AccessKeyID, v.SecretAccessKey, v.SessionToken, region) // it sets the headers, which the copy shares
	return nil
}

// explain says what the code in the body of an answer means where its status says less.
func (b *Bucket) explain(res *http.Response, body []byte) error {
	code, err := store.ErrorDocument(res, body)
	if at := res.Header.Get("X-Amz-Bucket-Region"); at != "" && at != *b.region.Load() && regionName(at) {
		b.region.Store(&at)
		return store.Temporary(err, 0)
	}
	switch code {
	case "NoSuchBucket": // were it fs.ErrNotExist, every chunk would read as fill value
		return fmt.Errorf("the bucket does not exist: %w", fs.ErrInvalid)
	case "RequestTimeout", "ConditionalRequestConflict", "OperationAborted", "SlowDown", "InternalError":
		return store.Temporary(err, 0)
	case "ExpiredToken", "ExpiredTokenException":
		if b.who.expire() {
			return store.Temporary(err, 0)
		}
		return fmt.Errorf("%w: %w", err, fs.ErrPermission)
	}
	switch res.StatusCode {
	case http.StatusForbidden, http.StatusUnauthorized:
		return fmt.Errorf("%w (%s): %w", err, b.who, fs.ErrPermission)
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusBadRequest:
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
		header.Set("If-None-Match", "*")
	}
	return b.Upload(ctx, key, v, header, opt.IfNoneMatch)
}

// Delete implements store.Store.
func (b *Bucket) Delete(ctx context.Context, key string) error { return b.Remove(ctx, key) }

// environment returns the first of the variables that is set.
func environment(names ...string) string {
	for _, n := range names {
		if v := os.Getenv(n); v != "" {
			return v
		}
	}
	return ""
}
