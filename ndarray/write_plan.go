// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// outline is one output being laid out: the specification and, for each of its variables, the array.
type outline struct {
	uri    string
	kind   string // the ending: ".nc", ".zarr", ".npy"
	spec   formats.Spec
	arrays []Array
	coords []*Coord
	data   int       // how many of the variables are targets
	update *updating // the output is there and is changed; nil for one that is made
}

// lacksNames are the endings of formats that hold values only.
var lacksNames = map[string]bool{".npy": true, ".npz": true}

// isNetCDF are the endings of formats whose elements are NetCDF's.
var isNetCDF = map[string]bool{".nc": true, ".nc4": true, ".cdf": true, ".h5": true, ".hdf5": true}

// layOut returns the outputs that the targets make, in the order of their first targets. Nothing is opened.
// updates are the outputs that are there and are changed, by URI.
func layOut(targets []Target, updates map[string]*updating) ([]*outline, error) {
	if err := checkChunks(targets); err != nil {
		return nil, err
	}
	var outs []*outline
	for _, t := range targets {
		if err := t.Value.Err(); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(outs, func(o *outline) bool { return o.uri == t.URI })
		if i < 0 {
			i = len(outs)
			outs = append(outs, &outline{uri: t.URI, kind: strings.ToLower(filepath.Ext(strings.TrimRight(t.URI, "/"))), update: updates[t.URI]})
			if updates[t.URI] != nil {
				outs[i].kind = ".zarr"
			}
		}
		if err := outs[i].add(t); err != nil {
			return nil, err
		}
	}
	for _, o := range outs {
		if err := o.finish(); err != nil {
			return nil, err
		}
	}
	return outs, nil
}

// checkChunks finds chunk lengths for dimensions or axes that no target has.
func checkChunks(targets []Target) error {
	dims := map[string]bool{}
	rank := 0
	for _, t := range targets {
		rank = max(rank, len(t.Value.dims), t.Value.Rank())
		for _, d := range t.Value.dims {
			dims[d] = true
		}
	}
	for _, t := range targets {
		if t.Value.Err() != nil {
			return nil // that error says more
		}
		if n := len(t.opts.steps); n > rank {
			return fmt.Errorf("ndarray: write %s: chunks are given for %d axes, %s has %d", t.URI, n, t.Value.label(), rank)
		}
		for d := range t.opts.chunks {
			if !dims[d] {
				return fmt.Errorf("ndarray: write %s: chunks are given for %q, which is not a dimension of %s", t.URI, d, t.Value.label())
			}
		}
	}
	return nil
}

func (o *outline) errorf(format string, args ...any) error {
	return fmt.Errorf("ndarray: write %s: %w", o.uri, fmt.Errorf(format, args...))
}

// add puts a target's variable, its coordinates and grid mappings into the output.
func (o *outline) add(t Target) error {
	v := t.Value
	v.name = t.Name()
	if len(o.spec.Vars) == 0 {
		o.spec.Attrs = v.global
		if !lacksNames[o.kind] && !t.plain || t.opts.history != "" {
			o.spec.Attrs = withHistory(v.global, t.opts.history)
		}
	}
	o.spec.Overwrite = o.spec.Overwrite || t.opts.overwrite
	names := !lacksNames[o.kind]
	if o.kind == ".npy" && len(o.spec.Vars) > 0 {
		return o.errorf("a .npy file holds one array: got %q beside %q; use .npz, .nc or .zarr", v.name, o.spec.Vars[0].Name)
	}
	attrs := v.attrs
	if names && !t.plain {
		attrs = o.carry(v, attrs)
	}
	dims := v.dims
	if t.plain && !isNetCDF[o.kind] {
		dims = nil
	}
	spec := formats.VarSpec{Name: v.name, Dims: dims, Attrs: attrs, Codec: t.opts.codec}
	return o.put(spec, v.array, v.unlimited, &t)
}

// carry notes the coordinates of a variable and returns its attributes with the names of those that are not dimensions'.
func (o *outline) carry(v Variable, attrs formats.Attrs) formats.Attrs {
	var others []string
	for _, c := range v.coords {
		if !c.isDimension() {
			others = append(others, c.name)
		}
		o.note(c)
	}
	if len(others) > 0 {
		attrs = attrs.With("coordinates", strings.Join(others, " "))
	}
	for _, m := range v.mappings {
		o.note(m)
	}
	if len(v.mappings) == 0 {
		attrs = attrs.Without("grid_mapping")
	}
	return attrs
}

