// SPDX-License-Identifier: BSD-3-Clause

package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"

	"github.com/arrayrun/arrayrun/formats/store"
)

// Values are the values that Read expects, by key.
func Values() map[string]string {
	return map[string]string{"a/b/c": "0123456789", "a/d": "x", "e": ""}
}

// Read checks the reading side of a store that holds Values. listed says that it can be listed.
func Read(t *testing.T, s store.Store, listed bool) {
	t.Helper()
	ctx := context.Background()
	if _, err := s.Get(ctx, "a/b", store.All, -1, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get of a key that is not there = %v, want fs.ErrNotExist", err)
	}
	for _, c := range []struct {
		r    store.Range
		want string
	}{
		{store.All, "0123456789"}, {store.Range{Off: 2, Len: 3}, "234"}, {store.Range{Off: 8, Len: -1}, "89"},
		{store.Suffix(4), "6789"}, {store.Range{Off: -4, Len: 2}, "67"}, {store.Range{Off: 10, Len: 0}, ""},
	} {
		got, err := s.Get(ctx, "a/b/c", c.r, 10, nil)
		if err != nil || string(got) != c.want {
			t.Errorf("Get(%v) = %q, %v, want %q", c.r, got, err, c.want)
		}
	}
	for _, r := range []store.Range{{Off: 8, Len: 3}, {Off: 11, Len: 0}, store.Suffix(11), {Off: 11, Len: -1}} {
		if _, err := s.Get(ctx, "a/b/c", r, -1, nil); !errors.Is(err, store.ErrRange) {
			t.Errorf("Get(%v) of 10 bytes = %v, want ErrRange", r, err)
		}
	}
	if _, err := s.Get(ctx, "a/b/c", store.All, 9, nil); !errors.Is(err, store.ErrRange) {
		t.Errorf("Get of 10 bytes with a limit of 9 = %v, want ErrRange", err)
	}
	buf := make([]byte, 3, 64)
	if got, err := s.Get(ctx, "a/b/c", store.All, -1, buf); err != nil || &got[0] != &buf[0] {
		t.Errorf("Get with a large enough buffer did not use it (%v)", err)
	}
	for _, key := range []string{"a", "a/b"} {
		if _, err := s.Get(ctx, key, store.All, -1, nil); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Get(%q), which is a prefix = %v, want fs.ErrNotExist", key, err)
		}
		if _, err := s.Stat(ctx, key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Stat(%q), which is a prefix = %v, want fs.ErrNotExist", key, err)
		}
	}
	if i, err := s.Stat(ctx, "a/b/c"); err != nil || i.Size != 10 {
		t.Errorf("Stat = %v, %v, want 10 bytes", i, err)
	}
	for prefix, want := range map[string]string{"": "a/ e", "a": "b/ d", "a/b": "c", "nowhere": ""} {
		if !listed {
			continue
		}
		l, err := s.List(ctx, prefix)
		got := ""
		for i, x := range l {
			if i > 0 {
				got += " "
			}
			got += x.Name
			if x.Dir {
				got += "/"
			}
		}
		if err != nil || got != want {
			t.Errorf("List(%q) = %q, %v, want %q", prefix, got, err, want)
		}
	}
	for _, key := range []string{"", ".", "/a", "../a", "a/../b", "a//b", "a/", "a\x00"} {
		if _, err := s.Get(ctx, key, store.All, -1, nil); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Get(%q) = %v, want fs.ErrInvalid", key, err)
		}
	}
	dead, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Get(dead, "a/b/c", store.All, -1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Get with a cancelled context = %v, want context.Canceled", err)
	}
}

// ReadOnly checks that a store that is only read says so.
func ReadOnly(t *testing.T, s store.Store) {
	t.Helper()
	if err := s.Put(context.Background(), "a/d", nil, store.PutOpt{}); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Put = %v, want ErrReadOnly", err)
	}
	if err := s.Delete(context.Background(), "a/d"); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Delete = %v, want ErrReadOnly", err)
	}
}

// Store checks an empty store s.
func Store(t *testing.T, s store.Store) {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	direct := false
	for k, v := range Values() {
		direct = !direct
		must(s.Put(ctx, k, []byte(v), store.PutOpt{Direct: direct}))
	}
	Read(t, s, true)
	want := []byte("0123456789")
	for _, key := range []string{"", ".", "/a", "../a", "a/../b", "a//b", "a/", "a\x00"} {
		if err := s.Put(ctx, key, want, store.PutOpt{}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Put(%q) = %v, want fs.ErrInvalid", key, err)
		}
	}
	if err := s.Put(ctx, "e", want, store.PutOpt{IfNoneMatch: true}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Put with IfNoneMatch of a key that is there = %v, want fs.ErrExist", err)
	}
	must(s.Put(ctx, "f", want, store.PutOpt{IfNoneMatch: true}))
	must(s.Delete(ctx, "f"))
	must(s.Delete(ctx, "f"))
	if _, err := s.Stat(ctx, "f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat of a deleted key = %v, want fs.ErrNotExist", err)
	}
	concurrent(t, s)
}

// concurrent overwrites one key from several goroutines: readers see whole values only.
func concurrent(t *testing.T, s store.Store) {
	ctx := context.Background()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			v := bytes.Repeat([]byte{byte('a' + g)}, 5000)
			for i := range 20 {
				if err := s.Put(ctx, "shared/key", v, store.PutOpt{}); err != nil {
					t.Error(err)
				}
				if err := s.Put(ctx, fmt.Sprintf("own/%d/%d", g, i), v, store.PutOpt{Direct: true}); err != nil {
					t.Error(err)
				}
				got, err := s.Get(ctx, "shared/key", store.All, -1, nil)
				if err != nil || len(got) != 5000 || !bytes.Equal(got, bytes.Repeat(got[:1], 5000)) {
					t.Errorf("Get while others put = %d bytes, %v, want one whole value", len(got), err)
				}
			}
		})
	}
	wg.Wait()
}
