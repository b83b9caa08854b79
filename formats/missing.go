// SPDX-License-Identifier: BSD-3-Clause

package formats

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Missing lets reading go on where chunks are damaged: their elements become missing values, and the chunks are counted. That is
// NaN for floats and complex numbers, NaT for times of NumPy's, and the number that the attributes _FillValue or missing_value
// name for integers. What has none of these stays an error, unless Zeros is set: then it is the array's fill value. So do coordinates
// of dimensions, which say where everything lies, and what no reader understands (ErrFormat), which is not damage.
type Missing struct {
	Zeros bool

	mu   sync.Mutex
	vars []*lenient
}

// Apply makes the variables of an open group, and of those below it, lenient.
func (m *Missing) Apply(g *Group) { m.apply(g, "", g.FillMasks()) }

func (m *Missing) apply(g *Group, at string, fillMasks bool) {
	for i := range g.Vars {
		v := &g.Vars[i]
		if v.Source == nil || v.Err != nil || len(v.Dims) == 1 && v.Dims[0] == v.Name {
			continue
		}
		switch v.Source.(type) {
		case *lenient, *lenientRegions:
			continue
		}
		value, ok := m.value(v, fillMasks)
		l := &lenient{Source: v.Source, name: at + v.Name, value: value, none: !ok, bad: map[int64]struct{}{}}
		m.mu.Lock()
		m.vars = append(m.vars, l)
		m.mu.Unlock()
		if r, ok := v.Source.(RegionReader); ok {
			v.Source = &lenientRegions{l, r}
		} else {
			v.Source = l
		}
	}
	for _, s := range g.Groups {
		m.apply(s.Group, at+s.Name+"/", fillMasks)
	}
}

// value returns one missing element of a variable. fillMasks says that the fill value of an array with named axes stands for _FillValue.
func (m *Missing) value(v *Var, fillMasks bool) ([]byte, bool) {
	meta := v.Source.Meta()
	stored, _ := meta.Stored.(string)
	switch d := meta.DType; {
	case d.IsFloat():
		return NaN(d), true
	case d.IsComplex():
		return bytes.Repeat(NaN(d), 2), true
	case d == dtype.Int64 && (strings.HasPrefix(stored, "datetime64") || strings.HasPrefix(stored, "timedelta64")):
		return binary.NativeEndian.AppendUint64(nil, 1<<63), true
	case d.Kind() == dtype.KindInt || d.Kind() == dtype.KindUint:
		for _, name := range []string{"_FillValue", "missing_value"} {
			if x, ok := v.Attrs.Get(name); ok {
				if b := integerBytes(x, d); b != nil {
					return b, true
				}
			}
		}
		if fillMasks && meta.FillSet && v.Dims != nil {
			return meta.Fill, true
		}
	}
	return meta.Fill, m.Zeros
}

// NaN returns the bytes of a float NaN, of a part of a complex one; nil for other dtypes.
func NaN(d dtype.DType) []byte {
	e := binary.NativeEndian
	switch d {
	case dtype.Float64, dtype.Complex128:
		return e.AppendUint64(nil, 0x7ff8000000000000)
	case dtype.Float32, dtype.Complex64:
		return e.AppendUint32(nil, 0x7fc00000)
	case dtype.Float16:
		return e.AppendUint16(nil, 0x7e00)
	case dtype.BFloat16:
		return e.AppendUint16(nil, 0x7fc0)
	}
	return nil
}

// integerBytes returns a number, the first of several, as an element of d; nil where d does not hold it.
func integerBytes(v any, d dtype.DType) []byte {
	r := reflect.ValueOf(v)
	if r.IsValid() && r.Kind() == reflect.Slice && r.Len() > 0 {
		if r = r.Index(0); r.Kind() == reflect.Interface {
			r = r.Elem()
		}
	}
	var bits uint64
	switch {
	case !r.IsValid():
		return nil
	case r.CanInt():
		bits = uint64(r.Int())
	case r.CanUint():
		bits = r.Uint()
	case r.CanFloat() && r.Float() == math.Trunc(r.Float()) && math.Abs(r.Float()) < 1<<53:
		bits = uint64(int64(r.Float()))
	default:
		return nil
	}
	low := bits << (64 - 8*d.Size()) >> (64 - 8*d.Size())
	if d.Kind() == dtype.KindInt && uint64(int64(low<<(64-8*d.Size()))>>(64-8*d.Size())) != bits || d.Kind() == dtype.KindUint && low != bits {
		return nil
	}
	b := binary.LittleEndian.AppendUint64(nil, low)[:d.Size()]
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		slices.Reverse(b)
	}
	return b
}

// Report says for each variable how many chunks were missing, and why the first of them; nil where all were readable.
func (m *Missing) Report() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, l := range m.vars {
		l.mu.Lock()
		if n := len(l.bad); n > 0 {
			out = append(out, fmt.Sprintf("%d of %d chunks of %q cannot be decoded and are missing values; the first: %v", n, l.Meta().Grid.Len(), l.name, l.first))
		}
		l.mu.Unlock()
	}
	return out
}

// lenient is a source whose damaged chunks are missing values.
type lenient struct {
	Source
	name  string
	value []byte
	none  bool // it has no missing value

	mu    sync.Mutex
	bad   map[int64]struct{}
	first error
}

// damaged reports whether an error is the stored bytes' fault.
func damaged(err error) bool {
	return errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFormat) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func (l *lenient) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	n, err := l.Source.ReadChunk(ctx, k, dst)
	if err == nil || !damaged(err) || ctx.Err() != nil {
		return n, err
	}
	if l.none {
		return n, l.refuse(err)
	}
	l.note(k, err)
	dst.Heap = nil
	FillElems(dst, l.value)
	return n, nil
}

// refuse is the error of a variable without a missing value.
func (l *lenient) refuse(err error) error {
	return fmt.Errorf("%w; %q has no missing value that could stand for it, only a fill value: --missing=fill takes that", err, l.name)
}

// note counts a chunk once, however often it is read.
func (l *lenient) note(k chunk.Key, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == nil {
		l.first = err
	}
	l.bad[l.Meta().Grid.Linear(k)] = struct{}{}
}

// StoredBytes implements Sizer.
func (l *lenient) StoredBytes(ctx context.Context) (int64, error) {
	if s, ok := l.Source.(Sizer); ok {
		return s.StoredBytes(ctx)
	}
	return l.Meta().Bytes, nil
}

// Absent implements PartedSource.
func (l *lenient) Absent() []string {
	if p, ok := l.Source.(PartedSource); ok {
		return p.Absent()
	}
	return nil
}

// lenientRegions is a lenient source whose storage is contiguous.
type lenientRegions struct {
	*lenient
	regions RegionReader
}

// ReadRegion reads a damaged region again by the chunks of the grid, so that only those that cannot be read are missing.
func (l *lenientRegions) ReadRegion(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	total, err := l.regions.ReadRegion(ctx, r, dst)
	if err == nil || !damaged(err) || ctx.Err() != nil {
		return total, err
	}
	if l.none {
		return total, l.refuse(err)
	}
	dst.Heap = nil
	g := l.Meta().Grid
	for k := range g.Covering(r) {
		part := g.Region(k).Intersect(r)
		to := dst.Sub(Shift(part, r.Lo))
		to.Heap = dst.Heap
		n, err := l.regions.ReadRegion(ctx, part, to)
		total += n
		if err != nil {
			if !damaged(err) || ctx.Err() != nil {
				return total, err
			}
			l.note(k, err)
			to.Heap = dst.Heap
			FillElems(to, l.value)
		}
		dst.Heap = to.Heap
	}
	return total, nil
}
