//go:build conformance

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// Run .ci/clients first: it installs the AWS CLI.
//
//	go test -tags conformance -run SameAsTheAWSCLI ./cmd/kvsframes

// awsCLI is where .ci/clients put it.
func awsCLI(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("KVSFRAMES_CLIENTS")
	if dir == "" {
		dir = "../../.cache/clients"
	}
	path, err := filepath.Abs(filepath.Join(dir, "python/bin/aws"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// What get-images prints is to the letter what the AWS CLI prints, token for
// token, with the same flags.
func TestGetImagesIsSameAsTheAWSCLI(t *testing.T) {
	aws := awsCLI(t)
	media := []kvstest.Range{
		{From: aNewYear, To: aNewYear.Add(100 * time.Second)},
		{From: aNewYear.Add(130 * time.Second), To: aNewYear.Add(time.Hour)},
	}
	u := newUser(t, kvstest.Config{Now: clockOfOneToken(), Streams: []kvstest.Stream{
		{
			Name: "front.door", Width: 160, Height: 90, FrameRate: 7.5, Fragment: 20 * time.Second, Quota: &kvstest.Quota{},
			Media:       media,
			MediaErrors: []kvstest.Range{{From: aNewYear.Add(30 * time.Second), To: aNewYear.Add(45 * time.Second)}},
		},
		{Name: "empty", Quota: &kvstest.Quota{}},
	}})
	// Asked for once: the service allows a stream five such calls a second.
	endpoints := map[string]string{"front.door": dataEndpoint(t, u, "front.door"), "empty": dataEndpoint(t, u, "empty")}
	endpoints["nobody"] = endpoints["front.door"] // who has none
	small := []string{"--width-pixels", "16", "--height-pixels", "16"}
	with := func(seconds int, more ...string) []string { return append(images(seconds, small...), more...) }
	for _, args := range [][]string{
		with(60),
		with(300),
		with(0),
		with(1),
		with(299, "--max-items", "1"),
		with(299, "--max-items", "0"),
		with(299, "--max-items", "25"),
		with(299, "--max-items", "26"),
		with(299, "--max-items", "1000"),
		with(299, "--max-items", "33", "--page-size", "10"),
		with(299, "--max-items", "30", "--page-size", "10"),
		with(299, "--max-items", "7", "--page-size", "1"),
		with(299, "--page-size", "100"),
		with(299, "--page-size", "13", "--max-items", "99"),
		with(299, "--no-paginate"),
		with(299, "--max-results", "3"),
		// inside a fragment: entries with neither image nor error
		with(299, "--start-timestamp", "1767225605"),
		// an end before the start
		with(299, "--start-timestamp", "2026-01-01T01:00:07+01:00", "--end-timestamp", "2026-01-01"),
		with(299, "--stream-name", "empty"),
		with(299, "--stream-name", "nobody"),
		with(301, "--width-pixels", "5000"),
		with(60, "--format", "PNG"),
		with(60, "--image-selector-type", "SERVER_TIMESTAMP"),
		with(60, "--format-config", "JPEGQuality=3"),
		with(60, "--format-config", `{"JPEGQuality":"99"}`),
		with(60, "--starting-token", "AgIC"),
		with(60, "--starting-token", "None___3"),
		with(60, "--starting-token", "eyJOZXh0VG9rZW4iOiBudWxsfQ=="),
		with(60, "--starting-token", "not a token"),
		images(30),
		images(30, "--sampling-interval", "200"),
		{
			"get-images", "--stream-arn", u.server.StreamARN("front.door"), "--image-selector-type", "PRODUCER_TIMESTAMP",
			"--format", "JPEG",
			"--sampling-interval", "60000", "--start-timestamp", "1767225600", "--end-timestamp", "1767225900",
		},
	} {
		t.Run(strings.Join(args[9:], " "), func(t *testing.T) {
			// A chain, whose links are made by both with the tokens of either.
			for links := 0; links < 4; links++ {
				theirs, failed := runAWS(t, u, aws, endpoints, args)
				ours := u.run(args...)
				if ours.stdout != theirs {
					t.Fatalf("link %d: we print\n%s\nthe AWS CLI\n%s", links, ours.stdout, theirs)
				}
				if (ours.status != 0) != failed {
					t.Fatalf("link %d: exit status %d: %s", links, ours.status, ours.stderr)
				}
				token := tokenIn(theirs)
				if token == "" {
					return
				}
				flag := "--starting-token"
				if !strings.Contains(fmt.Sprint(args), "--max-items") {
					flag = "--next-token"
				}
				args = append(without(args, flag), flag, token)
			}
		})
	}
}

// clockOfOneToken is the machine's clock, put ahead where it is within three
// minutes of the instant from which the server writes other tokens: the tokens
// of both can be compared for as long. Signatures may be five minutes old.
func clockOfOneToken() func() time.Time {
	const sameTokens, enough = 5 * time.Minute, 3 * time.Minute
	var ahead time.Duration
	if now := time.Now(); now.Add(enough).Truncate(sameTokens) != now.Truncate(sameTokens) {
		ahead = enough
	}
	return func() time.Time { return time.Now().Add(ahead) }
}

// runAWS runs the AWS CLI, which has to be given the data endpoint.
func runAWS(t *testing.T, u *user, aws string, endpoints map[string]string, args []string) (stdout string,
	failed bool,
) {
	t.Helper()
	cmd := exec.Command(aws, append([]string{"kinesis-video-archived-media"}, args...)...)
	stream := "front.door"
	for i, arg := range args {
		if arg == "--stream-name" {
			stream = args[i+1]
		}
	}
	cmd.Env = append(u.env, "AWS_ENDPOINT_URL_KINESIS_VIDEO_ARCHIVED_MEDIA="+endpoints[stream], "AWS_MAX_ATTEMPTS=1")
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatalf("%v (.ci/clients installs it)", err)
	}
	return out.String(), err != nil
}

func tokenIn(stdout string) string {
	_, after, _ := strings.Cut(stdout, `"NextToken": "`)
	token, _, _ := strings.Cut(after, `"`)
	return token
}

// without takes a flag and its value away.
func without(args []string, flag string) (left []string) {
	for i := 0; i < len(args); i++ {
		if args[i] == flag {
			i++
			continue
		}
		left = append(left, args[i])
	}
	return left
}
