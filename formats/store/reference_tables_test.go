// SPDX-License-Identifier: BSD-3-Clause

package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/store/storetest"
)

const tablesDoc = `{"metadata": {".zgroup": {"zarr_format": 2}, "x/.zarray": {"shape": [5, 30], "chunks": [2, 10]}, "x/.zattrs": {}, "s/.zarray": {"shape": [], "chunks": []},
 "none/.zarray": {"shape": [0], "chunks": [3]}, "bad/.zarray": {"shape": [5], "chunks": [0]}, "wide/.zarray": {"shape": [9223372036854775807, 9223372036854775807], "chunks": [1, 1]},
 "long/.zarray": {"shape": [1000000000], "chunks": [1]}}, "record_size": 4}`

// rowsOf are the tables of the tests by their keys.
func rowsOf(read map[string]int) store.RowsReader {
	var mu sync.Mutex
	return func(_ context.Context, _ store.Store, key string) (*store.Rows, error) {
		mu.Lock()
		read[key]++
		mu.Unlock()
		switch key {
		case "x/refs.0.parq":
			return &store.Rows{URL: []string{"mem://f", "mem://d", "", ""}, Off: []int64{4, 0, 0, 0}, Len: []int64{10, 0, 0, 0}, Raw: []string{"", "", "base64:QUI=", ""}}, nil
		case "x/refs.2.parq":
			return &store.Rows{URL: []string{"mem://f"}, Off: []int64{-1}, Len: []int64{1}}, nil
		case "s/refs.0.parq":
			return &store.Rows{URL: []string{""}, Off: []int64{0}, Len: []int64{0}, Raw: []string{"scalar"}}, nil
		case "long/refs.0.parq":
			return &store.Rows{URL: make([]string, 5), Off: make([]int64, 5), Len: make([]int64, 5)}, nil
		case "long/refs.1.parq":
			return &store.Rows{URL: make([]string, 4), Off: make([]int64, 3), Len: make([]int64, 4)}, nil
		case "long/refs.2.parq":
			return nil, fs.ErrPermission
		}
		return nil, fs.ErrNotExist
	}
}

// TestReferenceTables: rows stand for chunks in the order of the grid; what has no row was never written.
func TestReferenceTables(t *testing.T) {
	ctx := context.Background()
	var m store.Memory
	for k, v := range map[string]string{"f": "....0123456789..x", "d": "x"} {
		if err := m.Put(ctx, k, []byte(v), store.PutOpt{}); err != nil {
			t.Fatal(err)
		}
	}
	open := func(_ context.Context, url string) (store.Store, string, error) {
		return &m, strings.TrimPrefix(url, "mem://"), nil
	}
	read := map[string]int{}
	r, err := store.NewReferenceTables([]byte(tablesDoc), &m, open, rowsOf(read))
	if err != nil {
		t.Fatal(err)
	}
	storetest.ReadOnly(t, r)
	if store.LatencyOf(r) != store.Local {
		t.Error("nothing that is known lies behind a network")
	}
	for key, want := range map[string]string{
		"x/0.0": "0123456789", "x/0.1": "x", "x/0.2": "AB", "s/0": "scalar", ".zgroup": `{"zarr_format": 2}`, "x/.zattrs": "{}", "x/0/1": "x",
	} {
		if b, err := r.Get(ctx, key, store.All, -1, nil); err != nil || string(b) != want {
			t.Errorf("Get(%q) = %q, %v, want %q", key, b, err, want)
		}
		if i, err := r.Stat(ctx, key); err != nil || i.Size != int64(len(want)) {
			t.Errorf("Stat(%q) = %v, %v, want %d bytes", key, i, err, len(want))
		}
	}
	if b, err := r.Get(ctx, "x/0.0", store.Range{Off: 3, Len: 2}, -1, nil); err != nil || string(b) != "34" {
		t.Errorf("a range = %q, %v", b, err)
	}
	if store.LatencyOf(r) != store.Remote {
		t.Error("values lie behind a network")
	}
	for _, key := range []string{"x/1.0", "x/1.1", "x/2.0", "x/3.0", "x/0.3", "x/0", "x/0.0.0", "x/00.0", "x/-1.0", "x/a.b", "none/0", "s/1", "s", "y/0", "0", "refs.0.parq"} {
		if _, err := r.Get(ctx, key, store.All, -1, nil); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Get(%q) = %v, want fs.ErrNotExist", key, err)
		}
	}
	for key, want := range map[string]error{"x/2.2": store.ErrDamaged, "bad/0": store.ErrDamaged, "wide/0.0": store.ErrDamaged, "long/0": store.ErrDamaged, "long/4": store.ErrDamaged, "long/8": fs.ErrPermission} {
		if _, err := r.Get(ctx, key, store.All, -1, nil); !errors.Is(err, want) {
			t.Errorf("Get(%q) = %v, want %v", key, err, want)
		}
	}
	if read["x/refs.0.parq"] != 1 || read["x/refs.1.parq"] != 1 {
		t.Errorf("tables are read %v times, want once each", read)
	}
	for prefix, want := range map[string]string{"": ".zgroup .zmetadata bad/ long/ none/ s/ wide/ x/", "s": ".zarray 0", "none": ".zarray"} {
		l, err := r.List(ctx, prefix)
		var got []string
		for _, i := range l {
			if i.Dir {
				i.Name += "/"
			}
			got = append(got, i.Name)
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("List(%q) = %q, %v, want %q", prefix, got, err, want)
		}
	}
	for prefix, want := range map[string]error{"x": store.ErrDamaged, "long": errors.ErrUnsupported, "bad": store.ErrDamaged} {
		if l, err := r.List(ctx, prefix); !errors.Is(err, want) {
			t.Errorf("List(%q) = %v, %v, want %v", prefix, l, err, want)
		}
	}
}

