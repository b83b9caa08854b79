// SPDX-License-Identifier: BSD-3-Clause

package cuda_test

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
)

// sector is what a device's memory gives at once; a warp's access costs one for each that it touches.
const sector = 32

// most is more columns of blocks than any launch has.
const most = 1 << 20

// traced makes the operands of a source tell each access: the thread, then the address. The log's address lies before each operand.
const traced = `template <class T> struct traced {
	T *p;
	T &operator[](i64 i) const {
		u64 *log = ((u64 **)p)[-1];
		const u64 k = log[0]++;
		log[1 + 2 * k] = ((u64)blockIdx.y * gridDim.x + blockIdx.x) * 256 + threadIdx.y * blockDim.x + threadIdx.x;
		log[2 + 2 * k] = (u64)(p + i);
		return p[i];
	}
};
`

var operands = regexp.MustCompile(`(?:const )?(\w+) \*__restrict__ ((?:in|out)\d+)`)

// sectors runs a launch over so many elements in the simulator, in at most so many columns of blocks, and returns how many sectors its warps touch, how many bytes the operands have, and the
// bytes of its first result. Byte i of each operand is i % 100.
func sectors(t *testing.T, l cuda.Launch, elements int64, blocks uint32, settings ...string) (touched, bytes int64, first []byte) {
	t.Helper()
	text := operands.ReplaceAllString(strings.Replace(l.Text, "\nextern", "\n"+traced+"\nextern", 1), "traced<$1> $2")
	sim := cudasim.Start(t, settings...)
	dev, err := sim.OpenDriver().Device(0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := dev.Primary()
	if err != nil {
		t.Fatal(err)
	}
	defer ctx.Close()
	n := sim.OpenNVRTC()
	c, err := n.Compile("k.cu", text, cuda.CompileOptions(n), driver.WantCubin)
	if err != nil {
		t.Fatal(err)
	}
	many := int64(len(l.In) + len(l.Out))
	logBytes := 8 + 16*elements*many
	var log []byte
	err = ctx.Do(func(s *driver.Session) error {
		mod, err := s.ModuleLoad(c.Cubin)
		if err != nil {
			return err
		}
		defer s.ModuleUnload(mod)
		fn, err := s.Function(mod, l.Entry)
		if err != nil {
			return err
		}
		stream, err := s.StreamCreate()
		if err != nil {
			return err
		}
		defer s.StreamDestroy(stream)
		host, err := s.HostAlloc(logBytes)
		if err != nil {
			return err
		}
		defer s.HostFree(host)
		at, err := s.MemAlloc(logBytes)
		if err != nil {
			return err
		}
		defer s.MemFree(at)
		if err := s.Memset(at, 0, 8, stream); err != nil {
			return err
		}
		var taken []driver.DevicePtr
		defer func() {
			for _, p := range taken {
				s.MemFree(p)
			}
		}()
		operand := func(d dtype.DType) (uint64, error) {
			bytes += elements * int64(d.Size())
			p, err := s.MemAlloc(256 + elements*int64(d.Size()))
			if err != nil {
				return 0, err
			}
			taken = append(taken, p)
			for i := range elements * int64(d.Size()) {
				host.Bytes()[i] = byte(i % 100)
			}
			if err := s.CopyToDevice(p.Add(256), host, 0, elements*int64(d.Size()), stream); err != nil {
				return 0, err
			}
			if err := s.StreamSynchronize(stream); err != nil {
				return 0, err
			}
			binary.NativeEndian.PutUint64(host.Bytes(), uint64(at))
			if err := s.CopyToDevice(p.Add(256-8), host, 0, 8, stream); err != nil {
				return 0, err
			}
			return uint64(p.Add(256)), s.StreamSynchronize(stream)
		}
		var in, out []uint64
		for _, d := range l.In {
			p, err := operand(d)
			if err != nil {
				return err
			}
			in = append(in, p)
		}
		for _, d := range l.Out {
			p, err := operand(d)
			if err != nil {
				return err
			}
			out = append(out, p)
		}
		var args driver.Args
		for _, v := range l.Args(in, out) {
			args.Uint(v)
		}
		l.Grid.X = min(l.Grid.X, blocks)
		if err := s.Launch(fn, l.Grid, l.Block, 0, stream, &args); err != nil {
			return err
		}
		if err := s.CopyToHost(host, 0, at, logBytes, stream); err != nil {
			return err
		}
		if err := s.StreamSynchronize(stream); err != nil {
			return err
		}
		log = append(log, host.Bytes()...)
		n := elements * int64(l.Out[0].Size())
		if err := s.CopyToHost(host, 0, driver.DevicePtr(out[0]), n, stream); err != nil {
			return err
		}
		if err := s.StreamSynchronize(stream); err != nil {
			return err
		}
		first = append(first, host.Bytes()[:n]...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	word := func(i uint64) uint64 { return binary.NativeEndian.Uint64(log[8*i:]) }
	if want := uint64(elements * many); word(0) != want {
		t.Fatalf("%d accesses, want %d", word(0), want)
	}
	type access struct{ warp, nth, sector uint64 }
	of, seen := map[uint64]uint64{}, map[access]bool{} // accesses of each thread so far
	for k := range word(0) {
		thread, addr := word(1+2*k), word(2+2*k)
		seen[access{thread / 32, of[thread], addr / sector}] = true
		of[thread]++
	}
	return int64(len(seen)), bytes, first
}

// TestSectors adds an array to a transposed one, and counts what the warps touch: in squares each sector once, in rows one for each element of the
// transposed array.
func TestSectors(t *testing.T) {
	for _, shape := range []chunk.Shape{{64, 96}, {40, 3, 70}} {
		for _, d := range []dtype.DType{dtype.Uint8, dtype.Float32, dtype.Complex128} {
			t.Run(fmt.Sprint(shape, d), func(t *testing.T) {
				b := kernels.NewBuilder(len(shape))
				b.Ret(b.Apply(kernels.OpAdd, b.Input(kernels.In(d)), b.Input(kernels.In(d))))
				own, other := cuda.LaunchesOf(t, build(t, b), shape, "plain", "turned")
				if own.Template != "tiles" {
					t.Fatalf("the template is %s, want tiles", own.Template)
				}
				tiles, bytes, _ := sectors(t, own, shape.Size(), most)
				rows, _, _ := sectors(t, other, shape.Size(), most)
				once := bytes / sector
				t.Logf("%d sectors in squares, %d in rows, %d hold the operands", tiles, rows, once)
				if whole := shape[0]%32 == 0; whole && tiles != once || tiles > 3*once || tiles >= rows {
					t.Errorf("%d sectors in squares, %d in rows, %d hold the operands", tiles, rows, once)
				}
				if turnedOnes := shape.Size(); rows < turnedOnes {
					t.Errorf("%d sectors in rows, want one for each of %d elements", rows, turnedOnes)
				}
			})
		}
	}
}

// TestSquaresInTurn has one block of threads do all squares, which take turns in the memory that its threads share.
func TestSquaresInTurn(t *testing.T) {
	shape := chunk.Shape{70, 2, 101}
	b := kernels.NewBuilder(len(shape))
	x := b.Input(kernels.In(dtype.Uint8))
	b.Ret(b.Apply(kernels.OpInvert, x))
	own, _ := cuda.LaunchesOf(t, build(t, b), shape, "turned")
	for _, order := range []string{"order=forward", "order=reverse", "order=shuffle"} {
		_, _, out := sectors(t, own, shape.Size(), 1, order)
		for i, n := 0, shape.RowMajor(); i < len(out); i++ {
			at, rest := int64(0), int64(i)
			for a := range shape {
				at += rest / n[a] * own.Strides[0][a]
				rest %= n[a]
			}
			if want := ^byte(at % 100); out[i] != want {
				t.Fatalf("%s: element %d is %d, want %d", order, i, out[i], want)
			}
		}
	}
}
