// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
)

// pages reads every page of the chain from off on. A chain that meets itself ends there.
func (f *file) pages(off int64) ([]*page, error) {
	var out []*page
	seen := map[int64]bool{}
	for off != 0 && !seen[off] {
		seen[off] = true
		if len(out) == maxPages {
			return nil, corrupt("more than %d pages", maxPages)
		}
		d, err := f.directory(off)
		if err == nil {
			var p *page
			if p, err = f.newPage(d, false); err == nil {
				out = append(out, p)
			}
		}
		if err != nil {
			if len(out) > 0 && d == nil {
				break // what was read of a file that was cut off stays
			}
			return nil, err
		}
		off = d.next
	}
	if len(out) == 0 {
		return nil, corrupt("no pages")
	}
	return out, nil
}

// listsPages reports whether a page lists others as parts of itself.
func (p *page) listsPages() bool { return !p.sub && p.d.find(tagSubIFDs) != nil }

// subpages reads the pages a page lists as parts of itself, once: reduced resolutions.
func (p *page) subpages() ([]*page, error) {
	e := p.d.find(tagSubIFDs)
	if e == nil || p.subs != nil {
		return p.subs, nil
	}
	offs, err := p.f.ints(e)
	if err != nil || len(offs) > maxPages {
		return nil, err
	}
	var out []*page
	for _, off := range offs {
		if off < 8 || p.f.subs[off] { // two pages cannot share one
			continue
		}
		p.f.subs[off] = true
		d, err := p.f.directory(off)
		if err != nil {
			return nil, err
		}
		sub, err := p.f.newPage(d, true)
		if err != nil {
			return nil, err
		}
		out = append(out, sub)
	}
	p.subs = out
	return out, nil
}

// key tells pages of different series apart.
type key struct {
	layout
	width, height int64
}

func (p *page) key() key {
	k := key{p.layout, p.width, p.height}
	k.reduced = false // the sizes say it already
	return k
}

// plain forms series of pages that are alike, in the order of their first pages.
func plain(pages []*page) ([]*series, error) {
	byKey := map[key]*series{}
	seen := map[int64]bool{}
	var out []*series
	add := func(p *page) {
		if p.shape == nil || seen[p.d.off] {
			return
		}
		seen[p.d.off] = true
		k := p.key()
		s := byKey[k]
		if s == nil {
			s = &series{shaped: "plain"}
			byKey[k] = s
			out = append(out, s)
		}
		s.pages = append(s.pages, p)
	}
	for _, p := range pages {
		add(p)
		subs, err := p.subpages()
		if err != nil {
			return nil, err
		}
		for _, s := range subs {
			add(s)
		}
	}
	for _, s := range out {
		s.set("I", chunk.Shape{int64(len(s.pages))})
	}
	return pyramids(out, false), nil
}

// set gives the series its leading axes, those of length 1 left out, and its page's own.
func (s *series) set(axes string, lengths chunk.Shape) {
	long, some := "", chunk.Shape{}
	for i, n := range lengths {
		if n != 1 {
			long += axes[i : i+1]
			some = append(some, n)
		}
	}
	s.setAll(long, some)
}

// setAll is set with the axes of length 1.
func (s *series) setAll(axes string, lengths chunk.Shape) {
	p := s.first()
	s.axes, s.shape, s.lead = axes+p.axes, append(lengths.Clone(), p.shape...), len(lengths)
}

// pyramids moves series that are reduced copies of another to its levels: all have the first one's axes and dtype,
// and are smaller by powers of the same factor. Pages listed by other pages are never the first level.
// What counts as one is tifffile's rule.
func pyramids(all []*series, reduced bool) []*series {
	for i := 0; i < len(all); i++ {
		a := all[i]
		a.levels = []*series{a}
		if a.first().sub {
			continue
		}
		factor := int64(0)
		for j := i + 1; j < len(all); {
			b := all[j]
			ok := !reduced || b.first().reduced
			if ok && factor == 0 {
				ok = false
				for f := int64(2); f <= 4 && !ok; f++ {
					if level(a.levels[len(a.levels)-1], b, f) == 1 {
						factor, ok = f, true
					}
				}
			} else if ok {
				ok = level(a, b, factor) == len(a.levels)
			}
			if !ok {
				j++
				continue
			}
			a.levels = append(a.levels, b)
			all = append(all[:j], all[j+1:]...)
		}
	}
	return all
}

// level returns the power of factor by which b is smaller than a, -1: it is no copy of it.
func level(a, b *series, factor int64) int {
	if a.axes != b.axes || a.first().dtype != b.first().dtype {
		return -1
	}
	found := -1
	for i, ax := range a.axes {
		n, m := a.shape[i], b.shape[i]
		if !strings.ContainsRune("XYZ", ax) {
			if n != m {
				return -1
			}
			continue
		}
		d := int64(1)
		for r := 0; r < 16 && d <= n; r++ {
			// |n/d - m| < 1
			if diff := n - m*d; (found < 0 || found == r) && diff < d && -diff < d {
				found = r
				d = -1
				break
			}
			d *= factor
		}
		if d != -1 {
			return -1
		}
	}
	return found
}
