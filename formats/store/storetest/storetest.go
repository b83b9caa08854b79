// SPDX-License-Identifier: BSD-3-Clause

package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
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
	many(t, s)
	for key, size := range map[string]int64{"e": 0, "a/b/c": 10} {
		o, err := store.NewObject(ctx, s, key)
		if err != nil || o.Size() != size {
			t.Errorf("NewObject(%q) = %v, want %d bytes", key, err, size)
			continue
		}
		p := make([]byte, 20)
		if n, err := o.ReadAt(p, 0); int64(n) != size || err != io.EOF {
			t.Errorf("ReadAt of 20 bytes from %q = %d, %v, want %d and the end", key, n, err, size)
		}
	}
	if _, err := store.NewObject(ctx, s, "nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("NewObject of a key that is not there = %v, want fs.ErrNotExist", err)
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
	race(t, s)
}

// WriteOnce checks an empty store whose keys are put once and stay.
func WriteOnce(t *testing.T, s store.Store) {
	t.Helper()
	ctx := context.Background()
	for k, v := range Values() {
		if err := s.Put(ctx, k, []byte(v), store.PutOpt{}); err != nil {
			t.Fatal(err)
		}
	}
	Read(t, s, true)
	if err := s.Put(ctx, "e", nil, store.PutOpt{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Put of a key that is there = %v, want fs.ErrExist", err)
	}
	if err := s.Put(ctx, "../e", nil, store.PutOpt{}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("Put outside the store = %v, want fs.ErrInvalid", err)
	}
	if err := s.Delete(ctx, "e"); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Delete = %v, want ErrReadOnly", err)
	}
	if err := s.Delete(ctx, "nothing"); err != nil {
		t.Errorf("Delete of a key that is not there = %v", err)
	}
	race(t, s)
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

// race puts one new key from many goroutines: one of them succeeds.
func race(t *testing.T, s store.Store) {
	t.Helper()
	ctx := context.Background()
	for n := range 3 {
		key := fmt.Sprintf("race/%d", n)
		var wg sync.WaitGroup
		var won atomic.Int64
		var value atomic.Value
		for g := range 16 {
			wg.Go(func() {
				v := fmt.Sprintf("value %d", g)
				switch err := s.Put(ctx, key, []byte(v), store.PutOpt{IfNoneMatch: true}); {
				case err == nil:
					won.Add(1)
					value.Store(v)
				case !errors.Is(err, fs.ErrExist):
					t.Errorf("Put with IfNoneMatch against others = %v, want nil or fs.ErrExist", err)
				}
			})
		}
		wg.Wait()
		got, err := s.Get(ctx, key, store.All, -1, nil)
		if won.Load() != 1 || err != nil || string(got) != value.Load() {
			t.Errorf("%d of 16 put a key once, want one; it is %q, %v, want %q", won.Load(), got, err, value.Load())
		}
	}
}

// many reads with GetMany what Values holds, and what it does not.
func many(t *testing.T, s store.Store) {
	t.Helper()
	ctx := context.Background()
	type want struct {
		text string
		err  error
	}
	reqs := []store.Req{{Key: "a/b/c", Range: store.All, Limit: -1}, {Key: "nowhere", Range: store.All, Limit: -1}, {Key: "a/d", Range: store.All, Limit: 0},
		{Key: "e", Range: store.All, Limit: 10}, {Key: "a/b/c", Range: store.Suffix(3), Limit: -1}, {Key: "../a", Range: store.All}}
	wants := []want{{"0123456789", nil}, {"", fs.ErrNotExist}, {"", store.ErrRange}, {"", nil}, {"789", nil}, {"", fs.ErrInvalid}}
	for lo := range int64(10) {
		for hi := lo; hi <= 10; hi++ {
			reqs = append(reqs, store.Req{Key: "a/b/c", Range: store.Range{Off: lo, Len: hi - lo}, Limit: 20})
			wants = append(wants, want{"0123456789"[lo:hi], nil})
		}
	}
	reqs = append(reqs, store.Req{Key: "a/b/c", Range: store.Range{Off: 9, Len: 2}, Limit: 20}, store.Req{Key: "a/b/c", Range: store.Range{Off: 3, Len: 2}, Limit: 1})
	wants = append(wants, want{"", store.ErrRange}, want{"", store.ErrRange})
	seen := make([]int, len(reqs))
	err := store.GetMany(ctx, s, reqs, func(i int, b []byte, err error) error {
		seen[i]++
		if w := wants[i]; !errors.Is(err, w.err) || w.err != nil && err == nil || string(b) != w.text {
			t.Errorf("GetMany(%+v) = %q, %v, want %q, %v", reqs[i], b, err, w.text, w.err)
		}
		return nil
	})
	if err != nil {
		t.Errorf("GetMany = %v", err)
	}
	for i, n := range seen {
		if n != 1 {
			t.Errorf("GetMany gave %+v %d times, want once", reqs[i], n)
		}
	}
	stop := errors.New("stop")
	if err := store.GetMany(ctx, s, reqs, func(int, []byte, error) error { return stop }); err != stop {
		t.Errorf("GetMany whose sink fails = %v, want the sink's error", err)
	}
	dead, cancel := context.WithCancel(ctx)
	cancel()
	if err := store.GetMany(dead, s, reqs, func(int, []byte, error) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("GetMany with a cancelled context = %v, want context.Canceled", err)
	}
}
