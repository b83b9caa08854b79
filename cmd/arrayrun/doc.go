// SPDX-License-Identifier: BSD-3-Clause

// Command arrayrun computes with arrays in files from the command line (eval), looks at files (info, verify,
// diff), copies them (convert, rechunk, select, index), and shows itself (demo, doctor, selftest, config, version).
//
// main.go is the table of verbs, one file (or family of files) for each verb.
// config.go owns every flag, its environment variable and the configuration file,
// and is the only user of viper. exit.go turns errors into exit codes. Data goes to
// stdout, everything else to stderr.
//
// A worked example:
//
//	arrayrun eval 'tas - tas.groupby("time.month").mean()' tas.nc -o anomaly.zarr --memory 512MiB
//
// What this room must not know: how anything is computed. It opens, asks and
// prints. A new verb is one file and one line in main.go; a new flag is one row in config.go.
package main
