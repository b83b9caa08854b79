// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// Limits of a set of references. Larger ones are written as Parquet.
const (
	// MaxReference is how many bytes of JSON a set of references may have.
	MaxReference   = 512 << 20
	maxEntries     = 2 << 20
	maxExpanded    = 256 << 20 // bytes of keys and URLs that templates make
	maxNesting     = 256       // of JSON values
	maxDimensions  = 16        // of a generator
	maxGenerators  = 1 << 16
	maxTemplates   = 1 << 16
	maxExpandedURL = 16 << 10
)

// scanner reads JSON without making values of what is only kept: sets of references are long.
type scanner struct {
	s string
	i int
}

func (p *scanner) bad(what string) error {
	return fmt.Errorf("%s at byte %d of %d: %w", what, p.i, len(p.s), ErrDamaged)
}

// next skips white space and returns the next byte, 0 at the end.
func (p *scanner) next() byte {
	for p.i < len(p.s) {
		switch c := p.s[p.i]; c {
		case ' ', '\t', '\r', '\n':
			p.i++
		default:
			return c
		}
	}
	return 0
}

// text reads a string.
func (p *scanner) text() (string, error) {
	if p.next() != '"' {
		return "", p.bad("want a string")
	}
	p.i++
	from, escapes := p.i, false
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '"':
			raw := p.s[from:p.i]
			p.i++
			if !escapes {
				return raw, nil
			}
			var out string
			if err := json.Unmarshal([]byte(p.s[from-1:p.i]), &out); err != nil {
				p.i = from
				return "", p.bad("a string that is not JSON's")
			}
			return out, nil
		case c == '\\':
			escapes = true
			p.i += 2
		case c < ' ':
			return "", p.bad("a control character in a string")
		default:
			p.i++
		}
	}
	p.i = len(p.s)
	return "", p.bad("a string without end")
}

// skip passes over a value and returns its text. Bare NaN and Infinity, which attributes may have, are passed over too.
func (p *scanner) skip() (string, error) {
	p.next()
	from, depth := p.i, 0
	for {
		c := p.next()
		switch c {
		case 0:
			return "", p.bad("a value without end")
		case '"':
			if _, err := p.text(); err != nil {
				return "", err
			}
		case '{', '[':
			if depth++; depth > maxNesting {
				return "", p.bad("values nested too deep")
			}
			p.i++
			continue
		case '}', ']':
			if depth--; depth < 0 {
				return "", p.bad("want a value")
			}
			p.i++
		case ',', ':':
			if depth == 0 {
				return "", p.bad("want a value")
			}
			p.i++
			continue
		default:
			for p.i < len(p.s) && strings.IndexByte(" \t\r\n,:]}[{\"", p.s[p.i]) < 0 {
				p.i++
			}
		}
		if depth == 0 {
			return p.s[from:p.i], nil
		}
	}
}

// whole reads an integer.
func (p *scanner) whole() (int64, error) {
	p.next()
	from := p.i
	for p.i < len(p.s) && strings.IndexByte("+-.0123456789eE", p.s[p.i]) >= 0 {
		p.i++
	}
	n, err := strconv.ParseInt(p.s[from:p.i], 10, 64)
	if err != nil {
		p.i = from
		return 0, p.bad("want an integer")
	}
	return n, nil
}

// object calls member for each member of an object, which reads its value.
func (p *scanner) object(member func(name string) error) error {
	return p.list('{', '}', func() error {
		name, err := p.text()
		if err != nil {
			return err
		}
		if p.next() != ':' {
			return p.bad("want a colon")
		}
		p.i++
		return member(name)
	})
}

// array calls item for each value of an array, which reads it.
func (p *scanner) array(item func() error) error { return p.list('[', ']', item) }

func (p *scanner) list(open, end byte, item func() error) error {
	if p.next() != open {
		return p.bad("want " + string(rune(open)))
	}
	p.i++
	if p.next() == end {
		p.i++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		switch p.next() {
		case ',':
			p.i++
		case end:
			p.i++
			return nil
		default:
			return p.bad("want a comma or " + string(rune(end)))
		}
	}
}

