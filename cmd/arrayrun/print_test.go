// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// TestArrayText compares with what NumPy printed: testdata/print.py.
func TestArrayText(t *testing.T) {
	f, err := os.Open("testdata/print.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		var c struct {
			DType, Data, Text string
			Shape             chunk.Shape
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		data, err := hex.DecodeString(c.Data)
		if err != nil {
			t.Fatal(err)
		}
		dt, err := dtype.Parse(c.DType)
		if err != nil {
			t.Fatal(err)
		}
		part := c.Shape.Clone()
		for i, at := range printPositions(c.Shape) {
			part[i] = int64(len(at))
		}
		k := &chunk.Chunk{DType: dt, ItemBytes: int32(dt.Size()), Shape: part, Strides: part.RowMajor(), Block: mem.Wrap(data)}
		if got := arrayText(c.Shape, k); got != c.Text {
			t.Errorf("line %d: %s %v: got\n%s\nwant\n%s", n+1, c.DType, c.Shape, got, c.Text)
		}
	}
	if n < 200 {
		t.Errorf("%d cases, want 200 or more", n)
	}
}
