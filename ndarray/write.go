// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"maps"
	"slices"

	"github.com/arrayrun/arrayrun/formats"
)

// Target is a result and where it goes: To makes one, an engine's Store takes several.
// Targets of one URI become variables of one output.
type Target struct {
	URI   string
	Value Variable
	plain bool // an Array: no dimension names
	table *Table
	opts  writeOptions
}

type writeOptions struct {
	overwrite bool
	named     bool
	chunks    Chunks
	steps     []int64
	codec     string
	history   string
	grow      string // AppendTo
	region    Region
}

// WriteOption is an option of To.
type WriteOption interface{ apply(t *Target) }

type writeOption func(t *Target)

func (f writeOption) apply(t *Target) { f(t) }

// Chunks are the lengths of an output's chunks by dimension name; -1 is the whole dimension. It is a WriteOption.
type Chunks map[string]int64

func (c Chunks) apply(t *Target) { t.opts.chunks = maps.Clone(c) }

// ChunkSteps are the lengths of an output's chunks by axis, for arrays without names; -1 is the whole axis.
func ChunkSteps(steps ...int64) WriteOption {
	return writeOption(func(t *Target) { t.opts.steps = slices.Clone(steps) })
}

// Overwrite replaces an output that exists once the new one is complete.
func Overwrite() WriteOption { return writeOption(func(t *Target) { t.opts.overwrite = true }) }

// As names the variable in the output.
func As(name string) WriteOption {
	return writeOption(func(t *Target) { t.Value.name, t.opts.named = name, true })
}

// Codec sets the compression of the output: "none", "zlib:4", "zstd:3".
func Codec(name string) WriteOption { return writeOption(func(t *Target) { t.opts.codec = name }) }

// History is what the line added to the output's history says was done.
func History(text string) WriteOption { return writeOption(func(t *Target) { t.opts.history = text }) }

// To returns the target that writes v, a Variable, an Array or a Table, to a URI, whose ending
// says the format. A variable without a name is called "result". Anything else is an error of the target's value. A table, whose columns
// become variables of one dimension, is an output of its own.
func To(uri string, v any, opts ...WriteOption) Target {
	t := Target{URI: uri}
	switch x := v.(type) {
	case Variable:
		t.Value = x
	case Array:
		t.plain = true
		t.Value = Variable{array: x}
		for i := range x.Rank() {
			t.Value.dims = append(t.Value.dims, fmt.Sprintf("dim_%d", i))
		}
	case Table:
		t.table = &x
	default:
		t.Value = Variable{}.fail("ndarray: to %q: got a %T, want a Variable, an Array or a Table", uri, v)
	}
	for _, o := range opts {
		o.apply(&t)
	}
	return t
}

// Name returns what the variable is called in the output: "result" when it has no name, or that of one of its own
// coordinates whose values it does not hold (the cosine of lat must not be stored as the latitude), unless As gave it.
func (t Target) Name() string {
	v := t.Value
	if v.name == "" || !t.opts.named && v.hides(v.name) {
		return "result"
	}
	return v.name
}

// hides reports whether a variable called name would take the place of another coordinate or dimension of v.
func (v Variable) hides(name string) bool {
	c := v.CoordOf(name)
	if c == nil {
		return slices.Contains(v.dims, name) && len(v.dims) > 1
	}
	return v.host == nil && v.array.Node() != c.Array().Node()
}

// Writing is outputs being written: the engine runs Outputs, then Commit makes all of them visible, or Abort
// leaves nothing behind.
type Writing struct {
	Outputs []Output
	writers []formats.Writer
	uris    []string
	tables  []*writingTable
	create  createFunc
}
