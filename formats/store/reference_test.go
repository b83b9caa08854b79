// SPDX-License-Identifier: BSD-3-Clause

package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/store/storetest"
)

// nowhere opens no targets.
func nowhere(context.Context, string) (store.Store, string, error) { return nil, "", fs.ErrNotExist }

func TestReference(t *testing.T) {
	ctx := context.Background()
	var m store.Memory
	for k, v := range map[string]string{"f": "....0123456789..x", "d": "x"} {
		if err := m.Put(ctx, k, []byte(v), store.PutOpt{}); err != nil {
			t.Fatal(err)
		}
	}
	opened := map[string]int{}
	open := func(_ context.Context, url string) (store.Store, string, error) {
		opened[url]++
		return &m, strings.TrimPrefix(url, "mem://"), nil
	}
	for _, doc := range []string{
		`{".zgroup": "", "a/b/c": ["mem://f", 4, 10], "a/d": ["mem://d"], "e": ""}`,
		`{"a/b/c": "MDEy", "a/b/c": "base64:MDEyMzQ1Njc4OQ==", "a/d": ["mem://f", 16, 1], "e": "", ".zgroup": {}, "a//x": "1", "../y": "2"}`,
		`{"version": 1, "templates": {"u": "mem:/", "v": "{{ w }}://{{x}}"}, "refs": {".zgroup": null, "a/b/c": ["{{u}}/f", 4, 10], "a/d": ["{{v(w='mem', x='d')}}"], "e": "\u0000", "e": ""}}`,
		` { "refs": {"e": ""}, "gen": [{"key": "a/{{ 'b/' ~ n }}", "url": "mem://{{'%s' % 'f'}}", "dimensions": {"n": ["c"], "i": {"start": 1, "stop": 7, "step": 5}}, "offset": "{{ 2 * (i + 2) - 14 % 4 // 1 * i }}", "length": 10},
		   {"key": "a/d", "url": "mem://d", "dimensions": {"one": {"stop": 1}}}, {"key": "never", "url": "x", "dimensions": {"no": {"stop": 0}}}], "version": 1}`,
	} {
		r, err := store.NewReference([]byte(doc), "refs.json", open)
		if err != nil {
			t.Errorf("%s: %v", doc, err)
			continue
		}
		// the generator's offsets are 6 - 2 = 4 for i = 1, and the last key wins: 16 - 12 = 4 for i = 6
		if doc[:3] == `{".` || strings.Contains(doc, "zgroup") {
			l, err := r.List(ctx, "")
			if err != nil || len(l) > 3 {
				t.Errorf("List = %v, %v", l, err)
			}
			r = without(t, doc, open)
		}
		storetest.Read(t, r, true)
		storetest.ReadOnly(t, r)
	}
	if opened["mem://f"] == 0 || opened["mem://f"] > 8 {
		t.Errorf("mem://f was opened %d times, want once for each store", opened["mem://f"])
	}
}

