// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// labelled is an array with a label for each axis; axes of one label run together.
type labelled struct {
	a      Array
	labels []int
}

// contract returns the sum, over every label that out lacks, of the products of x and y (or of x alone), with the axes that out names. Labels
// occur once in each array; an axis of length 1 repeats. DType: the operands', promoted; integers wrap. Products of bool are "and",
// their sums "or".
func contract(what string, out []int, terms ...labelled) Array {
	if len(terms) == 2 && terms[0].a.Err() == nil && terms[1].a.Err() == nil {
		dt, err := dtype.Promote(terms[0].a.DType(), terms[1].a.DType())
		if err != nil {
			return failf("ndarray: %s: %w", what, err)
		}
		if p, ok := matrices(out, terms[0], terms[1], dt); ok {
			return p
		}
		if dt == dtype.Float16 || dt == dtype.BFloat16 { // products are exact in float32
			x, y := terms[0], terms[1]
			x.a, y.a = x.a.AsType(dtype.Float32), y.a.AsType(dtype.Float32)
			return contract(what, out, x, y).AsType(dt)
		}
	}
	place := len(out)
	for i, l := range out {
		if !slices.Contains(terms[0].labels, l) {
			place = i
			break
		}
	}
	// What is summed lies between what the first and what the second operand brings: the order of a matrix product.
	var sums []int
	for _, t := range terms {
		for _, l := range t.labels {
			if !slices.Contains(out, l) && !slices.Contains(sums, l) {
				sums = append(sums, l)
			}
		}
	}
	all := slices.Concat(out[:place], sums, out[place:])
	dt := terms[0].a.DType()
	var p Array
	for i, t := range terms {
		var order []int
		for _, l := range all {
			if k := slices.Index(t.labels, l); k >= 0 {
				order = append(order, k)
			}
		}
		x := t.a.PermuteDims(order...)
		for k, l := range all {
			if !slices.Contains(t.labels, l) {
				x = x.ExpandDims(k)
			}
		}
		if i == 0 {
			p = x
			continue
		}
		var err error
		if dt, err = dtype.Promote(dt, t.a.DType()); err != nil {
			return failf("ndarray: %s: %w", what, err)
		}
		op := "multiply"
		if dt == dtype.Bool {
			op = "logical_and"
		}
		p = Apply(op, p, x)
	}
	if p.Err() != nil || len(sums) == 0 {
		return p
	}
	axes := make([]int, len(sums))
	for i := range axes {
		axes[i] = place + i
	}
	if dt == dtype.Bool {
		return p.Any(axes...)
	}
	return p.Sum(axes...).wrapped(dt)
}

// wrapped returns a as dt; integers lose their high bits.
func (a Array) wrapped(dt dtype.DType) Array {
	bits := uint(8 * dt.Size())
	if a.Err() != nil || a.DType() == dt || !dt.IsInteger() || bits == 64 {
		return a.AsType(dt)
	}
	if dt.Kind() == dtype.KindUint {
		return Apply("bitwise_and", a, uint64(1)<<bits-1).AsType(dt)
	}
	by := int64(64 - bits)
	return Apply("right_shift", Apply("left_shift", a, by), by).AsType(dt)
}

// numbered returns n labels from first on.
func numbered(first, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = first + i
	}
	return out
}

// MatMul returns the matrix product of the last two axes; earlier ones broadcast. A vector is a row on the left, a column on the
// right, and its axis goes. DType: promoted; integers wrap; the product of bool is whether a pair is true.
// Operands without axes and lengths that do not match are errors.
func MatMul(a, b Array) Array {
	for _, x := range []Array{a, b} {
		if x.Err() != nil {
			return x
		}
	}
	if a.Rank() == 0 || b.Rank() == 0 {
		return failf("ndarray: matmul: operands have at least one axis: got shapes %v and %v", a.Shape(), b.Shape())
	}
	k, m := a.Shape()[a.Rank()-1], b.Shape()[max(0, b.Rank()-2)]
	if k != m {
		return failf("ndarray: matmul: shapes %v and %v do not fit: the last axis of the first is %d, want %d: %w", a.Shape(), b.Shape(), k, m, chunk.ErrShape)
	}
	const row, col, sum, batch = 0, 1, 2, 3
	rank := max(a.Rank(), b.Rank(), 2) - 2
	x := labelled{a, []int{sum}}
	y := labelled{b, []int{sum}}
	out := numbered(batch, rank)
	if n := a.Rank() - 2; n >= 0 {
		x.labels = append(numbered(batch+rank-n, n), row, sum)
		out = append(out, row)
	}
	if n := b.Rank() - 2; n >= 0 {
		y.labels = append(numbered(batch+rank-n, n), sum, col)
		out = append(out, col)
	}
	return contract("matmul", out, x, y)
}

