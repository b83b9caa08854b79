// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math/big"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/random"
)

// generator is the value of random.default_rng(seed). Its methods are the rows of distributions; each call takes the next numbers of its stream.
type generator struct{ *random.Generator }

// creating is what the array of a call is to be.
type creating struct {
	shape chunk.Shape
	dt    dtype.DType
	opts  []ndarray.Option
}

// distribution is a row: the parameters before size in NumPy's order, those that follow it, and what draws.
type distribution struct {
	sig, more string
	draw      drawer
}

// The parameters that follow.
const (
	floats = " size= dtype="
	counts = " size="
)

// distributions are the methods of NumPy's Generator. As functions, random.normal(size=(3, 4), seed=42), they take a seed and begin its stream.
var distributions = map[string]distribution{
	"random":               {"", floats, bare((*random.Generator).Random)},
	"standard_normal":      {"", floats, bare(standard((*random.Generator).Normal))},
	"standard_exponential": {"", floats, bare(unitScale((*random.Generator).Exponential))},
	"uniform":              {"low= high=", floats, byTwo("low", 0, "high", 1, (*random.Generator).Uniform)},
	"normal":               {"loc= scale=", floats, byTwo("loc", 0, "scale", 1, (*random.Generator).Normal)},
	"lognormal":            {"mean= sigma=", floats, byTwo("mean", 0, "sigma", 1, (*random.Generator).LogNormal)},
	"logistic":             {"loc= scale=", floats, byTwo("loc", 0, "scale", 1, (*random.Generator).Logistic)},
	"gumbel":               {"loc= scale=", floats, byTwo("loc", 0, "scale", 1, (*random.Generator).Gumbel)},
	"exponential":          {"scale=", floats, byOne("scale", (*random.Generator).Exponential)},
	"rayleigh":             {"scale=", floats, byOne("scale", (*random.Generator).Rayleigh)},
	"weibull":              {"a", floats, byOne("a", (*random.Generator).Weibull)},
	"integers":             {"low high=", " size= dtype= endpoint=", integers},
	"choice":               {"a", " size= replace= p=", choice},
	"poisson":              {"lam=", counts, poisson},
	"binomial":             {"n p", counts, binomial},
	"geometric":            {"p", counts, geometric},
	"permutation":          {"x", "", permutation},
}

// signature returns the parameters of a row.
func (d distribution) signature() string { return d.sig + d.more + " chunks=" }

// drawing is the functions of NumPy's sub-module random.
var drawing = func() map[string]function {
	out := map[string]function{
		"random.default_rng": {"seed", newGenerator},
		"random.Philox":      {"seed", newGenerator},
		"random.Generator":   {"bit_generator", sameGenerator},
	}
	for name, d := range distributions {
		out["random."+name] = function{d.signature() + " seed=", func(b params) (value, error) {
			if !b.has("seed") {
				return nil, fmt.Errorf("%s: seed is missing: want an integer, so that every run has the same result", b.fn)
			}
			g, err := seeded(b)
			if err != nil {
				return nil, err
			}
			return d.call(b, g)
		}}
	}
	return out
}()

// method calls a row by its name.
func (g generator) method(a args) (value, error) {
	d, ok := distributions[a.fn]
	if !ok {
		names := make([]string, 0, len(distributions))
		for n := range distributions {
			names = append(names, n)
		}
		return nil, fmt.Errorf("a generator has no method %q%s", a.fn, suggest(a.fn, names))
	}
	b, err := a.bind(d.signature())
	if err != nil {
		return nil, err
	}
	return d.call(b, g.Generator)
}

// call reads what all rows are given; a size that is not given is that of one number.
func (d distribution) call(b params, g *random.Generator) (value, error) {
	c := creating{shape: chunk.Shape{}}
	var err error
	if b.has("size") {
		if c.shape, err = shapeOf(b.vals["size"], b.fn+": size"); err != nil {
			return nil, err
		}
	}
	if c.dt, err = b.dtype("dtype", dtype.Invalid); err != nil {
		return nil, err
	}
	if c.opts, err = chunksOf(b, len(c.shape)); err != nil {
		return nil, err
	}
	return d.draw(b, g, c)
}

// seeded reads seed.
func seeded(b params) (*random.Generator, error) {
	n, ok := b.vals["seed"].(*big.Int)
	if !ok || !n.IsUint64() {
		return nil, fmt.Errorf("%s: seed: got %s, want an integer from 0 to 2**64-1", b.fn, describe(b.vals["seed"]))
	}
	return random.New(n.Uint64()), nil
}

func newGenerator(b params) (value, error) {
	g, err := seeded(b)
	return generator{g}, err
}

// sameGenerator is Generator(Philox(seed)): a stream and what draws from it are one value here.
func sameGenerator(b params) (value, error) {
	g, ok := b.vals["bit_generator"].(generator)
	if !ok {
		return nil, fmt.Errorf("%s: bit_generator: got %s, want random.Philox(seed)", b.fn, describe(b.vals["bit_generator"]))
	}
	return g, nil
}

