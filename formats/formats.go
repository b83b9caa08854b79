// SPDX-License-Identifier: BSD-3-Clause

package formats

import (
	"context"
	"errors"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// The sentinels every format's errors wrap.
var (
	// ErrFormat: not a file of this format, or one that uses a feature we refuse by name.
	ErrFormat = errors.New("formats: not supported")
	// ErrCorrupt: bytes that contradict the format's own rules or checksums.
	ErrCorrupt = errors.New("formats: corrupt data")
	// ErrExists: the output is already there and overwriting was not asked for.
	ErrExists = errors.New("formats: output exists")
)

// Attr is one attribute. Value is a string, []string, bool, int64, uint64,
// float64, a slice of numbers of the stored type ([]int8 ... []float64), nil
// (null), or for Zarr any JSON value (map[string]any, []any, json numbers as int64,
// uint64 or float64). A one-element numeric array of a file is a scalar of its Go type.
// Type says how the file stores a value of a type of the user's, as ArrayMeta.Stored has it; nil where Value says it.
type Attr struct {
	Name  string
	Value any
	Type  any
}

// Attrs keeps attributes in the file's order.
type Attrs []Attr

// Get returns the value of the attribute with the name.
func (a Attrs) Get(name string) (any, bool) {
	for _, x := range a {
		if x.Name == name {
			return x.Value, true
		}
	}
	return nil, false
}

// With returns a copy of a in which name has the value, in its old place or at the end.
func (a Attrs) With(name string, value any) Attrs {
	out := append(Attrs(nil), a...)
	for i := range out {
		if out[i].Name == name {
			out[i].Value = value
			return out
		}
	}
	return append(out, Attr{Name: name, Value: value})
}

// Without returns a copy of a that lacks the names.
func (a Attrs) Without(names ...string) Attrs {
	out := make(Attrs, 0, len(a))
next:
	for _, x := range a {
		for _, n := range names {
			if x.Name == n {
				continue next
			}
		}
		out = append(out, x)
	}
	return out
}

// Dim is a named dimension of a group.
type Dim struct {
	Name      string
	Size      int64
	Unlimited bool
}

// Type is a data type that a group names: a compound, an enumeration, a sequence, an opaque one.
type Type struct {
	Name   string
	Stored any // as ArrayMeta.Stored has it
}

// Link is a name in a group behind which there is nothing: it leads to a place of its own file where no variable and no
// group is. There is nothing to read or to lose.
type Link struct {
	Name, Target string
	Why          error
}

// Group is an open container of variables and further groups. Methods return
// what was read when it was opened; nothing here blocks.
type Group struct {
	Format string // "netcdf4", "zarr3", ... (the names of arrayrun info)
	Attrs  Attrs
	Dims   []Dim
	Types  []Type // in the file's order; a type comes behind those that are parts of it
	Vars   []Var
	Groups []NamedGroup
	Links  []Link       // names behind which there is nothing
	Of     string       // of references: the format of the hierarchy they make
	Bare   bool         // the file is arrays alone: what they are called is not in it
	Close  func() error // of the root group; nil where there is nothing to close
}

// FillMasks reports whether the fill value of arrays whose axes have names stands for their _FillValue: in Zarr 2, where xarray keeps that one there.
// It is asked of the root group.
func (g *Group) FillMasks() bool { return g.Format == "zarr2" || g.Of == "zarr2" }

// NamedGroup is a sub-group with its name.
type NamedGroup struct {
	Name  string
	Group *Group
}

// Var is one raw variable: no CF decoding, no laziness. Dims is nil when the
// format or the file names none.
type Var struct {
	Name   string
	Dims   []string
	Attrs  Attrs
	Source Source // nil when Err says why it cannot be read
	Err    error

	Spacing []Spacing // of each axis, nil where the file says nothing; a variable of the dimension's name counts more
}

// Spacing says where the positions along an axis lie: position i at Start + i*Step, in units of Unit.
type Spacing struct {
	Start, Step float64
	Unit        string // "" where the file names none
}

// ArrayMeta describes a stored array as the file has it.
type ArrayMeta struct {
	Shape     chunk.Shape
	DType     dtype.DType // in memory; Raw or String where kernels refuse it
	ItemBytes int         // bytes of an element
	Grid      chunk.Grid  // storage chunks; a default grid for contiguous storage
	Chunked   bool        // false: contiguous, Grid is DefaultGrid's
	Shards    chunk.Shape // outer shard shape, nil when unsharded (Grid is then of inner chunks)
	Fill      []byte      // one element, native byte order; nil is zeros
	FillSet   bool        // the file states the fill value itself
	Stored    any         // the file's own dtype as arrayrun info prints it (string or map)
	ByteOrder string      // "little", "big" or "" for one-byte items
	Codecs    []string    // names in the order of encoding
	Bytes     int64       // stored bytes when known, else -1
}

// Source reads the chunks of one array. It is safe for concurrent use.
//
// ReadChunk decodes the chunk at k into dst, which it borrows: dst has the
// source's dtype and the shape Meta().Grid.Region(k) has, any strides. A chunk
// never written reads as the fill value. A chunk that cannot be decoded gives an
// error wrapping ErrCorrupt or ErrFormat; dst is then undefined. For String the source sets dst.Heap.
//
// It returns the stored bytes it read.
type Source interface {
	Meta() *ArrayMeta
	ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (read int64, err error)
	// ScratchBytes bounds what one ReadChunk allocates beside dst (encoded bytes, codec state).
	ScratchBytes() int64
}

// DirectReader is implemented by sources that take less where every chunk goes, whole, to contiguous memory.
type DirectReader interface {
	// DirectScratchBytes is ScratchBytes for chunks whose dst is contiguous and as the metadata's grid says.
	DirectScratchBytes() int64
}

// Sizer is implemented by sources that must look at their storage to know its size.
type Sizer interface {
	// StoredBytes returns the bytes the array's chunks take in storage. It may list a whole directory.
	StoredBytes(ctx context.Context) (int64, error)
}

// PartedSource is implemented by sources that are made of others.
type PartedSource interface {
	// Absent names the parts that reads have not found so far, so that the fill value stands for them.
	Absent() []string
}

// RegionReader is implemented by sources whose storage is contiguous: a part of
// a chunk can be read without the rest.
type RegionReader interface {
	ReadRegion(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (read int64, err error)
}

// RegionCoster is a RegionReader of which some regions take more reading than others: those whose elements lie scattered in the file
// are read with what lies between them.
type RegionCoster interface {
	RegionReader
	// RegionBytes returns the bytes that are read for a region of a shape into contiguous memory.
	RegionBytes(shape chunk.Shape) int64
}

// VarSpec describes a variable to be written.
type VarSpec struct {
	Name      string
	Dims      []string // nil: unnamed
	Shape     chunk.Shape
	DType     dtype.DType
	ItemBytes int         // Raw only
	Grid      *chunk.Grid // a hint; nil lets the format choose
	Shards    chunk.Shape // of the units that hold whole chunks, rounded up to a multiple of them; nil: none. Zarr v3 alone has them
	Attrs     Attrs
	Fill      []byte // one element, native order; nil: the format's default
	Codec     string // "" the format's default, "none", "zlib:4", "zstd:3"
	Stored    any    // the file's dtype to keep, as ArrayMeta.Stored has it ("S12", "U5", "datetime64[ns]"); nil: DType says it
}

// GroupSpec describes a group of an output below its root. The groups on the way to a variable need none unless they
// have attributes or dimensions of their own.
type GroupSpec struct {
	Path  string // "forecast", "forecast/members"; a group comes before those below it
	Attrs Attrs
	Dims  []Dim // variables of the group and of those below it may have them; formats that know names only leave them out
	Types []Type
}

// Spec describes a whole output.
type Spec struct {
	Attrs     Attrs
	Dims      []Dim
	Types     []Type      // names for types that variables and attributes have; formats without such names leave them out
	Groups    []GroupSpec // formats without groups refuse them, and names of variables with slashes
	Vars      []VarSpec   // Name is "forecast/t2m" for a variable of a group
	Rows      string      // the dimension of a table's rows: its positions are no column, and a variable of its name is one like others; "": none
	Overwrite bool
	Format    string // "" or the member of the format's family to write: "zarr2", "zarr3", "netcdf4"
}

// Writer is an output being written under a partial name beside its place.
// After Commit it is complete and visible; after Abort, or without either, nothing is.
type Writer interface {
	Sink(i int) Sink // of Spec.Vars[i]
	Commit(ctx context.Context) error
	Abort() error
}

// Sink takes the chunks of one variable of an output. WriteChunk is safe for
// concurrent use with different keys; every key of Grid is written exactly once, by one owner.
// The chunk is borrowed and may have any strides.
type Sink interface {
	Grid() chunk.Grid
	WriteChunk(ctx context.Context, k chunk.Key, c *chunk.Chunk) (written int64, err error)
	// ScratchBytes bounds what one WriteChunk allocates.
	ScratchBytes() int64
}

// FreeSink is implemented by sinks whose storage has no chunks: any grid whose chunks are runs of the array will do.
type FreeSink interface {
	Sink
	// Regrid cuts the variable by another grid. It is called before the first WriteChunk or not at all.
	Regrid(g chunk.Grid)
}
