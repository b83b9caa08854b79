// SPDX-License-Identifier: BSD-3-Clause

// Package gcs is a store in a bucket of Google Cloud Storage, over its XML interface, which is S3's with other credentials.
//
//	b, err := gcs.New("era5", gcs.Options{})
//	st := store.Below(b, "daily/t2m.zarr") // gs://era5/daily/t2m.zarr
//
// Credentials come from the token in GOOGLE_OAUTH_ACCESS_TOKEN, from the file that GOOGLE_APPLICATION_CREDENTIALS or gcloud's
// login has (a service account, or a user), then from the machine's metadata server. Without any, requests are anonymous. STORAGE_EMULATOR_HOST
// names another server. Workload identity federation (external_account) is not known.
//
// It is apart from the S3 store, and a program has it only when built with the tag gcs, because most never need it.
package gcs
