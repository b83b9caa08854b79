// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/sched"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// The states of a check.
const (
	checkOK   = "ok"
	checkWarn = "warn"
	checkFail = "fail"
	checkOff  = "off" // not there, and nothing is wrong with that
)

// unproven is said wherever a GPU is found: it stays until somebody has run the self test on one.
const unproven = "the GPU code has been run on a simulated GPU only, never on a real one yet"

// diagnosis is one line of the doctor.
type diagnosis struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail"`
	Fix    string `json:"fix"`
}

// examinations are the doctor's checks, in the order they are told.
var examinations = []func(a *app) []diagnosis{examineCPU, examineMemory, examineCgroup, examineCUDA, examineFolders, examineCodecs}

func doctorCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor",
		Short: "tell what of this machine is used, what is not, and why",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			checks := []diagnosis{}
			for _, e := range examinations {
				checks = append(checks, e(a)...)
			}
			asJSON, _ := c.Flags().GetBool("json")
			var err error
			if asJSON {
				err = a.printJSON(object{{"checks", checks}})
			} else {
				_, err = fmt.Fprint(a.out, diagnosisText(checks))
			}
			for _, d := range checks {
				if err == nil && d.Status == checkFail {
					err = &quietError{exitFailed}
				}
			}
			return err
		},
	}
	c.Flags().Bool("json", false, "print one JSON document")
	return c
}

func diagnosisText(checks []diagnosis) string {
	var b strings.Builder
	for _, d := range checks {
		fmt.Fprintf(&b, "%-4s %-14s %s\n", strings.ToUpper(d.Status), d.Name, d.Detail)
		if d.Fix != "" {
			fmt.Fprintf(&b, "%19s fix: %s\n", "", d.Fix)
		}
	}
	return b.String()
}

func examineCPU(a *app) []diagnosis {
	features := strings.Join(cpuFeatures(), " ")
	if features == "" {
		features = "no vector features found"
	}
	d := diagnosis{Name: "cpu", Status: checkOK, Detail: fmt.Sprintf("%d processors (%s); programs run as %s", runtime.GOMAXPROCS(0), features, executor("auto"))}
	if runtime.GOARCH == "amd64" && executor("auto") == "vm-generic" {
		d.Status, d.Fix = checkWarn, "machine code needs AVX2 and F16C, and memory that may be executed; without it programs run about four times slower"
	}
	return []diagnosis{d}
}

func examineMemory(a *app) []diagnosis {
	eng, err := sched.New(sched.Options{Memory: a.settings.bytes("memory"), Device: "cpu"})
	if err != nil {
		return []diagnosis{{Name: "memory", Status: checkFail, Detail: err.Error(), Fix: "correct --memory or ARRAYRUN_MEMORY"}}
	}
	defer closeEngine(eng, a.err)
	d := diagnosis{Name: "memory", Status: checkOK, Detail: fmt.Sprintf("budget %s (%s)", plan.Bytes(eng.Memory()), a.settings.from["memory"])}
	if a.settings.text("memory") == "" {
		d.Detail = fmt.Sprintf("budget %s: 60%% of what the machine or its cgroup has free", plan.Bytes(eng.Memory()))
	}
	if eng.Memory() < 64<<20 {
		d.Status, d.Fix = checkWarn, "free memory, raise the cgroup's limit, or give --memory"
	}
	return []diagnosis{d}
}

// examineCgroup tells the memory limit that the process runs under.
func examineCgroup(*app) []diagnosis {
	host, left := sched.FreeMemory()
	switch {
	case left == 0:
		return []diagnosis{{Name: "cgroup", Status: checkOff, Detail: "no memory limit; the machine has " + plan.Bytes(host) + " free"}}
	case left < 256<<20:
		return []diagnosis{{"cgroup", checkWarn, "its memory limit leaves " + plan.Bytes(left), "raise the limit of the container or job"}}
	}
	return []diagnosis{{Name: "cgroup", Status: checkOK, Detail: fmt.Sprintf("its memory limit leaves %s; the machine has %s free", plan.Bytes(left), plan.Bytes(host))}}
}