// TensorDot returns the sum of products over pairs of axes, axesA[i] of a with axesB[i] of b, followed by a's other axes and b's.
// DType: promoted; integers wrap. Axes outside the ranks, given twice or of other lengths are errors.
func TensorDot(a, b Array, axesA, axesB []int) Array {
	for _, x := range []Array{a, b} {
		if x.Err() != nil {
			return x
		}
	}
	if len(axesA) != len(axesB) {
		return failf("ndarray: tensordot: axes: got %v and %v, want as many of both", axesA, axesB)
	}
	x := labelled{a, numbered(0, a.Rank())}
	y := labelled{b, numbered(a.Rank(), b.Rank())}
	var goneA, goneB []int
	for i := range axesA {
		k, err := axisOf(axesA[i], a.Rank())
		l, errB := axisOf(axesB[i], b.Rank())
		if err == nil {
			err = errB
		}
		switch {
		case err != nil:
			return failf("ndarray: tensordot: %w", err)
		case slices.Contains(goneA, k) || slices.Contains(goneB, l):
			return failf("ndarray: tensordot: axes %v and %v: an axis is given twice", axesA, axesB)
		case a.Shape()[k] != b.Shape()[l]:
			return failf("ndarray: tensordot: axis %d of shape %v and axis %d of shape %v do not fit: want one length: %w", axesA[i], a.Shape(), axesB[i], b.Shape(), chunk.ErrShape)
		}
		goneA, goneB = append(goneA, k), append(goneB, l)
		y.labels[l] = k
	}
	var out []int
	for k := range a.Rank() {
		if !slices.Contains(goneA, k) {
			out = append(out, k)
		}
	}
	for l := range b.Rank() {
		if !slices.Contains(goneB, l) {
			out = append(out, y.labels[l])
		}
	}
	return contract("tensordot", out, x, y)
}

// VecDot returns the sum of products along an axis of both, the other axes broadcast; a is conjugated. DType: promoted; integers wrap.
func VecDot(a, b Array, axis int) Array {
	for i, x := range []Array{a, b} {
		if x.Err() != nil {
			return x
		}
		if _, err := axisOf(axis, x.Rank()); err != nil {
			return failf("ndarray: vecdot: operand %d of shape %v: %w", i+1, x.Shape(), err)
		}
	}
	a, b = a.MoveAxis(axis, -1), b.MoveAxis(axis, -1)
	if n, m := a.Shape()[a.Rank()-1], b.Shape()[b.Rank()-1]; n != m {
		return failf("ndarray: vecdot: axis %d has lengths %d and %d: want one length: %w", axis, n, m, chunk.ErrShape)
	}
	if a.DType().IsComplex() {
		a = Apply("conjugate", a)
	}
	rank := max(a.Rank(), b.Rank())
	return contract("vecdot", numbered(1, rank-1),
		labelled{a, append(numbered(1+rank-a.Rank(), a.Rank()-1), 0)}, labelled{b, append(numbered(1+rank-b.Rank(), b.Rank()-1), 0)})
}

// Outer returns the product of each element of a with each of b: a's axes, then b's.
func Outer(a, b Array) Array {
	for _, x := range []Array{a, b} {
		if x.Err() != nil {
			return x
		}
	}
	return contract("outer", numbered(0, a.Rank()+b.Rank()), labelled{a, numbered(0, a.Rank())}, labelled{b, numbered(a.Rank(), b.Rank())})
}

