// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Explained is a plan as --explain=json prints it.
type Explained struct {
	Stages      []ExplainedStage `json:"stages"`
	PeakBytes   int64            `json:"peak_bytes"`
	BudgetBytes int64            `json:"budget_bytes"`
	Sources     []ExplainedInput `json:"sources"`
	Rates       []Rate           `json:"rates,omitempty"`
}

// Rate is a number that places were compared by.
type Rate struct {
	Name      string  `json:"name"` // "cpu memory"
	PerSecond float64 `json:"per_second"`
	Unit      string  `json:"unit"` // "bytes", "operations"
	From      string  `json:"from"` // "measured", "guessed", "driver": what that says of the device
}

// ExplainedStage is one stage.
type ExplainedStage struct {
	ID           int      `json:"id"`
	Kind         string   `json:"kind"` // "map", "reduce", "map+reduce"
	Name         string   `json:"name"`
	Inputs       []string `json:"inputs"`
	Outputs      []string `json:"outputs"`
	Calls        []string `json:"calls,omitempty"` // functions of regions that compute operands of the program
	Program      string   `json:"program"`
	Hash         string   `json:"hash"`
	Shape        []int64  `json:"shape"`
	Tile         []int64  `json:"tile"`
	Step         []int64  `json:"step"` // what of a tile is read and computed at once
	Tasks        int64    `json:"tasks"`
	BytesRead    int64    `json:"bytes_read"`    // stored bytes of what is decoded, each time it is; decoded where storage does not say
	BytesDecoded int64    `json:"bytes_decoded"` // of chunks, each time they are
	BytesWritten int64    `json:"bytes_written"` // before compression
	TaskBytes    int64    `json:"task_bytes"`
	TaskThreads  int      `json:"task_threads"`
	HoldBytes    int64    `json:"hold_bytes"`
	KeptBytes    int64    `json:"kept_bytes"`
	Bands        int64    `json:"bands"` // that the stage and those it takes turns with sweep one after another
	Device       string   `json:"device"`
	WhyCut       string   `json:"why_cut"`
	WhyDevice    string   `json:"why_device"`
}

// ExplainedInput is one stored array: how often it is read and why.
type ExplainedInput struct {
	Name  string  `json:"name"`
	Reads float64 `json:"reads"`
	Bytes int64   `json:"bytes"`
	Why   string  `json:"why"`
}

// Explain returns the plan as people read it.
func (p *Plan) Explain() string {
	e := p.explained()
	var b strings.Builder
	read, decoded, written := int64(0), int64(0), int64(0)
	for _, s := range e.Stages {
		read += s.BytesRead
		decoded += s.BytesDecoded
		written += s.BytesWritten
	}
	plural := "s"
	if len(e.Stages) == 1 {
		plural = ""
	}
	reads := Bytes(read)
	if decoded != read {
		reads += ", decoded " + Bytes(decoded)
	}
	fmt.Fprintf(&b, "PLAN  %d stage%s · reads %s · writes %s of values · peak %s of %s\n", len(e.Stages), plural, reads, Bytes(written), Bytes(e.PeakBytes), Bytes(e.BudgetBytes))
	for i := 0; i < len(e.Stages); i++ {
		s := e.Stages[i]
		if n := trivial(e.Stages[i:]); n > 0 {
			// Coordinates and the like: a line for all of them.
			var names []string
			for _, x := range e.Stages[i : i+n] {
				names = append(names, x.Name)
			}
			fmt.Fprintf(&b, "\n%2d %-10s %s from memory\n", s.ID, "copy", strings.Join(names, ", "))
			i += n - 1
			continue
		}
		fmt.Fprintf(&b, "\n%2d %-10s %s", s.ID, s.Kind, s.Name)
		if len(s.Inputs) > 0 {
			fmt.Fprintf(&b, "  from %s", strings.Join(s.Inputs, ", "))
		}
		fmt.Fprintf(&b, "\n   loop %v in tiles of %v", chunk.Shape(s.Shape), chunk.Shape(s.Tile))
		if !slices.Equal(s.Step, s.Tile) {
			fmt.Fprintf(&b, ", steps of %v", chunk.Shape(s.Step))
		}
		fmt.Fprintf(&b, ": %d tasks of %s", s.Tasks, Bytes(s.TaskBytes))
		if s.TaskThreads > 1 {
			fmt.Fprintf(&b, " and %d threads", s.TaskThreads)
		}
		if s.Bands > 1 {
			fmt.Fprintf(&b, ", in %d bands", s.Bands)
		}
		if s.HoldBytes > 0 {
			fmt.Fprintf(&b, ", partials %s", Bytes(s.HoldBytes))
		}
		if s.KeptBytes > 0 {
			fmt.Fprintf(&b, ", in memory %s", Bytes(s.KeptBytes))
		}
		fmt.Fprintf(&b, "\n   why: %s; %s: %s\n", s.WhyCut, s.Device, s.WhyDevice)
		for _, call := range s.Calls {
			fmt.Fprintf(&b, "      call %s\n", call)
		}
		for line := range strings.Lines(s.Program) {
			b.WriteString("      " + line)
		}
		if !strings.HasSuffix(s.Program, "\n") {
			b.WriteByte('\n')
		}
	}
	if len(e.Sources) > 0 {
		b.WriteString("\nreads\n")
		for _, s := range e.Sources {
			if s.Why == inMemory && s.Bytes <= 64<<10 {
				continue
			}
			fmt.Fprintf(&b, "   %s ×%.3g of %s: %s\n", s.Name, s.Reads, Bytes(s.Bytes), s.Why)
		}
	}
	if len(e.Rates) > 0 {
		b.WriteString("\nplaces were compared by, in a second\n")
		for _, r := range e.Rates {
			fmt.Fprintf(&b, "   %s: %.3g G%s, %s\n", r.Name, r.PerSecond/1e9, map[string]string{"bytes": "B", "operations": " operations"}[r.Unit], r.From)
		}
	}
	return b.String()
}

