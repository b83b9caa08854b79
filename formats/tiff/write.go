// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/internal/aside"
	"github.com/arrayrun/arrayrun/formats/internal/files"
	"github.com/arrayrun/arrayrun/formats/store"
)

// writer makes a cloud-optimised file: a formats.Writer. Tiles are compressed as they come and kept beside the output's place; Commit
// makes the overviews from them and writes directories and tiles in the order that readers of ranges want.
type writer struct {
	path, partial, staged string
	overwrite             bool
	stage                 *os.File
	end                   atomic.Int64 // of the stage
	image                 *formats.VarSpec
	global                formats.Attrs
	others                map[string]*aside.Var // variables that are no image, by name
	sinks                 []formats.Sink
	samples               int64 // bands, or samples of a pixel
	layout                layout
	pack                  codec.Stage // nil: none
	levels                []*outLevel
	nearest               bool
	placed                bool  // the axes are part of a georeference
	classic               int64 // the size beyond which the file is BigTIFF
	done                  atomic.Bool
}

const (
	tileSide  = 512
	mostBands = 1<<16 - 1
)

// create starts an output at path.
func create(ctx context.Context, path string, spec formats.Spec) (formats.Writer, error) {
	fail := func(err error) (formats.Writer, error) {
		return nil, fmt.Errorf("formats/tiff: create %s: %w", path, err)
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	path = filepath.Clean(path)
	if err := files.FreeForFile(path, spec.Overwrite); err != nil {
		return fail(err)
	}
	w := &writer{path: path, partial: store.Partial(path), staged: store.Partial(path + "-tiles"), overwrite: spec.Overwrite,
		global: spec.Attrs, others: map[string]*aside.Var{}, classic: mostClassic}
	if err := w.plan(spec.Vars); err != nil {
		return fail(err)
	}
	if err := errors.Join(os.RemoveAll(w.partial), os.RemoveAll(w.staged)); err != nil {
		return fail(err)
	}
	f, err := os.OpenFile(w.staged, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fail(err)
	}
	w.stage = f
	if _, err := f.WriteAt(make([]byte, 8), 0); err != nil { // offset 0 means a tile that is not there
		return fail(errors.Join(err, w.Abort()))
	}
	w.end.Store(8)
	w.open()
	return w, nil
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), formats.ErrFormat)
}

// plan finds the image among the variables and chooses how it is stored.
func (w *writer) plan(vars []formats.VarSpec) error {
	helper := map[string]bool{}
	for _, v := range vars {
		for _, name := range []string{"bounds", "climatology", "grid_mapping", "coordinates"} {
			if t, ok := v.Attrs.Get(name); ok {
				for _, n := range strings.FieldsFunc(fmt.Sprint(t), func(r rune) bool { return r == ' ' || r == ':' }) {
					helper[n] = true
				}
			}
		}
	}
	for i := range vars {
		v := &vars[i]
		if len(v.Shape) > 1 && !helper[v.Name] {
			if w.image != nil {
				return formats.Refuse(v.Name, "%s is there already, and a TIFF file holds one image; write .zarr or .nc, or two files", w.image.Name)
			}
			w.image = v
		}
	}
	if w.image == nil {
		return refuse("no variable has the two dimensions of an image; write .parquet, .nc or .zarr")
	}
	if err := w.lay(); err != nil {
		return &formats.Misfit{Var: w.image.Name, Err: err}
	}
	if err := w.compress(w.image.Codec); err != nil {
		return fmt.Errorf("variable %q: %w", w.image.Name, err)
	}
	for i := range vars {
		v := &vars[i]
		if v == w.image {
			w.sinks = append(w.sinks, w.tiles())
			continue
		}
		if len(v.Shape) == 1 && !helper[v.Name] && !(len(v.Dims) == 1 && slices.Contains(w.image.Dims, v.Dims[0])) {
			return formats.Refuse(v.Name, "it lies along no axis of %s: a TIFF file holds one image; name what to write, or write .zarr or .nc", w.image.Name)
		}
		s, err := aside.New(v)
		if err != nil {
			return err
		}
		w.others[v.Name] = s
		w.sinks = append(w.sinks, s)
	}
	return nil
}

