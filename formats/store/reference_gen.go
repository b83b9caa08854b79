// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"fmt"
	"strconv"
)

// variable is a name that templates may use, with what it stands for.
type variable struct {
	name  string
	value value
}

// dimension is one of the loops of a generator.
type dimension struct {
	name              string
	start, stop, step int64
	items             []value // nil: the range
}

func (d *dimension) len() int64 {
	if d.items != nil {
		return int64(len(d.items))
	}
	if d.stop <= d.start {
		return 0
	}
	return (d.stop-d.start-1)/d.step + 1
}

func (d *dimension) at(i int64) value {
	if d.items != nil {
		return d.items[i]
	}
	return value{n: d.start + i*d.step}
}

// generate reads a generator and adds an entry for each element of the product of its dimensions.
func (b *builder) generate(p *scanner) error {
	var dims []dimension
	text := map[string]string{}
	err := p.object(func(name string) (err error) {
		switch name {
		case "key", "url":
			text[name], err = p.text()
		case "offset", "length": // a template, or the number itself
			if p.next() == '"' {
				text[name], err = p.text()
			} else {
				var n int64
				n, err = p.whole()
				text[name] = strconv.FormatInt(n, 10)
			}
		case "dimensions":
			err = p.object(func(name string) error {
				d, err := p.dimension(name)
				if dims = append(dims, d); err == nil && len(dims) > maxDimensions {
					err = p.bad(fmt.Sprintf("more than %d dimensions", maxDimensions))
				}
				return err
			})
		default:
			_, err = p.skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	_, hasOff := text["offset"]
	_, hasLen := text["length"]
	switch {
	case text["key"] == "" || text["url"] == "" || dims == nil:
		return p.bad("a generator without key, url or dimensions")
	case hasOff != hasLen:
		return fmt.Errorf("%w: %w", errBoth, ErrDamaged)
	}
	total := int64(1)
	for i := range dims {
		n := dims[i].len()
		if n == 0 {
			return nil
		}
		if n > maxEntries || total*n > maxEntries-int64(len(b.entries)) {
			return fmt.Errorf("a generator makes more than %d references: %w", maxEntries, ErrDamaged)
		}
		total *= n
	}
	vars := make([]variable, len(dims))
	at := make([]int64, len(dims))
	for range total {
		for i := range dims {
			vars[i] = variable{dims[i].name, dims[i].at(at[i])}
		}
		e, err := b.generated(text, vars, hasOff)
		if err == nil {
			err = b.add(e)
		}
		if err != nil {
			return err
		}
		for i := len(at) - 1; i >= 0; i-- { // the last dimension varies fastest
			if at[i]++; at[i] < dims[i].len() {
				break
			}
			at[i] = 0
		}
	}
	return nil
}

func (b *builder) generated(text map[string]string, vars []variable, ranged bool) (e entry, err error) {
	e.n = -1
	if e.key, err = b.expand(text["key"], vars); err != nil {
		return e, err
	}
	if e.text, err = b.expand(text["url"], vars); err != nil {
		return e, err
	}
	if e.text == "" {
		return e, fmt.Errorf("%.100q: an empty URL: %w", e.key, ErrDamaged)
	}
	if !ranged {
		return e, nil
	}
	for _, f := range []struct {
		name string
		to   *int64
	}{{"offset", &e.off}, {"length", &e.n}} {
		s, err := b.expand(text[f.name], vars)
		if err != nil {
			return e, err
		}
		if *f.to, err = strconv.ParseInt(s, 10, 64); err != nil {
			return e, fmt.Errorf("%.100q: %s %.50q is no integer: %w", e.key, f.name, s, ErrDamaged)
		}
	}
	if err := e.check(); err != nil {
		return e, fmt.Errorf("%.100q: %w", e.key, err)
	}
	return e, nil
}

// dimension reads a range with start, stop and step, or a list of numbers and texts.
func (p *scanner) dimension(name string) (dimension, error) {
	d := dimension{name: name, step: 1}
	if p.next() == '[' {
		d.items = []value{}
		err := p.array(func() error {
			var v value
			var err error
			if p.next() == '"' {
				v.isText = true
				v.text, err = p.text()
			} else {
				v.n, err = p.whole()
			}
			if d.items = append(d.items, v); err == nil && len(d.items) > maxEntries {
				err = p.bad("a dimension that is too long")
			}
			return err
		})
		return d, err
	}
	stop := false
	err := p.object(func(name string) (err error) {
		switch name {
		case "start":
			d.start, err = p.whole()
		case "stop":
			d.stop, err = p.whole()
			stop = true
		case "step":
			d.step, err = p.whole()
		default:
			_, err = p.skip()
		}
		return err
	})
	const most = 1 << 53
	if err == nil && (!stop || d.step < 1 || d.step > most || d.start < -most || d.start > most || d.stop > most || d.stop < -most) {
		err = p.bad(fmt.Sprintf("dimension %.50q from %d to %d by %d: want a stop, and steps forward", name, d.start, d.stop, d.step))
	}
	return d, err
}
