// SPDX-License-Identifier: BSD-3-Clause

package all

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/arrow"
	"github.com/arrayrun/arrayrun/formats/csv"
	"github.com/arrayrun/arrayrun/formats/netcdf"
	"github.com/arrayrun/arrayrun/formats/npy"
	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/tiff"
	"github.com/arrayrun/arrayrun/formats/zarr"
)

// Formats is the table. The first row that detects a path opens it, the first with a
// matching ending and a Create makes an output.
var Formats = []formats.Format{
	zarr.OME,
	kerchunk, // a folder of references looks like a Zarr hierarchy without chunks
	zarr.Format,
	npy.Format,
	npy.Archive,
	archive,
	netcdf.Classic,
	netcdf.NetCDF4,
	tiff.Format,
	arrow.IPC,
	arrow.Parquet,
	csv.Format,
}

// Path returns the file system path of a URI: a path as it is, file://... without its scheme. Other
// schemes give an error wrapping formats.ErrFormat.
func Path(uri string) (string, error) {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || strings.ContainsAny(scheme, "/.") {
		return uri, nil
	}
	if scheme != "file" {
		return "", fmt.Errorf("formats: %q: scheme %q is not supported, want a path, file://, or to read %s: %w", uri, scheme, schemeNames(), formats.ErrFormat)
	}
	if p, err := url.PathUnescape(rest); err == nil {
		rest = p
	}
	return strings.TrimPrefix(rest, "localhost"), nil
}

// Open opens what is at uri: a path, file:// or a URI that Remote knows. The group's Close must be called when it is not nil. Errors wrap
// fs.ErrNotExist when nothing is there, formats.ErrFormat when no format knows it, formats.ErrCorrupt when it is damaged.
func Open(ctx context.Context, uri string) (*formats.Group, error) {
	if Remote(uri) {
		return openURL(ctx, uri)
	}
	path, err := Path(uri)
	if err != nil {
		return nil, err
	}
	head, err := firstBytes(path)
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err // the message names the path already
		}
		return nil, fmt.Errorf("formats: open %s: %w", path, err)
	}
	for i := range Formats {
		if f := &Formats[i]; f.Open != nil && f.Detect != nil && f.Detect(head, path) {
			return f.Open(ctx, path)
		}
	}
	what := fmt.Sprintf("first bytes %q", head[:min(len(head), 8)])
	if len(head) == 0 {
		what = "an empty file"
		if st, err := os.Stat(path); err == nil && st.IsDir() {
			what = "a folder without zarr.json, .zgroup or .zarray"
			if isIcechunk(path) {
				return nil, fmt.Errorf("formats: open %s: an Icechunk repository, which is not read; copy what is wanted to Zarr with Icechunk's own library: %w", path, formats.ErrFormat)
			}
		}
	}
	return nil, fmt.Errorf("formats: open %s: %s: no known format (%s): %w", path, what, names(false), formats.ErrFormat)
}

// isIcechunk reports whether a folder is a repository of Icechunk: snapshots, manifests, and refs or, since its version 2, a file.
func isIcechunk(path string) bool {
	return store.Exists(filepath.Join(path, "snapshots")) && store.Exists(filepath.Join(path, "manifests")) &&
		(store.Exists(filepath.Join(path, "refs")) || store.Exists(filepath.Join(path, "repo")))
}

// firstBytes returns up to 4096 bytes of the file at path, none for a directory.
func firstBytes(path string) ([]byte, error) {
	st, err := os.Stat(path) // before it is opened: a named pipe opens when somebody writes to it
	if err != nil || st.IsDir() {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: it is neither a file nor a directory: %w", path, formats.ErrFormat)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return head[:n], nil
}

func names(writable bool) string {
	var out []string
	for _, f := range Formats {
		if writable && f.Create != nil {
			out = append(out, f.Extensions...)
		} else if !writable && f.Open != nil {
			out = append(out, f.Name)
		}
	}
	return strings.Join(out, " ")
}

// Writable reports whether Create knows the ending of uri.
func Writable(uri string) bool { return writer(uri) != nil }

// Free reports whether outputs of that name have no chunks, so that their sinks are formats.FreeSinks.
func Free(uri string) bool {
	f := writer(uri)
	return f != nil && f.Free
}

func writer(path string) *formats.Format {
	lower := strings.ToLower(strings.TrimRight(path, "/"))
	for i := range Formats {
		f := &Formats[i]
		if f.Create == nil {
			continue
		}
		for _, ext := range f.Extensions {
			if strings.HasSuffix(lower, ext) {
				return f
			}
		}
	}
	return nil
}

// member returns the row that writes a member of a format's family: "zarr2", "netcdf3-64bit", "npy".
func member(name string) *formats.Format {
	name = strings.ToLower(name)
	var best *formats.Format
	for i := range Formats {
		f := &Formats[i]
		if f.Create != nil && strings.HasPrefix(name, f.Name) && (best == nil || len(f.Name) > len(best.Name)) {
			best = f
		}
	}
	if best == nil && name == "hdf5" {
		return member("netcdf4") // what is written is both
	}
	return best
}

// Target returns the format that writes uri: the one that has the member called name, or where that is empty the one
// whose ending uri has. Errors wrap formats.ErrFormat.
func Target(uri, name string) (*formats.Format, error) {
	path, err := uri, error(nil)
	if !Remote(uri) {
		if path, err = Path(uri); err != nil {
			return nil, err
		}
	}
	if name != "" {
		if f := member(name); f != nil {
			return f, movable(uri, f)
		}
		return nil, fmt.Errorf("formats: create %s: format %q cannot be written, want one such as %s: %w", path, name, writableNames(), formats.ErrFormat)
	}
	if f := writer(path); f != nil {
		return f, movable(uri, f)
	}
	return nil, fmt.Errorf("formats: create %s: the ending %q names no format that can be written, want one of %s: %w",
		path, filepath.Ext(path), names(true), formats.ErrFormat)
}

func writableNames() string {
	var out []string
	for _, f := range Formats {
		if f.Create != nil {
			out = append(out, f.Name)
		}
	}
	return strings.Join(out, " ")
}

// Create starts an output at uri in the format that spec.Format or else the ending of its name says. Errors wrap
// formats.ErrExists when it is there and spec.Overwrite is false, formats.ErrFormat for an unknown ending or
// what the format cannot hold.
func Create(ctx context.Context, uri string, spec formats.Spec) (formats.Writer, error) {
	f, err := Target(uri, spec.Format)
	if err != nil {
		return nil, err
	}
	if Remote(uri) {
		return createRemote(ctx, uri, spec)
	}
	path, err := Path(uri)
	if err != nil {
		return nil, err
	}
	return f.Create(ctx, strings.TrimRight(path, "/"), spec)
}
