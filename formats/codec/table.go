// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"fmt"
	"hash/crc32"

	"github.com/arrayrun/arrayrun/formats"
)

// Stage is a bytes-to-bytes codec, safe for concurrent use with different Scratches.
type Stage interface {
	// Decode decodes src into dst's memory and returns the decoded bytes: a prefix of
	// dst or a part of src. It never yields more than len(dst) bytes.
	Decode(dst, src []byte, s *Scratch) ([]byte, error)
	// Encode appends the encoding of src to dst. A stage that only reads gives an error wrapping formats.ErrFormat.
	Encode(dst, src []byte, s *Scratch) ([]byte, error)
	// Bound is an upper bound of the encoded size of n bytes.
	Bound(n int) int
}

// encodeState is implemented by stages whose encoder keeps more than a few KiB.
type encodeState interface {
	// EncodeState is an upper bound of the bytes one worker keeps to encode n bytes.
	EncodeState(n int) int
}

// Entry is one row of Table.
type Entry struct {
	Name    string   // Zarr v3's name; the one info prints
	Aliases []string // other v3 names
	V2      string   // numcodecs' id in Zarr v2, "" when it has none
	HDF5    uint16   // HDF5's filter number, 0 when it has none
	State   int      // bytes of decoder state one worker keeps
	// New makes the stage for items of the given size; nil for array-to-array codecs and those HDF5 alone has.
	New func(c Config, itemBytes int) (Stage, error)
	// Array makes the stage of an array-to-array codec for elements in, and says what it stores. Its Bound is exact.
	Array func(c Config, in Elem) (s Stage, out Elem, err error)
	Fixed bool // an array-to-array codec that depends on the order of the elements
	// Filter makes the stage from the client values of an HDF5 filter; nil: New makes it without a configuration.
	Filter func(values []uint32, itemBytes int) (Stage, error)
}

// Table holds every codec but transpose, bytes and what moves elements between chunks.
var Table = []Entry{
	{Name: "gzip", Aliases: []string{"numcodecs.gzip"}, V2: "gzip", New: newGzip},
	{Name: "zlib", Aliases: []string{"numcodecs.zlib"}, V2: "zlib", HDF5: 1, New: newZlib},
	{Name: "zstd", Aliases: []string{"numcodecs.zstd"}, V2: "zstd", HDF5: 32015, State: 512 << 10, New: newZstd},
	{Name: "blosc", Aliases: []string{"numcodecs.blosc"}, V2: "blosc", HDF5: 32001, State: 1 << 20, New: newBlosc},
	{Name: "lz4", Aliases: []string{"numcodecs.lz4"}, V2: "lz4", HDF5: 32004, State: 16 << 10, New: newLZ4, Filter: newLZ4Filter},
	{Name: "bz2", Aliases: []string{"numcodecs.bz2"}, V2: "bz2", HDF5: 307, State: 4 << 20, New: newBzip2},
	{Name: "shuffle", Aliases: []string{"numcodecs.shuffle"}, V2: "shuffle", HDF5: 2, New: newShuffle, Filter: newShuffleFilter},

	// HDF5's own
	{Name: "szip", HDF5: 4, Filter: newSzip},
	{Name: "nbit", HDF5: 5, Filter: newNbit},
	{Name: "scaleoffset", HDF5: 6, Filter: newScaleOffsetFilter},
	{Name: "lzf", HDF5: 32000, Filter: newLZF},
	{Name: "blosc2", HDF5: 32026, State: 1 << 20, Filter: newBlosc2},
	{Name: "bitshuffle", HDF5: 32008, State: 512 << 10, Filter: newBitshuffle},

	// checksums
	{Name: "crc32c", Aliases: []string{"numcodecs.crc32c"}, V2: "crc32c", New: sumCodec("crc32c", "end", crc32c)},
	{Name: "crc32", Aliases: []string{"numcodecs.crc32"}, V2: "crc32", New: sumCodec("crc32", "start", crc32.ChecksumIEEE)},
	{Name: "adler32", Aliases: []string{"numcodecs.adler32"}, V2: "adler32", New: sumCodec("adler32", "start", Adler32)},
	{Name: "fletcher32", Aliases: []string{"numcodecs.fletcher32"}, V2: "fletcher32", HDF5: 3, New: newFletcher},
	{Name: "jenkins_lookup3", Aliases: []string{"numcodecs.jenkins_lookup3"}, V2: "jenkins_lookup3", New: newJenkins},

	// array to array; packbits makes bytes of an array
	{Name: "numcodecs.delta", V2: "delta", Array: newDelta, Fixed: true},
	{Name: "numcodecs.fixedscaleoffset", V2: "fixedscaleoffset", Array: newFixedScaleOffset},
	{Name: "numcodecs.quantize", V2: "quantize", Array: newQuantize},
	{Name: "numcodecs.bitround", Aliases: []string{"bitround"}, V2: "bitround", Array: newBitround},
	{Name: "numcodecs.astype", V2: "astype", Array: newAsType},
	{Name: "numcodecs.packbits", V2: "packbits", Array: newPackedBools, Fixed: true},
	{Name: "packbits", Array: newBitPack, Fixed: true},
	{Name: "scale_offset", Array: newScaleOffset},
	{Name: "cast_value", Array: newCastValue},
}

