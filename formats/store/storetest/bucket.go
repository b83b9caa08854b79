// SPDX-License-Identifier: BSD-3-Clause

package storetest

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Alone runs the tests of a package without the credentials of whoever runs them: in an empty home, without the environment variables
// that begin with the prefixes. It returns the exit status.
func Alone(m *testing.M, prefixes ...string) int {
	for _, v := range os.Environ() { // tests say themselves who asks
		name, _, _ := strings.Cut(v, "=")
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			os.Unsetenv(name)
		}
	}
	home, err := os.MkdirTemp("", "home")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(home)
	os.Setenv("HOME", home)
	return m.Run()
}

// Entry is a line of a listing: a value, or with a Size of -1 a prefix that ends in the delimiter.
type Entry struct {
	Name string
	Size int
}

// Page returns the first n entries below a prefix that come after a name, as servers list a bucket of the values, and the name
// after which the next page begins, "" behind the last one.
func Page(values map[string][]byte, prefix, delimiter, after string, n int) (page []Entry, next string) {
	seen := map[string]int{}
	for k, v := range values {
		rest, ok := strings.CutPrefix(k, prefix)
		if !ok {
			continue
		}
		if dir, _, deep := strings.Cut(rest, delimiter); deep {
			seen[prefix+dir+delimiter] = -1
		} else {
			seen[k] = len(v)
		}
	}
	for name, size := range seen {
		if name > after {
			page = append(page, Entry{name, size})
		}
	}
	slices.SortFunc(page, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	if len(page) > n {
		page, next = page[:n], page[n-1].Name
	}
	return page, next
}
