// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// maxHost bounds what is computed while a graph is built: masks and labels of one axis.
const maxHost = 1 << 22

// hostValue returns the elements of an array that is made of host memory and constants by elementwise
// operations, C-ordered; ok is false for anything else. It is for small things that a graph needs while it is built:
// a mask of months, positions.
func (a Array) hostValue() (vals []kernels.Const, ok bool) {
	vals, err := a.hostEval(false)
	return vals, err == nil && vals != nil
}

// hostRead is hostValue that reads what lies in files too: labels to group by. vals is nil where only an engine can tell.
func (a Array) hostRead() (vals []kernels.Const, err error) { return a.hostEval(true) }

func (a Array) hostEval(read bool) ([]kernels.Const, error) {
	n := a.Node()
	if n.Err != nil || !n.DType.IsNumeric() || n.DType.IsComplex() || a.Size() > maxHost {
		return nil, nil
	}
	h := hostEval{done: map[*graph.Node][]kernels.Const{}, read: read}
	vals := h.eval(n)
	return vals, h.err
}

// hostEval remembers the values of nodes.
type hostEval struct {
	done map[*graph.Node][]kernels.Const
	read bool // files are read
	err  error
}

func (h *hostEval) eval(n *graph.Node) []kernels.Const {
	if v, ok := h.done[n]; ok {
		return v
	}
	v := h.compute(n)
	h.done[n] = v
	return v
}

func (h *hostEval) compute(n *graph.Node) []kernels.Const {
	size := n.Shape().Size()
	switch n.Kind {
	case graph.Load:
		c, ok := FromNode(n).hostMemory()
		if !ok && h.read && size <= maxHost && h.err == nil {
			c, h.err = ReadAll(context.Background(), n.Arg.(graph.LoadArg).Source)
			ok = h.err == nil
		}
		if !ok {
			return nil
		}
		return chunkConsts(c)
	case graph.Fill:
		arg := n.Arg.(graph.FillArg)
		out := make([]kernels.Const, size)
		strides := n.Shape().RowMajor()
		for i := range out {
			out[i] = arg.Const
			if arg.Axis >= 0 {
				at := int64(i) / strides[arg.Axis] % n.Shape()[arg.Axis]
				out[i] = kernels.Const{DType: dtype.Int64, Bits: uint64(at)}
			}
		}
		return out
	case graph.Map:
		out := make([]kernels.Const, size)
		ins := make([][]kernels.Const, len(n.In))
		steps := make([][]int64, len(n.In))
		for i, x := range n.In {
			if ins[i] = h.eval(x); ins[i] == nil && x.Shape().Size() > 0 {
				return nil
			}
			steps[i] = broadcastStrides(x.Shape(), n.Shape())
		}
		args := make([]kernels.Const, len(ins))
		strides := n.Shape().RowMajor()
		for p := range out {
			for i := range ins {
				at, rest := int64(0), int64(p)
				for k, s := range strides {
					at += rest / s * steps[i][k]
					rest %= s
				}
				args[i] = ins[i][at]
			}
			c, err := kernels.EvalConst(n.Arg.(graph.MapArg).Op, n.DType, args...)
			if err != nil {
				return nil
			}
			out[p] = c
		}
		return out
	}
	return nil
}

// broadcastStrides returns the strides with which an array of shape from is read in shape to.
func broadcastStrides(from, to chunk.Shape) []int64 {
	out := make([]int64, len(to))
	own := from.RowMajor()
	for i := range from {
		if from[i] != 1 {
			out[len(to)-len(from)+i] = own[i]
		}
	}
	return out
}

// chunkConsts returns the elements of a contiguous chunk as constants, nil for other dtypes.
func chunkConsts(c *chunk.Chunk) []kernels.Const {
	l, ok := chunkLabels(c)
	if !ok || l.Str != nil {
		return nil
	}
	out := make([]kernels.Const, l.Len())
	for i := range out {
		var v any
		switch {
		case l.Float != nil:
			v = l.Float[i]
		case l.DType == dtype.Uint64:
			v = uint64(l.Int[i])
		case l.DType == dtype.Bool:
			v = l.Int[i] != 0
		default:
			v = l.Int[i]
		}
		k, err := kernels.ConstOf(l.DType, v)
		if err != nil {
			return nil
		}
		out[i] = k
	}
	return out
}

// constLabels returns elements as labels of shape.
func constLabels(vals []kernels.Const, dt dtype.DType, shape chunk.Shape) *Labels {
	l := &Labels{DType: dt, Shape: shape.Clone()}
	if dt.IsFloat() {
		l.Float = make([]float64, len(vals))
	} else {
		l.Int = make([]int64, len(vals))
	}
	for i, v := range vals {
		if l.Int != nil {
			l.Int[i] = constInt(v)
			continue
		}
		f, err := kernels.EvalConst(castID, dtype.Float64, v)
		if err != nil {
			return nil
		}
		l.Float[i] = math.Float64frombits(f.Bits)
	}
	return l
}