// trivial returns how many stages at the start only copy a few bytes from memory.
func trivial(list []ExplainedStage) int {
	for n, s := range list {
		if s.Program != copyOnly || len(s.Inputs) != 1 || s.Inputs[0] != "memory" || s.BytesWritten > 64<<10 {
			return n
		}
	}
	return len(list)
}

// copyOnly is the program of a stage that computes nothing.
const copyOnly = "copy\n"

// ExplainJSON returns the plan as one JSON object.
func (p *Plan) ExplainJSON() ([]byte, error) { return json.Marshal(p.explained()) }

// explained computes what Explain prints.
func (p *Plan) explained() *Explained {
	e := &Explained{PeakBytes: p.Peak, BudgetBytes: p.Budget, Stages: []ExplainedStage{}, Sources: []ExplainedInput{}}
	for _, s := range p.Stages {
		e.Stages = append(e.Stages, p.explainStage(s))
	}
	for _, s := range p.Sources {
		reads := s.Reads
		if s.Keep {
			reads = 1
		}
		e.Sources = append(e.Sources, ExplainedInput{Name: s.Name, Reads: reads, Bytes: s.Bytes(), Why: s.Why})
	}
	if p.Rates != nil {
		e.Rates = p.Rates()
	}
	return e
}

func (p *Plan) explainStage(s *Stage) ExplainedStage {
	x := ExplainedStage{
		ID: s.ID, Kind: s.kind(), Name: p.StageName(s), Inputs: p.inputs(s), Outputs: []string{},
		Shape: s.Body.Shape.Clone(), Tile: s.Tiles.MaxChunk(), Step: s.stepShape(s.Tiles.MaxChunk()), Tasks: s.Len(),
		TaskBytes: s.Run, TaskThreads: s.Crew, HoldBytes: s.Hold, KeptBytes: s.Kept, Bands: 1,
		Device: "cpu", WhyDevice: "no other device was offered", WhyCut: p.whyCut(s),
	}
	if c := p.chainOf(s.ID); c != nil {
		x.Bands = c.Len()
	}
	if s.Place != nil {
		x.Device, x.WhyDevice = s.Place.Device, s.Place.Why()
	}
	if x.Shape == nil {
		x.Shape = []int64{}
	}
	for _, u := range s.Units() {
		x.Program += strings.TrimSuffix(u.String(), "\n") + "\n"
	}
	if !s.Computes() {
		x.Program = copyOnly
	}
	visit(s.Body, func(l *Leaf, _ *Body) {
		if l.Kind == Inner && l.Part.Opaque != nil {
			if key := l.Part.Opaque.Key; !slices.Contains(x.Calls, key) {
				x.Calls = append(x.Calls, key)
			}
		}
	})
	if h := s.Hash(); h != 0 {
		x.Hash = fmt.Sprintf("%016x", h)
	}
	p.decodes(s, func(store int, n int64) {
		x.BytesDecoded += n
		x.BytesRead += stored(p.Sources[store].Source, n)
	})
	written := []int{}
	for _, w := range s.Writes {
		written = append(written, w.Output)
	}
	for _, f := range s.Folds {
		written = append(written, f.Direct...)
	}
	for _, w := range written {
		o := p.Outputs[w]
		x.Outputs = append(x.Outputs, o.Name)
		x.BytesWritten += o.Node.Shape().Size() * int64(o.Node.ItemBytes)
	}
	return x
}

