// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

// describedRow is one way.
type describedRow struct {
	name   string
	is     func(text string) bool
	series func(text string, pages []*page) ([]*series, error)
}

// described are the ways in which a writer's description of the first page forms series, in the order in which
// they are tried. A row whose text does not fit its pages gives no series and no error: the pages are then plain.
var described = []describedRow{
	{"shaped", func(t string) bool { return strings.HasPrefix(t, `{"shape":`) || strings.HasPrefix(t, "shape=(") }, shapedSeries},
	{"ome", isOME, omeSeries},
	{"imagej", func(t string) bool { return strings.HasPrefix(t, "ImageJ=") }, imagejSeries},
}

// form returns the series of a file's pages.
func form(pages []*page) ([]*series, error) {
	text, err := pages[0].f.text(pages[0].d, tagDescription)
	if err != nil {
		return nil, err
	}
	for _, row := range described {
		if pages[0].shape == nil || !row.is(text) {
			continue
		}
		out, err := row.series(text, pages)
		if err != nil || len(out) > 0 {
			return out, err
		}
	}
	return plain(pages)
}

// final reports whether the pixels of a page lie in the file as they are in memory, without gaps.
func (p *page) final() bool {
	return p.err == nil && p.plain() && !p.planar && p.segHeight >= p.height
}

// nbytes is the size of a page's pixels.
func (p *page) nbytes() int64 { return p.height * p.rowBytes() }

// stacked returns the pages of n positions: those of the file from the first on, nil where there are fewer, or one page
// whose pixels are followed by those of the others.
func stacked(pages []*page, n int64) (list []*page, planes int64) {
	p := pages[0]
	if p.final() && n > 1 {
		off, _, err := p.segment(0)
		if err == nil && off > 0 && n <= (p.f.size-off)/p.nbytes() && (len(pages) == 1 || off+n*p.nbytes() <= pages[1].d.off) {
			return pages[:1], n
		}
	}
	if n > int64(len(pages)) && n > maxPages {
		return nil, 0
	}
	list = make([]*page, n)
	copy(list, pages)
	for _, q := range list {
		if q != nil && q.key() != p.key() {
			return nil, 0
		}
	}
	return list, 1
}

// shapedSeries reads what tifffile writes: JSON with the shape, and perhaps the axes, of the array the pages hold.
func shapedSeries(_ string, pages []*page) ([]*series, error) {
	out, err := shapedOf(pages)
	return pyramids(out, true), err
}

// shapedOf returns the series of pages and of the pages that these list, nil where a description does not fit.
func shapedOf(pages []*page) ([]*series, error) {
	var out []*series
	for i := 0; i < len(pages); {
		p := pages[i]
		text, err := p.f.text(p.d, tagDescription)
		if err != nil {
			return nil, err
		}
		var meta struct {
			Shape     []int64 `json:"shape"`
			Axes      string  `json:"axes"`
			Truncated bool    `json:"truncated"`
		}
		if old, ok := strings.CutPrefix(strings.TrimSpace(text), "shape=("); ok { // what versions before 2013 wrote
			text = `{"shape":[` + strings.TrimRight(old, ", )") + "]}"
		}
		if json.Unmarshal([]byte(text), &meta) != nil || p.shape == nil || len(meta.Shape) > 32 {
			return nil, nil
		}
		size, err := chunk.Shape(meta.Shape).Bytes(1)
		if err != nil || size == 0 || size%p.shape.Size() != 0 {
			return nil, nil
		}
		list, planes := stacked(pages[i:], size/p.shape.Size())
		if len(list) == 0 {
			return nil, nil
		}
		s := &series{pages: list, planes: planes, shaped: "shaped"}
		lead, ok := leading(meta.Shape, p.shape)
		if !ok {
			return nil, nil
		}
		axes := strings.ToUpper(meta.Axes)
		if len(axes) != len(meta.Shape) {
			axes = strings.Repeat("Q", len(lead))
		}
		s.setAll(axes[:len(lead)], lead)
		if len(axes) == len(lead)+len(p.shape) { // the description also names the axes of a page
			s.names = make([]string, len(s.axes))
			for j := range p.shape {
				s.names[s.lead+j] = strings.ToLower(axes[len(lead)+j:][:1])
			}
		}
		out = append(out, s)
		if planes <= 1 && p.listsPages() {
			subs, err := shapedSubs(list)
			if err != nil || len(subs) == 0 {
				return nil, err
			}
			out = append(out, subs...)
		}
		if i += len(list); planes > 1 && !meta.Truncated && i+int(planes)-1 <= len(pages) {
			i += int(planes) - 1 // the planes have pages of their own as well
		}
	}
	return out, nil
}

