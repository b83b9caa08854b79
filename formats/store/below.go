// SPDX-License-Identifier: BSD-3-Clause

package store

import "context"

// below is the part of a store under a prefix.
type below struct {
	st     Store
	prefix string
}

// Below returns the part of st whose keys start with prefix and a slash, by the rest of the keys.
func Below(st Store, prefix string) Store { return below{st, prefix} }

func (b below) key(key string) string { return b.prefix + "/" + key }

// Name implements Store.
func (b below) Name() string { return b.st.Name() + "/" + b.prefix }

// Latency is that of the store.
func (b below) Latency() Latency { return LatencyOf(b.st) }

// Get implements Store.
func (b below) Get(ctx context.Context, key string, r Range, limit int64, buf []byte) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	return b.st.Get(ctx, b.key(key), r, limit, buf)
}

// Beginning is that of the store, or made of Stat and Get.
func (b below) Beginning(ctx context.Context, key string, n int64) ([]byte, int64, error) {
	if err := checkKey(key); err != nil {
		return nil, 0, err
	}
	if s, ok := b.st.(beginner); ok {
		return s.Beginning(ctx, b.key(key), n)
	}
	i, err := b.Stat(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	n = min(n, i.Size)
	v, err := b.Get(ctx, key, Range{0, n}, n, nil)
	return v, i.Size, err
}

// Stat implements Store.
func (b below) Stat(ctx context.Context, key string) (Info, error) {
	if err := checkKey(key); err != nil {
		return Info{}, err
	}
	return b.st.Stat(ctx, b.key(key))
}

// List implements Store.
func (b below) List(ctx context.Context, prefix string) ([]Info, error) {
	if prefix == "" {
		return b.st.List(ctx, b.prefix)
	}
	if err := checkKey(prefix); err != nil {
		return nil, err
	}
	return b.st.List(ctx, b.key(prefix))
}

// Put implements Store.
func (b below) Put(ctx context.Context, key string, v []byte, opt PutOpt) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return b.st.Put(ctx, b.key(key), v, opt)
}

// Delete implements Store.
func (b below) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return b.st.Delete(ctx, b.key(key))
}
