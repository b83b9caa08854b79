// SPDX-License-Identifier: BSD-3-Clause

package azure

import (
	"bytes"
	"testing"
)

// FuzzPage: any answer to a listing.
func FuzzPage(f *testing.F) {
	f.Add([]byte(`<?xml version="1.0"?><EnumerationResults><Blobs><Blob><Name Encoded="true">a%2Fb</Name><Properties><Content-Length>7</Content-Length></Properties></Blob><BlobPrefix><Name>c/</Name></BlobPrefix></Blobs><NextMarker>x</NextMarker></EnumerationResults>`))
	f.Add([]byte(`<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := page(bytes.NewReader(b))
		if err == nil && len(p.Values)+len(p.Dirs) > len(b) {
			t.Errorf("%d entries in %d bytes", len(p.Values)+len(p.Dirs), len(b))
		}
	})
}