// parseReferences returns the entries of a document, sorted by key.
func parseReferences(doc string) ([]entry, error) {
	if len(doc) > MaxReference {
		return nil, fmt.Errorf("%d bytes of references, want at most %d: %w", len(doc), MaxReference, ErrDamaged)
	}
	p := &scanner{s: doc}
	if p.next() != '{' {
		return nil, fmt.Errorf("no JSON object: %w", fs.ErrInvalid)
	}
	// members come in any order: where the parts are is found first
	part := map[string]scanner{}
	version := ""
	err := p.object(func(name string) error {
		at := *p
		raw, err := p.skip()
		switch name {
		case "version":
			version = raw
		case "refs", "templates", "gen":
			part[name] = at
		}
		return err
	})
	if err == nil && p.next() != 0 {
		err = p.bad("something behind the object")
	}
	if err != nil {
		return nil, err
	}
	b := &builder{templates: templates{text: map[string]string{}}}
	switch version {
	case "1":
		err = b.version1(part)
	case "":
		p.i = 0
		p.next()
		err = p.object(func(key string) error { return b.reference(p, key) })
		if err == nil && !slices.ContainsFunc(b.entries, func(e entry) bool {
			return e.key == ".zgroup" || e.key == ".zarray" || e.key == "zarr.json" || e.key == ".zmetadata" || e.key == ".zattrs"
		}) {
			err = fmt.Errorf("an object that holds no references: %w", fs.ErrInvalid)
		}
	default:
		err = fmt.Errorf("references of version %.20s, want 0 or 1: %w", version, fs.ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	return b.done(), nil
}

// builder collects entries.
type builder struct {
	templates templates
	entries   []entry
	urls      map[string]string // expanded, by what they were
	expanded  int64
}

func (b *builder) add(e entry) error {
	if len(b.entries) >= maxEntries {
		return fmt.Errorf("more than %d references: %w", maxEntries, ErrDamaged)
	}
	if checkKey(e.key) == nil { // others have no name here
		b.entries = append(b.entries, e)
	}
	return nil
}

// done sorts the entries; of several with one key the last one counts.
func (b *builder) done() []entry {
	slices.SortStableFunc(b.entries, func(x, y entry) int { return strings.Compare(x.key, y.key) })
	out := b.entries[:0]
	for i, e := range b.entries {
		if i+1 == len(b.entries) || b.entries[i+1].key != e.key {
			out = append(out, e)
		}
	}
	return out
}

func (b *builder) version1(part map[string]scanner) error {
	if p, ok := part["templates"]; ok {
		err := p.object(func(name string) error {
			v, err := p.text()
			if b.templates.text[name] = v; len(b.templates.text) > maxTemplates {
				return fmt.Errorf("more than %d templates: %w", maxTemplates, ErrDamaged)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("templates: %w", err)
		}
	}
	p, ok := part["refs"]
	if _, gen := part["gen"]; !ok && !gen {
		return fmt.Errorf("neither refs nor gen: %w", fs.ErrInvalid)
	}
	if ok {
		if err := p.object(func(key string) error { return b.reference(&p, key) }); err != nil {
			return fmt.Errorf("refs: %w", err)
		}
	}
	if p, ok := part["gen"]; ok {
		n := 0
		err := p.array(func() error {
			if n++; n > maxGenerators {
				return fmt.Errorf("more than %d generators: %w", maxGenerators, ErrDamaged)
			}
			return b.generate(&p)
		})
		if err != nil {
			return fmt.Errorf("gen: %w", err)
		}
	}
	return nil
}

// reference reads the value of a key.
func (b *builder) reference(p *scanner, key string) error {
	switch p.next() {
	case '"':
		v, err := p.text()
		if err != nil {
			return err
		}
		return b.add(entry{key: key, text: v, inline: true})
	case '{':
		v, err := p.skip()
		if err != nil {
			return err
		}
		return b.add(entry{key: key, text: v, inline: true})
	case '[':
		e := entry{key: key, n: -1}
		at := 0
		err := p.array(func() (err error) {
			switch at++; at {
			case 1:
				e.text, err = p.text()
			case 2:
				e.off, err = p.whole()
			case 3:
				e.n, err = p.whole()
			default:
				err = p.bad("want a URL, an offset and a length")
			}
			return err
		})
		if err == nil && at != 1 && at != 3 {
			err = p.bad("want a URL, or a URL, an offset and a length")
		}
		if err == nil && at == 3 {
			err = e.check()
		}
		if err == nil {
			e.text, err = b.url(e.text)
		}
		if err != nil {
			return fmt.Errorf("%.100q: %w", key, err)
		}
		return b.add(e)
	case 'n': // nothing
		_, err := p.skip()
		return err
	}
	return fmt.Errorf("%.100q: %w", key, p.bad("want a string, an object or a list"))
}

// check refuses ranges that no file has.
func (e *entry) check() error {
	if e.off < 0 || e.n < 0 || e.off+e.n < 0 {
		return fmt.Errorf("%d bytes at %d: %w", e.n, e.off, ErrDamaged)
	}
	return nil
}

// url expands the templates in a URL. The same text gives the same string.
func (b *builder) url(raw string) (string, error) {
	if raw == "" {
		return "", fmt.Errorf("an empty URL: %w", ErrDamaged)
	}
	if len(raw) > maxExpandedURL {
		return "", fmt.Errorf("a URL of %d bytes, want at most %d: %w", len(raw), maxExpandedURL, ErrDamaged)
	}
	if out, ok := b.urls[raw]; ok {
		return out, nil
	}
	out, err := raw, error(nil)
	if strings.Contains(raw, "{{") && (len(b.templates.text) > 0) {
		if out, err = b.expand(raw, nil); err != nil {
			return "", err
		}
	}
	if b.urls == nil {
		b.urls = map[string]string{}
	}
	b.urls[raw] = out
	return out, nil
}

func (b *builder) expand(raw string, vars []variable) (string, error) {
	err := b.templates.start()
	out := ""
	if err == nil {
		out, err = b.templates.render(raw, vars, 0)
	}
	if err == nil && len(out) > maxExpandedURL {
		err = fmt.Errorf("%d bytes, want at most %d: %w", len(out), maxExpandedURL, ErrDamaged)
	}
	if b.expanded += int64(len(out)); err == nil && b.expanded > maxExpanded {
		err = fmt.Errorf("templates make more than %d bytes: %w", maxExpanded, ErrDamaged)
	}
	if err != nil {
		return "", fmt.Errorf("template %.200q: %w", raw, err)
	}
	return out, nil
}

var errBoth = errors.New("offset and length belong together")
