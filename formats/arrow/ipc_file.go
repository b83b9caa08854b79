// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"bytes"
	"io"
	"sync"
)

const (
	ipcMagic   = "ARROW1"
	maxMessage = 256 << 20 // bytes of one message's metadata
)

// Kinds of messages. Specification: Message.fbs, union MessageHeader.
const (
	messageSchema     = 1
	messageDictionary = 2
	messageBatch      = 3
)

// span is where bytes lie in the file.
type span struct{ off, n int64 }

// batch is the rows of one record batch, or the values of a dictionary.
type batch struct {
	rows       int64
	nodes      []node
	buffers    []span
	variadic   []int64 // for each column of views, how many buffers follow its two
	compressed bool
	codec      byte
}

type node struct{ rows, nulls int64 }

// ipcFile is an open IPC file or stream: every message's place, no values.
type ipcFile struct {
	r       io.ReaderAt
	size    int64
	spent   int64 // bytes of metadata that were read
	schema  *ipcSchema
	batches []*batch
	dicts   map[int64][]*batch // the values of a dictionary, in parts
	mu      sync.Mutex
	values  map[int64]*dictValues // decoded dictionaries
}

// isStream reports whether head starts with a stream's first message: a schema.
func isStream(head []byte) bool {
	if len(head) < 24 || !bytes.HasPrefix(head, []byte{0xff, 0xff, 0xff, 0xff}) {
		return false
	}
	n := int(le.Uint32(head[4:]))
	if n <= 16 || n > maxMessage || n%8 != 0 {
		return false
	}
	f := &flatbuf{b: head[8:min(len(head), 8+n)]}
	t := f.root()
	return t.u8(1) == messageSchema && !f.bad
}

// openIPC finds every message of a file or stream.
func openIPC(r io.ReaderAt, size int64) (*ipcFile, error) {
	f := &ipcFile{r: r, size: size, dicts: map[int64][]*batch{}, values: map[int64]*dictValues{}}
	head := make([]byte, min(size, 8))
	if err := readAt(r, head, 0); err != nil {
		return nil, err
	}
	messages := f.stream
	if bytes.HasPrefix(head, []byte(ipcMagic)) {
		messages = f.footer
	}
	if err := messages(); err != nil {
		return nil, err
	}
	if f.schema == nil {
		return nil, corrupt("there is no schema")
	}
	for _, c := range f.schema.cols {
		if c.dict != nil && c.err == nil && f.dicts[c.dict.id] == nil && len(f.batches) > 0 {
			c.err = corrupt("dictionary %d is not there", c.dict.id)
		}
	}
	return f, nil
}

// stream reads the messages of a stream, one behind the other.
func (f *ipcFile) stream() error {
	for pos := int64(0); pos < f.size; {
		next, err := f.message(pos, f.size)
		if err != nil || next == 0 {
			return err
		}
		pos = next
	}
	return nil
}

// footer reads the messages that the end of a file lists. Between them there may be anything: Polars leaves out the frame of the schema.
func (f *ipcFile) footer() error {
	if f.size < 28 {
		return corrupt("a file of %d bytes", f.size)
	}
	tail := make([]byte, 10)
	if err := readAt(f.r, tail, f.size-10); err != nil {
		return err
	}
	n := int64(le.Uint32(tail))
	if string(tail[4:]) != ipcMagic || n > f.size-18 || n > maxMessage {
		return corrupt("the file does not end with a footer: it was cut off or not finished")
	}
	end := f.size - 10 - n
	b := make([]byte, n)
	if err := readAt(f.r, b, end); err != nil {
		return err
	}
	t := (&flatbuf{b: b}).root()
	schema, ok := t.table(1)
	if !ok || t.f.bad {
		return corrupt("the footer of %d bytes has no schema", n)
	}
	var err error
	if f.schema, err = parseSchema(schema, t.i16(0, 0)); err != nil {
		return err
	}
	for _, list := range []int{2, 3} {
		p, n := t.vector(list, 24)
		for i := range n {
			block := t.f.at(p+24*i, 24)
			at, size := int64(le.Uint64(block)), int64(int32(le.Uint32(block[8:])))
			if at < 8 || size < 8 || at > end || size > end-at {
				return corrupt("the footer has a message of %d bytes at %d, want it before byte %d", size, at, end)
			}
			if _, err := f.message(at, end); err != nil {
				return err
			}
		}
	}
	if t.f.bad {
		return corrupt("the footer of %d bytes breaks off", n)
	}
	return nil
}

