// SPDX-License-Identifier: BSD-3-Clause

//go:build !azure

package all

import (
	"fmt"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/store"
)

func openAzure(container string) (store.Store, error) {
	return nil, fmt.Errorf("az://%s: this program is built without Azure Blob Storage; build it with -tags azure: %w", container, formats.ErrFormat)
}
