// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"fmt"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// filterDeflate is the one filter whose decoder needs no scratch of the codecs'.
const filterDeflate = 1

// filterNames are the names of filters that codec.Table does not have.
var filterNames = map[int]string{305: "lzo"}

// step is a filter made ready: decode writes to dst's memory, or returns a part of src.
type step struct {
	name      string
	decode    func(dst, src []byte, s *codec.Scratch) ([]byte, error)
	unshuffle bool                                                            // of whole elements: a reader may do that itself
	put       func(to *codec.Rows, n int, src []byte, s *codec.Scratch) error // decodes n bytes part by part into rows; nil where that is not possible
}

// FilterName returns the name of a filter as arrayrun info prints it.
func FilterName(id int) string {
	if e, ok := codec.ByFilter(id); ok {
		return e.Name
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
		if f.ID == filterDeflate {
			s.decode = func(dst, src []byte, _ *codec.Scratch) ([]byte, error) {
				n, err := codec.InflateZlib(dst, src)
				return dst[:n], err
			}
		} else {
			st, err := tableStage(f, item)
			if err != nil {
				return nil, err
			}
			s.decode, s.unshuffle = st.Decode, codec.Unshuffles(st, item)
			if codec.CanPut(st) {
				s.put = func(to *codec.Rows, n int, src []byte, sc *codec.Scratch) error {
					return codec.PutStage(st, to, n, src, sc)
				}
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// tableStage finds a filter in codec.Table.
func tableStage(f Filter, item int) (codec.Stage, error) {
	if e, ok := codec.ByFilter(f.ID); ok {
		return e.FromFilter(f.Values, item)
	}
	what := FilterName(f.ID)
	if f.Name != "" {
		what = fmt.Sprintf("%s (%q)", what, f.Name)
	}
	return nil, fmt.Errorf("hdf5: filter %s, number %d, is not known here; rewrite the file with zlib or zstd: %w", what, f.ID, formats.ErrFormat)
}
