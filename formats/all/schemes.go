// SPDX-License-Identifier: BSD-3-Clause

package all

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/store/s3"
)

// scheme is a row of the table of what keeps stores behind a network.
type scheme struct {
	name string
	// open returns a store that holds what the rest of a URI, behind ://, names, and its key; "" is the store's root. The store is
	// the same for all URIs with the same beginning, the third result.
	open func(name, rest string) (st func() (store.Store, error), key, beginning string, err error)
}

// schemes is the table. Google's and Azure's stores are in programs built with the tags gcs and azure.
var schemes = []scheme{
	{"http", overHTTP},
	{"https", overHTTP},
	{"s3", inBucket(func(bucket string) (store.Store, error) { return s3.New(bucket, s3.Options{}) })},
	{"gs", inBucket(openGCS)},
	{"gcs", inBucket(openGCS)},
	{"az", inBucket(openAzure)},
	{"abfs", inBucket(openAzure)},
}

// Remote reports whether uri names something behind a network, and not a path.
func Remote(uri string) bool { return findScheme(uri) != nil }

func findScheme(uri string) *scheme {
	name, _, ok := strings.Cut(uri, "://")
	for i := range schemes {
		if ok && strings.EqualFold(schemes[i].name, name) {
			return &schemes[i]
		}
	}
	return nil
}

func schemeNames() string {
	var out []string
	for _, s := range schemes {
		out = append(out, s.name+"://")
	}
	return strings.Join(out, " ")
}

func overHTTP(name, rest string) (func() (store.Store, error), string, string, error) {
	u, err := url.Parse(strings.ToLower(name) + "://" + rest)
	if err != nil || u.Host == "" {
		return nil, "", "", fmt.Errorf("%q is no URL: %w", name+"://"+rest, fs.ErrInvalid)
	}
	dir, key := path.Split(strings.TrimRight(u.Path, "/"))
	u.Path, u.RawPath, u.Fragment = dir, "", ""
	base := u.String()
	return func() (store.Store, error) { return store.NewHTTP(base, store.HTTPOptions{}) }, key, base, nil
}

// inBucket is for URIs of a bucket and a key, which has no escapes.
func inBucket(open func(bucket string) (store.Store, error)) func(name, rest string) (func() (store.Store, error), string, string, error) {
	return func(_, rest string) (func() (store.Store, error), string, string, error) {
		bucket, key, _ := strings.Cut(rest, "/")
		return func() (store.Store, error) { return open(bucket) }, strings.TrimRight(key, "/"), bucket, nil
	}
}

// resolver finds the stores of URIs. Those with the same beginning share one, and its connections.
type resolver struct {
	mu     sync.Mutex
	stores map[string]store.Store
}

// at returns the store and the key of what a URI with a scheme of the table names.
func (r *resolver) at(uri string) (store.Store, string, error) {
	s := findScheme(uri)
	if s == nil {
		return nil, "", fmt.Errorf("%.200q: want one of %s: %w", uri, schemeNames(), formats.ErrFormat)
	}
	_, rest, _ := strings.Cut(uri, "://")
	open, key, beginning, err := s.open(s.name, rest)
	if err != nil {
		return nil, "", err
	}
	st, err := r.keep(s.name+"://"+beginning, open)
	return st, key, err
}

func (r *resolver) keep(beginning string, open func() (store.Store, error)) (store.Store, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if st, ok := r.stores[beginning]; ok {
		return st, nil
	}
	st, err := open()
	if err != nil {
		return nil, err
	}
	if r.stores == nil {
		r.stores = map[string]store.Store{}
	}
	r.stores[beginning] = st
	return st, nil
}

// file returns the store of the folder of a local path, and its key there.
func (r *resolver) file(p string) (store.Store, string, error) {
	p, err := filepath.Abs(p)
	if err != nil {
		return nil, "", err
	}
	dir := filepath.Dir(p)
	st, err := r.keep("file://"+dir, func() (store.Store, error) { return store.NewDir(dir), nil })
	return st, filepath.Base(p), err
}

// local returns the path that references in folder mean by a relative one: of that folder where it
// is there, else of the working directory, as fsspec takes it.
func local(folder, p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	if in := filepath.Join(folder, p); exists(in) {
		return in
	}
	return p
}

func exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}
