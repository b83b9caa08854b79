// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"strings"
	"testing"
)

// FuzzProfile: any text is read as a config file without harm, and what it says of a profile is found when other profiles surround it.
func FuzzProfile(f *testing.F) {
	f.Add("[default]\nregion = eu-west-1\n[profile a]\nendpoint_url=http://x\ns3 =\n  addressing_style = path\n", "a")
	f.Add("[ profile  a ]\r\nregion\t=\tx\r\n=\n[a", "a")
	f.Add("# [a]\n[a]]\n[]\nregion=1\n", "")
	f.Fuzz(func(t *testing.T, text, name string) {
		got := readProfile(strings.NewReader(text), name)
		for k, v := range got {
			if strings.TrimSpace(k) != k || strings.TrimSpace(v) != v || strings.ContainsAny(k, "=\n") || !strings.Contains(text, k) || !strings.Contains(text, v) {
				t.Errorf("setting %q = %q of %q", k, v, text)
			}
		}
		if name == "" || strings.ContainsAny(name, "[]\r\n") || strings.TrimSpace(name) != name || strings.HasPrefix(name, "profile ") || len(text)+len(name) > 60<<10 {
			return
		}
		around := readProfile(strings.NewReader("[x"+name+"]\nregion=no\n[profile "+name+"]\nregion = yes\n[profile y"+name+"]\nregion=no\n"), name)
		if len(around) != 1 || around["region"] != "yes" {
			t.Errorf("profile %q: %v", name, around)
		}
	})
}
