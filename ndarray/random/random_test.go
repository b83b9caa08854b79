// SPDX-License-Identifier: BSD-3-Clause

package random_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/random"
	"github.com/arrayrun/arrayrun/sched"
)

func newEngine(t *testing.T, o sched.Options) *sched.Engine {
	t.Helper()
	eng, err := sched.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close() })
	return eng
}

// bytesOf computes an array and returns the bytes of its elements in C order.
func bytesOf(t *testing.T, eng ndarray.Engine, a ndarray.Array) []byte {
	t.Helper()
	if err := a.Err(); err != nil {
		t.Fatal(err)
	}
	size := int64(a.DType().Size())
	out := make([]byte, a.Size()*size)
	strides := a.Shape().RowMajor()
	err := eng.Run(context.Background(), []ndarray.Output{{Array: a, Each: func(at chunk.Region, c *chunk.Chunk) error {
		dst := &chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: c.Shape, Strides: strides, Block: mem.Wrap(out)}
		for i, x := range at.Lo {
			dst.Offset += x * strides[i]
		}
		formats.CopyElems(dst, c)
		return nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func floats(t *testing.T, eng ndarray.Engine, a ndarray.Array) []float64 {
	t.Helper()
	v, err := ndarray.Values[float64](context.Background(), eng, a.AsType(dtype.Float64))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// drawn is a call in testdata/streams.json.
type drawn struct {
	Name   string
	Args   []json.RawMessage
	Shape  chunk.Shape
	DType  string
	Hex    string
	SHA256 string
}

// call makes the array of a call.
func (c drawn) call(t *testing.T, g *random.Generator, opts ...ndarray.Option) ndarray.Array {
	t.Helper()
	dt, err := dtype.Parse(c.DType)
	if err != nil {
		t.Fatal(err)
	}
	read := func(i int, v any) {
		if err := json.Unmarshal(c.Args[i], v); err != nil {
			t.Fatal(err)
		}
	}
	switch c.Name {
	case "random":
		return g.Random(c.Shape, dt, opts...)
	case "bits":
		return g.Bits(c.Shape, dt, opts...)
	case "integers":
		var lo, hi int64
		read(0, &lo)
		read(1, &hi)
		return g.Integers(lo, hi, c.Shape, dt, opts...)
	case "uniform":
		var lo, hi float64
		read(0, &lo)
		read(1, &hi)
		return g.Uniform(lo, hi, c.Shape, dt, opts...)
	case "exponential":
		var scale float64
		read(0, &scale)
		return g.Exponential(scale, c.Shape, dt, opts...)
	case "choice":
		var n int64
		var weights []float64
		read(0, &n)
		read(1, &weights)
		return g.Choice(n, weights, c.Shape, opts...)
	}
	t.Fatalf("no call %q", c.Name)
	return ndarray.Array{}
}

// TestNumPy compares streams, call after call, with NumPy's (testdata/streams.py): bit for bit but for the logarithm of exponential, which is within 4 ulp.
func TestNumPy(t *testing.T) {
	b, err := os.ReadFile("testdata/streams.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Streams []struct {
			Seed  uint64
			Path  []int
			Calls []drawn
		}
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	eng := newEngine(t, sched.Options{Memory: 64 << 20})
	for _, s := range golden.Streams {
		t.Run(fmt.Sprintf("%d%v", s.Seed, s.Path), func(t *testing.T) {
			g := random.New(s.Seed)
			for _, k := range s.Path {
				children, err := g.Spawn(k + 1)
				if err != nil {
					t.Fatal(err)
				}
				g = children[k]
			}
			for i, c := range s.Calls {
				a := c.call(t, g)
				if a.Err() != nil {
					t.Fatal(a.Err())
				}
				if a.DType().String() != c.DType || !a.Shape().Equal(c.Shape) {
					t.Fatalf("call %d, %s: got %v, want %s%v", i, c.Name, a, c.DType, c.Shape)
				}
				got := bytesOf(t, eng, a)
				if c.SHA256 != "" {
					if h := sha256.Sum256(got); hex.EncodeToString(h[:]) != c.SHA256 {
						t.Errorf("call %d, %s %s of %s%v: the bytes are not NumPy's", i, c.Name, c.Args, c.DType, c.Shape)
					}
					continue
				}
				want, err := hex.DecodeString(c.Hex)
				if err != nil {
					t.Fatal(err)
				}
				if c.Name == "exponential" {
					near(t, floatsIn(got), floatsIn(want))
				} else if string(got) != string(want) {
					t.Errorf("call %d, %s %s of %s%v: got %x, want %x", i, c.Name, c.Args, c.DType, c.Shape, got, want)
				}
			}
		})
	}
}

func floatsIn(b []byte) []float64 {
	out := make([]float64, len(b)/8)
	for i := range out {
		out[i] = math.Float64frombits(binary.NativeEndian.Uint64(b[8*i:]))
	}
	return out
}

func near(t *testing.T, got, want []float64) {
	t.Helper()
	for i := range want {
		if d := math.Abs(got[i] - want[i]); !(d <= 4*0x1p-52*math.Abs(want[i])) {
			t.Errorf("element %d: got %v, want %v", i, got[i], want[i])
		}
	}
}