// castID is the row of the kernels table that converts.
var castID = func() kernels.OpID {
	o, _ := kernels.OpByName("cast")
	return o.ID
}()

// constInt returns an integer or bool constant; uint64 keeps its bits.
func constInt(v kernels.Const) int64 {
	shift := uint(64 - 8*v.DType.Size())
	if v.DType.Kind() == dtype.KindInt {
		return int64(v.Bits<<shift) >> shift
	}
	return int64(v.Bits << shift >> shift)
}

// HostInts returns the elements of an integer array that is known while graphs are built; ok is false
// where only an engine can tell.
func HostInts(a Array) (ids []int64, ok bool) {
	if !a.DType().IsInteger() {
		return nil, false
	}
	vals, ok := a.hostValue()
	if !ok {
		return nil, false
	}
	ids = make([]int64, len(vals))
	for i, v := range vals {
		ids[i] = constInt(v)
	}
	return ids, true
}

// MaskPositions returns where a one-dimensional bool array is true. One that only an engine can tell is an error: labels
// are needed while graphs are built.
func MaskPositions(a Array) ([]int64, error) {
	if a.Err() != nil {
		return nil, a.Err()
	}
	if a.DType() != dtype.Bool || a.Rank() != 1 {
		return nil, fmt.Errorf("ndarray: mask: got %v, want bool of rank 1: %w", a, chunk.ErrShape)
	}
	vals, ok := a.hostValue()
	if !ok && a.Size() > 0 {
		return nil, fmt.Errorf("ndarray: mask: its values are known after a run only; use where, or a mask made of coordinates")
	}
	ids := []int64{}
	for i, v := range vals {
		if v.Bits&1 == 1 {
			ids = append(ids, int64(i))
		}
	}
	return ids, nil
}

// EqualText returns where v, a coordinate of texts in memory such as time.season, is s; with not, where it is another text.
func (v Variable) EqualText(s string, not bool) Variable {
	if v.Err() != nil {
		return v
	}
	c := v.asCoord()
	if c.host == nil || c.host.Str == nil {
		return v.fail("ndarray: compare with %q: %s is not text in memory", s, v.label())
	}
	is := make([]bool, c.host.Len())
	for i, x := range c.host.Str {
		is[i] = (x == s) != not
	}
	out := v
	out.array = FromSlice(is, c.host.Shape...).shaped(c.host.Shape)
	out.host, out.values = nil, nil
	out.attrs = v.attrs.Without("units", "standard_name")
	return out
}

// HostFloats returns the elements of an array of real numbers that is known while graphs are built; ok is
// false where only an engine can tell.
func HostFloats(a Array) (out []float64, ok bool) {
	vals, ok := a.AsType(dtype.Float64).hostValue()
	if !ok {
		return nil, false
	}
	return float64s(vals), true
}

// float64s returns the values of float64 constants.
func float64s(vals []kernels.Const) []float64 {
	out := make([]float64, len(vals))
	for i, v := range vals {
		out[i] = math.Float64frombits(v.Bits)
	}
	return out
}

// ReadInts is ReadFloats of an array of integers.
func ReadInts(a Array) ([]int64, error) {
	if a.Err() != nil {
		return nil, a.Err()
	}
	if a.unknown() {
		return nil, fmt.Errorf("ndarray: got %v, want integers that are known without a run", a)
	}
	vals, err := a.AsType(dtype.Int64).hostRead()
	switch {
	case err != nil:
		return nil, err
	case vals == nil && a.Size() > 0:
		return nil, fmt.Errorf("ndarray: got %v, want at most %d integers that are known without a run", a, maxHost)
	}
	out := make([]int64, len(vals))
	for i, v := range vals {
		out[i] = int64(v.Bits)
	}
	return out, nil
}

// ReadFloats is HostFloats of an array of which parts may lie in files, which are read now. One that only an engine can tell is an error.
func ReadFloats(a Array) ([]float64, error) {
	if a.Err() != nil {
		return nil, a.Err()
	}
	if a.unknown() {
		return nil, fmt.Errorf("ndarray: got %v, want real numbers that are known without a run", a)
	}
	vals, err := a.AsType(dtype.Float64).hostRead()
	switch {
	case err != nil:
		return nil, err
	case vals == nil && a.Size() > 0:
		return nil, fmt.Errorf("ndarray: got %v, want at most %d real numbers that are known without a run", a, maxHost)
	}
	return float64s(vals), nil
}
