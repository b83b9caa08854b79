// SPDX-License-Identifier: BSD-3-Clause

package regrid

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestGaussian compares latitudes with those that CDO 2.1.1 writes: cdo griddes -const,1,n2, -topo,t5grid, -const,1,n80.
func TestGaussian(t *testing.T) {
	for name, want := range map[string][]float64{
		"n2":     {59.4444082891668, 19.8757191474409, -19.8757191474409, -59.4444082891668},
		"t5grid": {73.7992136285632, 52.8129431899943, 31.704091745008, 10.5698823125761},
		"F80":    {89.1415194264611, 88.0294288679515, 86.910770814124, 85.7906288836365},
	} {
		g, err := Named(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			if math.Abs(g.Lat[i]-w) > 1e-11 {
				t.Errorf("%s: latitude %d is %v, want %v", name, i, g.Lat[i], w)
			}
		}
		if len(g.Lon) != 2*len(g.Lat) || g.Lat[len(g.Lat)-1] != -g.Lat[0] {
			t.Errorf("%s: %d longitudes, %d latitudes to %v", name, len(g.Lon), len(g.Lat), g.Lat[len(g.Lat)-1])
		}
	}
}

// TestNamed compares sizes, first places and steps with CDO 2.1.1's griddes.
func TestNamed(t *testing.T) {
	for name, want := range map[string][6]float64{
		"r360x180":   {360, 180, 0, 1, -89.5, 1},
		"r360x181":   {360, 181, 0, 1, -90, 1},
		"r8x4":       {8, 4, 0, 45, -67.5, 45},
		"r4x1":       {4, 1, 0, 90, 0, 0},
		"global_0.5": {720, 360, -179.75, 0.5, -89.75, 0.5},
		"global_30":  {12, 6, -165, 30, -75, 30},
		"t63grid":    {192, 96, 0, 1.875, 0, 0},
		"t50grid":    {152, 76, 0, 360.0 / 152, 0, 0},
		"tl10grid":   {24, 12, 0, 15, 0, 0},
		"tl159grid":  {320, 160, 0, 1.125, 0, 0},
		"n80":        {320, 160, 0, 1.125, 0, 0},
	} {
		g, err := Named(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := [6]float64{float64(len(g.Lon)), float64(len(g.Lat)), g.Lon[0], g.Lon[1] - g.Lon[0]}
		if want[4] != 0 {
			got[4], got[5] = g.Lat[0], g.Lat[1]-g.Lat[0]
		}
		for i := range got {
			if math.Abs(got[i]-want[i]) > 1e-12 {
				t.Errorf("%s: %v, want %v", name, got, want)
				break
			}
		}
	}
	for _, name := range []string{"", "r", "r0x5", "r360", "r360x", "rx4", "r-3x4", "r+3x4", "n0", "n", "F", "n99999", "global_", "global_0", "global_7", "global_nan", "tgrid", "t0grid", "r99999x99999", "xyz"} {
		if g, err := Named(name); err == nil {
			t.Errorf("%q: %d points, want an error", name, g.Size())
		}
	}
}

// some is a random rectilinear grid: global or not, in any direction, with cells of its own or not.
func some(r *rand.Rand, global bool) *Grid {
	nx, ny := 2+r.IntN(14), 2+r.IntN(12)
	g := &Grid{}
	if global {
		g.Lon = steps(r.Float64()*400-200, 360/float64(nx), nx)
		g.Lat = steps(-90+90/float64(ny), 180/float64(ny), ny)
		if r.IntN(3) == 0 {
			g.Lat = steps(-90, 180/float64(ny-1), ny)
		}
	} else {
		g.Lon = steps(r.Float64()*400-200, 1+r.Float64()*8, nx)
		g.Lat = steps(r.Float64()*60-60, 1+r.Float64()*4, ny)
	}
	if r.IntN(2) == 0 {
		g.LonBounds, g.LatBounds = cellsOf(r, g.Lon, global, 0), cellsOf(r, g.Lat, global, 90)
	}
	if r.IntN(2) == 0 {
		slices.Reverse(g.Lat)
		slices.Reverse(g.LatBounds)
	}
	if r.IntN(4) == 0 {
		slices.Reverse(g.Lon)
		slices.Reverse(g.LonBounds)
		for i, b := range g.LonBounds {
			g.LonBounds[i] = [2]float64{b[1], b[0]}
		}
	}
	if k := r.IntN(nx); global && r.IntN(3) == 0 { // begin somewhere else
		g.Lon = append(g.Lon[k:], g.Lon[:k]...)
		if g.LonBounds != nil {
			g.LonBounds = append(g.LonBounds[k:], g.LonBounds[:k]...)
		}
		for i := range g.Lon {
			g.Lon[i] = turn(g.Lon[i])
		}
	}
	return g
}

// cellsOf are cells with random edges between ascending centres; end is where the outer ones end on the globe, 0 for once around.
func cellsOf(r *rand.Rand, at []float64, global bool, end float64) [][2]float64 {
	n := len(at)
	out := make([][2]float64, n)
	for i := range out {
		if i < n-1 {
			e := at[i] + (0.3+0.4*r.Float64())*(at[i+1]-at[i])
			out[i][1], out[i+1][0] = e, e
		}
	}
	out[0][0], out[n-1][1] = at[0]-0.4*(at[1]-at[0]), at[n-1]+0.4*(at[n-1]-at[n-2])
	switch {
	case global && end > 0:
		out[0][0], out[n-1][1] = -end, end
	case global:
		out[n-1][1] = out[0][0] + 360
	}
	return out
}

// numbers are random values, some of them missing.
func numbers(r *rand.Rand, n int64, missing float64) []float64 {
	list := make([]float64, n)
	for i := range list {
		if list[i] = r.NormFloat64(); r.Float64() < missing {
			list[i] = math.NaN()
		}
	}
	return list
}

// level maps a whole level.
func (m *Map) level(t testing.TB, from, to *Grid, rule Rule, in []float64) []float64 {
	t.Helper()
	at := Box{Rows: int64(len(to.Lat)), Cols: int64(len(to.Lon))}
	out := make([]float64, to.Size())
	Apply(m, rule, at, Level[float64]{Data: out, Row: at.Cols, Col: 1}, m.cut(in, from.ShapeOf().Cols, m.Need(at)), make([]float64, m.Scratch(at)))
	return out
}

// cut returns a box of the source.
func (m *Map) cut(in []float64, width int64, b Box) []float64 {
	var out []float64
	for r := range b.Rows {
		from := (m.Source.Row+b.Row+r)*width + m.Source.Col + b.Col
		out = append(out, in[from:from+b.Cols]...)
	}
	return out
}

// areas returns the area of each cell over that of the sphere's radius squared.
func areas(t *testing.T, g *Grid) []float64 {
	t.Helper()
	lat, err := g.latitudes()
	if err != nil {
		t.Fatal(err)
	}
	lon, err := g.longitudes()
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, g.Size())
	for j, row := range lat.order {
		for i, col := range lon.order {
			out[int(row)*len(g.Lon)+int(col)] = sines(lat.lo[j], lat.hi[j]) * (lon.hi[i] - lon.lo[i]) * rad
		}
	}
	return out
}

