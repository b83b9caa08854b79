// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"

	"github.com/arrayrun/arrayrun/formats/codec"
)

// decodeJPEG decodes a JPEG stream whose tables may lie in the page. Colours stored as YCbCr become RGB; other
// samples stay as they are.
func decodeJPEG(p *page, dst, src []byte, rows int, _ *codec.Scratch) (int, error) {
	if t := p.tables; len(t) >= 4 && len(src) >= 2 { // both are whole streams: join them without the end of one and the start of the other
		src = append([]byte(t[:len(t)-2]), src[2:]...)
	}
	head, err := jpeg.DecodeConfig(bytes.NewReader(src))
	if err != nil {
		return 0, corrupt("%v", err)
	}
	w, n := int(p.segWidth), p.inPixel()
	if head.Width < w || head.Height < rows || int64(head.Width)*int64(head.Height) > 4*int64(len(dst))+1<<20 {
		return 0, corrupt("the image has %d x %d pixels, want %d x %d", head.Width, head.Height, w, rows)
	}
	img, err := jpeg.Decode(bytes.NewReader(src))
	if err != nil {
		return 0, corrupt("%v", err)
	}
	switch m := img.(type) {
	case *image.Gray:
		if n != 1 {
			break
		}
		for y := range rows {
			copy(dst[y*w:][:w], m.Pix[y*m.Stride:])
		}
		return rows * w, nil
	case *image.RGBA:
		if n != 3 {
			break
		}
		for y := range rows {
			row, to := m.Pix[y*m.Stride:], dst[3*y*w:]
			for x := range w {
				copy(to[3*x:3*x+3], row[4*x:])
			}
		}
		return 3 * rows * w, nil
	case *image.YCbCr:
		if n == 3 {
			fromYCbCr(dst, m, w, rows, p.photometric == photometricYCbCr)
			return 3 * rows * w, nil
		}
	}
	return 0, corrupt("an image of another number of samples than %d", n)
}

// fromYCbCr writes pixels as RGB, or where they are not YCbCr as they are. Subsampled colours are interpolated
// between their centres, as libjpeg does.
func fromYCbCr(dst []byte, m *image.YCbCr, w, rows int, convert bool) {
	hx, hy := 1, 1
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		hx = 2
	case image.YCbCrSubsampleRatio420:
		hx, hy = 2, 2
	case image.YCbCrSubsampleRatio440:
		hy = 2
	case image.YCbCrSubsampleRatio411:
		hx = 4
	case image.YCbCrSubsampleRatio410:
		hx, hy = 4, 2
	}
	cw, ch := (m.Rect.Dx()+hx-1)/hx, (m.Rect.Dy()+hy-1)/hy
	cb, cr := make([]byte, w), make([]byte, w)
	for y := range rows {
		upsample(cb, m.Cb, m.CStride, cw, ch, y, hx, hy)
		upsample(cr, m.Cr, m.CStride, cw, ch, y, hx, hy)
		to := dst[3*y*w:]
		for x := range w {
			a, b, c := m.Y[y*m.YStride+x], cb[x], cr[x]
			if convert {
				a, b, c = color.YCbCrToRGB(a, b, c)
			}
			to[3*x], to[3*x+1], to[3*x+2] = a, b, c
		}
	}
}

// upsample writes one row of a subsampled plane at full width. Along an axis halved, an element is three
// quarters of the nearer sample and one of the farther, rounded as libjpeg rounds; other ratios repeat samples.
func upsample(out, plane []byte, stride, cw, ch, y, hx, hy int) {
	near := min(y/hy, ch-1)
	far := near
	if hy == 2 && hx <= 2 {
		far = min(max(near-1+2*(y%2), 0), ch-1)
	}
	a, b := plane[near*stride:], plane[far*stride:]
	vertical := hy == 2 && hx <= 2
	sum := func(i int) int { // four times the value where rows are blended
		if vertical {
			return 3*int(a[i]) + int(b[i])
		}
		return int(a[i])
	}
	for x := range out {
		i := min(x/hx, cw-1)
		switch {
		case hx == 2:
			j := i - 1 + 2*(x%2)
			edge := j < 0 || j >= cw
			if edge {
				j = i
			}
			v := 3*sum(i) + sum(j)
			if vertical {
				out[x] = byte((v + 8 - x%2) >> 4)
			} else {
				out[x] = byte((v + 1 + x%2) >> 2)
			}
		case vertical:
			out[x] = byte((sum(i) + 1 + y%2) >> 2)
		default:
			out[x] = a[i]
		}
	}
}