// The calls of a generator, by how many parameters they have before the shape.
type (
	drawer  = func(b params, g *random.Generator, c creating) (value, error)
	withNo  = func(g *random.Generator, shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array
	withOne = func(g *random.Generator, x float64, shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array
	withTwo = func(g *random.Generator, x, y float64, shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array
)

func bare(f withNo) drawer {
	return func(_ params, g *random.Generator, c creating) (value, error) {
		return f(g, c.shape, c.dt, c.opts...), nil
	}
}

// standard and unitScale leave parameters at their defaults.
func standard(f withTwo) withNo {
	return func(g *random.Generator, shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array {
		return f(g, 0, 1, shape, dt, opts...)
	}
}

func unitScale(f withOne) withNo {
	return func(g *random.Generator, shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array {
		return f(g, 1, shape, dt, opts...)
	}
}

// byOne has one parameter, 1 where it may be left out.
func byOne(name string, f withOne) drawer {
	return func(b params, g *random.Generator, c creating) (value, error) {
		x, err := b.float(name, 1)
		if err != nil {
			return nil, err
		}
		return f(g, x, c.shape, c.dt, c.opts...), nil
	}
}

// byTwo has two parameters with defaults.
func byTwo(first string, x float64, second string, y float64, f withTwo) drawer {
	return func(b params, g *random.Generator, c creating) (value, error) {
		x, err := b.float(first, x)
		if err != nil {
			return nil, err
		}
		y, err := b.float(second, y)
		if err != nil {
			return nil, err
		}
		return f(g, x, y, c.shape, c.dt, c.opts...), nil
	}
}

// integers is from low to high; of one number, from 0 to it.
func integers(b params, g *random.Generator, c creating) (value, error) {
	lo, hi := big.NewInt(0), b.vals["low"]
	if b.has("high") {
		n, ok := b.vals["low"].(*big.Int)
		if !ok {
			return nil, fmt.Errorf("%s: low: got %s, want an integer", b.fn, describe(b.vals["low"]))
		}
		lo, hi = n, b.vals["high"]
	}
	top, ok := hi.(*big.Int)
	if !ok {
		return nil, fmt.Errorf("%s: high: got %s, want an integer", b.fn, describe(hi))
	}
	last, err := b.bool("endpoint", false)
	if err != nil {
		return nil, err
	}
	if last {
		top = new(big.Int).Add(top, big.NewInt(1))
	}
	if all := new(big.Int).Lsh(big.NewInt(1), uint(8*c.dt.Size())); c.dt.Kind() == dtype.KindUint && lo.Sign() == 0 && top.Cmp(all) == 0 {
		return g.Bits(c.shape, c.dt, c.opts...), nil
	}
	if !lo.IsInt64() || !top.IsInt64() {
		return nil, fmt.Errorf("%s: limits: got %v to %v, want integers below 2**63, or 0 to 2**64 of uint64", b.fn, lo, top)
	}
	return g.Integers(lo.Int64(), top.Int64(), c.shape, c.dt, c.opts...), nil
}

// choice draws numbers below a or, where a is an array, elements of it.
func choice(b params, g *random.Generator, c creating) (value, error) {
	again, err := b.bool("replace", true)
	if err != nil {
		return nil, err
	}
	var weights []float64
	if b.has("p") {
		if weights, err = b.floats("p"); err != nil {
			return nil, err
		}
		if !again {
			return nil, fmt.Errorf("%s: p: weights are for draws with replacement only", b.fn)
		}
	}
	draw := func(n int64, shape chunk.Shape) (ndarray.Array, error) {
		if again {
			return g.Choice(n, weights, shape, c.opts...), nil
		}
		return withoutReplacement(b.fn, g, n, shape, c.opts)
	}
	if _, ok := b.vals["a"].(*big.Int); ok {
		n, err := b.int("a", 0)
		if err != nil {
			return nil, err
		}
		return draw(n, c.shape)
	}
	a, err := asPlain(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	if a.Err() == nil && a.Rank() != 1 {
		return nil, fmt.Errorf("%s: a: got shape %v, want an integer or an array of one axis", b.fn, a.Shape())
	}
	if a.Err() != nil {
		return a, nil
	}
	// Each number is a line of its own, so that a task holds a and not all numbers.
	n := a.Shape()[0]
	ids, err := draw(n, append(c.shape, 1))
	if err != nil {
		return nil, err
	}
	lines := make([]int64, len(c.shape)+1)
	for i := range lines {
		lines[i] = 1
	}
	lines[len(c.shape)] = n
	return a.Reshape(lines...).TakeAlongAxis(ids, -1).Index(ndarray.Ellipsis(), ndarray.At(0)), nil
}

// withoutReplacement returns positions below n, none of them twice: the first of a permutation.
func withoutReplacement(fn string, g *random.Generator, n int64, shape chunk.Shape, opts []ndarray.Option) (ndarray.Array, error) {
	grid, err := ndarray.CreatedGrid(shape, dtype.Int64, opts...)
	if err != nil {
		return ndarray.Array{}, fmt.Errorf("%s: %w", fn, err)
	}
	k := shape.Size()
	if k > n {
		return ndarray.Array{}, fmt.Errorf("%s: size: got %d elements, want at most the %d there are, or replace=True", fn, k, n)
	}
	return g.Permutation(n).Index(ndarray.Span(0, k)).Reshape(shape...).RechunkTo(grid), nil
}

func poisson(b params, g *random.Generator, c creating) (value, error) {
	lam, err := b.float("lam", 1)
	if err != nil {
		return nil, err
	}
	return g.Poisson(lam, c.shape, c.opts...), nil
}

func binomial(b params, g *random.Generator, c creating) (value, error) {
	n, err := b.int("n", 0)
	if err != nil {
		return nil, err
	}
	p, err := b.float("p", 0)
	if err != nil {
		return nil, err
	}
	return g.Binomial(n, p, c.shape, c.opts...), nil
}

func geometric(b params, g *random.Generator, c creating) (value, error) {
	p, err := b.float("p", 0)
	if err != nil {
		return nil, err
	}
	return g.Geometric(p, c.shape, c.opts...), nil
}

func permutation(b params, g *random.Generator, c creating) (value, error) {
	n, err := b.int("x", 0)
	if err != nil {
		return nil, err
	}
	return g.Permutation(n, c.opts...), nil
}