// lay chooses planes, dtype, compression, predictor and tiles.
func (w *writer) lay() error {
	v, l := w.image, &w.layout
	shape := v.Shape
	if shape.Size() == 0 {
		return refuse("an image of no pixels %v", shape)
	}
	var height, width, steps int64
	switch {
	case len(shape) == 2:
		height, width, w.samples = shape[0], shape[1], 1
	case len(shape) == 3 && (shape[2] == 3 || shape[2] == 4) && (v.Dims == nil || v.Dims[2] == "s" || strings.HasPrefix(v.Dims[2], "rgb") || strings.HasPrefix(v.Dims[2], "sample")):
		height, width, w.samples = shape[0], shape[1], shape[2]
	case len(shape) == 3:
		l.planar = shape[0] > 1
		w.samples, height, width = shape[0], shape[1], shape[2]
		steps = 1
	default:
		return refuse("%d dimensions, an image has two, or three with its bands; select or write .zarr", len(shape))
	}
	if w.samples > mostBands || height > 1<<31-1 || width > 1<<31-1 {
		return refuse("%d bands of %d x %d pixels are more than a TIFF holds", w.samples, width, height)
	}
	l.samples, l.dtype, l.tiled, l.fillOrder = int(w.samples), v.DType, true, 1
	switch dt := v.DType; {
	case dt == dtype.Bool, dt.Kind() == dtype.KindUint:
		l.format = formatUint
	case dt.Kind() == dtype.KindInt:
		l.format = formatInt
	case dt.IsFloat() && dt != dtype.BFloat16:
		l.format = formatFloat
	case dt.IsComplex():
		l.format = formatComplexFloat
	default:
		return refuse("TIFF has no %v; convert it with astype", dt)
	}
	l.bits = 8 * l.dtype.Size()
	if l.dtype == dtype.Bool {
		l.bits = 1
	}
	side := func(axis int) int64 {
		if g := v.Grid; g != nil && g.Axes[axis].Edges == nil {
			if n := g.Axes[axis].Step; n%16 == 0 && n >= 64 && n <= 4096 && n < shape[axis] {
				return n
			}
		}
		return min(tileSide, (shape[axis]+15)&^15)
	}
	l.segHeight, l.segWidth = side(int(steps)), side(int(steps)+1)
	_, flags := v.Attrs.Get("flag_values")
	_, masks := v.Attrs.Get("flag_masks")
	_, colours := v.Attrs.Get("ColorMap")
	b, _ := v.Attrs.Get("dtype")
	w.nearest = flags || masks || colours || v.DType == dtype.Bool || b == "bool"
	l.photometric = 1
	if !l.planar && w.samples >= 3 && (l.dtype == dtype.Uint8 || l.dtype == dtype.Uint16) {
		l.photometric = 2
	}
	return nil
}

// compress chooses the compression by its name.
func (w *writer) compress(text string) error {
	l := &w.layout
	name, level, leveled := strings.Cut(text, ":")
	cfg := codec.Config{}
	switch name {
	case "", "deflate", "zlib":
		name, l.compression = "zlib", 8
		cfg["level"] = int64(6)
	case "zstd":
		l.compression = 50000
	case "none":
		l.compression, l.predictor = compressNone, 1
		return nil
	default:
		return refuse("codec %q: TIFF is written with zlib, zstd or none", name)
	}
	if leveled {
		var n int64
		if _, err := fmt.Sscanf(level, "%d", &n); err != nil {
			return refuse("codec %q: the level is no number", text)
		}
		cfg["level"] = n
	}
	l.predictor = map[int]int{formatUint: 2, formatInt: 2, formatFloat: 3, formatComplexFloat: 1}[l.format]
	if l.bits == 1 {
		l.predictor = 1
	}
	e, ok := codec.ByName(name)
	if !ok {
		return refuse("codec %q", name)
	}
	var err error
	w.pack, err = e.New(cfg, 1)
	return err
}

// open makes the levels: pages over the stage.
func (w *writer) open() {
	v := w.image
	first := 0
	if len(v.Shape) == 3 && (w.layout.planar || w.samples == 1) {
		first = 1
	}
	h, wide := v.Shape[first], v.Shape[first+1]
	f := &file{r: w.stage, size: 1 << 62, order: le}
	for {
		p := &page{f: f, width: wide, height: h, layout: w.layout}
		p.once.Do(func() {}) // its lists are made here
		rows, cols := p.grid()
		n := rows * cols
		if p.planar {
			n *= w.samples
		}
		p.offsets, p.counts = make([]int64, n), make([]int64, n)
		w.levels = append(w.levels, &outLevel{p})
		if max(h, wide) <= max(w.layout.segHeight, w.layout.segWidth) {
			return
		}
		h, wide = (h+1)/2, (wide+1)/2
	}
}

// Sink implements formats.Writer.
func (w *writer) Sink(i int) formats.Sink { return w.sinks[i] }

// Abort implements formats.Writer.
func (w *writer) Abort() error {
	if w.done.Swap(true) {
		return nil
	}
	return errors.Join(w.stage.Close(), os.Remove(w.staged))
}

// Commit implements formats.Writer.
func (w *writer) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.done.Swap(true) {
		return fmt.Errorf("formats/tiff: commit %s: it is committed or aborted already", w.path)
	}
	err := w.overviews(ctx)
	if err == nil {
		err = w.assemble(ctx)
	}
	err = errors.Join(err, w.stage.Close(), os.Remove(w.staged))
	if err == nil {
		err = files.Place(w.partial, w.path, w.overwrite)
	}
	if err != nil {
		os.Remove(w.partial)
		return fmt.Errorf("formats/tiff: commit %s: %w", w.path, err)
	}
	return nil
}
