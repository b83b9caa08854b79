// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/formats/all"
)

// Open opens a data set: a path of any format that formats/all has. "PATH#VAR" and "PATH#group/var" pick one
// variable (Main) or sub-group, "PATH?raw" is the option Raw. It reads metadata and the
// dimension coordinates, nothing else. A quoted glob joins many files, as OpenMany does. The caller closes the data set after the last run that reads it.
//
// Errors wrap formats.ErrFormat, formats.ErrCorrupt or the file system's.
func Open(ctx context.Context, uri string, opts ...OpenOption) (*Dataset, error) {
	path, inner, raw := splitURI(uri)
	if raw {
		opts = append(opts[:len(opts):len(opts)], Raw())
	}
	if isGlob(path) {
		return OpenMany(ctx, []string{uri}, opts...)
	}
	g, err := all.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	ds, err := OpenGroup(ctx, g, inner, opts...)
	if err != nil {
		if g.Close != nil {
			g.Close()
		}
		return nil, fmt.Errorf("ndarray: open %q: %w", uri, err)
	}
	return ds, nil
}
