// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"encoding/xml"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

// ome is what is read of OME-XML. Specification: OME Model, 2016-06.
type ome struct {
	UUID   string `xml:"UUID,attr"`
	Images []struct {
		Name   string    `xml:"Name,attr"`
		Pixels omePixels `xml:"Pixels"`
	} `xml:"Image"`
}

type omePixels struct {
	Order    string     `xml:"DimensionOrder,attr"`
	SizeX    int64      `xml:"SizeX,attr"`
	SizeY    int64      `xml:"SizeY,attr"`
	SizeZ    int64      `xml:"SizeZ,attr"`
	SizeC    int64      `xml:"SizeC,attr"`
	SizeT    int64      `xml:"SizeT,attr"`
	Attrs    []xml.Attr `xml:",any,attr"`
	Channels []struct {
		Name    string `xml:"Name,attr"`
		Samples int64  `xml:"SamplesPerPixel,attr"`
	} `xml:"Channel"`
	Data []omeData `xml:"TiffData"`
}

// omeData places pages of a file.
type omeData struct {
	IFD    *int64   `xml:"IFD,attr"`
	FirstZ int64    `xml:"FirstZ,attr"`
	FirstC int64    `xml:"FirstC,attr"`
	FirstT int64    `xml:"FirstT,attr"`
	Count  *int64   `xml:"PlaneCount,attr"`
	UUID   *omeFile `xml:"UUID"`
}

type omeFile struct {
	File string `xml:"FileName,attr"`
	ID   string `xml:",chardata"`
}

func isOME(text string) bool {
	return strings.HasPrefix(text, "<") && strings.HasSuffix(strings.TrimSpace(text[max(0, len(text)-10):]), "OME>")
}

// omeSeries makes a series of each image.
func omeSeries(text string, pages []*page) ([]*series, error) {
	var doc ome
	if err := xml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Images) == 0 {
		return nil, nil //nolint:nilerr // a description that is no OME-XML says nothing about the pages
	}
	own := doc.self(pages[0].f.beside)
	var out []*series
	left := int64(maxPages) // positions of all images together
	for i := range doc.Images {
		px := &doc.Images[i].Pixels
		s, err := px.series(pages, own, &left)
		if err != nil {
			return nil, err
		}
		if s == nil {
			continue // an image of another file
		}
		if n := doc.Images[i].Name; n != "" {
			s.attrs = append(s.attrs, formats.Attr{Name: "Name", Value: n})
		}
		for _, a := range px.Attrs {
			if strings.HasPrefix(a.Name.Local, "PhysicalSize") || strings.HasPrefix(a.Name.Local, "TimeIncrement") {
				s.attrs = append(s.attrs, formats.Attr{Name: a.Name.Local, Value: number(a.Value)})
			}
		}
		var names []string
		for _, c := range px.Channels {
			if c.Name != "" {
				names = append(names, c.Name)
			}
		}
		if len(names) > 0 {
			s.attrs = append(s.attrs, formats.Attr{Name: "ChannelNames", Value: names})
		}
		out = append(out, s)
	}
	return out, nil
}

// self returns how to tell the file that holds the description from others that it names: by its identifier, by its name,
// or when it has been renamed as the first one named.
func (doc *ome) self(b *beside) func(*omeFile) bool {
	tests := []func(*omeFile) bool{
		func(u *omeFile) bool { return doc.UUID != "" && strings.TrimSpace(u.ID) == doc.UUID },
		func(u *omeFile) bool { return b != nil && u.File == b.name },
	}
	var first *omeFile
	for _, is := range tests {
		for _, im := range doc.Images {
			for _, d := range im.Pixels.Data {
				if d.UUID == nil {
					continue
				}
				if first == nil {
					first = d.UUID
				}
				if is(d.UUID) {
					return is
				}
			}
		}
	}
	return func(u *omeFile) bool { return u.File == first.File }
}

// series places the pages of an image, nil when none of them can be read. own tells the file of pages from others.
func (px *omePixels) series(pages []*page, own func(*omeFile) bool, left *int64) (*series, error) {
	order := px.Order
	if len(order) != 5 || !strings.HasPrefix(order, "XY") || !strings.Contains(order, "Z") || !strings.Contains(order, "C") || !strings.Contains(order, "T") {
		return nil, nil
	}
	samples := int64(1)
	if len(px.Channels) > 0 && px.Channels[0].Samples > 1 {
		samples = px.Channels[0].Samples
	}
	if px.SizeC%samples != 0 {
		return nil, nil
	}
	length := map[byte]int64{'Z': px.SizeZ, 'C': px.SizeC / samples, 'T': px.SizeT}
	axes := string([]byte{order[4], order[3], order[2]})
	lengths := chunk.Shape{length[axes[0]], length[axes[1]], length[axes[2]]}
	n := int64(1)
	for _, x := range lengths {
		if x < 1 || x > maxPages || n*x > maxPages {
			return nil, nil
		}
		n *= x
	}
	if *left -= n; *left < 0 || len(px.Data) > maxPages {
		return nil, nil
	}
	list, absent := make([]*page, n), map[int64]error{}
	var first *page
	for _, d := range px.Data {
		from, missing := pages, error(nil)
		if d.UUID != nil && d.UUID.File != "" && !own(d.UUID) {
			from, missing = pages[0].f.beside.pages(d.UUID.File)
		}
		at := map[byte]int64{'Z': d.FirstZ, 'C': d.FirstC, 'T': d.FirstT}
		pos := int64(0)
		for i := range 3 {
			x := at[axes[i]]
			if x < 0 || x >= lengths[i] {
				return nil, nil
			}
			pos = pos*lengths[i] + x
		}
		ifd, count := int64(0), n
		if d.IFD != nil {
			ifd, count = *d.IFD, 1
		}
		if d.Count != nil {
			count = *d.Count
		}
		for i := int64(0); i < count && pos+i < n && missing != nil; i++ {
			absent[pos+i] = missing
		}
		for i := int64(0); i < count && pos+i < n && ifd >= 0 && ifd+i < int64(len(from)); i++ {
			p := from[ifd+i]
			if first == nil {
				first = p
			}
			if p.shape == nil || p.key() != first.key() || int64(p.samples) != samples || p.width != px.SizeX || p.height != px.SizeY {
				return nil, nil
			}
			list[pos+i] = p
			delete(absent, pos+i)
		}
	}
	if first == nil {
		return nil, nil
	}
	s := &series{pages: list, absent: absent, shaped: "ome"}
	s.set(axes, lengths)
	return s, s.sublevels(list)
}

// sublevels makes the levels of a series whose pages list their reduced copies.
func (s *series) sublevels(list []*page) error {
	s.levels = []*series{s}
	subs := make([][]*page, len(list))
	for i, p := range list {
		if p == nil {
			continue
		}
		var err error
		if subs[i], err = p.subpages(); err != nil {
			return err
		}
	}
	for l := 0; ; l++ {
		level := &series{pages: make([]*page, len(list)), absent: s.absent, shaped: "ome"}
		var first *page
		for i := range list {
			if l >= len(subs[i]) || subs[i][l].shape == nil {
				continue
			}
			if level.pages[i] = subs[i][l]; first == nil {
				first = level.pages[i]
			}
			if level.pages[i].key() != first.key() {
				return nil
			}
		}
		if first == nil || first.axes != s.first().axes {
			return nil
		}
		level.axes, level.lead = s.axes, s.lead
		level.shape = append(s.shape[:s.lead:s.lead], first.shape...)
		s.levels = append(s.levels, level)
	}
}
