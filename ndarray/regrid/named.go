// SPDX-License-Identifier: BSD-3-Clause

package regrid

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// mostRows bounds the rows of a Gaussian grid: the latitudes are found by iteration.
const mostRows = 1 << 14

// Named returns the grid of a name, as CDO has them:
//
//	r360x180    regular, longitudes from 0, latitudes from the south, without the poles; with them if the number of latitudes is odd (r360x181)
//	global_1    regular cells of 1 degree from 180 W and 90 S; other steps too
//	n80, F80    Gaussian, 80 rows from pole to equator, 320 longitudes from 0
//	t63grid     Gaussian, with the rows that a spectral truncation at 63 needs for quadratic terms; tl63grid for linear ones
func Named(name string) (*Grid, error) {
	for _, f := range []func(name string) (*Grid, error){regular, global, gaussian, spectral} {
		if g, err := f(name); g != nil || err != nil {
			return g, err
		}
	}
	return nil, fmt.Errorf("%q is not the name of a grid: want one such as r360x180, global_1, n80, F80 or t63grid", name)
}

// count reads a whole number from 1 to most.
func count(text string, most int) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 1 && n <= most && text[0] != '+'
}

func regular(name string) (*Grid, error) {
	x, y, ok := strings.Cut(strings.TrimPrefix(name, "r"), "x")
	nx, okX := count(x, most)
	ny, okY := count(y, most)
	if name[:min(1, len(name))] != "r" || !ok || !okX || !okY {
		return nil, nil
	}
	if int64(nx)*int64(ny) > most {
		return nil, fmt.Errorf("grid %q: got %d points, want at most %d", name, int64(nx)*int64(ny), int64(most))
	}
	g := &Grid{Lon: steps(0, 360/float64(nx), nx), Lat: steps(-90+90/float64(ny), 180/float64(ny), ny)}
	if ny%2 == 1 && ny > 1 {
		g.Lat = steps(-90, 180/float64(ny-1), ny)
	}
	return g, nil
}

func global(name string) (*Grid, error) {
	text, ok := strings.CutPrefix(name, "global_")
	if !ok {
		return nil, nil
	}
	step, err := strconv.ParseFloat(text, 64)
	nx, ny := math.Round(360/step), math.Round(180/step)
	if err != nil || !(step > 0 && step <= 180) || nx*ny > most || math.Abs(nx*step-360) > 1e-6 || math.Abs(ny*step-180) > 1e-6 {
		return nil, fmt.Errorf("grid %q: want a step in degrees that divides 180", name)
	}
	return &Grid{Lon: steps(-180+step/2, step, int(nx)), Lat: steps(-90+step/2, step, int(ny))}, nil
}

func gaussian(name string) (*Grid, error) {
	if len(name) < 2 || name[0] != 'n' && name[0] != 'F' {
		return nil, nil
	}
	n, ok := count(name[1:], mostRows/2)
	if !ok {
		return nil, nil
	}
	return gaussianOf(2 * n), nil
}

func spectral(name string) (*Grid, error) {
	text, ok := strings.CutSuffix(name, "grid")
	t, isT := strings.CutPrefix(text, "t")
	if !ok || !isT {
		return nil, nil
	}
	factor := 3
	if l, linear := strings.CutPrefix(t, "l"); linear {
		t, factor = l, 2
	}
	n, ok := count(t, mostRows/2)
	if !ok {
		return nil, nil
	}
	// The least even number of rows that is not below (factor*n+1)/2, as CDO has it.
	return gaussianOf((factor*n + 4) / 4 * 2), nil
}

// steps returns n numbers from first on.
func steps(first, step float64, n int) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = first + float64(float64(i)*step)
	}
	return list
}

func gaussianOf(rows int) *Grid {
	return &Grid{Lat: Gaussian(rows), Lon: steps(0, 360/float64(2*rows), 2*rows)}
}

// Gaussian returns the latitudes of a Gaussian grid of n rows from north to south, in degrees: the arc sines of the zeros of the Legendre
// polynomial of degree n, by Newton's method from Tricomi's estimate.
//
// Source: Abramowitz and Stegun, 25.4.29 and 22.16.6.
func Gaussian(n int) []float64 {
	lat := make([]float64, n)
	for i := range (n + 1) / 2 {
		z := math.Cos(math.Pi * (float64(i) + 0.75) / (float64(n) + 0.5))
		for range 20 {
			p, below := 1.0, 0.0
			for k := 1; k <= n; k++ {
				p, below = (float64(2*k-1)*z*p-float64(float64(k-1)*below))/float64(k), p
			}
			slope := float64(n) * (z*p - below) / (z*z - 1)
			step := p / slope
			z -= step
			if math.Abs(step) < 1e-16 {
				break
			}
		}
		lat[i] = math.Asin(z) * 180 / math.Pi
	}
	if n%2 == 1 {
		lat[n/2] = 0
	}
	for i := range n / 2 {
		lat[n-1-i] = -lat[i]
	}
	return slices.Clip(lat)
}
