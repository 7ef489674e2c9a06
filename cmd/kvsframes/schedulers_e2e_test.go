//go:build e2e || readers

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// schedulers are the blocks of docs/operate.md that start the command every night, by what comes after the three
// backquotes: that of Airflow is python. Of systemd's two files the timer is the last.
func schedulers(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Schedulers\n")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := map[string][]string{}
	for _, block := range regexp.MustCompile("(?s)```([a-z]+)\n(.*?)```").FindAllStringSubmatch(section, -1) {
		blocks[block[1]] = append(blocks[block[1]], block[2])
	}
	for language, n := range map[string]int{"cron": 1, "systemd": 2, "yaml": 1, "python": 1} {
		if len(blocks[language]) != n {
			t.Fatalf("docs/operate.md has %d blocks of %s, want %d", len(blocks[language]), language, n)
		}
	}
	return blocks
}

// scheduled are the commands in them, as a shell takes them.
func scheduled(t *testing.T) map[string]string {
	blocks := schedulers(t)
	commands := map[string]string{}
	for name, test := range map[string]struct{ in, from, to string }{
		"cron":       {blocks["cron"][0], "/usr/local/bin/kvsframes ", " >>"},
		"systemd":    {strings.ReplaceAll(blocks["systemd"][0], "\\\n", ""), "ExecStart=/usr/local/bin/kvsframes ", "\n"},
		"Kubernetes": {strings.ReplaceAll(blocks["yaml"][0], "                - ", " "), "args:", "              resources:"},
		"Airflow":    {strings.ReplaceAll(blocks["python"][0], "\"\n            \"", ""), `"kvsframes `, `"` + "\n"},
	} {
		_, rest, begins := strings.Cut(test.in, test.from)
		command, _, ends := strings.Cut(rest, test.to)
		if !begins || !ends {
			t.Fatalf("%s: no command in\n%s", name, test.in)
		}
		commands[name] = strings.ReplaceAll(command, "\n", " ")
	}
	return commands
}

// TestScheduledCommands: the commands of docs/operate.md are taken as they are: all that fails is that there is no
// such camera, which --keep-going makes exit status 3.
func TestScheduledCommands(t *testing.T) {
	t.Parallel()
	for name, command := range scheduled(t) {
		u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
		u.write("cameras.yaml", "- {stream_name: front-door}\n")
		args := regexp.MustCompile(`/(etc/kvsframes|var/lib/node_exporter)/`).ReplaceAllString(command, "")
		args = regexp.MustCompile(`'?(/srv/frames|s3://archive/frames\?region=eu-west-1)'?`).ReplaceAllString(args, "out")
		shell := exec.Command("sh", "-c", binary()+" "+args)
		shell.Dir, shell.Env = u.dir, u.env
		out, err := shell.CombinedOutput()
		if shell.ProcessState.ExitCode() != 3 || !strings.Contains(string(out), "describing front-door: ResourceNotFound") {
			t.Errorf("%s: %v: %s\n%s", name, err, args, out)
		}
	}
}

// TestSystemdUnits: systemd takes the service and the timer.
func TestSystemdUnits(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd is not here")
	}
	dir := t.TempDir()
	var files []string
	for i, name := range []string{"kvsframes.service", "kvsframes.timer"} {
		text := strings.ReplaceAll(schedulers(t)["systemd"][i], "/usr/local/bin/kvsframes ", binary()+" ")
		files = append(files, filepath.Join(dir, name))
		if err := os.WriteFile(files[i], []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("systemd-analyze", append([]string{"verify", "--man=no"}, files...)...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "kvsframes.") {
			t.Errorf("systemd says: %s", line)
		}
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
