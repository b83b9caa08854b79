// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math/big"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/regrid"
)

// regridMethods are the rows of the table of methods for horizontal grids.
var regridMethods = map[string]method{
	"regrid": {"target= method= lat= lon= skipna= na_thres= norm=", regridMethod},
}

// regridMethod is regrid('r360x180', method='conservative') and regrid(other, method='bilinear'): the grid of a name, of a variable or data set, or
// of the axes lat= and lon=. The options are those of xESMF's Regridder; norm='destarea' is CDO's.
func regridMethod(recv value, _ args, b params) (value, error) {
	to, err := targetGrid(b)
	if err != nil {
		return nil, err
	}
	name, err := b.text("method")
	if err != nil {
		return nil, err
	}
	how, err := regrid.MethodOf(name)
	if err != nil {
		return nil, fmt.Errorf("regrid: %w", err)
	}
	var o ndarray.RegridOptions
	if b.has("skipna") {
		skip, err := b.bool("skipna", false)
		if err != nil {
			return nil, err
		}
		o.SkipNA = &skip
	}
	if b.has("na_thres") {
		part, err := b.float("na_thres", 1)
		if err != nil {
			return nil, err
		}
		o.NAThreshold = &part
	}
	norm, err := b.text("norm")
	if err != nil {
		return nil, err
	}
	switch norm {
	case "", "fracarea":
	case "destarea":
		o.DestArea = true
	default:
		return nil, fmt.Errorf("regrid: norm: got %q, want 'fracarea' or 'destarea'", norm)
	}
	there := func(v ndarray.Variable) (ndarray.Variable, error) { return v.Regrid(to, how, o), nil }
	ds, ok := recv.(*ndarray.Dataset)
	if !ok {
		return onVariables(recv, b.fn, nil, there)
	}
	from := ds.HorizontalGrid()
	if from.Err() != nil {
		return nil, from.Err()
	}
	return onVariables(recv, b.fn, from.Dims(), there)
}

// targetGrid returns the grid that a call names.
func targetGrid(b params) (ndarray.HorizontalGrid, error) {
	if b.has("lat") || b.has("lon") {
		if b.has("target") || !b.has("lat") || !b.has("lon") {
			return ndarray.HorizontalGrid{}, fmt.Errorf("regrid: want a target, or both lat= and lon=")
		}
		lat, err := degreesOf(b.vals["lat"], "regrid: lat")
		if err != nil {
			return ndarray.HorizontalGrid{}, err
		}
		lon, err := degreesOf(b.vals["lon"], "regrid: lon")
		if err != nil {
			return ndarray.HorizontalGrid{}, err
		}
		return ndarray.LatLonGrid(lat, lon), nil
	}
	var g ndarray.HorizontalGrid
	switch x := b.vals["target"].(type) {
	case string:
		g = ndarray.NamedGrid(x)
	case ndarray.Variable:
		g = x.HorizontalGrid()
	case *ndarray.Dataset:
		g = x.HorizontalGrid()
	default:
		return g, fmt.Errorf("regrid: target: got %s, want a name such as 'r360x180', a variable or data set with latitudes and longitudes, or lat= and lon=", describe(b.vals["target"]))
	}
	return g, g.Err()
}

// degreesOf returns the places of an axis: a list, or a vector or coordinate in memory.
func degreesOf(v value, what string) ([]float64, error) {
	if x, ok := v.(ndarray.Variable); ok {
		if l := x.Values(); l != nil && x.Rank() == 1 {
			out := make([]float64, l.Len())
			for i := range out {
				out[i] = l.Number(i)
			}
			return out, nil
		}
	}
	switch v.(type) {
	case list, tuple, *big.Int, float64:
		f, _, err := floatsOf(v, what)
		return f, err
	}
	return knownFloats(v, what)
}