func integral(x, area []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += x[i] * area[i]
	}
	return sum
}

// TestConserves compares integrals over the globe: without missing values, and with them if sums are divided by whole cells.
func TestConserves(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		from, to := some(r, true), some(r, true)
		m, err := New(from, to, Conservative, from.ShapeOf(), to.ShapeOf())
		if err != nil {
			t.Fatalf("seed %d: %v\n%+v\n%+v", seed, err, from, to)
		}
		a, b := areas(t, from), areas(t, to)
		for missing, rule := range map[float64]Rule{0: {}, 0.3: {SkipNA: true, DestArea: true}} {
			x := numbers(r, from.Size(), missing)
			y := m.level(t, from, to, rule, x)
			for _, list := range [][]float64{x, y} {
				for i := range list {
					if missing > 0 && math.IsNaN(list[i]) {
						list[i] = 0
					}
				}
			}
			if got, want := integral(y, b), integral(x, a); !(math.Abs(got-want) < 1e-12) {
				t.Fatalf("seed %d: %v: integral %v, want %v\n%+v\n%+v", seed, rule, got, want, from, to)
			}
		}
	}
}

// TestSameGrid regrids to the source's own grid, which changes nothing, next to missing values too.
func TestSameGrid(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		g := some(r, seed%2 == 0)
		x := numbers(r, g.Size(), 0.2)
		for _, how := range []Method{Bilinear, Nearest, Conservative, Distance} {
			if g.Lat[0] == -90 || g.Lat[len(g.Lat)-1] == -90 {
				if how == Nearest || how == Distance { // all points of the row at a pole are one
					continue
				}
			}
			m, err := New(g, g, how, g.ShapeOf(), g.ShapeOf())
			if err != nil {
				t.Fatal(err)
			}
			for i, y := range m.level(t, g, g, Rule{}, x) {
				if y != x[i] && !(y != y && x[i] != x[i]) && !(how == Conservative && math.Abs(y-x[i]) < 1e-12) {
					t.Fatalf("seed %d: %v: point %d is %v, want %v\n%+v", seed, how, i, y, x[i], g)
				}
			}
		}
	}
}

