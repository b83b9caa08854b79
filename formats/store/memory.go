// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// ErrRange is wrapped where a range does not lie in its value, or is longer than allowed.
var ErrRange = errors.New("store: range does not fit")

// Memory is a Store in memory. The zero value is an empty one.
type Memory struct {
	mu     sync.RWMutex
	values map[string][]byte
}

var _ Store = (*Memory)(nil)

// Name returns "memory".
func (m *Memory) Name() string { return "memory" }

// Latency says that nothing is waited for.
func (m *Memory) Latency() Latency { return Instant }

// Get implements Store.
func (m *Memory) Get(ctx context.Context, key string, r Range, limit int64, buf []byte) ([]byte, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return nil, err
	}
	m.mu.RLock()
	v, ok := m.values[key]
	m.mu.RUnlock()
	if !ok {
		return nil, fmt.Errorf("store: get %q: %w", key, fs.ErrNotExist)
	}
	lo, hi, err := r.of(int64(len(v)))
	if err == nil && limit >= 0 && hi-lo > limit {
		err = tooLong(hi-lo, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("store: get %q: %w", key, err)
	}
	return append(buf[:0], v[lo:hi]...), nil
}

func tooLong(n, limit int64) error {
	return fmt.Errorf("%d bytes, want at most %d: %w", n, limit, ErrRange)
}

// Stat implements Store.
func (m *Memory) Stat(ctx context.Context, key string) (Info, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return Info{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	v, ok := m.values[key]
	if !ok {
		return Info{}, fmt.Errorf("store: stat %q: %w", key, fs.ErrNotExist)
	}
	return Info{Name: key[strings.LastIndexByte(key, '/')+1:], Size: int64(len(v))}, nil
}

// List implements Store.
func (m *Memory) List(ctx context.Context, prefix string) ([]Info, error) {
	if prefix != "" {
		if err := checkKey(prefix); err != nil {
			return nil, err
		}
		prefix += "/"
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return directly(prefix, func(yield func(string, int64)) {
		for k, v := range m.values {
			yield(k, int64(len(v)))
		}
	}), ctx.Err()
}

// Put implements Store; b is copied.
func (m *Memory) Put(ctx context.Context, key string, b []byte, opt PutOpt) error {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.values[key]; ok && opt.IfNoneMatch {
		return fmt.Errorf("store: put %q: %w", key, fs.ErrExist)
	}
	if m.values == nil {
		m.values = map[string][]byte{}
	}
	m.values[key] = slices.Clone(b)
	return nil
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, key string) error {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values, key)
	return nil
}
