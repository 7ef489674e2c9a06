package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

const serveHelp = `Serve a stand-in for Kinesis Video Streams on this machine: for the AWS SDKs, the
AWS CLI, and kvsframes backfill. It prints one line, "listening on
http://HOST:PORT", and serves until it is interrupted. GET /_stats returns its
counters as JSON. It is for tests: it listens where only this machine can
connect, unless --addr says otherwise, and then warns.

Without --config it serves the three cameras of kvsframes demo, which have media
from 2026-01-01T00:00:00Z to 2026-01-02T00:00:00Z, with some gaps. Credentials
are access key id "test", secret "test".

A config file is YAML, every key optional:

  region: us-east-1
  account: "111122223333"
  access_keys: {test: test}          # access key id: secret; others are refused
  page_size: 25                      # the largest page it gives
  end_inclusive: true
  timestamps: frame                  # or instant: what an image's TimeStamp is
  before_retention: no_media         # or invalid_argument, not_found
  endpoint_token_ttl: 45m
  latency: {per_call: 0s, per_image: 0s}
  seed: 1                            # of the faults
  streams:
    - name: front-door
      width: 1280
      height: 720
      frame_rate: 10
      media: [{from: 2026-01-01T00:00:00Z, to: 2026-01-02T00:00:00Z}]
      fragment: 4s
      delay: 0s                      # until a fragment is in the archive; left out: all of media is
      late: [{from: 2026-01-02T01:00:00Z, to: 2026-01-02T02:00:00Z, at: 2026-01-03T00:00:00Z}]
      media_errors: [{from: 2026-01-01T05:00:00Z, to: 2026-01-01T05:01:00Z}]
      folder: ""                     # real pictures in place of the drawn scene
      retention: 87600h
      created: 2026-01-01T00:00:00Z  # left out: the stream is always there
      deleted: 2027-01-01T00:00:00Z
      forbidden: []
      tags: {site: hq}
      quota: {media_points: 500, metadata_points: 10000}      # a second; 0: no limit
      list_fragments_denied: false
  faults: [{kind: throttle, rate: 0.05, streams: [], during: []}]

Fault kinds: `

const openWarning = "warning: other machines can connect to this address, without encryption: the stand-in answers " +
	"all who use its access keys, which are no secret\n"

const serveExample = `  kvsframes serve --addr 127.0.0.1:8087
  kvsframes serve --config cameras.yaml`

func newServe() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Serve a stand-in for Kinesis Video Streams",
		Long:    serveHelp + strings.Join(kvstest.FaultKinds(), ", ") + ".",
		Example: serveExample,
		Args:    noArgs,
	}
	addr := cmd.Flags().String("addr", "127.0.0.1:0", "`address` to listen at; port 0: any that is free")
	file := cmd.Flags().String("config", "", "YAML `file` that says what to serve")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := mistakes(emptyFlags(cmd, "config")...); err != nil {
			return err
		}
		config, err := serveConfig(*file, *addr)
		if err != nil {
			return err
		}
		server, err := kvstest.Listen(config, *addr)
		if failed, ok := errors.AsType[*net.OpError](err); ok {
			return mistakes(fmt.Errorf("--addr is %s: listening there failed: %w: it must be an address of this machine and a "+
				"free port; with port 0 the system chooses one", quoted(*addr), failed.Err))
		}
		if err != nil {
			return err
		}
		defer server.Close()
		fmt.Fprintf(cmd.OutOrStdout(), "listening on http://%s\n", server.Addr)
		if !server.Addr.(*net.TCPAddr).IP.IsLoopback() {
			fmt.Fprint(cmd.ErrOrStderr(), openWarning)
		}
		writeHint(cmd.ErrOrStderr(), server, config)
		<-cmd.Context().Done()
		return nil
	}
	return cmd
}

func serveConfig(file, addr string) (kvstest.Config, error) {
	var faults []error
	_, err := net.ResolveTCPAddr("tcp", addr)
	if addr == "" { // which would be all addresses
		err = errors.New("missing address")
	}
	if err != nil {
		faults = append(faults, fmt.Errorf("--addr is %s: it must be HOST:PORT, such as 127.0.0.1:8087: %w",
			quoted(addr), err))
	}
	config := demoConfig()
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			faults = append(faults, fmt.Errorf("--config: %w", err))
		} else if config, err = kvstest.ParseConfig(text); err != nil {
			faults = append(faults, atLines(file, err)...)
		}
	}
	return config, mistakes(faults...)
}

var lineOf = regexp.MustCompile(`^(?:kvstest: )?line (\d+): `)

// atLines gives the faults of a config file the form FILE:LINE.
func atLines(file string, err error) []error {
	var faults []error
	for _, text := range strings.Split(err.Error(), "\n") {
		if m := lineOf.FindStringSubmatch(text); m != nil {
			text = file + ":" + m[1] + ": " + strings.TrimPrefix(text, m[0])
		} else {
			text = file + ": " + strings.TrimPrefix(text, "kvstest: ")
		}
		faults = append(faults, errors.New(text))
	}
	return faults
}

// writeHint shows a backfill that works against the server.
func writeHint(w io.Writer, server *kvstest.Server, config kvstest.Config) {
	for _, s := range config.Streams {
		if len(s.Media) == 0 {
			continue
		}
		from, to := s.Media[0].From, s.Media[0].To
		if to.Sub(from) > 10*time.Minute {
			to = from.Add(10 * time.Minute)
		}
		fmt.Fprintf(w, "Backfill from it, in another terminal:\n  %s \\\n  %s backfill --stream-name %s "+
			"--sampling-interval 3s \\\n    --start-timestamp %s --end-timestamp %s --out frames\n",
			strings.Join(server.Env(), " "), program(), s.Name, from.UTC().Format(time.RFC3339Nano),
			to.UTC().Format(time.RFC3339Nano))
		return
	}
}
