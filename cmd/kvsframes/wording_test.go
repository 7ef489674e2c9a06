package main

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/kvsio"
)

// ran is what a command said, and how it ended.
type ran struct {
	status         int
	stdout, stderr string
}

func runHere(t *testing.T, args ...string) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), args, &stdout, &stderr)
	return ran{status, stdout.String(), stderr.String()}
}

// noAWS is an environment with keys and a region, and nothing else.
func noAWS(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
		"TMPDIR":           os.TempDir(), // of which a backfill makes one of its own
		"AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_KINESIS_VIDEO": "", mediaEndpoint: "",
	} {
		t.Setenv(name, value)
	}
}

// TestMistakesAreSaidAsTyped: an error names the flag, and shows what was typed, not what a
// parser or the SDK makes of it; it is a mistake, found before anything was called.
func TestMistakesAreSaidAsTyped(t *testing.T) {
	noAWS(t)
	span := []string{
		"--stream-name", "cam", "--start-timestamp", "2026-01-01", "--end-timestamp", "2026-01-02",
		"--sampling-interval", "3s",
	}
	out := filepath.Join(t.TempDir(), "out")
	backfill := append([]string{"backfill", "--out", out}, span...)
	images := append([]string{"get-images"}, span...)
	there := filepath.Join(t.TempDir(), "there")
	if _, err := dataset.Create(t.Context(), there, dataset.Options{}); err != nil {
		t.Fatal(err)
	}
	verify := []string{"verify", there}
	remove := []string{"remove", there, "--stream-name", "cam"}
	long := strings.Repeat("ü", 100_000)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	defer flag.Set("runner", flag.Lookup("runner").Value.String())
	for _, test := range []struct {
		command []string
		more    []string
		want    string
	}{
		{backfill, []string{"--format", "gif"}, `--format is "gif": it must be JPEG or PNG`},
		{images, []string{"--format", "gif"}, `--format is "gif": it must be JPEG or PNG`},
		{backfill, []string{"--image-selector-type", "now"}, `--image-selector-type is "now": it must be PRODUCER_TIMESTAMP`},
		{
			backfill,
			[]string{"--format-config", "JPEGQuality=3, Foo=4"},
			`--format-config is "JPEGQuality=3, Foo=4": it must be exactly one entry`,
		},
		{backfill, []string{"--format-config", `{"a":"b"}`}, `--format-config is "{\"a\":\"b\"}": it must be exactly one`},
		{backfill, []string{"--sampling-interval", "2000"}, `--sampling-interval is "2000": it must be at least 3s`},
		{
			backfill,
			[]string{"--sampling-interval", "4s", "--min-sampling-interval", "5s"},
			`is "4s": it must be at least 5s, which --min-sampling-interval can lower to 200ms` + "\n",
		},
		{backfill, []string{"--end-timestamp", "1767225599"}, `--end-timestamp is "1767225599": it must be after --start-`},
		{
			backfill,
			[]string{"--resize", "8x8:up:sharp"},
			`--resize is "8x8:up:sharp": the mode is "up": it must be one of stretch, fit, crop, pad; the filter is "sharp"`,
		},
		{backfill, []string{"--aws-region", "Out is"}, `--aws-region is "Out is": it must be the name of a region, such as`},
		{images, []string{"--region", "Out is"}, `--region is "Out is": it must be the name of a region, such as us-east-1`},
		{backfill, []string{"--aws-profile", "X"}, `--aws-profile is "X": there is no profile "X" in ` + os.DevNull},
		{images, []string{"--profile", "X"}, `--profile is "X": there is no profile "X" in ` + os.DevNull},
		{
			images,
			[]string{"--endpoint-url", "http://127.0.0.1:1"},
			`connection refused: the endpoint is "http://127.0.0.1:1", as --endpoint-url or AWS_ENDPOINT_URL says`,
		},
		{images, []string{"--starting-token", "?"}, `--starting-token is "?": it must be a resume token, as kvsframes,`},
		{images, []string{"--max-items", long}, `…": it must be a whole number, 0–2147483647` + "\n"},
		{backfill, []string{"--stream-quota", long}, `…": it must be a number of images a second`},
		{backfill, []string{"--json=x"}, `--json is "x": it must be true or false` + "\n"},
		{[]string{"verify", out}, []string{"--repair=maybe"}, `--repair is "maybe": it must be true or false` + "\n"},
		{verify, []string{"--since", "soon"}, `--since is "soon": it must be ` + timeInForms + "\n"},
		{verify, []string{"--since", "-1d", "--time-zone", "CET/Rome"}, `--time-zone is "CET/Rome": it must be a name of the`},
		{remove, []string{"--time-zone", "Rome"}, `--time-zone is "Rome": it must be a name of the IANA time zone database`},
		{remove, []string{"--start-timestamp", "now", "--end-timestamp", "-1h"}, `--end-timestamp is "-1h": it must be after`},
		{images, []string{"--start-timestamp", "-24h"}, `--start-timestamp is "-24h": it must be ` + timeForms + "\n"},
		{verify, []string{"--since="}, `--since is "": it must be RFC 3339`},
		{verify, []string{"--since", "2026-01-01", "--books"}, "--since and --books are both given: it must be one"},
		{verify, []string{"--books", "--repair"}, "--repair reads everything back: leave --since and --books out\n"},
		{verify, []string{"--since", "2026-01-01", "--repair"}, "--repair reads everything back: leave --since and --books"},
		{backfill, []string{"--parallelism", "four"}, `--parallelism is "four": it must be a whole number` + "\n"},
		{
			backfill,
			[]string{"--parallelism", "99999999999999999999"},
			`--parallelism is "99999999999999999999": it must be a whole number up to 9223372036854775807` + "\n",
		},
		{[]string{"serve"}, []string{"--addr", ""}, `--addr is "": it must be HOST:PORT, such as 127.0.0.1:8087`},
		{[]string{"serve"}, []string{"--config", ""}, "--config is empty: give it a value, or leave it out"},
		{backfill, []string{"--aws-role-arn", ""}, "--aws-role-arn is empty: give it a value, or leave it out"},
		{backfill, []string{"--aws-profile="}, "--aws-profile is empty"},
		{backfill, []string{"--aws-region", ""}, "--aws-region is empty"},
		{backfill, []string{"--aws-endpoint-url", ""}, "--aws-endpoint-url is empty"},
		{backfill, []string{"--aws-web-identity", ""}, "--aws-web-identity is empty"},
		{backfill, []string{"--requests", ""}, "--requests is empty"},
		{backfill, []string{"--refetch", ""}, `--refetch is "": "" is not a reason for a gap; it must be one of`},
		{backfill, []string{"--refetch", "failed,"}, `--refetch is "failed,": "" is not a reason for a gap; it must be`},
		{backfill, []string{"--out", ""}, `--out is "": it must name a folder, or a place in a bucket`},
		{backfill, []string{"--format", ""}, `--format is "": it must be JPEG or PNG`},
		{backfill, []string{"--image-selector-type", ""}, `--image-selector-type is "": it must be PRODUCER_TIMESTAMP or`},
		{images, []string{"--region", ""}, "--region is empty: give it a value, or leave it out"},
		{images, []string{"--profile", ""}, "--profile is empty"},
		{images, []string{"--format", ""}, `--format is "": it must be JPEG or PNG`},
		{images, []string{"--out", "s3://b/x"}, "--out is a URL: get-images writes pictures to folders only"},
		{images, []string{"--out", "file:///x"}, "--out is a URL: get-images writes pictures to folders only"},
		{backfill, []string{"--log-level", "x"}, `--log-level is "x": it must be debug, info, warn, error or off` + "\n"},
		{[]string{"demo", "--out", out}, []string{"--log-level", "x"}, `--log-level is "x": it must be debug,`},
		{[]string{"verify", there}, []string{"--log-level", "x"}, `--log-level is "x": it must be debug,`},
		{[]string{"index", there}, []string{"--log-level", "x"}, `--log-level is "x": it must be debug,`},
		{[]string{"pack", there, out}, []string{"--log-level", "x"}, `--log-level is "x": it must be debug,`},
		{remove, []string{"--log-level", "x"}, `--log-level is "x": it must be debug,`},
		{remove, nil, "--stream-name: " + there + " has nothing of cam\n"},
		{remove, []string{"--stream-arn", "cam"}, "--stream-name and --stream-arn are both given: it must be one of the two"},
		{[]string{"remove", there}, nil, "no stream is named: give --stream-name or --stream-arn\n"},
		{[]string{"remove"}, []string{"--stream-name", "cam"}, "0 folders are named: it must be one"},
		{[]string{"remove", out}, []string{"--stream-name", "cam"}, strconv.Quote(out) + " is not a kvsframes dataset"},
		{[]string{"remove", there}, []string{"--stream-name", "a b"}, `--stream-name is "a b": it must be 1–256 characters of`},
		{[]string{"remove", there}, []string{"--stream-name", ""}, `--stream-name is not set`},
		{[]string{"remove", there}, []string{"--stream-arn", "cam"}, `--stream-arn is "cam": it must be arn:PARTITION:kinesis`},
		{[]string{"remove", there}, []string{"--stream-arn", irishARN}, "--stream-arn: " + there + " has nothing of " + irishARN},
		{remove, []string{"--start-timestamp", "soon"}, `--start-timestamp is "soon": it must be RFC 3339`},
		{remove, []string{"--end-timestamp", ""}, `--end-timestamp is "": it must be RFC 3339`},
		{
			remove,
			[]string{"--start-timestamp", "2026-01-02", "--end-timestamp", "2026-01-01"},
			`--end-timestamp is "2026-01-01": it must be after --start-timestamp, which is 2026-01-02T00:00:00Z`,
		},
		{remove, []string{"--yes=x"}, `--yes is "x": it must be true or false` + "\n"},
		{backfill, []string{"--async=x"}, `--async is "x": it must be true or false` + "\n"},
		{backfill, []string{"--quiet", "--out"}, "--out has no value: write it after the flag"},
		{backfill, []string{"---x"}, `"---x" is not a flag`},
		{
			[]string{"serve"},
			[]string{"--addr", taken.Addr().String()},
			fmt.Sprintf("--addr is %q: listening there failed: bind: address already in use: it must be an address of this "+
				"machine and a free port", taken.Addr().String()),
		},
		{[]string{"help"}, []string{"nope"}, `there is no command "nope"` + "\n"},
		{[]string{"help"}, []string{"verfy"}, `there is no command "verfy": did you mean kvsframes verify?`},
		{[]string{"help"}, []string{"verify", "x"}, `there is no command "x"`},
		{[]string{"completion"}, []string{"zhs"}, `there is no command "zhs": did you mean kvsframes completion zsh?`},
		{[]string{"status"}, []string{"--endpoint", "127.0.0.1:1", "job"}, `--endpoint is "127.0.0.1:1": there is no Beam job`},
	} {
		name := fmt.Sprintf("%s %.60s", test.command[0], strings.Join(test.more, " "))
		switch got := runHere(t, append(append([]string{}, test.command...), test.more...)...); {
		case got.status != exitUsage || !strings.Contains(got.stderr, test.want) || len(got.stderr) > 2000:
			t.Errorf("%s: exit status %d and %.2000s\nmust contain %s", name, got.status, got.stderr, test.want)
		case !strings.Contains(got.stderr, "Nothing was done. See kvsframes"), got.stdout != "":
			t.Errorf("%s: stdout %q and %s", name, got.stdout, got.stderr)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Errorf("%s was made", out)
	}
}

// TestEnvironmentIsNamed: what no flag says is not blamed on a flag.
func TestEnvironmentIsNamed(t *testing.T) {
	odd := filepath.Join(t.TempDir(), "odd")
	if err := os.WriteFile(odd, []byte("[profile a]\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = b\n"+
		"[default\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, value, want string }{
		{"AWS_REGION", "Out is", `the region, of AWS_REGION or the shared config file, is "Out is": it must be the name of`},
		{"AWS_PROFILE", "X", `reading the AWS configuration: there is no profile "X" in ` + os.DevNull},
		{"AWS_ENDPOINT_URL_KINESIS_VIDEO", "x", `KINESIS_VIDEO or the shared config file) is "x": it must be a URL`},
		{mediaEndpoint, "x", mediaEndpoint + ` is "x": it must be a URL`},
		{"AWS_CONFIG_FILE", t.TempDir(), "cannot be read: "},
		{"AWS_ACCESS_KEY_ID", "", "(no keys for the profile in use are in " + odd + ")"},
	} {
		t.Run(test.name, func(t *testing.T) {
			noAWS(t)
			if test.name == "AWS_ACCESS_KEY_ID" {
				t.Setenv("AWS_SHARED_CREDENTIALS_FILE", odd)
			}
			t.Setenv(test.name, test.value)
			err := imagesOf(t, "--stream-name", "cam")
			if exitStatus(err) != exitUsage || !strings.Contains(err.Error(), test.want) {
				t.Errorf("exit status %d and %v\nmust contain %s", exitStatus(err), err, test.want)
			}
		})
	}
	noAWS(t)
	t.Setenv("AWS_CONFIG_FILE", odd)
	err := imagesOf(t, "--stream-name", "cam", "--profile", "a")
	if want := `role/x needs the source_profile "b": there is no profile "b" in ` + odd; err == nil ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("%v\nmust contain %s", err, want)
	}
}

// TestHelpHelps: the help command shows what --help shows.
func TestHelpHelps(t *testing.T) {
	for _, command := range [][]string{{}, {"verify"}, {"completion", "bash"}} {
		help, flag := runHere(t, append([]string{"help"}, command...)...), runHere(t, append(command, "--help")...)
		if help.status != 0 || help.stdout == "" || help != flag {
			t.Errorf("help %v: %+v\n--help: %+v", command, help, flag)
		}
	}
}

// TestNextStep: what is merely not there needs a backfill and no repair.
func TestNextStep(t *testing.T) {
	const repair, backfill = "verify --repair takes away what is damaged, then the same backfill fetches what is missing",
		"the same backfill fetches what is missing or FAILED"
	for _, test := range []struct {
		report   dataset.Report
		repaired bool
		want     string
	}{
		{dataset.Report{Missing: 5}, false, backfill},
		{dataset.Report{Failed: 5}, false, backfill},
		{dataset.Report{Missing: 5, Repairable: true}, false, repair},
		{dataset.Report{Damaged: 1, DamagedRequests: 1, Repairable: true}, false, repair},
		{dataset.Report{Missing: 5}, true, backfill},
		{dataset.Report{Damaged: 1}, false, "put right, or move away, what is another dataset's"},
		{
			dataset.Report{Damaged: 1, Missing: 5},
			false,
			"put right, or move away, what is another dataset's; " + backfill,
		},
		{dataset.Report{Stale: true, Repairable: true}, false, "verify --repair makes the index again"},
		{dataset.Report{Unasked: 3}, false, "the same backfill writes down what it asks for"},
		{dataset.Report{}, false, "a backfill writes down what it asks for"},
	} {
		if got := nextStep(test.report, test.repaired); got != test.want {
			t.Errorf("%+v: %s, want %s", test.report, got, test.want)
		}
	}
	for _, test := range []struct {
		report dataset.Report
		want   string
	}{
		{
			dataset.Report{Complete: true, Shards: 9},
			"Verified: complete: each sample once: 0 samples: 0 frames; 9 shards read back.\n",
		},
		{
			dataset.Report{Complete: true, Shards: 9, Unread: 9, Scope: "books"},
			"Verified in part: nothing is wrong there: 0 samples: 0 frames; 0 shards read back.\n" +
				"  9 shards were not read back (books): of these, names and sizes of files are compared with receipts.\n",
		},
		{
			dataset.Report{Shards: 9, Unread: 7, Scope: "since 2026-01-01T00:00:00.000Z"},
			"Verified: NOT complete: 0 samples: 0 frames; 2 shards read back.\n" +
				"  7 shards were not read back (since 2026-01-01T00:00:00.000Z): of these, names of files are compared with " +
				"receipts.\n",
		},
	} {
		if got := reportText(test.report); got != test.want {
			t.Errorf("%+v: %s, want %s", test.report, got, test.want)
		}
	}
	text := reportText(dataset.Report{Damaged: 3, DamagedRequests: 2})
	if !strings.Contains(text, "  1 damaged receipts\n  2 damaged requests\n") {
		t.Errorf("the report is\n%s", text)
	}
}

// TestForms: what a time and an interval may be is what their parsers say.
func TestForms(t *testing.T) {
	_, badTime := kvsio.ParseTime("")
	_, _, badTimeIn := kvsio.TimeIn("", someday, time.UTC)
	_, badInterval := kvsio.ParseInterval("")
	for want, err := range map[string]error{timeForms: badTime, timeInForms: badTimeIn, intervalForms: badInterval} {
		if err == nil || err.Error() != "it must be "+want {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
}
