// SPDX-License-Identifier: BSD-3-Clause

// Package azure is a store in a container of Azure Blob Storage, over its REST interface.
//
//	c, err := azure.New("era5", azure.Options{Account: "climate"})
//	st := store.Below(c, "daily/t2m.zarr") // az://era5@climate.blob.core.windows.net/daily/t2m.zarr
//
// The account and its credentials come from AZURE_STORAGE_CONNECTION_STRING, or from AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or
// AZURE_STORAGE_SAS_TOKEN; then from an application (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET) or from the identity of
// the machine. Without any, requests are anonymous. The login of the az program is not known, nor are
// page and append blobs written. A blob is at most 5000 MiB, which one request can put.
//
// A program has it only when built with the tag azure, because most never need it.
package azure