// note adds a coordinate unless one of its name is there.
func (o *outline) note(c *Coord) {
	if findCoord(o.coords, c.name) == nil {
		o.coords = append(o.coords, c)
	}
}

// finish puts the coordinates and their bounds into the output.
func (o *outline) finish() error {
	data := len(o.spec.Vars)
	o.data = data
	for _, c := range o.coords {
		if i := o.find(c.name); i >= 0 {
			if i < data {
				continue // the coordinate itself is a target
			}
			continue
		}
		attrs := c.attrs
		if c.bounds == nil || o.find(c.bounds.name) >= 0 && o.find(c.bounds.name) < data {
			attrs = attrs.Without("bounds", "climatology")
		}
		t := (*Target)(nil)
		if !c.isDimension() {
			t = &Target{} // may hold missing values, as data do
		}
		if err := o.put(formats.VarSpec{Name: c.name, Dims: c.dims, Attrs: attrs}, c.Array(), nil, t); err != nil {
			return err
		}
		if b := c.bounds; b != nil && o.find(b.name) < 0 {
			if err := o.put(formats.VarSpec{Name: b.name, Dims: b.dims, Attrs: b.attrs}, b.Array(), nil, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *outline) find(name string) int {
	return slices.IndexFunc(o.spec.Vars, func(v formats.VarSpec) bool { return v.Name == name })
}

// put adds a variable: its dimensions, its stored dtype, its fill value. t is nil for coordinates.
func (o *outline) put(s formats.VarSpec, a Array, unlimited []string, t *Target) error {
	if err := a.Err(); err != nil {
		return err
	}
	if o.find(s.Name) >= 0 {
		return o.errorf("two variables are named %q; rename one or give it another file", s.Name)
	}
	for i, d := range s.Dims {
		n := a.Shape()[i]
		k := slices.IndexFunc(o.spec.Dims, func(x formats.Dim) bool { return x.Name == d })
		if k < 0 {
			k = len(o.spec.Dims)
			o.spec.Dims = append(o.spec.Dims, formats.Dim{Name: d, Size: n})
		}
		if o.spec.Dims[k].Size != n {
			return o.errorf("dimension %q has length %d and, in %q, %d; rename it or give the variable another file", d, o.spec.Dims[k].Size, s.Name, n)
		}
		if slices.Contains(unlimited, d) {
			o.spec.Dims[k].Unlimited = true
		}
	}
	if o.update == nil {
		var err error
		if a, err = o.encode(&s, a, t); err != nil {
			return err
		}
		s.Grid = o.grid(s, a, t)
	}
	s.Shape, s.DType, s.ItemBytes = a.Shape(), a.DType(), a.Node().ItemBytes
	o.spec.Vars = append(o.spec.Vars, s)
	o.arrays = append(o.arrays, a)
	return nil
}

// encode gives a variable the dtype and fill value it is stored with: bool is int8 with dtype = 'bool', floats are
// filled with NaN. Coordinates have no fill value.
func (o *outline) encode(s *formats.VarSpec, a Array, t *Target) (Array, error) {
	dt := a.DType()
	if lacksNames[o.kind] {
		return a, nil
	}
	if isNetCDF[o.kind] && (dt == dtype.Float16 || dt == dtype.BFloat16 || dt.IsComplex()) {
		return a, o.errorf("NetCDF has no %v: variable %q; convert it with astype or write .zarr", dt, s.Name)
	}
	if dt == dtype.Bool {
		s.Attrs = s.Attrs.With("dtype", "bool")
		return a.AsType(dtype.Int8), nil
	}
	if t == nil || !dt.IsFloat() {
		return a, nil
	}
	s.Fill = formats.NaN(dt)
	var fill any = math.NaN()
	switch {
	case o.kind == ".zarr":
		// xarray's form of a float fill value in Zarr 3: base64 of a little-endian float64.
		fill = base64.StdEncoding.EncodeToString(binary.LittleEndian.AppendUint64(nil, 0x7ff8000000000000))
	case dt == dtype.Float32:
		fill = float32(math.NaN())
	}
	if t.plain && o.kind == ".zarr" {
		return a, nil
	}
	s.Attrs = s.Attrs.With("_FillValue", fill)
	return a, nil
}

// The sizes between which the chunks a result is computed in are good to store it in; one in a single piece has no chunks
// to keep, and is better cut.
const (
	leastChunkBytes = 32 << 10
	mostChunkBytes  = 64 << 20
	mostWholeBytes  = 8 << 20
)

// grid returns the hint for an output's chunks: what the target asks for, else the array's own grid where its
// chunks have a sensible size, else nil.
func (o *outline) grid(s formats.VarSpec, a Array, t *Target) *chunk.Grid {
	shape := a.Shape()
	if t != nil && (t.opts.chunks != nil || t.opts.steps != nil) {
		steps := make([]int64, len(shape))
		own := a.Grid()
		for i := range shape {
			steps[i] = own.Axes[i].Max()
			if i < len(t.opts.steps) {
				steps[i] = t.opts.steps[i]
			}
			if t.Value.dims != nil {
				if n, ok := t.opts.chunks[t.Value.dims[i]]; ok {
					steps[i] = n
				}
			}
		}
		g := chunk.Regular(shape, steps...)
		return &g
	}
	g := a.Grid()
	bytes := g.MaxChunk().Size() * int64(max(a.Node().ItemBytes, a.DType().Size(), 1))
	if len(shape) == 0 || bytes > mostChunkBytes || bytes > mostWholeBytes && g.Len() == 1 || bytes < leastChunkBytes && g.Len() > 1 {
		return nil
	}
	for _, x := range g.Axes {
		if x.Edges != nil {
			return nil
		}
	}
	return &g
}

// withHistory adds a line to the history attribute, newest first as other tools do.
func withHistory(attrs formats.Attrs, text string) formats.Attrs {
	if text == "" {
		text = "arrayrun"
	}
	line := time.Now().UTC().Format("Mon Jan _2 15:04:05 2006") + ": " + strings.ReplaceAll(text, "\n", "; ")
	if old, ok := attrs.Get("history"); ok {
		if s, isText := old.(string); isText && s != "" {
			line += "\n" + s
		}
	}
	return attrs.With("history", line)
}

// PlanSpecs returns what PlanWrite would create, without creating anything: for plans and messages. Tables, whose rows nobody knows yet, are not among it.
func PlanSpecs(targets []Target) (uris []string, specs []formats.Spec, arrays [][]Array, err error) {
	for _, t := range targets {
		if t.table != nil && t.table.err != nil {
			return nil, nil, nil, t.table.err
		}
	}
	outs, err := layOut(slices.DeleteFunc(slices.Clone(targets), func(t Target) bool { return t.table != nil }), nil)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, o := range outs {
		uris = append(uris, o.uri)
		specs = append(specs, o.spec)
		arrays = append(arrays, o.arrays)
	}
	return uris, specs, arrays, nil
}

// createFunc opens a writer; formats/all has it.
type createFunc func(ctx context.Context, uri string, spec formats.Spec) (formats.Writer, error)

// planWrite opens a writer for each output.
func planWrite(ctx context.Context, targets []Target, create createFunc) (*Writing, error) {
	w := &Writing{create: create}
	targets, err := w.planTables(ctx, targets, create)
	if err != nil {
		return nil, err
	}
	updates, err := openUpdates(ctx, targets)
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*Writing, error) {
		w.Abort()
		for _, u := range updates {
			if !slices.Contains(w.uris, u.uri) {
				u.close()
			}
		}
		return nil, err
	}
	outs, err := layOut(targets, updates)
	if err != nil {
		return fail(err)
	}
	for _, o := range outs {
		if o.update != nil {
			if err := o.into(w); err != nil {
				return fail(err)
			}
			continue
		}
		wr, err := create(ctx, o.uri, o.spec)
		if err != nil {
			return fail(err)
		}
		w.writers = append(w.writers, wr)
		w.uris = append(w.uris, o.uri)
		for i, a := range o.arrays {
			w.Outputs = append(w.Outputs, Output{Array: a, Name: o.spec.Vars[i].Name, To: wr.Sink(i)})
		}
	}
	return w, nil
}

// Commit makes every output visible. When one fails, those not yet visible are aborted.
func (w *Writing) Commit(ctx context.Context) error {
	if err := w.writeTables(ctx); err != nil {
		w.Abort()
		return err
	}
	for i, wr := range w.writers {
		if err := wr.Commit(ctx); err != nil {
			for _, rest := range w.writers[i:] {
				rest.Abort()
			}
			return fmt.Errorf("ndarray: write %s: %w", w.uris[i], err)
		}
	}
	return nil
}

// Abort removes what was written and returns the first error of doing so.
func (w *Writing) Abort() error {
	var first error
	for _, wr := range w.writers {
		if err := wr.Abort(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
