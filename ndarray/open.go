// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
)

// OpenOption is an option of Open and OpenGroup.
type OpenOption func(*openOptions)

type openOptions struct {
	raw    bool
	chunks []int64
	budget int64 // of host memory, 0 for defaultBudget
	lost   *formats.Missing
}

// Labels are kept outside an engine's budget: those of one coordinate may take one part in labelShare of it, and
// always leastLabelBytes, two million numbers.
const (
	labelShare      = 8
	leastLabelBytes = 16 << 20
	defaultBudget   = 2 << 30
)

// ErrLabels is wrapped by errors about labels that are too many for the memory budget.
var ErrLabels = errors.New("too many labels for the memory budget")

// Budget tells the host memory budget of the engine that computes with the data set; the default is 2 GiB. It bounds the labels
// that are held in memory beside it: a coordinate that would take more than an eighth of it stays in its file. Such a coordinate can be
// computed with and is written with results, but what needs its labels (sel, groupby, aligning with
// another data set) is an error wrapping ErrLabels.
func Budget(n int64) OpenOption { return func(o *openOptions) { o.budget = n } }

// labelBytes is what the labels of one coordinate may take.
func (o openOptions) labelBytes() int64 {
	b := o.budget
	if b <= 0 {
		b = defaultBudget
	}
	return max(b/labelShare, leastLabelBytes)
}

// Raw turns CF decoding off: no mask, no scale, the dtypes of the file.
func Raw() OpenOption { return func(o *openOptions) { o.raw = true } }

// Missing makes what damaged chunks hold missing values, which m counts, where reading them is an error otherwise.
func Missing(m *formats.Missing) OpenOption { return func(o *openOptions) { o.lost = m } }

// OnGrid cuts the arrays of the file into chunks of these lengths instead of its own: sources of contiguous storage
// are read so, others are rechunked. Lengths that are missing or below 1 take the whole axis.
func OnGrid(steps ...int64) OpenOption { return func(o *openOptions) { o.chunks = steps } }

// splitURI takes "?raw" and "#VAR" off a URI. A file whose own name has them is found by that name.
func splitURI(uri string) (path, inner string, raw bool) {
	if _, err := os.Stat(uri); err == nil {
		return uri, "", false
	}
	path = uri
	if p, ok := strings.CutSuffix(path, "?raw"); ok {
		path, raw = p, true
	}
	if _, err := os.Stat(path); err == nil {
		return path, "", raw
	}
	if i := strings.LastIndexByte(path, '#'); i >= 0 {
		path, inner = path[:i], path[i+1:]
		if p, ok := strings.CutSuffix(path, "?raw"); ok {
			path, raw = p, true
		}
	}
	return path, inner, raw
}

// OpenGroup makes a data set of an open group. inner is "" or the path of a variable or sub-group inside it.
// Closing the data set closes the group.
func OpenGroup(ctx context.Context, g *formats.Group, inner string, opts ...OpenOption) (*Dataset, error) {
	var o openOptions
	for _, f := range opts {
		f(&o)
	}
	if o.lost != nil {
		o.lost.Apply(g)
	}
	chain := []*formats.Group{g}
	only := ""
	parts := strings.FieldsFunc(inner, func(r rune) bool { return r == '/' })
	for i, name := range parts {
		at := chain[len(chain)-1]
		if sub := subGroup(at, name); sub != nil {
			chain = append(chain, sub)
			continue
		}
		if i == len(parts)-1 && groupVar(at, name) != nil {
			only = name
			break
		}
		return nil, fmt.Errorf("no variable or group %q; there are %s", inner, quoted(groupNames(at)))
	}
	r := &reader{ctx: ctx, opts: o, chain: chain, root: g}
	return r.dataset(only)
}

func subGroup(g *formats.Group, name string) *formats.Group {
	for _, s := range g.Groups {
		if s.Name == name {
			return s.Group
		}
	}
	return nil
}

func groupVar(g *formats.Group, name string) *formats.Var {
	for i := range g.Vars {
		if g.Vars[i].Name == name {
			return &g.Vars[i]
		}
	}
	return nil
}

func groupNames(g *formats.Group) []string {
	var out []string
	for _, v := range g.Vars {
		out = append(out, v.Name)
	}
	for _, s := range g.Groups {
		out = append(out, s.Name+"/")
	}
	return out
}
