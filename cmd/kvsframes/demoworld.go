package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
	"github.com/kvsframes/kvsframes/pipeline"
)

var demoStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// demoConfig is the cameras of demo, and of serve without a config file.
func demoConfig() kvstest.Config {
	at := func(minutes float64) time.Time { return demoStart.Add(time.Duration(minutes * float64(time.Minute))) }
	day := at(24 * 60)
	camera := func(name string, media ...kvstest.Range) kvstest.Stream {
		return kvstest.Stream{Name: name, Width: 320, Height: 180, Media: media}
	}
	door := camera("front-door", kvstest.Range{From: at(0), To: day})
	door.MediaErrors = []kvstest.Range{{From: at(10), To: at(11)}}
	yard := camera("back-yard", kvstest.Range{From: at(0), To: at(12)}, kvstest.Range{From: at(15), To: day})
	dock := camera("loading-dock", kvstest.Range{From: at(5), To: day})
	dock.Fragment = 7 * time.Second
	return kvstest.Config{Streams: []kvstest.Stream{door, yard, dock}}
}

// demoOptions asks for twenty minutes of each of them.
func demoOptions(out string) pipeline.Options {
	o := pipeline.Options{Out: out}
	for _, s := range demoConfig().Streams {
		o.Requests = append(o.Requests, kvsio.Request{
			StreamName:        s.Name,
			ImageSelectorType: kvsio.ProducerTimestamp,
			StartTimestamp:    demoStart,
			EndTimestamp:      demoStart.Add(20 * time.Minute),
			SamplingInterval:  3 * time.Second,
			Format:            frame.JPEG,
		})
	}
	return o
}

// useOnly makes env all that this process knows of AWS: what the user has set
// up must not be used against the stand-in, nor reach it.
func useOnly(env []string) error {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	env = append([]string{
		"AWS_CONFIG_FILE=" + os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
		"AWS_EC2_METADATA_DISABLED=true",
	}, env...)
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// program returns what to type to start this program once more.
func program() string {
	self, err := os.Executable()
	if err != nil {
		return "kvsframes"
	}
	if strings.Contains(self, string(filepath.Separator)+"go-build") {
		return "go run github.com/kvsframes/kvsframes/cmd/kvsframes"
	}
	if found, err := exec.LookPath("kvsframes"); err == nil && sameFile(found, self) {
		return "kvsframes"
	}
	return shellQuote(os.Args[0])
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

var harmless = regexp.MustCompile(`^[\w./:@%+=,-]+$`)

// shellQuote writes a word as a shell takes it.
func shellQuote(s string) string {
	if harmless.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
