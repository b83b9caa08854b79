// SPDX-License-Identifier: BSD-3-Clause

package cf

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Decode puts c's decisions on a stored array: reinterpret the sign, mask, cast, scale, offset. The result
// has dtype c.Decoded and the operand's shape and grid; a plain coding returns n itself.
//
// Missing values become NaN. The product is rounded before the offset is added, both in the decoded dtype.
func Decode(n *graph.Node, c Coding) *graph.Node {
	if n.Err != nil || c.IsPlain() {
		return n
	}
	if c.Bool {
		return apply("not_equal", n, constant(c.Stored, Number{}))
	}
	x := resign(n, c.Integer)
	var missing *graph.Node
	for _, m := range c.Missing {
		eq := apply("equal", x, constant(x.DType, m))
		if missing == nil {
			missing = eq
		} else {
			missing = apply("logical_or", missing, eq)
		}
	}
	x = graph.NewCast(x, c.Decoded)
	if missing != nil {
		x = apply("where", missing, constant(c.Decoded, Number{Float: math.NaN(), IsFloat: true}), x)
	}
	if c.Scale != nil {
		x = apply("multiply", x, constant(c.Decoded, Number{Float: *c.Scale, IsFloat: true}))
	}
	if c.Offset != nil {
		x = apply("add", x, constant(c.Decoded, Number{Float: *c.Offset, IsFloat: true}))
	}
	return x
}

// resign returns n's bit patterns read as the integer type of other signedness.
func resign(n *graph.Node, to dtype.DType) *graph.Node {
	from := n.DType
	if from == to || !from.IsInteger() || !to.IsInteger() {
		return n
	}
	bits := uint(from.Size() * 8)
	toUnsigned := to.Kind() == dtype.KindUint
	if bits == 64 {
		// The low 63 bits mean the same in both types; the top one is put back where it was set.
		low := graph.NewCast(apply("bitwise_and", n, constant(from, Number{Int: math.MaxInt64})), to)
		var isSet, top *graph.Node
		if toUnsigned {
			isSet = apply("less", n, constant(from, Number{}))
			top = constant(to, Number{Uint: 1 << 63, IsUint: true})
		} else {
			isSet = apply("greater", n, constant(from, Number{Int: math.MaxInt64}))
			top = constant(to, Number{Int: math.MinInt64})
		}
		return apply("where", isSet, apply("bitwise_or", low, top), low)
	}
	w := graph.NewCast(n, dtype.Int64)
	var isSet, shift *graph.Node
	if toUnsigned {
		isSet = apply("less", w, constant(dtype.Int64, Number{}))
		shift = constant(dtype.Int64, Number{Int: 1 << bits})
	} else {
		isSet = apply("greater", w, constant(dtype.Int64, Number{Int: 1<<(bits-1) - 1}))
		shift = constant(dtype.Int64, Number{Int: -1 << bits})
	}
	return graph.NewCast(apply("where", isSet, apply("add", w, shift), w), to)
}

// apply returns the node of an operation of the table.
func apply(name string, in ...*graph.Node) *graph.Node {
	op, ok := kernels.OpByName(name)
	if !ok {
		panic("ndarray/cf: the operation table lacks " + name)
	}
	return graph.NewMap(op.ID, in...)
}

// constant returns a 0-d node.
func constant(dt dtype.DType, n Number) *graph.Node {
	var v any
	switch {
	case n.IsFloat:
		v = n.Float
	case n.IsUint:
		v = n.Uint
	default:
		v = n.Int
	}
	c, err := kernels.ConstOf(dt, v)
	if err != nil {
		return graph.NewError(err, "")
	}
	return graph.NewFill(chunk.Regular(chunk.Shape{}), c, -1)
}