// ByName returns the row with the Zarr v3 name or alias.
func ByName(name string) (*Entry, bool) {
	for i := range Table {
		e := &Table[i]
		if e.Name == name {
			return e, true
		}
		for _, a := range e.Aliases {
			if a == name {
				return e, true
			}
		}
	}
	return nil, false
}

// ByV2 returns the row with the numcodecs id.
func ByV2(id string) (*Entry, bool) {
	for i := range Table {
		if id != "" && Table[i].V2 == id {
			return &Table[i], true
		}
	}
	return nil, false
}

// ByFilter returns the row with HDF5's filter number.
func ByFilter(id int) (*Entry, bool) {
	for i := range Table {
		if e := &Table[i]; id != 0 && int(e.HDF5) == id {
			return e, true
		}
	}
	return nil, false
}

// FromFilter makes the stage of an HDF5 filter from its client values.
func (e *Entry) FromFilter(values []uint32, itemBytes int) (Stage, error) {
	if e.Filter != nil {
		return e.Filter(values, itemBytes)
	}
	return e.New(nil, itemBytes)
}

// Config is a codec's configuration as parsed JSON: integers are int64.
type Config map[string]any

// Int returns the integer with the name, or def where it is absent; another type is an error wrapping formats.ErrFormat.
func (c Config) Int(name string, def int64) (int64, error) {
	switch v := c[name].(type) {
	case nil:
		return def, nil
	case int64:
		return v, nil
	case float64:
		if v == float64(int64(v)) {
			return int64(v), nil
		}
	}
	return 0, fmt.Errorf("codec: configuration %q: got %v, want an integer: %w", name, c[name], formats.ErrFormat)
}

// Text returns the string with the name, or def where it is absent or not a string.
func (c Config) Text(name, def string) string {
	if s, ok := c[name].(string); ok {
		return s
	}
	return def
}

// corrupt reports damage found by the named codec.
func corrupt(codec, format string, args ...any) error {
	return fmt.Errorf("codec %s: %s: %w", codec, fmt.Sprintf(format, args...), formats.ErrCorrupt)
}

// errFull is formats.ErrCorrupt of data that has more to give than there is room for.
var errFull error = fullError{}

type fullError struct{}

func (fullError) Error() string        { return formats.ErrCorrupt.Error() }
func (fullError) Is(target error) bool { return target == formats.ErrCorrupt }

// full is corrupt where more room might help.
func full(codec, format string, args ...any) error {
	return fmt.Errorf("codec %s: %s: %w", codec, fmt.Sprintf(format, args...), errFull)
}

// readOnly reports that the named codec cannot encode.
func readOnly(codec string) error {
	return fmt.Errorf("codec %s: it can be read but not written; use zstd, gzip or none: %w", codec, formats.ErrFormat)
}
