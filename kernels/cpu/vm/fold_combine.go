// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// joiner joins state b into state a, which is the earlier in order.
type joiner func(r *kernels.Reduction, a, b []*chunk.Chunk)

// combineKernel is a compiled Combine.
type combineKernel struct {
	r    *kernels.Reduction
	in   []kernels.StateType
	join joiner
}

// compileCombine returns the kernel of a Combine, or an error wrapping ErrUnsupported.
func compileCombine(c *kernels.Combine) (kernels.Kernel, error) {
	r := kernels.ReductionOf(c.Op)
	if r == nil || len(c.In) == 0 {
		return nil, fmt.Errorf("kernels/cpu: compile %v: no such reduction: %w", c, kernels.ErrUnsupported)
	}
	j := joinerOf(r.Algebra, c.In[0].DType)
	if j == nil {
		return nil, fmt.Errorf("kernels/cpu: compile %v: no join for this state: %w", c, kernels.ErrUnsupported)
	}
	return &combineKernel{r, c.In, j}, nil
}

// Scratch returns 0: joins work in place.
func (k *combineKernel) Scratch(chunk.Shape) int64 { return 0 }

// Run joins the call's In into its Out.
func (k *combineKernel) Run(_ context.Context, c *kernels.Call) error {
	if len(c.Out) != len(k.in) || len(c.In) != len(k.in) {
		return fmt.Errorf("kernels/cpu: combine %s: got %d and %d state components, want %d", k.r.Name, len(c.Out), len(c.In), len(k.in))
	}
	for i := range k.in {
		if c.Out[i].DType != k.in[i].DType || c.In[i].DType != k.in[i].DType || !c.Out[i].Shape.Equal(c.In[i].Shape) {
			return fmt.Errorf("kernels/cpu: combine %s: component %s: got %v %v and %v %v, want two of %v and one shape",
				k.r.Name, k.in[i].Name, c.Out[i].DType, c.Out[i].Shape, c.In[i].DType, c.In[i].Shape, k.in[i].DType)
		}
	}
	k.join(k.r, c.Out, c.In)
	return nil
}

// joiners of one Go type, by algebra; joins of sums take the accumulator's type.
func joinsOf[T ordered]() *[kernels.FoldLast + 1]joiner {
	arg := joinSpots[T]
	return &[...]joiner{
		kernels.FoldSum:     joinSums(addEach[T]),
		kernels.FoldProd:    joinSums(mulEach[T]),
		kernels.FoldMean:    joinMeans(addEach[T]),
		kernels.FoldMoments: nil,
		kernels.FoldMin:     joinExtremes(minOps[T]()),
		kernels.FoldMax:     joinExtremes(maxOps[T]()),
		kernels.FoldAny:     nil,
		kernels.FoldAll:     nil,
		kernels.FoldCount:   nil,
		kernels.FoldNonzero: nil,
		kernels.FoldArgMin:  arg,
		kernels.FoldArgMax:  arg,
		kernels.FoldFirst:   arg,
		kernels.FoldLast:    arg,
	}
}

// joinTables is indexed by the dtype of the first component.
var joinTables = [dtype.Count]*[kernels.FoldLast + 1]joiner{
	dtype.Bool:     joinsOf[uint8](),
	dtype.Int8:     joinsOf[int8](),
	dtype.Int16:    joinsOf[int16](),
	dtype.Int32:    joinsOf[int32](),
	dtype.Int64:    joinsOf[int64](),
	dtype.Uint8:    joinsOf[uint8](),
	dtype.Uint16:   joinsOf[uint16](),
	dtype.Uint32:   joinsOf[uint32](),
	dtype.Uint64:   joinsOf[uint64](),
	dtype.Float16:  joinsOf[float32](),
	dtype.BFloat16: joinsOf[float32](),
	dtype.Float32:  joinsOf[float32](),
	dtype.Float64:  joinsOf[float64](),
	dtype.Complex128: {
		kernels.FoldSum:  joinSums(stepEach(addComplex)),
		kernels.FoldProd: joinSums(stepEach(mulComplex)),
		kernels.FoldMean: joinMeans(stepEach(addComplex)),
		kernels.FoldLast: nil,
	},
}

