// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
	"github.com/arrayrun/arrayrun/formats/store"
)

// far is a store behind a network whose requests are counted in rounds: those under way together are one.
type far struct {
	store.Store
	mu          sync.Mutex
	now, rounds int
	reads       int
}

func (*far) Latency() store.Latency { return store.Remote }

func (f *far) Get(ctx context.Context, key string, r store.Range, limit int64, buf []byte) ([]byte, error) {
	f.mu.Lock()
	if f.now++; f.now == 1 {
		f.rounds++
	}
	f.reads++
	f.mu.Unlock()
	time.Sleep(5 * time.Millisecond)
	b, err := f.Store.Get(ctx, key, r, limit, buf)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now--
	return b, err
}

// TestAhead opens hierarchies without consolidated metadata from far away: not in one round for each document.
func TestAhead(t *testing.T) {
	ctx := context.Background()
	spec := formats.Spec{}
	var data []*chunk.Chunk
	for i := range 24 {
		spec.Vars = append(spec.Vars, formats.VarSpec{Name: fmt.Sprint("v", i), Dims: []string{"x"}, Shape: chunk.Shape{2}, DType: dtype.Int16, Attrs: formats.Attrs{{Name: "units", Value: "m"}}})
		data = append(data, formattest.New(dtype.Int16, 2, chunk.Shape{2}))
	}
	for format, root := range map[string]string{"zarr2": ".zmetadata", "zarr3": "zarr.json"} {
		m := &store.Memory{}
		spec.Format = format
		w, err := CreateStore(ctx, m, spec)
		if err == nil {
			err = formattest.Write(ctx, w, data)
		}
		if err == nil { // the root without what it knows of the others
			err = m.Delete(ctx, root)
		}
		if err == nil && format == "zarr3" {
			err = m.Put(ctx, root, []byte(`{"zarr_format": 3, "node_type": "group", "attributes": {}}`), store.PutOpt{})
		}
		if err != nil {
			t.Fatal(err)
		}
		f := &far{Store: m}
		g, err := OpenStore(ctx, f)
		if err != nil || len(g.Vars) != 24 {
			t.Errorf("%s: %v, or not 24 variables", format, err)
			continue
		}
		for _, v := range g.Vars {
			if u, _ := v.Attrs.Get("units"); v.Err != nil || u != "m" || len(v.Dims) != 1 {
				t.Errorf("%s: %s has units %v and dimensions %v, %v", format, v.Name, u, v.Dims, v.Err)
			}
		}
		if 3*f.rounds > f.reads {
			t.Errorf("%s: %d requests came in %d rounds, want a few", format, f.reads, f.rounds)
		}
	}
}