// without parses doc again without the document of a group, which storetest does not expect in listings.
func without(t *testing.T, doc string, open store.Opener) *store.Reference {
	t.Helper()
	doc = strings.NewReplacer(`".zgroup": "", `, "", `".zgroup": null, `, "").Replace(doc)
	if strings.HasPrefix(doc, `{"a/`) { // version 0 must have one: it is where no listing of the suite looks
		doc = strings.Replace(doc, `".zgroup": {}, `, "", 1)
		doc = `{"version": 1, "refs": ` + doc + `}`
	}
	r, err := store.NewReference([]byte(doc), "refs.json", open)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestReferenceList goes through names that sort differently with and without what follows them.
func TestReferenceList(t *testing.T) {
	doc := `{".zgroup": "", "a/x": "1", "a.b/x": "1", "a": "1", "a0": "1", "a/y/z": "1", "b/1": "1", "b/0": "1"}`
	r, err := store.NewReference([]byte(doc), "refs.json", nowhere)
	if err != nil {
		t.Fatal(err)
	}
	for prefix, want := range map[string]string{"": ".zgroup a a/ a.b/ a0 b/", "a": "x y/", "b": "0 1", "a.b": "x", "a/y": "z", "c": ""} {
		l, err := r.List(context.Background(), prefix)
		var got []string
		for _, i := range l {
			if i.Dir {
				i.Name += "/"
			}
			got = append(got, i.Name)
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("List(%q) = %q, %v, want %q", prefix, got, err, want)
		}
	}
}

// hostile are sets of references that must be refused.
var hostile = map[string]string{
	"cut off":               `{"version": 1, "refs": {"a": ["b", 1`,
	"negative offset":       `{"version": 1, "refs": {"a": ["b", -1, 2]}}`,
	"negative length":       `{"version": 1, "refs": {"a": ["b", 1, -2]}}`,
	"beyond 64 bits":        `{"version": 1, "refs": {"a": ["b", 9223372036854775807, 1]}}`,
	"far beyond 64 bits":    `{"version": 1, "refs": {"a": ["b", 92233720368547758070, 1]}}`,
	"fraction":              `{"version": 1, "refs": {"a": ["b", 1.5, 1]}}`,
	"two of three":          `{"version": 1, "refs": {"a": ["b", 1]}}`,
	"four":                  `{"version": 1, "refs": {"a": ["b", 1, 2, 3]}}`,
	"no url":                `{"version": 1, "refs": {"a": [null]}}`,
	"empty url":             `{"version": 1, "refs": {"a": ["", 1, 2]}}`,
	"number":                `{"version": 1, "refs": {"a": 12}}`,
	"endless template":      `{"version": 1, "templates": {"a": "{{a}}x"}, "refs": {"k": ["{{a}}", 0, 1]}}`,
	"two endless templates": `{"version": 1, "templates": {"a": "{{b}}", "b": "{{a}}"}, "refs": {"k": ["{{a}}", 0, 1]}}`,
	"growing templates": `{"version": 1, "templates": {"a": "{{b}}{{b}}{{b}}{{b}}{{b}}{{b}}", "b": "` + strings.Repeat("{{c}}", 1000) + `", "c": "` + strings.Repeat("{{d}}", 1000) +
		`", "d": "xxxxxxxxxx"}, "refs": {"k": ["{{a}}", 0, 1]}}`,
	"many empty templates": `{"version": 1, "templates": {"a": "` + strings.Repeat("{{b}}", 1000) + `", "b": "` + strings.Repeat("{{c}}", 1000) + `", "c": "` + strings.Repeat("{{d}}", 1000) +
		`", "d": "` + strings.Repeat("{{e}}", 1000) + `", "e": ""}, "refs": {"k": ["{{a}}", 0, 1]}}`,
	"unknown name":   `{"version": 1, "templates": {"a": "b"}, "refs": {"k": ["{{nobody}}", 0, 1]}}`,
	"statement":      `{"version": 1, "templates": {"a": "b"}, "refs": {"k": ["{% for x in y %}{{a}}", 0, 1]}}`,
	"deep":           `{"version": 1, "templates": {"a": "b"}, "refs": {"k": ["{{` + strings.Repeat("(", 1000) + `1", 0, 1]}}`,
	"deep values":    `{"version": 1, "refs": {"a": ` + strings.Repeat(`{"x":[`, 1000) + `1`,
	"filter":         `{"version": 1, "templates": {"a": "b"}, "refs": {"k": ["{{ a | upper }}", 0, 1]}}`,
	"zero":           `{"version": 1, "templates": {"a": "b"}, "refs": {"k": ["{{ 1 // 0 }}", 0, 1]}}`,
	"overflow":       `{"version": 1, "templates": {"a": "b"}, "refs": {"k": ["{{ 9223372036854775807 * 3 }}", 0, 1]}}`,
	"wide format":    `{"version": 1, "templates": {"a": "b"}, "refs": {"k": ["{{ '%9999999d' % 1 }}", 0, 1]}}`,
	"10 million":     `{"version": 1, "gen": [{"key": "a{{i}}", "url": "u", "dimensions": {"i": {"stop": 10000000}}}]}`,
	"their square":   `{"version": 1, "gen": [{"key": "a", "url": "u", "dimensions": {"i": {"stop": 10000000}, "j": {"stop": 10000000}, "k": {"stop": 1000000}}}]}`,
	"backwards":      `{"version": 1, "gen": [{"key": "a", "url": "u", "dimensions": {"i": {"start": 5, "stop": 1, "step": -1}}}]}`,
	"no stop":        `{"version": 1, "gen": [{"key": "a", "url": "u", "dimensions": {"i": {}}}]}`,
	"widest":         `{"version": 1, "gen": [{"key": "a", "url": "u", "dimensions": {"i": {"start": -9223372036854775808, "stop": 9223372036854775807}}}]}`,
	"half a range":   `{"version": 1, "gen": [{"key": "a", "url": "u", "offset": "1", "dimensions": {"i": {"stop": 1}}}]}`,
	"negative range": `{"version": 1, "gen": [{"key": "a", "url": "u", "offset": "{{ i - 5 }}", "length": "1", "dimensions": {"i": {"stop": 1}}}]}`,
	"no key":         `{"version": 1, "gen": [{"url": "u", "dimensions": {"i": {"stop": 1}}}]}`,
	"long keys":      `{"version": 1, "gen": [{"key": "{{i}}` + strings.Repeat("k", 10000) + `", "url": "u", "dimensions": {"i": {"stop": 100000}}}]}`,
}

func TestReferenceHostile(t *testing.T) {
	for name, doc := range hostile {
		if _, err := store.NewReference([]byte(doc), "x", nowhere); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
	}
	for _, doc := range []string{"", "[]", `{"a": 1}`, `{"version": 2, "refs": {}}`, `{"version": 1}`, `{"a": "b"}`, `"refs"`} {
		if _, err := store.NewReference([]byte(doc), "x", nowhere); !errors.Is(err, fs.ErrInvalid) && !errors.Is(err, store.ErrDamaged) {
			t.Errorf("NewReference(%q) = %v, want fs.ErrInvalid or ErrDamaged", doc, err)
		}
	}
	var b strings.Builder
	b.WriteString(`{"version": 1, "refs": {"a": ""`)
	for i := range 2_200_000 {
		fmt.Fprintf(&b, `,"%d":["u",0,1]`, i)
	}
	b.WriteString("}}")
	doc := []byte(b.String())
	if _, err := store.NewReference(doc, "x", nowhere); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("2.2 million references = %v, want ErrDamaged", err)
	}
}

