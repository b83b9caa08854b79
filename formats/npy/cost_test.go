// SPDX-License-Identifier: BSD-3-Clause

package npy

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// TestRegionBytes: what a region is said to take is what reading it takes.
func TestRegionBytes(t *testing.T) {
	const shape = "(6, 40, 3000)"
	for _, order := range []string{"False", "True"} {
		header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': %s, 'shape': %s, }", order, shape)
		header += string(bytes.Repeat([]byte(" "), 117-len(header))) + "\n"
		file := append([]byte("\x93NUMPY\x01\x00v\x00"+header), make([]byte, 4*6*40*3000)...)
		g, err := openFile(context.Background(), bytes.NewReader(file), int64(len(file)), "a.npy")
		if err != nil {
			t.Fatal(err)
		}
		b := g.Vars[0].Source.(*box)
		whole := chunk.Shape{6, 40, 3000}
		r := rand.New(rand.NewPCG(1, 2))
		for range 300 {
			part := chunk.Region{Lo: make(chunk.Shape, 3), Hi: make(chunk.Shape, 3)}
			for i, n := range whole {
				part.Lo[i] = r.Int64N(n)
				part.Hi[i] = part.Lo[i] + 1 + r.Int64N(n-part.Lo[i])
				if r.IntN(3) == 0 {
					part.Lo[i], part.Hi[i] = 0, n
				}
			}
			want := b.RegionBytes(part.Shape())
			got, err := b.ReadRegion(context.Background(), part, formattest.New(b.meta.DType, 4, part.Shape()))
			if err != nil || got != want {
				t.Fatalf("order %s, region %v: %d bytes are read (%v), %d were said", order, part, got, err, want)
			}
		}
	}
}
