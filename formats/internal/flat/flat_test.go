// SPDX-License-Identifier: BSD-3-Clause

package flat

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// TestRead compares random boxes of random layouts, records with gaps among them, with their definition.
func TestRead(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for trial := range 500 {
		shape := chunk.Shape{1 + r.Int63n(5), 1 + r.Int63n(70), 1 + r.Int63n(90)}[:1+r.Intn(3)]
		item := []int{1, 2, 4, 8}[r.Intn(4)]
		st := RowMajor(shape, item)
		st[0] += 4 * r.Int63n(3) // as records have it: not always whole elements
		file := make([]byte, 16+shape[0]*st[0]+8)
		r.Read(file)
		a := Array{R: bytes.NewReader(file), Base: 16, Strides: st, Item: item, Swap: item}
		reg := chunk.Whole(shape)
		for i, n := range shape {
			reg.Lo[i] = r.Int63n(n)
			reg.Hi[i] = reg.Lo[i] + 1 + r.Int63n(n-reg.Lo[i])
		}
		rs := reg.Shape()
		dst := &chunk.Chunk{DType: dtype.Raw, ItemBytes: int32(item), Shape: rs, Strides: rs.RowMajor(), Block: mem.Wrap(make([]byte, 3*rs.Size()*int64(item)))}
		if r.Intn(2) == 0 {
			for i := range dst.Strides {
				dst.Strides[i] *= 2
			}
			dst.Offset = 1
		}
		if _, err := a.Read(context.Background(), reg, dst); err != nil {
			t.Fatalf("trial %d: %v", trial, err)
		}
		idx := make([]int64, len(shape))
		for {
			place, at := int64(16), dst.Offset
			for i, x := range idx {
				place += (reg.Lo[i] + x) * st[i]
				at += x * dst.Strides[i]
			}
			want := bytes.Clone(file[place : place+int64(item)])
			for i, j := 0, item-1; i < j; i, j = i+1, j-1 {
				want[i], want[j] = want[j], want[i]
			}
			if got := dst.Block.Bytes()[at*int64(item):][:item]; !bytes.Equal(got, want) {
				t.Fatalf("trial %d: shape %v, region %v, item %d, strides %v: element %v = %x, want %x", trial, shape, reg, item, st, idx, got, want)
			}
			if !advance(idx, rs) {
				break
			}
		}
	}
}

func TestReadCutOff(t *testing.T) {
	file := make([]byte, 30)
	binary.BigEndian.PutUint32(file, 1)
	a := Array{R: bytes.NewReader(file), Strides: []int64{4}, Item: 4}
	dst := &chunk.Chunk{DType: dtype.Int32, ItemBytes: 4, Shape: chunk.Shape{8}, Strides: []int64{1}, Block: mem.Wrap(make([]byte, 32))}
	if _, err := a.Read(context.Background(), chunk.Whole(chunk.Shape{8}), dst); !errors.Is(err, formats.ErrCorrupt) {
		t.Fatalf("Read past the end = %v, want an error wrapping ErrCorrupt", err)
	}
}
