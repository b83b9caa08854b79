// SPDX-License-Identifier: BSD-3-Clause

// Package s3 is a store in a bucket of Amazon S3, or of a server with its interface (MinIO, Ceph, R2 ...).
//
//	b, err := s3.New("era5", s3.Options{})                       // credentials and region as the AWS tools find them
//	st := store.Below(b, "daily/t2m.zarr")                       // s3://era5/daily/t2m.zarr
//	err = b.Put(ctx, "k", v, store.PutOpt{IfNoneMatch: true})    // If-None-Match: *
//
// Credentials come from AWS_ACCESS_KEY_ID and its companions, from the profile AWS_PROFILE of ~/.aws/config and
// ~/.aws/credentials (single sign-on and credential_process too), then from the role of a container or machine. Without any, or with
// AWS_NO_SIGN_REQUEST=yes, requests are anonymous, as public data wants. AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL names another
// server, whose buckets are then the first element of the path. The region is AWS_REGION, the profile's, or what the
// server says the bucket's is.
//
// What it must not know: keys below the bucket, retries, ranges; those are the HTTP store's.
package s3
