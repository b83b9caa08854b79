// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/zarr"
)

func indexCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "index [flags] IN OUT.json",
		Short: "write where the chunks of a file lie, as kerchunk references",
		Long: `Writes kerchunk references, version 1: the metadata of a Zarr hierarchy and for each chunk of IN (HDF5,
NetCDF, TIFF or Zarr) its place in the file, so that fsspec, zarr-python and xarray read IN as Zarr without copying it.
Small chunks and texts become a part of OUT. A variable that cannot be referred to is an error; --lossy leaves it out.`,
		Example: `  arrayrun index era5.nc era5.json
  python -c 'import xarray; print(xarray.open_dataset("era5.json", engine="kerchunk"))'`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			small, _ := c.Flags().GetInt64("inline")
			lossy, _ := c.Flags().GetBool("lossy")
			url, _ := c.Flags().GetString("url")
			return a.index(c.Context(), args[0], args[1], url, small, lossy)
		},
	}
	c.Flags().Int64("inline", 500, "chunks of at most this many bytes become a part of the references")
	c.Flags().Bool("lossy", false, "leave out variables that cannot be referred to, with a warning")
	c.Flags().String("url", "", "what the references call IN (default its absolute path)")
	addSettings(c, "run")
	return c
}

// index writes references to the chunks of a file.
func (a *app) index(ctx context.Context, in, out, url string, small int64, lossy bool) error {
	start := time.Now()
	if store.Exists(out) && !a.settings.on("overwrite") {
		return usagef("%s is there; use --overwrite to replace it", out)
	}
	if sameFile(in, out) {
		return usagef("%s: the output is the input; give it another name", out)
	}
	path, variable := splitURI(in)
	g, err := a.open(ctx, in)
	if err != nil {
		return err
	}
	defer closeGroup(g)
	local := ""
	if local, err = all.Path(path); err != nil {
		local = ""
	}
	if url == "" {
		if url = path; local != "" {
			if url, err = filepath.Abs(local); err != nil {
				return at(exitRunning, err)
			}
		}
	}
	if strings.HasPrefix(g.Format, "zarr") && (local == "" || variable != "") {
		return usagef("%s: references to a part of a Zarr hierarchy, or to one behind a URL, are not made: it can be read where it is", in)
	}
	var failed error // of the input; everything else is the output's
	written := int64(0)
	err = writeFile(out, func(w io.Writer) error {
		b := bufio.NewWriter(counter{w, &written})
		fmt.Fprint(b, `{"version":1,"refs":{`)
		comma := ""
		emit := func(key string, value any) error {
			k, err := plainJSON(key)
			if err != nil {
				return err
			}
			v, err := plainJSON(value)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(b, "%s\n%s:%s", comma, k, v)
			comma = ","
			return err
		}
		if failed = a.references(ctx, g, local, url, small, lossy, emit); failed != nil {
			return failed
		}
		fmt.Fprint(b, "\n}}\n")
		return b.Flush()
	})
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return cause
	}
	if failed != nil {
		return atExpression(failed)
	}
	if err != nil {
		return atWriting(err)
	}
	st := since(start, a.infoMemory())
	st.BytesWritten = written
	return a.writeStats(st)
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n *int64
}

// Write implements io.Writer.
func (c counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	*c.n += int64(n)
	return n, err
}

// references emits the references to an open file.
func (a *app) references(ctx context.Context, g *formats.Group, local, url string, small int64, lossy bool, emit func(string, any) error) error {
	if strings.HasPrefix(g.Format, "zarr") {
		if st, err := os.Stat(local); err != nil || !st.IsDir() {
			return fmt.Errorf("%s: references to a hierarchy in an archive are not made; unpack it: %w", local, formats.ErrFormat)
		}
		return zarr.Hierarchy(ctx, store.NewDir(local), url, emit)
	}
	r := &zarr.Referrer{URL: url, Inline: small, Emit: emit}
	if local != "" {
		f, err := os.Open(local)
		if err != nil {
			return err
		}
		defer f.Close()
		r.File = f
	}
	if lossy {
		r.Skip = func(_ string, err error) error {
			_, werr := fmt.Fprintf(a.err, "arrayrun: warning: left out: %v\n", err)
			return werr
		}
	}
	return r.Group(ctx, g)
}