// examineCUDA looks for the driver, its devices and the compiler. Without a driver or a device nothing is wrong, unless the user
// named a library or asked for a GPU; a driver that is there and cannot be used is worth a warning.
func examineCUDA(a *app) []diagnosis {
	search := a.search()
	proof := diagnosis{"cuda-proof", checkWarn, unproven, "run arrayrun selftest --device cuda and report what it says"}
	drv, err := search.Open()
	if err != nil {
		d := loadDiagnosis("cuda-driver", checkWarn, err)
		var load *driver.LoadError
		switch {
		case search.CUDA != "" || strings.HasPrefix(a.settings.text("device"), "cuda"):
			d.Status = checkFail
		case errors.As(err, &load) && slices.Contains([]driver.Reason{driver.ReasonMissing, driver.ReasonPlatform, driver.ReasonNoDevice}, load.Reason):
			d.Status = checkOff
		}
		if d.Status != checkFail {
			d.Detail = "no GPU is used: " + d.Detail
		}
		proof.Status = checkOff
		compiler, _ := examineNVRTC(search)
		if search.NVRTC == "" && compiler.Status == checkFail { // kernels dump does without it
			compiler.Status, compiler.Detail = checkOff, "not needed without a driver: "+compiler.Detail
		}
		return []diagnosis{d, compiler, proof}
	}
	list := []diagnosis{{Name: "cuda-driver", Status: checkOK, Detail: fmt.Sprintf("CUDA %v, %s, devices: %d", drv.Version(), drv.Library().Path(), drv.DeviceCount())}}
	if lacks := drv.Library().Absent(); len(lacks) > 0 {
		list[0].Detail += "; without " + strings.Join(lacks, ", ")
	}
	search.Newest = drv.Version()
	compiler, archs := examineNVRTC(search)
	list = append(list, compiler)
	for i := range drv.DeviceCount() {
		list = append(list, examineDevice(drv, i, archs))
	}
	return append(list, proof)
}

// search says where the settings have the libraries looked for.
func (a *app) search() driver.Search {
	s := driver.FromEnv()
	if p := a.settings.text("cuda-lib"); p != "" {
		s.CUDA = p
	}
	if p := a.settings.text("nvrtc-lib"); p != "" {
		s.NVRTC = p
	}
	return s
}

// examineNVRTC looks for the compiler, and returns the architectures that it compiles for.
func examineNVRTC(search driver.Search) (d diagnosis, archs []int) {
	n, err := search.OpenNVRTC()
	if err != nil {
		return loadDiagnosis("cuda-compiler", checkFail, err), nil
	}
	archs = n.Archs()
	d = diagnosis{Name: "cuda-compiler", Status: checkOK, Detail: fmt.Sprintf("NVRTC %v, %s, sm_%d to sm_%d", n.Version(), n.Library().Path(), archs[0], archs[len(archs)-1])}
	if search.Newest > 0 && n.Version()/1000 > search.Newest/1000 {
		d.Status = checkWarn
		d.Detail += fmt.Sprintf("; the driver is for CUDA %v and may not load what it compiles", search.Newest)
		d.Fix = fmt.Sprintf("update the driver, or install NVRTC %d (the Python package nvidia-cuda-nvrtc-cu%[1]d)", search.Newest/1000)
	}
	return d, archs
}

// loadDiagnosis tells why a library cannot be used and what would help.
func loadDiagnosis(name, status string, err error) diagnosis {
	d := diagnosis{Name: name, Status: status, Detail: err.Error()}
	var load *driver.LoadError
	if errors.As(err, &load) {
		d.Detail, d.Fix = load.Why(), load.Fix
	}
	return d
}

