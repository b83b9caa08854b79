// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// TestTableMemory: a table that is larger than the budget is written inside it and 48 MiB, most of which is the program itself.
func TestTableMemory(t *testing.T) {
	if testing.Short() || raceEnabled || runtime.GOOS != "linux" {
		t.Skip("short, or memory that is not the program's alone")
	}
	const memory, rows = 32 << 20, 4 << 20
	ctx := context.Background()
	in := filepath.Join(t.TempDir(), "a.npz")
	var spec formats.Spec
	var chunks []*chunk.Chunk
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"noise", "count"} { // a dictionary is given up for the second
		d := map[string]dtype.DType{"noise": dtype.Float64, "count": dtype.Int64}[name]
		spec.Vars = append(spec.Vars, formats.VarSpec{Name: name, Shape: chunk.Shape{rows}, DType: d})
		c := formattest.New(d, 8, chunk.Shape{rows})
		for i := range int64(rows) {
			if d == dtype.Int64 {
				chunk.Slice[int64](c)[i] = i
			} else {
				chunk.Slice[float64](c)[i] = r.NormFloat64()
			}
		}
		chunks = append(chunks, c)
	}
	w, err := all.Create(ctx, in, spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := formattest.Write(ctx, w, chunks); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ name, codec string }{{"a.parquet", "zstd"}, {"a.parquet", "gzip"}, {"a.parquet", "snappy"}, {"a.feather", "lz4"}, {"a.feather", "zstd"}} {
		stats := filepath.Join(t.TempDir(), "stats.json")
		c, _, errs := command(t, "convert", in, filepath.Join(t.TempDir(), x.name), "--codec", x.codec, "--memory", formatSize(memory), "--workers", "2", "--stats", stats)
		if err := c.Run(); err != nil {
			t.Fatalf("%s, %s: %v\n%s", x.name, x.codec, err, errs)
		}
		b, err := os.ReadFile(stats)
		if err != nil {
			t.Fatal(err)
		}
		var st struct {
			Peak int64 `json:"peak_rss_bytes"`
		}
		if err := json.Unmarshal(b, &st); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s, %s: %s resident", x.name, x.codec, formatBytes(st.Peak))
		if st.Peak == 0 || st.Peak > memory+48<<20 {
			t.Errorf("%s, %s: %s resident, want at most %s", x.name, x.codec, formatBytes(st.Peak), formatBytes(memory+48<<20))
		}
	}
}
