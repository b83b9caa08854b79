// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/sched"
)

func infoCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "info [flags] URI",
		Short: "print what a file holds: dimensions, variables, chunks, codecs, attributes",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			asJSON, _ := c.Flags().GetBool("json")
			sums, _ := c.Flags().GetBool("checksums")
			return a.info(c.Context(), args[0], asJSON, sums)
		},
	}
	c.Flags().Bool("json", false, "print one JSON document")
	c.Flags().Bool("checksums", false, "add the MD5 of each variable's values")
	addSettings(c, "run")
	return c
}

// info prints the description of the file at uri. A variable that cannot be
// read keeps its entry; the rest is still listed and the exit code says so.
func (a *app) info(ctx context.Context, uri string, asJSON, sums bool) error {
	start := time.Now()
	g, err := a.open(ctx, uri)
	if err != nil {
		return err
	}
	defer closeGroup(g)
	d := describer{sums: sums}
	if sums {
		d.hash = newHasher(a.infoMemory())
		defer d.hash.close()
	}
	doc := d.group(ctx, g)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if asJSON {
		out := object{{"uri", uri}, {"format", g.Format}}
		if err := a.printJSON(append(out, doc.json()...)); err != nil {
			return err
		}
	} else if err := doc.text(a.out, uri, g.Format); err != nil {
		return err
	}
	st := since(start, a.infoMemory())
	if h := d.hash; h != nil {
		st.PeakBudgetBytes = h.bill.most()
		st.BytesRead, st.BytesDecoded, st.Chunks = h.read, h.decoded, h.pieces
	}
	if err := a.writeStats(st); err != nil {
		return err
	}
	if len(d.messages) > 0 {
		for _, m := range d.messages {
			fmt.Fprintf(a.err, "arrayrun: %s\n", m)
		}
		return &quietError{d.code}
	}
	return nil
}

func closeGroup(g *formats.Group) {
	if g.Close != nil {
		_ = g.Close() // opened for reading: nothing is lost
	}
}

// describer turns open groups into descriptions and notes what cannot be read.
type describer struct {
	sums     bool
	hash     *hasher
	code     int // of the first variable that cannot be read
	messages []string
}

// groupDoc and varDoc are what info knows, before it is printed either way.
type groupDoc struct {
	attrs  formats.Attrs
	dims   []formats.Dim
	vars   []varDoc
	names  []string // of groups
	groups []groupDoc
	links  []formats.Link
}

type varDoc struct {
	v        formats.Var
	meta     *formats.ArrayMeta // nil when the variable cannot be read at all
	bytes    int64              // stored, -1 when that is not known
	checksum string
	err      error
}

// storedBytes returns the bytes an array takes in storage, -1 where nobody can say.
func storedBytes(ctx context.Context, src formats.Source) int64 {
	if n := src.Meta().Bytes; n >= 0 {
		return n
	}
	n, err := int64(-1), error(nil)
	switch s := src.(type) {
	case formats.Sizer:
		n, err = s.StoredBytes(ctx)
	case interface{ StoredBytes() (int64, error) }: // the index of a file needs no context
		n, err = s.StoredBytes()
	}
	if err != nil {
		return -1 // damage shows when values are read
	}
	return n
}

func (d *describer) group(ctx context.Context, g *formats.Group) groupDoc {
	doc := groupDoc{attrs: g.Attrs, dims: g.Dims, links: g.Links}
	for _, v := range g.Vars {
		x := varDoc{v: v, err: v.Err}
		if v.Source != nil {
			x.meta = v.Source.Meta()
			x.bytes = storedBytes(ctx, v.Source)
			if d.sums && x.err == nil {
				x.err = claimed(x.meta, x.bytes)
			}
			if d.sums && x.err == nil {
				x.checksum, x.err = d.hash.sum(ctx, v.Source)
			}
		}
		if x.err != nil {
			if d.code == 0 {
				d.code = exitCode(ctx, at(exitInput, x.err))
			}
			d.messages = append(d.messages, fmt.Sprintf("variable %q: %v", v.Name, x.err))
		}
		doc.vars = append(doc.vars, x)
	}
	for _, s := range g.Groups {
		doc.names = append(doc.names, s.Name)
		doc.groups = append(doc.groups, d.group(ctx, s.Group))
	}
	return doc
}

// since returns the statistics of a verb that runs no plan.
func since(start time.Time, budget int64) sched.Stats {
	return sched.Stats{WallSeconds: time.Since(start).Seconds(), PeakRSSBytes: sched.PeakRSS(), BudgetBytes: budget, Device: "cpu", Stages: []sched.StageStats{}}
}

// infoMemory is the host budget for checksums.
func (a *app) infoMemory() int64 {
	if n := a.settings.bytes("memory"); n > 0 {
		return n
	}
	return 1 << 30
}
