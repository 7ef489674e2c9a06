//go:build e2e

package main

import (
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

const americanARN = "arn:aws:kinesisvideo:us-east-1:111122223333:stream/cam/1"

// irish is a user whose stand-in is in eu-west-1, and whose environment is not.
func irish(t *testing.T) *user {
	return newUser(t, kvstest.Config{Region: "eu-west-1", Streams: []kvstest.Stream{camera("cam")}}).
		with("AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1")
}

// byARN are the flags of good, for a stream by its ARN.
func byARN(arn string, more ...string) []string {
	args := good(more...)
	args[1], args[2] = "--stream-arn", arn
	return args
}

// asImages are the flags of a backfill as get-images takes them.
func asImages(args []string) []string {
	images := []string{"get-images"}
	for i := 1; i+1 < len(args); i += 2 {
		if name := strings.Replace(args[i], "--aws-", "--", 1); name != "--out" {
			images = append(images, name, args[i+1])
		}
	}
	return images
}

// TestRegionOfARN: a stream that is named by its ARN is read in its region, whatever
// the environment's is.
func TestRegionOfARN(t *testing.T) {
	t.Parallel()
	u := irish(t)
	arn := u.server.StreamARN("cam")
	for name, region := range map[string][]string{"nothing": nil, "the ARN's": {"--aws-region", "eu-west-1"}} {
		t.Run(name, func(t *testing.T) {
			v := u.with()
			v.t = t
			v.must(0, byARN(arn, append(region, "--out", "of "+name)...)...)
			v.must(0, asImages(byARN(arn, region...))...)
		})
	}
	t.Run("no region", func(t *testing.T) {
		v := u.with("AWS_REGION", "AWS_DEFAULT_REGION")
		v.t = t
		v.must(0, byARN(arn)...)
	})
}

// TestRegionOfAnotherARN: two regions are a mistake, which is told before a call.
func TestRegionOfAnotherARN(t *testing.T) {
	t.Parallel()
	u := irish(t)
	entry := func(stream string) string {
		return "- {" + stream + ", start_timestamp: 2026-01-01T00:00:00Z, end_timestamp: 2026-01-01T00:01:00Z, " +
			"sampling_interval: 3s}\n"
	}
	u.write("two.yaml", entry("stream_arn: '"+irishARN+"'")+"\n"+entry("stream_arn: '"+americanARN+"'"))
	u.write("mixed.yaml", entry("stream_name: cam")+entry("stream_arn: '"+irishARN+"'"))
	file := func(name string) []string { return []string{"backfill", "--requests", name, "--out", "out"} }
	flag := `--stream-arn is "` + irishARN +
		`": it must be in us-east-1, the region that is read: leave --aws-region out, or set it to eu-west-1`
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"flag": {byARN(irishARN, "--aws-region", "us-east-1"), flag},
		"get-images": {
			asImages(byARN(irishARN, "--aws-region", "us-east-1")),
			strings.ReplaceAll(flag, "--aws-region", "--region"),
		},
		"two ARNs": {
			append(byARN(irishARN), "--stream-arn", americanARN),
			`--stream-arn is "` + americanARN + `": it must be in eu-west-1, as the one before it, not in us-east-1: read each region by itself`,
		},
		"file": {file("two.yaml"), `two.yaml:3: stream_arn is "` + americanARN +
			`": it must be in eu-west-1, as the one before it`},
		"file and flag": {
			append(file("two.yaml"), "--aws-region", "us-east-1"),
			`two.yaml:1: stream_arn is "` + irishARN +
				`": it must be in us-east-1, the region that is read: leave --aws-region out, or set it to eu-west-1`,
		},
		"name beside": {file("mixed.yaml"), "request 2 (" + irishARN + `): --stream-arn is "` + irishARN +
			`": it must be in us-east-1, where the streams without an ARN are looked for, not in eu-west-1`},
	} {
		t.Run(name, func(t *testing.T) {
			v := u.with()
			v.t = t
			if o := v.run(test.args...); o.status != 2 || strings.Count(o.stderr, test.want) != 1 {
				t.Errorf("exit status %d, want %q once in:\n%s", o.status, test.want, o.stderr)
			}
		})
	}
	if s := u.server.Stats(); len(s.Refused) > 0 || s.GetImagesCalls > 0 {
		t.Errorf("calls were made: %+v", s)
	}
}
