// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// Verify returns the first way in which n or a node below it breaks the rules its
// Kind has, nil when there is none. An error node is reported as its error. It is for
// tests and for the rewrites; nodes made by the constructors pass.
func Verify(n *Node) error {
	for _, x := range Topo(n) {
		if x.Err != nil {
			return x.Err
		}
		if err := verifyNode(x); err != nil {
			return fmt.Errorf("graph: verify: node %d (%s): %w", x.ID, x.Kind, err)
		}
	}
	return nil
}

// verifyNode checks one node; its inputs are taken as right.
func verifyNode(n *Node) error {
	if n.Kind < Load || n.Kind > Later {
		return fmt.Errorf("kind %d is not in the table", n.Kind)
	}
	if n.DType == dtype.Invalid || n.ItemBytes <= 0 {
		return fmt.Errorf("dtype %v of %d bytes", n.DType, n.ItemBytes)
	}
	if !unknownLen(n) && !validGrid(n.Grid) {
		return fmt.Errorf("grid does not cut shape %v", n.Grid.Shape)
	}
	lo, hi := kinds[n.Kind].min, kinds[n.Kind].max
	if len(n.In) < lo || hi >= 0 && len(n.In) > hi {
		return fmt.Errorf("got %d inputs, want %d to %d", len(n.In), lo, hi)
	}
	want, err := kinds[n.Kind].shape(n)
	if err != nil {
		return err
	}
	if !want.Equal(n.Grid.Shape) {
		return fmt.Errorf("shape: got %v, want %v", n.Grid.Shape, want)
	}
	return nil
}

// unknownLen reports whether a length of n waits for a count.
func unknownLen(n *Node) bool {
	for _, d := range n.Grid.Shape {
		if d < 0 {
			return true
		}
	}
	return false
}

// kinds holds what is general about each kind: its name, how many inputs it has and the
// rule that gives its shape (and checks what else can be checked).
var kinds = [Later + 1]struct {
	name     string
	min, max int // inputs; max -1 has no end
	shape    func(n *Node) (chunk.Shape, error)
}{
	Load:     {"load", 0, 0, loadShape},
	Fill:     {"fill", 0, 0, ownShape},
	Map:      {"map", 1, 3, mapShape},
	Reduce:   {"reduce", 1, 2, reduceShape},
	Scan:     {"scan", 1, 1, scanShape},
	Select:   {"select", 1, 1, selectShape},
	Permute:  {"permute", 1, 1, permuteShape},
	Stack:    {"stack", 1, -1, stackShape},
	Rechunk:  {"rechunk", 1, 1, func(n *Node) (chunk.Shape, error) { return n.In[0].Grid.Shape, nil }},
	Compress: {"compress", 2, 2, compressShape},
	Opaque:   {"opaque", 0, -1, ownShape},
	Later:    {"later", 1, -1, ownShape},
}

// String returns the kind's name in dumps.
func (k Kind) String() string {
	if k < Load || k > Later {
		return "error"
	}
	return kinds[k].name
}

func ownShape(n *Node) (chunk.Shape, error) { return n.Grid.Shape, nil }

func loadShape(n *Node) (chunk.Shape, error) {
	m := n.Arg.(LoadArg).Source.Meta()
	if !m.Grid.Equal(n.Grid) {
		return nil, fmt.Errorf("grid is not the source's")
	}
	return m.Shape, nil
}

func mapShape(n *Node) (chunk.Shape, error) {
	op := kernels.OpOf(n.Arg.(MapArg).Op)
	if op == nil || op.Arity != len(n.In) {
		return nil, fmt.Errorf("operation %d does not take %d inputs", n.Arg.(MapArg).Op, len(n.In))
	}
	in := make([]dtype.DType, len(n.In))
	for i, x := range n.In {
		in[i] = x.DType
	}
	if op.Name != "cast" {
		args, out, err := op.Signature(in)
		if err != nil {
			return nil, err
		}
		for i := range in {
			if in[i] != args[i] {
				return nil, fmt.Errorf("%s: input %d: got %v, want %v", op.Name, i, in[i], args[i])
			}
		}
		if out != n.DType {
			return nil, fmt.Errorf("%s: dtype: got %v, want %v", op.Name, n.DType, out)
		}
	}
	return broadcastAll(n.In)
}

func reduceShape(n *Node) (chunk.Shape, error) {
	a := n.Arg.(ReduceArg)
	r := kernels.ReductionOf(a.Op)
	if r == nil {
		return nil, fmt.Errorf("reduction %d is not in the table", a.Op)
	}
	if e := At("").checkGroups(r, a, n.In); e != nil {
		return nil, e.Err
	}
	return reduceGrid(n.In[0].Grid, a).Shape, nil
}

func selectShape(n *Node) (chunk.Shape, error) {
	a, e := At("").checkSelect(n.In[0], n.Arg.(SelectArg))
	if e != nil {
		return nil, e.Err
	}
	s := make(chunk.Shape, len(a.Axes))
	for i, x := range a.Axes {
		s[i] = x.Len
	}
	return s, nil
}

func permuteShape(n *Node) (chunk.Shape, error) {
	axes := n.Arg.(PermuteArg).Axes
	s := make(chunk.Shape, len(axes))
	for i, a := range axes {
		s[i] = n.In[0].Grid.Shape[a]
	}
	return s, nil
}

func stackShape(n *Node) (chunk.Shape, error) {
	axis := n.Arg.(StackArg).Axis
	s := n.In[0].Grid.Shape.Clone()
	for i, x := range n.In[1:] {
		if err := joinable(axis, i+1, n.In[0], x); err != nil {
			return nil, err
		}
		if x.DType != n.DType {
			return nil, fmt.Errorf("dtype of input %d: got %v, want %v", i+1, x.DType, n.DType)
		}
		s[axis] += x.Grid.Shape[axis]
	}
	return s, nil
}

func compressShape(n *Node) (chunk.Shape, error) {
	s := n.In[0].Grid.Shape.Clone()
	s[n.Arg.(CompressArg).Axis] = -1
	return s, nil
}

// Topo returns the nodes that the roots are made of, each once, inputs before
// what uses them, in an order that depends on nothing but the graph.
func Topo(roots ...*Node) []*Node {
	var out []*Node
	seen := map[*Node]bool{}
	var visit func(*Node)
	visit = func(n *Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, in := range n.In {
			visit(in)
		}
		out = append(out, n)
	}
	for _, r := range roots {
		visit(r)
	}
	return out
}