// Kron returns the Kronecker product: each element of a in turn replaced by its product with all of b. The shorter shape gets axes in front.
func Kron(a, b Array) Array {
	for _, x := range []Array{a, b} {
		if x.Err() != nil {
			return x
		}
	}
	rank := max(a.Rank(), b.Rank())
	a, b = a.atLeast(rank), b.atLeast(rank)
	left, right := make([]int, rank), make([]int, rank)
	out := make([]int, 0, 2*rank)
	shape := make(chunk.Shape, rank)
	for i := range rank {
		left[i], right[i] = 2*i, 2*i+1
		out = append(out, 2*i, 2*i+1)
		shape[i] = a.Shape()[i] * b.Shape()[i]
	}
	if _, ok := checkedSize(shape); !ok {
		return failf("ndarray: kron: shapes %v and %v: more elements than 63 bits count: %w", a.Shape(), b.Shape(), chunk.ErrShape)
	}
	return contract("kron", out, labelled{a, left}, labelled{b, right}).Reshape(shape...)
}

// atLeast returns a with axes of length 1 in front, so that it has n.
func (a Array) atLeast(n int) Array {
	if missing := n - a.Rank(); missing > 0 && a.Err() == nil {
		return a.ExpandDims(numbered(0, missing)...)
	}
	return a
}

// Cross returns the cross product of the vectors of length 3 along an axis of both; the other axes broadcast. DType: promoted.
func Cross(a, b Array, axis int) Array {
	for i, x := range []Array{a, b} {
		if x.Err() != nil {
			return x
		}
		k, err := axisOf(axis, x.Rank())
		if err != nil {
			return failf("ndarray: cross: operand %d of shape %v: %w", i+1, x.Shape(), err)
		}
		if n := x.Shape()[k]; n != 3 {
			return failf("ndarray: cross: axis %d of operand %d has length %d, want 3: %w", axis, i+1, n, chunk.ErrShape)
		}
	}
	a, b = a.MoveAxis(axis, -1), b.MoveAxis(axis, -1)
	at := func(x Array, i int64) Array { return x.Index(Ellipsis(), At(i)) }
	parts := make([]Array, 3)
	for i := range parts {
		j, k := int64(i+1)%3, int64(i+2)%3
		parts[i] = at(a, j).Mul(at(b, k)).Sub(at(a, k).Mul(at(b, j)))
		if parts[i].Err() != nil {
			return parts[i]
		}
	}
	return Stack(-1, parts...)
}

// Einsum returns Einstein's sum: subscripts such as "ij,jk->ik" name the axes of the arrays and, behind the arrow, of the
// result; names that the result lacks are summed, one that an array has twice takes its diagonal, and "..." stands for axes that
// broadcast. Without an arrow the result has the names that occur once, sorted. DType: promoted; integers wrap.
// Three and more arrays are multiplied from the left, what no later one has being summed at once.
func Einsum(subscripts string, arrays ...Array) Array {
	_, failed, ok := nodesOf("einsum", arrays)
	if !ok {
		return failed
	}
	s, err := parseEinsum(subscripts, arrays)
	if err != nil {
		return failf("ndarray: einsum: %q: %w", subscripts, err)
	}
	terms := make([]labelled, len(arrays))
	for i, a := range arrays {
		t, err := onceEach(labelled{a, s.in[i]})
		if err != nil {
			return failf("ndarray: einsum: %q: operand %d of shape %v: %w", subscripts, i+1, a.Shape(), err)
		}
		terms[i] = t
	}
	sizes := map[int]int64{}
	for i, t := range terms {
		for k, l := range t.labels {
			n := t.a.Shape()[k]
			if m, seen := sizes[l]; seen && m != n && m != 1 && n != 1 {
				return failf("ndarray: einsum: %q: axis %q has lengths %d and %d (operand %d): want one length: %w", subscripts, s.name(l), m, n, i+1, chunk.ErrShape)
			}
			sizes[l] = max(sizes[l], n)
			if n == 0 {
				sizes[l] = 0
			}
		}
	}
	for len(terms) > 2 {
		var keep []int
		for _, l := range slices.Concat(terms[0].labels, terms[1].labels) {
			later := slices.ContainsFunc(terms[2:], func(t labelled) bool { return slices.Contains(t.labels, l) })
			if (later || slices.Contains(s.out, l)) && !slices.Contains(keep, l) {
				keep = append(keep, l)
			}
		}
		terms = slices.Insert(terms[2:], 0, labelled{contract("einsum", keep, terms[:2]...), keep})
	}
	return contract("einsum", s.out, terms...)
}