func (s *Stage) kind() string {
	switch {
	case s.Scan != nil:
		return "scan"
	case len(s.Folds) == 0:
		return "map"
	case len(s.Writes) == 0:
		return "reduce"
	}
	return "map+reduce"
}

// inputs lists what a stage reads, each once.
func (p *Plan) inputs(s *Stage) []string {
	list := []string{}
	visit(s.Body, func(l *Leaf, _ *Body) {
		name := ""
		switch l.Kind {
		case Stored:
			name = p.Sources[l.Store].Name
			if s := p.Sources[l.Store].Spill; s != nil {
				name = s.text(p)
			}
		case Computed:
			r := p.Results[l.Store]
			name = fmt.Sprintf("%s of stage %d", nodeName(r.Node), r.Made)
		}
		if name != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	})
	return list
}

// whyCut says why the stage ends where it ends and what it shares.
func (p *Plan) whyCut(s *Stage) string {
	var why []string
	var needs, bands []string
	visit(s.Body, func(l *Leaf, _ *Body) {
		switch {
		case l.Kind == Computed:
			need := fmt.Sprintf("stage %d", p.Results[l.Store].Made)
			if c := p.chainOf(s.ID); c != nil && c.First <= p.Results[l.Store].Made {
				bands = append(bands, need)
			} else {
				needs = append(needs, need)
			}
		case l.Kind == Stored && p.Sources[l.Store].Spill != nil:
			needs = append(needs, fmt.Sprintf("stage %d", p.Results[p.Sources[l.Store].Spill.Result].Made))
		}
	})
	slices.Sort(needs)
	if needs = slices.Compact(needs); len(needs) > 0 {
		why = append(why, "needs all of "+strings.Join(needs, " and "))
	}
	slices.Sort(bands)
	if bands = slices.Compact(bands); len(bands) > 0 {
		why = append(why, "needs of "+strings.Join(bands, " and ")+" what its own band makes, and takes turns with it")
	}
	if len(s.Folds) > 0 {
		var names []string
		for _, f := range s.Folds {
			names = append(names, f.text())
		}
		why = append(why, "ends in "+strings.Join(names, ", "))
	}
	if s.Scan != nil {
		why = append(why, "ends in "+s.Scan.text())
	}
	for _, sp := range p.Spills {
		if p.Results[sp.Result].Made == s.ID {
			if sp.Node.Kind == graph.Load {
				why = append(why, fmt.Sprintf("%s is decoded once, and %s go to disk: its chunks are wanted in parts, many times", nodeName(sp.Node), Bytes(p.Sources[sp.Source].Bytes())))
				continue
			}
			why = append(why, fmt.Sprintf("its %s does not fit beside what needs it: %s go to disk", nodeName(sp.Node), Bytes(sp.Node.Shape().Size()*int64(sp.Node.ItemBytes))))
		}
	}
	if s.Why != "" {
		why = append(why, "several results in one sweep share "+s.Why)
	}
	if len(why) == 0 {
		return "one sweep from inputs to outputs"
	}
	return strings.Join(why, "; ")
}

// text names a fold and its axes.
func (f *Fold) text() string {
	var axes []string
	for i := range kernels.MaxAxes {
		if f.Cells.Set.Has(i) {
			axes = append(axes, fmt.Sprint(i))
		}
	}
	text := fmt.Sprintf("%s over axes (%s)", f.Reduction.Name, strings.Join(axes, ", "))
	if f.Groups > 0 {
		text += fmt.Sprintf(" in %d groups", f.Groups)
	}
	return text
}