// message reads the metadata of the message at pos and returns where the next one is, 0 at the end mark.
func (f *ipcFile) message(pos, end int64) (next int64, err error) {
	var pre [8]byte
	if end-pos < 8 {
		if end-pos < 4 {
			return 0, corrupt("message at %d: %d bytes are left", pos, end-pos)
		}
		if err := readAt(f.r, pre[:4], pos); err != nil || le.Uint32(pre[:]) != 0 {
			return 0, corrupt("message at %d: %d bytes are left", pos, end-pos)
		}
		return 0, nil
	}
	if err := readAt(f.r, pre[:], pos); err != nil {
		return 0, err
	}
	n, start := int64(le.Uint32(pre[:])), pos+4 // what was written before 0.15 lacks the marker
	if n == 0xffffffff {
		n, start = int64(le.Uint32(pre[4:])), pos+8
	}
	if n == 0 {
		return 0, nil
	}
	if n > maxMessage || n > end-start {
		return 0, corrupt("message at %d: its metadata has %d bytes, %d are left", pos, n, end-start)
	}
	if f.spent += n; f.spent > f.size {
		return 0, corrupt("message at %d: messages lie over each other", pos)
	}
	b := make([]byte, n)
	if err := readAt(f.r, b, start); err != nil {
		return 0, err
	}
	fb := &flatbuf{b: b}
	m := fb.root()
	body := m.i64(3)
	if fb.bad || body < 0 || body > end-start-n {
		return 0, corrupt("message at %d: its body has %d bytes, %d are left", pos, body, end-start-n)
	}
	at := span{start + n, body}
	t, _ := m.table(2)
	switch kind := m.u8(1); kind {
	case messageSchema:
		if f.schema != nil {
			return 0, corrupt("message at %d: a second schema", pos)
		}
		f.schema, err = parseSchema(t, m.i16(0, 0))
	case messageDictionary:
		var x *batch
		data, _ := t.table(1)
		if x, err = f.batch(data, at, nil); err == nil {
			id := t.i64(0)
			if t.u8(2) == 0 && f.dicts[id] != nil { // not a part of it but another one
				f.replaced(id)
			}
			f.dicts[id] = append(f.dicts[id], x)
		}
	case messageBatch:
		if f.schema == nil {
			return 0, corrupt("message at %d: rows before the schema", pos)
		}
		var x *batch
		if x, err = f.batch(t, at, f.schema); err == nil {
			f.batches = append(f.batches, x)
		}
	default:
		return 0, refused("message at %d is of the kind %d, want a schema, a dictionary or a record batch", pos, kind)
	}
	if err != nil {
		return 0, err
	}
	return at.off + at.n, nil
}

// replaced marks the columns whose dictionary a stream changes on its way.
func (f *ipcFile) replaced(id int64) {
	if f.schema == nil {
		return
	}
	for _, c := range f.schema.cols {
		if c.dict != nil && c.dict.id == id && c.err == nil {
			c.err = refused("the stream replaces dictionary %d", id)
		}
	}
}

// batch reads the places of a batch's buffers in its body.
func (f *ipcFile) batch(t table, body span, s *ipcSchema) (*batch, error) {
	if t.f == nil {
		return nil, corrupt("a batch at %d without a header", body.off)
	}
	x := &batch{rows: t.i64(0)}
	p, n := t.vector(1, 16)
	for i := range n {
		b := t.f.at(p+16*i, 16)
		x.nodes = append(x.nodes, node{int64(le.Uint64(b)), int64(le.Uint64(b[8:]))})
	}
	p, n = t.vector(2, 16)
	for i := range n {
		b := t.f.at(p+16*i, 16)
		at := span{int64(le.Uint64(b)), int64(le.Uint64(b[8:]))}
		if at.off < 0 || at.n < 0 || at.off > body.n || at.n > body.n-at.off {
			return nil, corrupt("batch at %d: buffer %d, %d bytes at %d, lies outside its %d bytes", body.off, i, at.n, at.off, body.n)
		}
		at.off += body.off
		x.buffers = append(x.buffers, at)
	}
	if c, ok := t.table(3); ok {
		x.compressed, x.codec = true, c.u8(0)
	}
	p, n = t.vector(4, 8)
	for i := range n {
		x.variadic = append(x.variadic, int64(le.Uint64(t.f.at(p+8*i, 8))))
	}
	if t.f.bad || x.rows < 0 || x.rows > 1<<48 {
		return nil, corrupt("batch at %d: its header", body.off)
	}
	if s == nil {
		return x, nil
	}
	for _, c := range s.cols {
		if c.node >= len(x.nodes) || x.nodes[c.node].rows != x.rows {
			return nil, corrupt("batch at %d: column %q has not its %d rows", body.off, c.name, x.rows)
		}
		if x.nodes[c.node].nulls != 0 {
			c.nulls = true
		}
		if c.typ.kind == kindNone {
			c.nulls = true
		}
		if err := x.holds(c); err != nil {
			return nil, corrupt("batch at %d: %v", body.off, err)
		}
	}
	return x, nil
}

// first returns the index of the first buffer of a column.
func (x *batch) first(c *ipcColumn) (int, error) {
	at := int64(c.buffer)
	if c.views > len(x.variadic) {
		return 0, corrupt("column %q: the buffers of the views before it are not counted", c.name)
	}
	for _, n := range x.variadic[:c.views] {
		if n < 0 || n > int64(len(x.buffers)) {
			return 0, corrupt("column %q: %d buffers of views", c.name, n)
		}
		at += n
	}
	return int(min(at, int64(len(x.buffers)))), nil
}

// holds checks that the buffers of a column have the bytes its rows need, so that lengths can be trusted afterwards.
func (x *batch) holds(c *ipcColumn) error {
	t := c.typ
	if c.dict != nil {
		t = c.dict.index
	}
	if c.err != nil || t.kind == kindNone || x.rows == 0 {
		return nil
	}
	i, err := x.first(c)
	if err != nil {
		return err
	}
	return x.bufferSizes(i, t, x.rows, x.nodes[c.node].nulls != 0)
}

// bufferSizes checks the buffers of rows values from buffer i on. Compressed ones say their length themselves.
func (x *batch) bufferSizes(i int, t valueType, rows int64, nulls bool) error {
	n := 2
	need := []int64{0, rows * int64(t.width)}
	switch t.kind {
	case kindBits:
		need[1] = (rows + 7) / 8
	case kindTexts:
		n, need[1] = 3, (rows+1)*int64(t.width)
	}
	if nulls {
		need[0] = (rows + 7) / 8
	}
	if i+n > len(x.buffers) {
		return corrupt("%d buffers, want %d", len(x.buffers), i+n)
	}
	for j, want := range need {
		if got := x.buffers[i+j].n; want > 0 && (got < want && !x.compressed || got < 9 && x.compressed) {
			return corrupt("buffer %d has %d bytes, want %d", i+j, got, want)
		}
	}
	return nil
}