// einsum are the labels of the axes of each operand and of the result. Letters are their own labels, the axes of "..." are negative.
type einsum struct {
	in  [][]int
	out []int
}

func (e *einsum) name(label int) string {
	if label < 0 {
		return "..."
	}
	return string(rune(label))
}

// parseEinsum reads subscripts for arrays.
func parseEinsum(text string, arrays []Array) (*einsum, error) {
	lists, result, arrow, err := splitEinsum(text)
	if err != nil {
		return nil, err
	}
	if len(lists) != len(arrays) {
		return nil, fmt.Errorf("got subscripts of %d operands and %d operands", len(lists), len(arrays))
	}
	e := &einsum{}
	dots := 0
	count := map[int]int{}
	for i, l := range lists {
		rank := arrays[i].Rank()
		free := rank - len(l.names)
		if !l.dots && free != 0 || free < 0 {
			return nil, fmt.Errorf("operand %d has shape %v and %d subscripts: want as many as axes", i+1, arrays[i].Shape(), len(l.names))
		}
		dots = max(dots, free)
		names := slices.Clone(l.names)
		e.in = append(e.in, slices.Insert(names, l.at, numbered(-free, free)...))
		for _, n := range l.names {
			count[n]++
		}
	}
	if !arrow {
		for n := range count {
			if count[n] == 1 {
				result.names = append(result.names, n)
			}
		}
		slices.Sort(result.names)
		result.at, result.dots = 0, true
	}
	for i, n := range result.names {
		if count[n] == 0 {
			return nil, fmt.Errorf("the result's subscript %q is none of the operands'", e.name(n))
		}
		if slices.Contains(result.names[:i], n) {
			return nil, fmt.Errorf("the result has the subscript %q twice", e.name(n))
		}
	}
	if !result.dots && dots > 0 {
		return nil, fmt.Errorf("the operands have \"...\", the result has not: want it in both")
	}
	e.out = slices.Insert(slices.Clone(result.names), result.at, numbered(-dots, dots)...)
	return e, nil
}

// subscript is the list of one operand: letters, and where among them "..." stands.
type subscript struct {
	names []int
	dots  bool
	at    int
}

// splitEinsum reads the grammar of subscripts.
func splitEinsum(text string) (in []subscript, out subscript, arrow bool, err error) {
	in = []subscript{{}}
	cur := &in[0]
	for i := 0; i < len(text); i++ {
		c := text[i]
		rest := text[i:]
		switch {
		case c == ' ':
		case c == ',' && !arrow:
			in = append(in, subscript{})
			cur = &in[len(in)-1]
		case len(rest) > 1 && rest[:2] == "->" && !arrow:
			arrow, cur = true, &out
			i++
		case len(rest) > 2 && rest[:3] == "..." && !cur.dots:
			cur.dots, cur.at = true, len(cur.names)
			i += 2
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			cur.names = append(cur.names, int(c))
		default:
			return nil, out, false, fmt.Errorf("at %q: want letters, \"...\", commas and one \"->\", as in \"ij,jk->ik\"", rest)
		}
	}
	return in, out, arrow, nil
}

// onceEach takes the diagonals of labels that occur twice and more.
func onceEach(t labelled) (labelled, error) {
	for i := 0; i < len(t.labels); i++ {
		for j := i + 1; j < len(t.labels); {
			if t.labels[i] != t.labels[j] {
				j++
				continue
			}
			if n, m := t.a.Shape()[i], t.a.Shape()[j]; n != m {
				return t, fmt.Errorf("axes %d and %d of one name have lengths %d and %d: %w", i, j, n, m, chunk.ErrShape)
			}
			a := t.a.Diagonal(0, i, j).MoveAxis(-1, i)
			t = labelled{a, slices.Delete(slices.Clone(t.labels), j, j+1)}
		}
	}
	return t, nil
}