// TestBoxes computes results box by box, each from no more of the source than it says it needs: the bits are those of the whole.
func TestBoxes(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		from, to := some(r, seed%2 == 0), some(r, seed%3 == 0)
		x := numbers(r, from.Size(), 0.1)
		how := Method(seed % 4)
		rule := Rule{SkipNA: seed%5 > 1, Least: float64(seed%3) / 4}
		m, err := New(from, to, how, from.ShapeOf(), to.ShapeOf())
		if err != nil {
			t.Fatal(err)
		}
		want := m.level(t, from, to, rule, x)
		for range 8 {
			var at Box
			at.Row, at.Col = r.Int64N(int64(len(to.Lat))), r.Int64N(int64(len(to.Lon)))
			at.Rows, at.Cols = 1+r.Int64N(int64(len(to.Lat))-at.Row), 1+r.Int64N(int64(len(to.Lon))-at.Col)
			need, most := m.Need(at), m.Need(Box{Rows: at.Rows, Cols: at.Cols})
			if need.Rows > most.Rows || need.Cols > most.Cols {
				t.Fatalf("seed %d: %v needs %v, more than %v, which is what any as large is said to need", seed, at, need, most)
			}
			out := make([]float64, at.Rows*at.Cols)
			Apply(m, rule, at, Level[float64]{Data: out, Row: 1, Col: at.Rows}, m.cut(x, from.ShapeOf().Cols, need), make([]float64, m.Scratch(at)))
			for j := range at.Rows {
				for i := range at.Cols {
					got, w := out[i*at.Rows+j], want[(at.Row+j)*int64(len(to.Lon))+at.Col+i]
					if math.Float64bits(got) != math.Float64bits(w) && !(got != got && w != w) {
						t.Fatalf("seed %d: %v: %v: target (%d, %d) is %v, want %v", seed, how, at, j, i, got, w)
					}
				}
			}
		}
	}
}

// TestNearest compares both searches with a look at every point.
func TestNearest(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 4))
		g := some(r, seed%2 == 0)
		points := &Grid{Points: true}
		for _, y := range g.Lat {
			for _, x := range g.Lon {
				points.Lat, points.Lon = append(points.Lat, y), append(points.Lon, x)
			}
		}
		for range 50 {
			lat, lon, k := r.Float64()*180-90, r.Float64()*720-360, 1+r.IntN(4)
			var want []near
			for i := range points.Lat {
				d := square(lat-points.Lat[i]) + math.Cos(lat*rad)*math.Cos(points.Lat[i]*rad)*square(lon-points.Lon[i])
				want = insert(want, near{d, int32(i)}, k)
			}
			for _, from := range []*Grid{g, points} {
				s, err := from.search()
				if err != nil {
					t.Fatal(err)
				}
				got := s.nearest(lat, lon, k, nil)
				for i := range want {
					if len(got) != len(want) || got[i].index != want[i].index || math.Abs(got[i].chord-want[i].chord) > 1e-14 {
						t.Fatalf("seed %d: points=%v: %d nearest to %v, %v: %v, want %v", seed, from.Points, k, lat, lon, got, want)
					}
				}
			}
		}
	}
}

// TestPole looks at places between the last row and the pole of a grid that goes round: on the line to the row's mean.
func TestPole(t *testing.T) {
	from := &Grid{Lat: steps(-80, 20, 9), Lon: steps(0, 90, 4)}
	to := &Grid{Lat: []float64{-90, -85, 85, 90}, Lon: []float64{0, 45}}
	x := make([]float64, 36)
	copy(x, []float64{1, 3, 5, 7})
	copy(x[32:], []float64{2, math.NaN(), 6, 4})
	m, err := New(from, to, Bilinear, from.ShapeOf(), to.ShapeOf())
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	for rule, want := range map[Rule][]float64{
		{}:             {4, 4, 2.5, 3, 3, nan, 4, nan},
		{SkipNA: true}: {4, 4, 2.5, 3, 3, (0.25*2 + 0.5*4) / 0.75, 4, 4},
	} {
		for i, y := range m.level(t, from, to, rule, x) {
			if !(math.Abs(y-want[i]) < 1e-14) && !(y != y && want[i] != want[i]) {
				t.Errorf("%+v: target %d is %v, want %v", rule, i, y, want[i])
			}
		}
	}
	from.Lon = steps(0, 60, 4) // does not go round
	if m, err = New(from, to, Bilinear, from.ShapeOf(), to.ShapeOf()); err != nil {
		t.Fatal(err)
	}
	for i, y := range m.level(t, from, to, Rule{}, x) {
		if y == y {
			t.Errorf("target %d beyond the grid is %v, want NaN", i, y)
		}
	}
}

