// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Every line of testdata/numcodecs.txt must encode and decode to the same bytes here.
func TestNumcodecs(t *testing.T) {
	b, err := os.ReadFile("testdata/numcodecs.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if f[0] == "#" {
			continue
		}
		t.Run(f[0]+f[1], func(t *testing.T) {
			cfg := Config{}
			if err := json.Unmarshal([]byte(f[1]), &cfg); err != nil {
				t.Fatal(err)
			}
			for k, v := range cfg { // the readers' own JSON keeps integers
				if n, ok := v.(float64); ok && n == math.Trunc(n) {
					cfg[k] = int64(n)
				}
			}
			dt, err := dtype.Parse(f[2])
			if err != nil {
				t.Fatal(err)
			}
			array, _ := hex.DecodeString(f[3])
			stored, _ := hex.DecodeString(f[4])
			want, _ := hex.DecodeString(f[5])
			c, err := NewChain(nil, Layout{ItemBytes: dt.Size(), DType: dt, Rank: 1})
			if err == nil {
				err = c.AppendV2(f[0], cfg)
			}
			if err != nil {
				t.Fatal(err)
			}
			c.Finish()
			s := Borrow()
			defer s.Return()
			got := make([]byte, len(want))
			if err := c.Decode(got, stored, s); err != nil || !bytes.Equal(got, want) {
				t.Errorf("Decode = %x, %v, want %x", got, err, want)
			}
			if f[0] == "bz2" || f[0] == "lz4" {
				return // no encoder, or another one
			}
			if enc, err := c.Encode(nil, array, s); err != nil || !bytes.Equal(enc, stored) {
				t.Errorf("Encode = %x, %v, want %x", enc, err, stored)
			}
		})
	}
}
