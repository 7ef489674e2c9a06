//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// good is the flags of a backfill that works; a test changes one of them.
func good(more ...string) []string { return ask(0, 1, more...) }

// badInputs is what goes wrong with a world where cam and dead are streams, there
// is a dataset of 20 samples a shard, and full is a folder of something else.
var badInputs = []struct {
	name string
	env  []string // without a value: not set
	args []string
	want []string
}{
	{"nothing", nil, []string{"backfill"}, []string{
		"--out is not set", "no stream is named",
		"--start-timestamp is not set: it must be RFC 3339", "--end-timestamp is not set", "--sampling-interval is not set",
	}},
	{"unknown command", nil, []string{"backfil"}, []string{"did you mean kvsframes backfill?"}},
	{
		"unknown flags", nil, good("--strem-name", "x", "--aws-regoin=x"),
		[]string{
			"unknown flag --strem-name: did you mean --stream-name?",
			"unknown flag --aws-regoin: did you mean --aws-region?",
		},
	},
	{"not a flag", nil, good("extra"), []string{`"extra" is not a flag`}},
	{
		"start", nil, good("--start-timestamp", "1767225600123"),
		[]string{`--start-timestamp is "1767225600123"`, "1767225600.123"},
	},
	{"end", nil, good("--end-timestamp", "20260131"), []string{`--end-timestamp is "20260131"`, "2026-01-31"}},
	{
		"end in the future", nil, good("--image-selector-type", "SERVER_TIMESTAMP", "--end-timestamp", "2200-01-01"),
		[]string{"--end-timestamp is 2200-01-01T00:00:00Z, in the future: it must be at most now"},
	},
	{
		"start after end", nil, good("--start-timestamp", "2026-01-02"),
		[]string{"--end-timestamp is \"2026-01-01T00:01:00Z\": it must be after --start-timestamp, which is 2026-01-02T00:00:00Z"},
	},
	{"interval", nil, good("--sampling-interval", "3 s"), []string{`--sampling-interval is "3 s": it must be a duration`}},
	{
		"interval under the floor", nil, good("--sampling-interval", "1s"),
		[]string{"--sampling-interval is \"1s\": it must be at least 3s", "--min-sampling-interval"},
	},
	{
		"interval under a lower floor", nil, good("--sampling-interval", "300", "--min-sampling-interval", "0.5s"),
		[]string{"--sampling-interval is \"300\": it must be at least 500ms"},
	},
	{
		"resize", nil, good("--resize", "0x512"),
		[]string{`--resize is "0x512": the width is 0: it must be from 1 to 16384 pixels`},
	},
	{
		"resize's mode", nil, good("--resize", "8x8:zoom"),
		[]string{`--resize is "8x8:zoom": the mode is "zoom": it must be one of stretch, fit, crop, pad`},
	},
	{"no resize", nil, good("--resize", "big"), []string{`--resize is "big"`, "WIDTHxHEIGHT"}},
	{"dedupe", nil, good("--dedupe", "65"), []string{`--dedupe is "65": the number of bits is 65: it must be from 0 to 64`}},
	{
		"tensor", nil, good("--tensor", "float64"),
		[]string{`--tensor is "float64": it must be one of uint8, float32, with :beside behind it`},
	},
	{
		"tensor beside", nil, good("--tensor", "uint8:besides"),
		[]string{`--tensor is "uint8:besides": it must be one of uint8, float32, with :beside behind it`},
	},
	{"floor", nil, good("--min-sampling-interval", "100ms"), []string{"--min-sampling-interval is \"100ms\": it must be " +
		"at least 200ms"}},
	{
		"selector", nil, good("--image-selector-type", "NOW"),
		[]string{`--image-selector-type is "NOW": it must be PRODUCER_TIMESTAMP or SERVER_TIMESTAMP`},
	},
	{"format", nil, good("--format", "gif"), []string{`--format is "gif": it must be JPEG or PNG`}},
	{
		"quality", nil, good("--format-config", "JPEGQuality=0"),
		[]string{`--format-config is "JPEGQuality=0": it must be a JPEGQuality from 1 to 100`},
	},
	{"format config", nil, good("--format-config", "80"), []string{`--format-config is "80": it must be JPEGQuality=N`}},
	{"lone width", nil, good("--width-pixels", "100"), []string{"--width-pixels is 100 without --height-pixels"}},
	{"lone height", nil, good("--height-pixels", "100"), []string{"--height-pixels is 100 without --width-pixels"}},
	{
		"size", nil, good("--width-pixels", "0", "--height-pixels", "2161"),
		[]string{`--width-pixels is "0"`, `--height-pixels is "2161": it must be a number of pixels, 1–2160`},
	},
	{"stream name", nil, good("--stream-name", "a b"), []string{`--stream-name is "a b": it must be 1–256 characters`}},
	{
		"name and ARN", nil, good("--stream-arn", "arn:aws:kinesisvideo:us-east-1:111122223333:stream/cam/1"),
		[]string{"--stream-name and --stream-arn are both given"},
	},
	{"streams and a file", nil, good("--requests", "notes.txt"), []string{"--requests names the streams itself"}},
	{
		"ARN", nil, append(good("--stream-arn", "arn:x")[:1], good("--stream-arn", "arn:x")[3:]...),
		[]string{`--stream-arn is "arn:x": it must be arn:PARTITION`},
	},
	{
		"limits", nil, good("--memory-budget", "512", "--call-timeout", "2h", "--throttle-patience", "soon"),
		[]string{
			"3 mistakes", `--memory-budget is "512"`, "at least 1MiB", `--call-timeout is "2h"`, "from 1s to 1h0m0s",
			`--throttle-patience is "soon"`,
		},
	},
	{"numbers", nil, good("--shard-samples", "0", "--max-in-flight", "many", "--stream-quota", "-1", "--quota-share",
		"1.5"), []string{
		"4 mistakes", `--shard-samples is "0"`, `--max-in-flight is "many"`, `--stream-quota is "-1"`,
		`--quota-share is "1.5"`,
	}},
	{"refetch", nil, good("--refetch", "failed,no_medea"), []string{"did you mean NO_MEDIA?"}},
	{
		"dataset format", nil, good("--dataset-format", "zip"),
		[]string{`--dataset-format is "zip": it must be one of files, parquet, tfrecord, webdataset`},
	},
	{"gap ratio", nil, good("--max-gap-ratio", "20"), []string{`--max-gap-ratio is "20": it must be a number from 0 to 1`}},
	{"gap ratio of no number", nil, good("--max-gap-ratio", "NaN"), []string{`--max-gap-ratio is "NaN": it must be a number`}},
	{"no folder for metrics", nil, good("--metrics-file", "no/x.prom"), []string{`--metrics-file is "no/x.prom"`, "its folder must exist"}},
	{"a folder for metrics", nil, good("--metrics-file", "full"), []string{`--metrics-file is "full": that is no file`}},
	{"no name for metrics", nil, good("--metrics-file="), []string{"--metrics-file is empty"}},
	{"runner", nil, good("--runner", "flnk"), []string{`--runner is "flnk"`, "direct, prism"}},
	{
		"Flink's flags", nil, good("--runner", "flink", "--environment_type", "PROCES"),
		[]string{
			"3 mistakes", "--endpoint is not set: it must be the HOST:PORT of Beam's job server",
			"--parallelism is not set", `--environment_type is "PROCES": it must be PROCESS`,
		},
	},
	{
		"universal's flags", nil, good("--runner", "universal"),
		[]string{"--endpoint is not set: it must be the HOST:PORT of a Beam job server"},
	},
	{
		"Flink's slots", nil, good("--runner", "flink", "--endpoint", "127.0.0.1:1", "--parallelism", "-5"),
		[]string{"--parallelism is -5: Flink would run the job in one slot"},
	},
	{
		"no job server", nil, good("--runner", "flink", "--parallelism", "4", "--endpoint", "127.0.0.1:1"),
		[]string{`--endpoint is "127.0.0.1:1": there is no Beam job server`, "connection refused"},
	},
	{"async", nil, good("--async"), []string{"--async is set, but the workers are of this process"}},
	{
		"status of nothing", nil,
		[]string{"status", "--endpoint", "127.0.0.1:1"},
		[]string{"0 jobs are named: name one"},
	},
	{"status of nobody", nil, []string{"status", "job"}, []string{"--endpoint is not set"}},
	{
		"cancel nowhere", nil,
		[]string{"cancel", "--endpoint", "127.0.0.1:1", "job"},
		[]string{"there is no Beam job server", "connection refused"},
	},
	{"log level", nil, good("--log-level", "loud"), []string{`--log-level is "loud"`}},
	{"Beam's flag", nil, good("--parallelism", "lots"), []string{"parallelism", `"lots"`}},
	{
		"unknown streams", nil, good("--stream-name", "one", "--stream-name", "two"),
		[]string{"2 mistakes", "one: ResourceNotFoundException", "two: ResourceNotFoundException"},
	},
	{"no retention", nil, good("--stream-name", "dead"), []string{"dead", "retention"}},
	{
		"no credentials",
		[]string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
		good(),
		[]string{"no AWS credentials", "--aws-profile"},
	},
	{
		"other credentials",
		[]string{"AWS_ACCESS_KEY_ID=other"},
		good(),
		[]string{"describing cam: UnrecognizedClientException"},
	},
	{"no region", []string{"AWS_REGION", "AWS_DEFAULT_REGION"}, good(), []string{"no AWS region", "--aws-region"}},
	{"profile", nil, good("--aws-profile", "nobody"), []string{"nobody"}},
	{
		"endpoint", nil, good("--aws-endpoint-url", "localhost"),
		[]string{`--aws-endpoint-url is "localhost": it must be a URL`},
	},
	{
		"a password in an endpoint", nil, good("--aws-endpoint-url", "ftp://me:hunter2@localhost"),
		[]string{"--aws-endpoint-url names a user or a password: leave it out"},
	},
	{
		"a web identity without a role", nil, good("--aws-web-identity", "gcp"),
		[]string{"--aws-web-identity is gcp without --aws-role-arn: name the role"},
	},
	{
		"a web identity", nil, good("--aws-web-identity", "azure", "--aws-role-arn", "reader", "--quota-share", "2"),
		[]string{
			"3 mistakes", `--aws-web-identity is "azure": it must be gcp`,
			`--aws-role-arn is "reader": it must be arn:aws:iam::ACCOUNT:role/NAME`,
		},
	},
	{
		"no machine of Google's",
		[]string{"GCE_METADATA_HOST=127.0.0.1:1"},
		good("--aws-web-identity", "gcp", "--aws-role-arn", testRole),
		[]string{"assuming " + testRole + ": no metadata server of Google's answers here"},
	},
	{
		"an endpoint that does not listen",
		[]string{"AWS_ENDPOINT_URL_KINESIS_VIDEO=http://127.0.0.1:1"},
		good(),
		[]string{"describing cam", "connection refused"},
	},
	{"out is a file", nil, good("--out", "notes.txt/x"), []string{"notes.txt", "--out"}},
	{
		"out is something else", nil, good("--out", "full"),
		[]string{`"full" is not empty and not a kvsframes dataset: choose another --out`},
	},
	{"out cannot be made", nil, good("--out", "/dev/null/x"), []string{"/dev/null"}},
	{
		"another shard size", nil, good("--out", "there", "--shard-samples", "30"),
		[]string{"--shard-samples is 30, but the dataset there has 20"},
	},
	{
		"a dataset of another version", nil, good("--out", "future"),
		[]string{`"future" belongs to another kind of dataset: it has version 4, this kvsframes knows 3: use the one that wrote it, or choose another --out`},
	},
	{"verify a dataset of another version", nil, []string{"verify", "future", "--repair"}, []string{"it has version 4"}},
	{"no file", nil, []string{"backfill", "--requests", "nope.yaml", "--out", "out"}, []string{"nope.yaml: no such file"}},
	{
		"file", nil,
		[]string{"backfill", "--requests", "bad.yaml", "--out", "out"},
		[]string{
			"2 mistakes", "bad.yaml:2: unknown key \"sampling\": did you mean sampling_interval?",
			"bad.yaml:3: end_timestamp is \"soon\"",
		},
	},
	{
		"all at once", nil, good("--start-timestamp", "x", "--format", "x", "--quota-share", "x", "--runner", "x"),
		[]string{"4 mistakes"},
	},
	{"verify nothing", nil, []string{"verify"}, []string{"it must be one, the folder or the URL of a dataset"}},
	{"verify something else", nil, []string{"verify", "full"}, []string{`"full" is not a kvsframes dataset`}},
	{"serve at no address", nil, []string{"serve", "--addr", "here"}, []string{`--addr is "here": it must be HOST:PORT`}},
	{
		"serve nonsense", nil,
		[]string{"serve", "--config", "bad-config.yaml"},
		[]string{"bad-config.yaml:2: streams[0].nam: unknown key"},
	},
	{
		"demo into another dataset", nil,
		[]string{"demo", "--out", "there"},
		[]string{`--out is "there": the dataset there has the stream "cam", which is not the demo's`},
	},
	{"demo into something else", nil, []string{"demo", "--out", "full"}, []string{"choose another --out"}},
}