// TestErrors says what is wrong with grids.
func TestErrors(t *testing.T) {
	good := &Grid{Lat: []float64{0, 10}, Lon: []float64{0, 10}}
	points := &Grid{Points: true, Lat: []float64{0, 10}, Lon: []float64{0, 10}}
	for _, c := range []struct {
		from, to *Grid
		how      Method
		want     string
	}{
		{&Grid{Lat: []float64{0, 95}, Lon: good.Lon}, good, Nearest, "source grid: latitude 1: got 95"},
		{good, &Grid{Lat: []float64{0, math.NaN()}, Lon: good.Lon}, Nearest, "target grid: latitude 1: got NaN"},
		{good, &Grid{Lat: good.Lat, Lon: []float64{math.Inf(1)}}, Nearest, "longitude 0: got +Inf"},
		{&Grid{Lat: []float64{5, 0, 5}, Lon: good.Lon}, good, Bilinear, "latitude 5 occurs twice"},
		{&Grid{Lat: good.Lat, Lon: []float64{10, 370, 20}}, good, Bilinear, "occurs twice"},
		{&Grid{Lat: good.Lat}, good, Bilinear, "0 longitudes"},
		{points, good, Bilinear, "bilinear: the source"},
		{good, points, Conservative, "conservative: source and target"},
		{&Grid{Lat: []float64{3}, Lon: good.Lon}, good, Conservative, "need bounds"},
		{&Grid{Lat: good.Lat, Lon: good.Lon, LatBounds: [][2]float64{{-5, 8}, {5, 15}}}, good, Conservative, "overlap"},
		{&Grid{Lat: good.Lat, Lon: good.Lon, LatBounds: [][2]float64{{-5, 5}}}, good, Conservative, "1 pairs for 2 cells"},
		{&Grid{Lat: good.Lat, Lon: good.Lon, LonBounds: [][2]float64{{-5, 5}, {5, math.NaN()}}}, good, Conservative, "bounds of longitude 1"},
		{&Grid{Points: true, Lat: []float64{1}, Lon: []float64{1, 2}}, good, Nearest, "want as many"},
		{good, good, Method(9), "method 9"},
	} {
		if _, err := New(c.from, c.to, c.how, c.from.ShapeOf(), c.to.ShapeOf()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v from %+v to %+v: %v, want %q", c.how, c.from, c.to, err, c.want)
		}
	}
	if _, err := MethodOf("bicubic"); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", methodNames)) {
		t.Errorf("MethodOf(bicubic): %v", err)
	}
}

// FuzzNew makes maps between grids of any numbers: they are refused, or applied without a fault.
func FuzzNew(f *testing.F) {
	f.Add(int64(1), uint8(0), 10.0, 370.0, -90.0, 90.0)
	f.Add(int64(2), uint8(6), -180.0, 180.0, 0.0, 0.1)
	f.Add(int64(3), uint8(11), 1e9, math.NaN(), 91.0, -1e-300)
	f.Fuzz(func(t *testing.T, seed int64, kind uint8, a, b, c, d float64) {
		r := rand.New(rand.NewPCG(uint64(seed), 5))
		from, to := some(r, seed%2 == 0), some(r, seed%3 == 0)
		for _, g := range []*Grid{from, to} {
			for _, x := range []float64{a, b, c, d} {
				switch list := [][]float64{g.Lat, g.Lon}[r.IntN(2)]; r.IntN(3) {
				case 0:
					list[r.IntN(len(list))] = x
				case 1:
					if g.LatBounds != nil {
						g.LatBounds[r.IntN(len(g.LatBounds))][r.IntN(2)] = x
					}
				default:
					if g.LonBounds != nil {
						g.LonBounds[r.IntN(len(g.LonBounds))][r.IntN(2)] = x
					}
				}
			}
		}
		m, err := New(from, to, Method(kind%4), from.ShapeOf(), to.ShapeOf())
		if err == nil {
			m.level(t, from, to, Rule{SkipNA: kind&4 > 0}, numbers(r, from.Size(), 0.1))
		}
	})
}