// examineDevice starts a device as a run would, and tells its memory. archs are the compiler's, nil without one.
func examineDevice(drv *driver.Driver, i int, archs []int) diagnosis {
	d := diagnosis{Name: fmt.Sprintf("cuda:%d", i), Status: checkOK}
	dev, err := drv.Device(i)
	if err != nil {
		return failedDevice(d, err)
	}
	name, err := dev.Name()
	if err != nil {
		return failedDevice(d, err)
	}
	major, minor, err := dev.ComputeCapability()
	if err != nil {
		return failedDevice(d, err)
	}
	ctx, err := dev.Primary()
	if err != nil {
		return failedDevice(d, err)
	}
	var free, total int64
	err = ctx.Do(func(s *driver.Session) (err error) {
		free, total, err = s.MemInfo()
		return err
	})
	if err = errors.Join(err, ctx.Close()); err != nil {
		return failedDevice(d, err)
	}
	arch := 10*major + minor
	d.Detail = fmt.Sprintf("%s, sm_%d, %s, %s free", name, arch, plan.Bytes(total), plan.Bytes(free))
	switch {
	case len(archs) > 0 && arch < archs[0]:
		d.Status, d.Fix = checkFail, "install an older NVRTC, which compiles for this device, and name it in "+driver.EnvNVRTC
		d.Detail += fmt.Sprintf("; the compiler begins with sm_%d", archs[0])
	case free < 256<<20:
		d.Status, d.Fix = checkWarn, "see with nvidia-smi what has its memory"
	}
	return d
}

// failedDevice tells why a device cannot be used.
func failedDevice(d diagnosis, err error) diagnosis {
	return diagnosis{d.Name, checkFail, err.Error(), "run nvidia-smi; it should tell what is wrong with the device"}
}

// examineFolders tries to write where temporary results and compiled kernels go.
func examineFolders(a *app) []diagnosis {
	var list []diagnosis
	tmp := a.settings.text("tmpdir")
	if tmp == "" {
		tmp = "."
	}
	list = append(list, examineFolder("spill", tmp, checkFail, "name a folder that can be written with --tmpdir or ARRAYRUN_TMPDIR"))
	cache := a.settings.text("cache")
	if cache == "" {
		if user, err := os.UserCacheDir(); err == nil {
			cache = filepath.Join(user, "arrayrun")
		}
	}
	return append(list, examineFolder("cache", cache, checkWarn, "name a folder that can be written with "+cuda.EnvCache+"; without one kernels are compiled anew in each run"))
}

// examineFolder tries to write a file in a folder, or in the nearest one above that exists.
func examineFolder(name, dir, bad, fix string) diagnosis {
	at := dir
	for at != "" {
		if _, err := os.Stat(at); err == nil || filepath.Dir(at) == at {
			break
		}
		at = filepath.Dir(at)
	}
	f, err := os.CreateTemp(at, ".arrayrun-doctor-*")
	if at == "" {
		err = errors.New("no folder is known")
	}
	if err != nil {
		return diagnosis{name, bad, fmt.Sprintf("%s: %v", dir, err), fix}
	}
	err = errors.Join(f.Close(), os.Remove(f.Name()))
	if err != nil {
		return diagnosis{name, bad, fmt.Sprintf("%s: %v", dir, err), fix}
	}
	d := diagnosis{Name: name, Status: checkOK, Detail: dir}
	if free, ok := sched.DiskFree(at); ok {
		d.Detail += ", " + plan.Bytes(free) + " free"
		if free < 1<<30 {
			d.Status, d.Fix = checkWarn, "free space, or "+fix
		}
	}
	return d
}

func examineCodecs(*app) []diagnosis {
	names := make([]string, len(codec.Table))
	for i, e := range codec.Table {
		names[i] = e.Name
	}
	list := []diagnosis{{Name: "codecs", Status: checkOK, Detail: strings.Join(names, " ")}}
	for _, l := range codec.Libraries() {
		name, _, _ := strings.Cut(l.File, ".")
		d := diagnosis{Name: name, Status: checkOK, Detail: strings.TrimSpace(l.File+" "+l.Version) + " is used; --codecs=go refuses it"}
		if l.Err != nil {
			d.Status, d.Detail = checkOff, "codecs in Go do its work: "+l.Err.Error()
		}
		list = append(list, d)
	}
	return list
}