// TestReferenceTablesKept: tables are read again when they have been forgotten, and by many at once.
func TestReferenceTablesKept(t *testing.T) {
	ctx := context.Background()
	var m store.Memory
	long := strings.Repeat("v", 1<<20)
	var mu sync.Mutex
	count := map[string]int{}
	r, err := store.NewReferenceTables([]byte(`{"record_size": 2, "metadata": {"x/.zarray": {"shape": [400], "chunks": [1]}}}`), &m, nowhere,
		func(_ context.Context, _ store.Store, key string) (*store.Rows, error) {
			mu.Lock()
			count[key]++
			mu.Unlock()
			return &store.Rows{URL: make([]string, 2), Off: make([]int64, 2), Len: make([]int64, 2), Raw: []string{"a" + key, long}}, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 800 {
				n := (i*(g+1) + g) % 200
				key := fmt.Sprint("x/", 2*n)
				if b, err := r.Get(ctx, key, store.All, -1, nil); err != nil || string(b) != fmt.Sprintf("ax/refs.%d.parq", n) {
					t.Errorf("Get(%q) = %q, %v", key, b, err)
				}
			}
		})
	}
	wg.Wait()
	if len(count) != 200 {
		t.Errorf("%d tables were read, want 200", len(count))
	}
	again := 0
	for _, n := range count {
		again += n - 1
	}
	if again == 0 {
		t.Error("200 MiB of tables were all kept, want at most 64 MiB")
	}
}

// hostileTables are documents that must be refused.
var hostileTables = []string{
	"", "5", `{"metadata": {}}`, `{"record_size": 0}`, `{"record_size": -4}`, `{"record_size": 99999999999}`, `{"record_size": 1.5}`, `{"record_size": "3"}`,
	`{"record_size": 3, "metadata": []}`, `{"record_size": 3, "metadata": {"a": `,
}

func TestReferenceTablesHostile(t *testing.T) {
	var m store.Memory
	for _, doc := range hostileTables {
		if _, err := store.NewReferenceTables([]byte(doc), &m, nowhere, nil); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", doc, err)
		}
	}
	for doc, want := range map[string]bool{tablesDoc: true, `{"zarr_consolidated_format": 1, "metadata": {"x/.zattrs": {"record_size": 4}}}`: false, `{"record_size": 1`: false, "": false} {
		if got := store.IsReferenceTables([]byte(doc)); got != want {
			t.Errorf("IsReferenceTables(%.40s) = %v", doc, got)
		}
	}
}

func FuzzReferenceTables(f *testing.F) {
	f.Add([]byte(tablesDoc), "x/0.0")
	for _, doc := range hostileTables {
		f.Add([]byte(doc), "x/0")
	}
	var m store.Memory
	if err := m.Put(context.Background(), "f", []byte("0123456789"), store.PutOpt{}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, doc []byte, key string) {
		store.IsReferenceTables(doc)
		r, err := store.NewReferenceTables(doc, &m, func(context.Context, string) (store.Store, string, error) { return &m, "f", nil }, rowsOf(map[string]int{}))
		if err != nil {
			if !errors.Is(err, store.ErrDamaged) {
				t.Errorf("NewReferenceTables = %v, want ErrDamaged", err)
			}
			return
		}
		_, _ = r.Get(context.Background(), key, store.All, 1<<20, nil) // any error will do
		for _, dir := range []string{"", "x"} {
			l, err := r.List(context.Background(), dir)
			if err != nil {
				continue
			}
			for _, i := range l {
				name := i.Name
				if i.Dir {
					continue
				}
				if dir != "" {
					name = dir + "/" + name
				}
				if _, err := r.Stat(context.Background(), name); errors.Is(err, fs.ErrNotExist) {
					t.Errorf("Stat of %q, which is listed = %v", name, err)
				}
			}
		}
	})
}
