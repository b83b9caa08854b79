// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
)

// stops is a diverging palette from cold to warm.
var stops = []color.RGBA{
	{24, 46, 120, 255}, {52, 110, 180, 255}, {120, 178, 215, 255}, {205, 228, 240, 255}, {247, 247, 244, 255},
	{253, 219, 186, 255}, {240, 150, 100, 255}, {205, 70, 55, 255}, {125, 14, 35, 255},
}

// palette returns the colour of x in [0, 1]; NaN is grey.
func palette(x float64) color.RGBA {
	if math.IsNaN(x) {
		return color.RGBA{150, 150, 150, 255}
	}
	x = min(max(x, 0), 1) * float64(len(stops)-1)
	i := min(int(x), len(stops)-2)
	f := x - float64(i)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-f) + float64(b)*f)) }
	a, b := stops[i], stops[i+1]
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

// field is a map to draw: rows from south to north.
type field struct {
	lat, lon int
	value    func(j, i int) float64
}

// bounds returns the smallest and largest number of the field.
func (f field) bounds() (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for j := range f.lat {
		for i := range f.lon {
			if x := f.value(j, i); !math.IsNaN(x) {
				lo, hi = min(lo, x), max(hi, x)
			}
		}
	}
	return lo, hi
}

// at returns the value at a point of the map, x and y in [0, 1) from the north-west, between cells.
func (f field) at(x, y float64) float64 {
	u, v := x*float64(f.lon)-0.5, (1-y)*float64(f.lat)-0.5
	i, j := int(math.Floor(u)), int(math.Floor(v))
	fu, fv := u-float64(i), v-float64(j)
	cell := func(j, i int) float64 { return f.value(min(max(j, 0), f.lat-1), (i+f.lon)%f.lon) }
	south := cell(j, i)*(1-fu) + cell(j, i+1)*fu
	north := cell(j+1, i)*(1-fu) + cell(j+1, i+1)*fu
	return south*(1-fv) + north*fv
}

// text draws the map with characters, dark for low values.
func (f field) text(w io.Writer, width int, unit string) error {
	const shades = " .:-=+*#%@"
	lo, hi := f.bounds()
	b := bufio.NewWriter(w)
	rows := width / 4 // characters are about twice as high as wide
	for y := range rows {
		b.WriteString("  ")
		for x := range width {
			v := (f.at((float64(x)+0.5)/float64(width), (float64(y)+0.5)/float64(rows)) - lo) / (hi - lo)
			if math.IsNaN(v) {
				b.WriteByte('?')
				continue
			}
			b.WriteByte(shades[min(int(v*float64(len(shades))), len(shades)-1)])
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(b, "  %q = %.1f to %.1f %s\n", shades, lo, hi, unit)
	return b.Flush()
}

// png draws the map with a colour bar below it into a file, complete or absent.
func (f field) png(path string, scale int) (err error) {
	lo, hi := f.bounds()
	w, h, bar := f.lon*scale, f.lat*scale, 4*scale
	img := image.NewRGBA(image.Rect(0, 0, w, h+2*bar))
	for y := range h + 2*bar {
		for x := range w {
			c := color.RGBA{255, 255, 255, 255}
			switch {
			case y < h:
				c = palette((f.at((float64(x)+0.5)/float64(w), (float64(y)+0.5)/float64(h)) - lo) / (hi - lo))
			case y >= h+bar/2 && y < h+bar*3/2 && x >= bar && x < w-bar:
				c = palette(float64(x-bar) / float64(w-2*bar))
			}
			img.SetRGBA(x, y, c)
		}
	}
	return writeFile(path, func(w io.Writer) error { return png.Encode(w, img) })
}

// writeFile writes a file under a partial name beside its place and renames it.
func writeFile(path string, fill func(io.Writer) error) (err error) {
	partial := partialName(path)
	device := false
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		// A pipe or a device is written to; renaming over it would take it away.
		partial, device = path, true
	}
	f, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && !device {
			_ = os.Remove(partial) // what is left of a failure is nobody's output
		}
	}()
	b := bufio.NewWriter(f)
	if err = fill(b); err == nil {
		err = b.Flush()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil || device {
		return err
	}
	return os.Rename(partial, path)
}