// mayPass are those of badInputs that nobody need have made a mistake with.
var mayPass = []string{"no credentials", "other credentials", "no machine of Google's", "an endpoint that does not listen"}

func TestBadInput(t *testing.T) {
	t.Parallel()
	dead := camera("dead")
	dead.Retention = new(time.Duration(0))
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam"), dead}})
	if err := os.MkdirAll(filepath.Join(u.dir, "full", "of"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(u.dir, "future"), 0o777); err != nil {
		t.Fatal(err)
	}
	u.write("future/dataset.json", `{"version":4,"format":"files","shardSamples":100}`+"\n")
	u.write("notes.txt", "")
	u.write("bad.yaml", "- {stream_name: cam, start_timestamp: 2026-01-01, end_timestamp: 2026-01-02, "+
		"sampling_interval: 3s}\n- {stream_name: cam, start_timestamp: 2026-01-01, sampling: 3s, sampling_interval: 3s,\n  "+
		" end_timestamp: soon}\n")
	u.write("bad-config.yaml", "streams:\n  - nam: x\n")
	u.must(0, good("--out", "there", "--shard-samples", "20")...)
	served := u.server.Stats().GetImagesCalls
	before := tree(t, u.dir)

	for _, test := range badInputs {
		t.Run(test.name, func(t *testing.T) {
			v := u.with(test.env...)
			v.t = t
			o, status := v.run(test.args...), 2
			if slices.Contains(mayPass, test.name) {
				status = 1
			}
			if o.status != status || o.stdout != "" || !strings.Contains(o.stderr, "Nothing was done") {
				t.Errorf("exit status %d, want %d; stdout %q; stderr:\n%s", o.status, status, o.stdout, o.stderr)
			}
			if strings.Contains(o.stderr, "hunter2") {
				t.Errorf("stderr tells a password:\n%s", o.stderr)
			}
			for _, want := range test.want {
				if !strings.Contains(o.stderr, want) {
					t.Errorf("stderr must contain %q:\n%s", want, o.stderr)
				}
			}
			if o.took > 5*time.Second {
				t.Errorf("it took %v", o.took)
			}
		})
	}
	sameTree(t, tree(t, u.dir), before)
	if _, err := os.Stat(filepath.Join(u.dir, "out")); err == nil {
		t.Error("a dataset was made")
	}
	if got := u.server.Stats().GetImagesCalls; got != served {
		t.Errorf("%d calls of GetImages were made", got-served)
	}
}

// TestEndpointWithoutItsRunner: who names a job server does not get the job run
// elsewhere.
func TestEndpointWithoutItsRunner(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	u.must(0, good("--out", "there")...)
	calls, before := u.server.Stats().GetImagesCalls, tree(t, u.dir)
	for _, args := range [][]string{good(), {"pack", "there", "out"}} {
		for _, runner := range []string{"", "direct", "DirectRunner", "dataflow"} {
			o := u.run(append(args, "--endpoint", "127.0.0.1:1", "--runner", runner)...)
			want := `--endpoint is "127.0.0.1:1", the address of a job server: it is for --runner flink or universal`
			if o.status != 2 || o.stdout != "" || !strings.Contains(o.stderr, want) {
				t.Errorf("%s on %q: exit status %d; stderr must contain %q:\n%s", args[0], runner, o.status, want, o.stderr)
			}
		}
	}
	sameTree(t, tree(t, u.dir), before)
	if n := u.server.Stats().GetImagesCalls - calls; n > 0 {
		t.Errorf("%d calls of GetImages were made", n)
	}
}
