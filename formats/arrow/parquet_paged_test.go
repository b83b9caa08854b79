// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// TestPaged reads row groups in parts of a few rows: the same values as whole ones have, in every encoding and compression.
func TestPaged(t *testing.T) {
	names, err := filepath.Glob("testdata/*.parquet")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	defer func(n int64) { parquetPiece = n }(parquetPiece)
	columns := 0
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]string
		for _, piece := range []int64{1 << 30, 1 << 10, 100, 1} {
			parquetPiece = piece
			g, err := openBytes(b)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			sums := map[string]string{}
			for _, v := range g.Vars {
				if v.Err != nil {
					continue
				}
				c, err := formattest.ReadAll(context.Background(), v.Source)
				if err != nil {
					t.Errorf("%s: %s in parts of %d bytes: %v", name, v.Name, piece, err)
					continue
				}
				sums[v.Name] = checksum(c)
				s := v.Source.(*parquetSource)
				if rows := s.meta.Grid.MaxChunk().Size(); s.c.typ.kind != kindNone && rows > 1 && rows*int64(s.meta.ItemBytes) > piece {
					t.Errorf("%s: %s: a chunk of %d rows, want at most %d bytes", name, v.Name, rows, piece)
				}
				if s.paged {
					columns++
				}
			}
			if want == nil {
				want = sums
			}
			for col, sum := range sums {
				if sum != want[col] {
					t.Errorf("%s: %s in parts of %d bytes: MD5 %s, want %s", name, col, piece, sum, want[col])
				}
			}
		}
	}
	if columns < 100 {
		t.Errorf("%d columns were read in parts, want 100 and more", columns)
	}
}

// TestStatistics: the least and the greatest value of every row group are those of its rows, also where the rows were given to
// the library in several parts whose memory is used again.
func TestStatistics(t *testing.T) {
	const n = 3*putRows + 1000
	texts := &chunk.Chunk{DType: dtype.String, ItemBytes: 16, Shape: chunk.Shape{n}, Strides: []int64{1}, Block: mem.Wrap(make([]byte, 16*n))}
	records := &chunk.Chunk{DType: dtype.Raw, ItemBytes: 8, Shape: chunk.Shape{n}, Strides: []int64{1}, Block: mem.Wrap(make([]byte, 8*n))}
	for i := range int64(n) {
		text := fmt.Sprintf("%07d", (i*7919+500)%n) // the least and the greatest are somewhere among them
		formats.SetText(texts, i, []byte(text))
		copy(records.Block.Bytes()[8*i:], text)
	}
	path := filepath.Join(t.TempDir(), "a.parquet")
	grid := chunk.Regular(chunk.Shape{n})
	spec := formats.Spec{Vars: []formats.VarSpec{{Name: "t", Dims: []string{"x"}, Shape: texts.Shape, DType: dtype.String, Grid: &grid},
		{Name: "r", Dims: []string{"x"}, Shape: texts.Shape, DType: dtype.Raw, ItemBytes: 8, Stored: "opaque8", Grid: &grid}}}
	ctx := context.Background()
	w, err := Parquet.Create(ctx, path, spec)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []*chunk.Chunk{texts, records} {
		if _, err := w.Sink(i).WriteChunk(ctx, chunk.Key{0}, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	f, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lo, hi := "", ""
	for g := range f.NumRowGroups() {
		for col := range 2 {
			c, err := f.MetaData().RowGroup(g).ColumnChunk(col)
			if err != nil {
				t.Fatal(err)
			}
			s, err := c.Statistics()
			if err != nil || !s.HasMinMax() {
				t.Fatalf("row group %d, column %d: no statistics: %v", g, col, err)
			}
			var least, most string
			switch s := s.(type) {
			case *metadata.ByteArrayStatistics:
				least, most = string(s.Min()), string(s.Max())
			case *metadata.FixedLenByteArrayStatistics:
				least, most = string(s.Min()[:7]), string(s.Max()[:7])
			}
			if lo == "" || least < lo {
				lo = least
			}
			hi = max(hi, most)
		}
	}
	if want := fmt.Sprintf("%07d", n-1); lo != "0000000" || hi != want {
		t.Errorf("values from %q to %q, want from %q to %q", lo, hi, "0000000", want)
	}
}