func FuzzReference(f *testing.F) {
	for _, doc := range hostile {
		if len(doc) < 1000 {
			f.Add([]byte(doc))
		}
	}
	f.Add([]byte(`{".zgroup": "base64:e30=", "a": ["{{u}}"], "b": "\u00e4", "c": {"x": [NaN, "]"]}}`))
	f.Add([]byte(`{"version": 1, "templates": {"f": "{{c}}", "u": "h"}, "gen": [{"key": "k{{'%03d' % i}}", "url": "{{f(c=u)}}", "offset": "{{(i+1)*10}}", "length": "7", "dimensions": {"i": {"stop": 5}, "j": ["x", 3]}}], "refs": {"a/0": ["{{f(c='t')}}", 1, 2]}}`))
	var m store.Memory
	if err := m.Put(context.Background(), "k", []byte("0123456789"), store.PutOpt{}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if strings.Count(string(doc), "stop") > 0 && strings.Contains(string(doc), "00000") {
			return // generators of millions are right, and slow for a fuzzer
		}
		store.IsReference(doc)
		r, err := store.NewReference(doc, "x", func(context.Context, string) (store.Store, string, error) { return &m, "k", nil })
		if err != nil {
			if !errors.Is(err, store.ErrDamaged) && !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("NewReference = %v, want ErrDamaged or fs.ErrInvalid", err)
			}
			return
		}
		l, err := r.List(context.Background(), "")
		if err != nil {
			t.Error(err)
		}
		for _, i := range l {
			if i.Dir {
				continue
			}
			b, err := r.Get(context.Background(), i.Name, store.All, 1<<20, nil)
			if err == nil && len(b) > 1<<20 {
				t.Errorf("%d bytes, the limit is 1 MiB", len(b))
			}
			if errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Get of a listed key = %v", err)
			}
		}
	})
}