// shapedSubs returns the series of the pages that the pages of a series list: the first of each, the second of each and so on.
func shapedSubs(list []*page) ([]*series, error) {
	var out []*series
	for i := 0; ; i++ {
		group := make([]*page, 0, len(list))
		for _, p := range list {
			if p == nil || p.sub {
				return out, nil
			}
			subs, err := p.subpages()
			if err != nil {
				return nil, err
			}
			if i < len(subs) {
				group = append(group, subs[i])
			}
		}
		if len(group) == 0 {
			return out, nil
		}
		if len(group) < len(list) {
			return nil, nil
		}
		s, err := shapedOf(group)
		if err != nil || len(s) == 0 {
			return nil, err
		}
		out = append(out, s...)
	}
}

// leading returns the lengths of shape before those of a page, which may lack axes of length 1.
func leading(shape, page chunk.Shape) (chunk.Shape, bool) {
	i := len(shape)
	for j := len(page) - 1; j >= 0; {
		switch {
		case i > 0 && shape[i-1] == page[j]:
			i--
			j--
		case page[j] == 1:
			j--
		case i > 0 && shape[i-1] == 1:
			i--
		default:
			return nil, false
		}
	}
	return shape[:i], true
}

// fields returns the lines name=value of an ImageJ description.
func fields(text string) (names []string, values map[string]string) {
	values = map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && len(names) < 1000 {
			if _, there := values[name]; !there {
				names = append(names, name)
			}
			values[name] = value
		}
	}
	return names, values
}

// imagejSeries reads the hyperstacks of ImageJ: channels, slices and frames in the order TZC unless it says another one.
func imagejSeries(text string, pages []*page) ([]*series, error) {
	p := pages[0]
	names, values := fields(text)
	count := func(name string) int64 {
		n, err := strconv.ParseInt(values[name], 10, 64)
		if err != nil || n < 1 || n > maxPages { // three of them can be multiplied
			n = 1
		}
		return n
	}
	frames, slices, channels, images := count("frames"), count("slices"), count("channels"), count("images")
	samples := int64(p.samples)
	switch {
	case channels == 1, p.planar && samples == channels:
		images = frames * slices
		channels = 1
	case images == frames*slices && !p.planar && samples == channels:
		channels = 1 // the samples of a pixel are called channels
	default:
		images = frames * slices * channels
	}
	if images == 1 && len(pages) > 1 {
		images = int64(len(pages))
	}
	list, planes := stacked(pages, images)
	if len(list) == 0 {
		return nil, nil
	}
	s := &series{pages: list, planes: planes, shaped: "imagej"}
	length := map[byte]int64{'T': frames, 'Z': slices, 'C': channels}
	order := "TZC"
	if o := strings.ToUpper(values["order"]); len(o) == 3 && strings.Contains(o, "T") && strings.Contains(o, "Z") && strings.Contains(o, "C") {
		order = string([]byte{o[2], o[1], o[0]})
	}
	axes, lengths := "I"+order, chunk.Shape{1, length[order[0]], length[order[1]], length[order[2]]}
	lengths[0] = images / (frames * slices * channels)
	if lengths.Size() != images {
		axes, lengths = "I", chunk.Shape{images}
	}
	s.set(axes, lengths)
	for _, n := range names {
		var v any = values[n]
		if f, err := strconv.ParseFloat(values[n], 64); err == nil && n != "ImageJ" {
			v = f
		}
		if k, err := strconv.ParseInt(values[n], 10, 64); err == nil && n != "ImageJ" {
			v = k
		}
		s.attrs = append(s.attrs, formats.Attr{Name: n, Value: v})
	}
	return []*series{s}, nil
}
