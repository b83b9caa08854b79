// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
)

// openTogether is how many files are opened at once: enough to hide the latency of a disk or a network file
// system, few enough that parsing headers stays small.
const openTogether = 8

// OpenMany opens files as one data set; each URI may be a quoted glob, and all may pick a group or variable ("#VAR") or "?raw" as
// in Open. Files are joined along the unlimited dimension whose labels differ between them, else along the one dimension whose labels
// differ, in the order of the labels; an unlimited dimension without labels is joined in the order given, globs sorted by name.
//
// Time is rebased to the units of the first file in that order; calendars must agree. Each file keeps its own packing; the decoded dtypes
// are promoted. Variables without the dimension, and the labels of the other dimensions, must agree and stay as they are: values
// are compared up to 16 MiB, beyond that dtype and shape. Attributes are the first file's.
//
// Labels that overlap, and files that do not fit together, are errors wrapping formats.ErrFormat; a glob that matches nothing wraps
// fs.ErrNotExist. Headers are read in parallel. Closing the data set closes all files.
func OpenMany(ctx context.Context, uris []string, opts ...OpenOption) (*Dataset, error) {
	files, err := expand(uris)
	if err != nil {
		return nil, err
	}
	if len(files) == 1 {
		return openFile(ctx, files[0], opts...)
	}
	parts, err := openAll(ctx, files, opts)
	if err != nil {
		return nil, err
	}
	ds, err := joinFiles(ctx, parts, opts)
	if err != nil {
		for _, p := range parts {
			_ = p.ds.Close() // opened for reading: nothing is lost
		}
		return nil, fmt.Errorf("ndarray: open %s: %w", nameMany(uris), err)
	}
	return ds, nil
}

// file is one of many: where it is and what in it is meant.
type file struct {
	path, inner string
	raw         bool
}

// part is an opened file.
type part struct {
	file
	ds     *Dataset
	labels []labelKey // along the dimension of the join
	length int64      // of that dimension
}

// errorf is an error of files that do not fit together.
func errorf(format string, args ...any) error {
	return fmt.Errorf("%w: %w", fmt.Errorf(format, args...), formats.ErrFormat)
}

// nameMany names the inputs in messages.
func nameMany(uris []string) string {
	if len(uris) == 1 {
		return fmt.Sprintf("%q", uris[0])
	}
	return fmt.Sprintf("%q and %d more", uris[0], len(uris)-1)
}

// isGlob reports whether path is a pattern and not the name of something that is there.
func isGlob(path string) bool {
	if !strings.ContainsAny(path, "*?[") || all.Remote(path) {
		return false
	}
	_, err := os.Lstat(path)
	return err != nil
}

// expand returns the files that URIs and globs name, in order.
func expand(uris []string) ([]file, error) {
	if len(uris) == 0 {
		return nil, fmt.Errorf("ndarray: open: got no files: %w", fs.ErrNotExist)
	}
	var out []file
	for _, uri := range uris {
		path, inner, raw := splitURI(uri)
		if all.Remote(path) { // no server lists what matches a pattern
			out = append(out, file{path, inner, raw})
			continue
		}
		local, err := all.Path(path)
		if err != nil {
			return nil, err
		}
		if !isGlob(local) {
			out = append(out, file{path, inner, raw})
			continue
		}
		found, err := filepath.Glob(local)
		if err != nil {
			return nil, fmt.Errorf("ndarray: open %q: %w: %w", uri, err, fs.ErrNotExist)
		}
		// As in a shell, * leaves out hidden names: outputs being written are among them.
		if !strings.HasPrefix(filepath.Base(local), ".") {
			found = slices.DeleteFunc(found, func(p string) bool { return strings.HasPrefix(filepath.Base(p), ".") })
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("ndarray: open %q: no file matches: %w", uri, fs.ErrNotExist)
		}
		for _, p := range found {
			out = append(out, file{p, inner, raw})
		}
	}
	return out, nil
}

// openFile opens one file.
func openFile(ctx context.Context, f file, opts ...OpenOption) (*Dataset, error) {
	if f.raw {
		opts = append(opts[:len(opts):len(opts)], Raw())
	}
	g, err := all.Open(ctx, f.path)
	if err != nil {
		return nil, err
	}
	ds, err := OpenGroup(ctx, g, f.inner, opts...)
	if err != nil {
		if g.Close != nil {
			_ = g.Close() // the first error is the one that counts
		}
		return nil, fmt.Errorf("ndarray: open %q: %w", f.path, err)
	}
	return ds, nil
}

// openAll opens the files, some at once. After an error none stays open.
func openAll(ctx context.Context, files []file, opts []OpenOption) ([]*part, error) {
	parts := make([]*part, len(files))
	err := together(len(files), func(i int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		ds, err := openFile(ctx, files[i], opts...)
		if err == nil {
			parts[i] = &part{file: files[i], ds: ds}
		}
		return err
	})
	if err != nil {
		for _, p := range parts {
			if p != nil {
				_ = p.ds.Close() // the first error is the one that counts
			}
		}
		return nil, err
	}
	return parts, nil
}

// together calls f for 0 ... n-1, some at once, and returns the error of the lowest number. After an error no
// further calls are begun.
func together(n int, f func(i int) error) error {
	var (
		mu   sync.Mutex
		next int
		at   = n
		fail error
		wg   sync.WaitGroup
	)
	for range min(openTogether, n) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				stop := fail != nil
				mu.Unlock()
				if i >= n || stop {
					return
				}
				if err := f(i); err != nil {
					mu.Lock()
					if i < at {
						at, fail = i, err
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return fail
}

// joinFiles makes one data set of opened files.
func joinFiles(ctx context.Context, parts []*part, opts []OpenOption) (*Dataset, error) {
	var o openOptions
	for _, f := range opts {
		f(&o)
	}
	j := &join{ctx: ctx, opts: o}
	var err error
	if j.dim, err = joinDim(parts); err != nil {
		return nil, err
	}
	if j.parts, err = inOrder(parts, j.dim); err != nil {
		return nil, err
	}
	ds, err := j.dataset()
	if err != nil {
		return nil, err
	}
	ds.close = func() error {
		var errs []error
		for _, p := range parts {
			errs = append(errs, p.ds.Close())
		}
		return errors.Join(errs...)
	}
	return ds, nil
}
