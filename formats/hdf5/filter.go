// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"encoding/binary"
	"fmt"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// Filter numbers that are handled here; others are looked up in codec.Table.
const (
	filterDeflate  = 1
	filterShuffle  = 2
	filterFletcher = 3
	filterLZF      = 32000
)

// filterNames are the names of filters that codec.Table does not have.
var filterNames = map[int]string{
	filterFletcher: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset", 305: "lzo", 307: "bz2", filterLZF: "lzf", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle", 32015: "zstd", 32026: "blosc2",
}

// step is a filter made ready: decode writes to dst's memory, or returns a part of src.
type step struct {
	name   string
	decode func(dst, src []byte, s *codec.Scratch) ([]byte, error)
}

// FilterName returns the name of a filter as arrayrun info prints it.
func FilterName(id int) string {
	for i := range codec.Table {
		if e := &codec.Table[i]; id != 0 && int(e.HDF5) == id {
			return e.Name
		}
	}
	if n, ok := filterNames[id]; ok {
		return n
	}
	return fmt.Sprintf("filter-%d", id)
}

// pipeline makes the filters of a dataset ready. A filter that is not known gives
// an error wrapping ErrFormat.
func pipeline(fs []Filter, item int) ([]step, error) {
	var out []step
	for _, f := range fs {
		s := step{name: FilterName(f.ID)}
		switch f.ID {
		case filterDeflate:
			s.decode = func(dst, src []byte, _ *codec.Scratch) ([]byte, error) {
				n, err := codec.InflateZlib(dst, src)
				return dst[:n], err
			}
		case filterShuffle:
			size := item
			if len(f.Values) > 0 {
				size = int(f.Values[0])
			}
			s.decode = func(dst, src []byte, _ *codec.Scratch) ([]byte, error) {
				if len(src) > len(dst) {
					return nil, fmt.Errorf("%d bytes, want at most %d: %w", len(src), len(dst), formats.ErrCorrupt)
				}
				codec.Unshuffle(dst, src, size)
				return dst[:len(src)], nil
			}
		case filterFletcher:
			s.decode = checkFletcher
		case filterLZF:
			s.decode = unpackLZF
		default:
			st, err := tableStage(f, item)
			if err != nil {
				return nil, err
			}
			s.decode = st.Decode
		}
		out = append(out, s)
	}
	return out, nil
}

// tableStage finds a filter in codec.Table.
func tableStage(f Filter, item int) (codec.Stage, error) {
	for i := range codec.Table {
		if e := &codec.Table[i]; int(e.HDF5) == f.ID {
			return e.New(nil, item)
		}
	}
	what := FilterName(f.ID)
	if f.Name != "" {
		what = fmt.Sprintf("%s (%q)", what, f.Name)
	}
	return nil, fmt.Errorf("hdf5: filter %s, number %d, is not known here; rewrite the file with zlib or zstd: %w", what, f.ID, formats.ErrFormat)
}

// checkFletcher verifies and drops the checksum behind src.
func checkFletcher(_, src []byte, _ *codec.Scratch) ([]byte, error) {
	n := len(src) - 4
	if n < 0 {
		return nil, fmt.Errorf("%d bytes, want at least 4: %w", len(src), formats.ErrCorrupt)
	}
	got, want := fletcher32(src[:n]), binary.LittleEndian.Uint32(src[n:])
	// Libraries before 1.6.3 wrote the two halves swapped on some machines; both are accepted, as HDF5 does.
	if swapped := want<<8&0xff00ff00 | want>>8&0x00ff00ff; got != want && got != swapped {
		return nil, fmt.Errorf("checksum is %#x, want %#x: %w", got, want, formats.ErrCorrupt)
	}
	return src[:n], nil
}

// unpackLZF decodes the LZF filter of h5py.
func unpackLZF(dst, src []byte, _ *codec.Scratch) ([]byte, error) {
	n := 0
	bad := func(i int) ([]byte, error) {
		return nil, fmt.Errorf("bad code near byte %d of %d: %w", i, len(src), formats.ErrCorrupt)
	}
	for i := 0; i < len(src); {
		c := int(src[i])
		i++
		if c < 32 {
			if i+c+1 > len(src) || n+c+1 > len(dst) {
				return bad(i)
			}
			n += copy(dst[n:], src[i:i+c+1])
			i += c + 1
			continue
		}
		l := c >> 5
		if l == 7 {
			if i >= len(src) {
				return bad(i)
			}
			l += int(src[i])
			i++
		}
		if i >= len(src) {
			return bad(i)
		}
		ref := n - (c&31)<<8 - int(src[i]) - 1
		i++
		if ref < 0 || n+l+2 > len(dst) {
			return bad(i)
		}
		for k := range l + 2 {
			dst[n+k] = dst[ref+k]
		}
		n += l + 2
	}
	return dst[:n], nil
}