// stateJoins are the joins of states whose dtypes are fixed.
var stateJoins = [kernels.FoldLast + 1]joiner{
	kernels.FoldMoments: joinMoments,
	kernels.FoldAny:     func(_ *kernels.Reduction, a, b []*chunk.Chunk) { joinTruth(a, b, false) },
	kernels.FoldAll:     func(_ *kernels.Reduction, a, b []*chunk.Chunk) { joinTruth(a, b, true) },
	kernels.FoldCount:   joinSums(addEach[int64]),
	kernels.FoldNonzero: joinSums(addEach[int64]),
}

func joinerOf(a kernels.Algebra, dt dtype.DType) joiner {
	if j := stateJoins[a]; j != nil {
		return j
	}
	if t := joinTables[dt]; t != nil {
		return t[a]
	}
	return nil
}

func joinSums[A any](join func(x, y []A)) joiner {
	return func(_ *kernels.Reduction, a, b []*chunk.Chunk) { join(output[A](a[0]), output[A](b[0])) }
}

func joinMeans[A any](join func(x, y []A)) joiner {
	return func(_ *kernels.Reduction, a, b []*chunk.Chunk) {
		join(output[A](a[0]), output[A](b[0]))
		addEach(output[int64](a[1]), output[int64](b[1]))
	}
}

func addEach[T ordered](x, y []T) {
	y = y[:len(x)]
	for i := range x {
		x[i] += y[i]
	}
}

func mulEach[T ordered](x, y []T) {
	y = y[:len(x)]
	for i := range x {
		x[i] *= y[i]
	}
}

func stepEach(step func(a, b complex128) complex128) func(x, y []complex128) {
	return func(x, y []complex128) {
		for i := range x {
			x[i] = step(x[i], y[i])
		}
	}
}

// joinMoments joins counts, means and squared deviations by Chan's formula:
//
//	n = na + nb; d = mean_b - mean_a; f = nb / n
//	mean = mean_a + d*f; m2 = (m2_a + m2_b) + (d*d) * (na*f)
//
// with every product rounded. A side without elements changes nothing.
// Source: Chan, Golub, LeVeque (1979), Updating formulae and a pairwise algorithm for computing sample variances.
func joinMoments(_ *kernels.Reduction, a, b []*chunk.Chunk) {
	na, nb := output[int64](a[0]), output[int64](b[0])
	ma, mb := output[float64](a[1]), output[float64](b[1])
	sa, sb := output[float64](a[2]), output[float64](b[2])
	for i := range na {
		switch {
		case nb[i] == 0:
		case na[i] == 0:
			na[i], ma[i], sa[i] = nb[i], mb[i], sb[i]
		default:
			n := na[i] + nb[i]
			d := mb[i] - ma[i]
			f := float64(nb[i]) / float64(n)
			ma[i] += float64(d * f)
			sa[i] = float64(sa[i]+sb[i]) + float64(float64(d*d)*float64(float64(na[i])*f))
			na[i] = n
		}
	}
}

func joinTruth(a, b []*chunk.Chunk, all bool) {
	x, y := output[uint8](a[0]), output[uint8](b[0])
	for i := range x {
		if all {
			x[i] &= y[i]
		} else {
			x[i] |= y[i]
		}
	}
}

// joinValues runs join on the values of two states, float16 and bfloat16 as float32.
func joinValues[T any](a, b *chunk.Chunk, join func(x, y []T)) {
	if !narrow(a.DType) {
		join(output[T](a), output[T](b))
		return
	}
	var h, k halves
	join(widened[T](&h, a), widened[T](&k, b))
	h.done()
}

// widened returns the elements of a float16 or bfloat16 chunk as float32.
func widened[T any](h *halves, c *chunk.Chunk) []T {
	v := bindValue[T](h, c.DType, c)
	h.resume()
	return v
}

func joinExtremes[T ordered](ops *extremeOps[T]) joiner {
	return func(r *kernels.Reduction, a, b []*chunk.Chunk) {
		joinValues(a[0], b[0], func(x, y []T) {
			if !r.SkipNaN {
				ops.row(x, y)
				return
			}
			ops.skip(x, y)
		})
	}
}

func joinSpots[T ordered](r *kernels.Reduction, a, b []*chunk.Chunk) {
	scan, _ := argLoops[T](r.Algebra)
	p, q := output[int64](a[1]), output[int64](b[1])
	joinValues(a[0], b[0], func(x, y []T) {
		for i := range x {
			if q[i] < 0 {
				continue
			}
			s := scan(spot[T]{x[i], p[i]}, y[i:i+1], q[i:i+1], r.SkipNaN)
			x[i], p[i] = s.v, s.p
		}
	})
}
