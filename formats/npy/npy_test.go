// SPDX-License-Identifier: BSD-3-Clause

package npy

import (
	"testing"

	"github.com/arrayrun/arrayrun/formats/formattest"
)

func TestFormat(t *testing.T) {
	t.Run("npy", func(t *testing.T) { formattest.Format(t, Format, formattest.Options{Ext: ".npy", One: true}) })
	t.Run("npz", func(t *testing.T) { formattest.Format(t, Archive, formattest.Options{Ext: ".npz"}) })
}
