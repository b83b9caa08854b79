// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math/big"

	"github.com/arrayrun/arrayrun/ndarray"
)

// counting are the functions of distinct elements and of how many there are.
var counting = map[string]function{
	"unique":              {"ar return_index= return_inverse= return_counts= axis= equal_nan= sorted=", unique},
	"unique_values":       {"x", distinct("values")},
	"unique_counts":       {"x", distinct("values", "counts")},
	"unique_inverse":      {"x", distinct("values", "inverse_indices")},
	"unique_all":          {"x", distinct("values", "indices", "inverse_indices", "counts")},
	"histogram":           {histogramSig, func(b params) (value, error) { return histogram(b, "hist", "bin_edges") }},
	"histogram_bin_edges": {histogramSig, func(b params) (value, error) { return histogram(b, "bin_edges") }},
	"bincount":            {"x weights= minlength=", binCount},
}

// histogramSig are the parameters of histograms.
const histogramSig = "a bins= range= density= weights="

// partsOf returns the results of a set by their names in the array API.
func partsOf(u ndarray.UniqueSet, names []string) record {
	parts := map[string]ndarray.Array{"values": u.Values, "indices": u.Indices, "inverse_indices": u.Inverse, "counts": u.Counts}
	r := record{names: names}
	for _, n := range names {
		r.tuple = append(r.tuple, parts[n])
	}
	return r
}

// distinct is a function of the array API, in which NaN are all different: its results by name, or the one alone.
func distinct(names ...string) func(b params) (value, error) {
	return func(b params) (value, error) {
		a, err := asArray(b.vals["x"], b.fn)
		if err != nil || a.Err() != nil {
			return a, err
		}
		r := partsOf(a.Unique(false), names)
		if err := errOf(r.tuple[0]); err != nil {
			return nil, err
		}
		if len(names) == 1 {
			return r.tuple[0], nil
		}
		return r, nil
	}
}

// unique is NumPy's: the values, and what else is asked for.
func unique(b params) (value, error) {
	a, err := asArray(b.vals["ar"], b.fn)
	if err != nil || a.Err() != nil {
		return a, err
	}
	if b.has("axis") {
		return nil, fmt.Errorf("unique: axis is not supported: the distinct elements of all axes are found")
	}
	equal, err := b.bool("equal_nan", true)
	if err != nil {
		return nil, err
	}
	if _, err := b.bool("sorted", true); err != nil {
		return nil, err
	}
	names := []string{"values"}
	for _, o := range []struct{ option, name string }{{"return_index", "indices"}, {"return_inverse", "inverse_indices"}, {"return_counts", "counts"}} {
		want, err := b.bool(o.option, false)
		if err != nil {
			return nil, err
		}
		if want {
			names = append(names, o.name)
		}
	}
	r := partsOf(a.Unique(equal), names)
	if err := errOf(r.tuple[0]); err != nil {
		return nil, err
	}
	if len(names) == 1 {
		return r.tuple[0], nil
	}
	return r, nil
}

// histogram returns the counts and the edges, or the one of them that is named.
func histogram(b params, names ...string) (value, error) {
	a, err := asArray(b.vals["a"], b.fn)
	if err != nil || a.Err() != nil {
		return a, err
	}
	var o ndarray.BinOptions
	switch x := b.vals["bins"].(type) {
	case nil, none:
	case string:
		return nil, fmt.Errorf("%s: bins: got %q, want a number of bins or their edges: estimators are not supported", b.fn, x)
	case *big.Int:
		if !x.IsInt64() || x.Sign() <= 0 {
			return nil, fmt.Errorf("%s: bins: got %s, want 1 or more", b.fn, describe(x))
		}
		o.Bins = x.Int64()
	default:
		e, err := asArray(x, b.fn+": bins")
		if err != nil {
			return nil, err
		}
		o.Edges = &e
	}
	if b.has("range") {
		r, isList, err := floatsOf(b.vals["range"], b.fn+": range")
		if err != nil {
			return nil, err
		}
		if !isList || len(r) != 2 {
			return nil, fmt.Errorf("%s: range: got %s, want two numbers", b.fn, describe(b.vals["range"]))
		}
		o.Range = &[2]float64{r[0], r[1]}
	}
	if o.Density, err = b.bool("density", false); err != nil {
		return nil, err
	}
	if b.has("weights") {
		w, err := asArray(b.vals["weights"], b.fn+": weights")
		if err != nil {
			return nil, err
		}
		o.Weights = &w
	}
	counts, edges := a.Histogram(o)
	for _, x := range []ndarray.Array{counts, edges} {
		if x.Err() != nil {
			return x, nil
		}
	}
	if len(names) == 1 {
		return edges, nil
	}
	return record{tuple{counts, edges}, names}, nil
}

func binCount(b params) (value, error) {
	x, err := asArray(b.vals["x"], b.fn)
	if err != nil || x.Err() != nil {
		return x, err
	}
	least, err := b.int("minlength", 0)
	if err != nil {
		return nil, err
	}
	if !b.has("weights") {
		return x.BinCount(nil, least), nil
	}
	w, err := asArray(b.vals["weights"], b.fn+": weights")
	if err != nil {
		return nil, err
	}
	return x.BinCount(&w, least), nil
}
