package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
	"github.com/kvsframes/kvsframes/pipeline"
)

const demoHelp = `Show a whole backfill, with no account and no flag: start a stand-in of Kinesis
Video Streams in this process, backfill twenty minutes of three cameras from it
through Beam, an image every 3 seconds, and verify the dataset. One camera was
off for a while, one came late, and one has a stretch that cannot be decoded.

Run it twice: the second run fetches nothing. Your AWS configuration is neither
read nor touched.
` + statusHelp

const demoExample = `  kvsframes demo
  kvsframes demo --out frames --json`

func newDemo() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Backfill three cameras of a stand-in, and verify",
		Long:    demoHelp,
		Example: demoExample,
		Args:    noArgs,
	}
	out := cmd.Flags().String("out", "kvsframes-demo", "`folder` of the dataset")
	show := newOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if strings.Contains(*out, "://") {
			return mistakes(errors.New("--out is a URL: the demo reads no configuration for a store, give it a folder"))
		}
		show.startBeam()
		result, err := show.demo(cmd, *out)
		if result.Verify.Schema == "" {
			return err
		}
		return errors.Join(show.print(cmd.OutOrStdout(), result, result.text), err)
	}
	return cmd
}

// demoResult is what demo --json prints.
type demoResult struct {
	Schema   string           `json:"schema"` // kvsframes.demo/1
	Backfill pipeline.Summary `json:"backfill"`
	Verify   dataset.Report   `json:"verify"`
}

func (show *output) demo(cmd *cobra.Command, out string) (demoResult, error) {
	result := demoResult{Schema: "kvsframes.demo/1"}
	server, err := kvstest.Listen(demoConfig(), "127.0.0.1:0")
	if err != nil {
		return result, err
	}
	defer server.Close()
	if err := checkDemoFolder(cmd.Context(), server, out); err != nil {
		return result, err
	}
	if err := useOnly(server.Env()); err != nil {
		return result, err
	}
	result.Backfill, err = show.run(cmd, demoOptions(out))
	if err != nil {
		return result, err
	}
	ds, err := dataset.Open(cmd.Context(), out)
	if err != nil {
		return result, err
	}
	result.Verify, err = show.verify(cmd, ds, dataset.VerifyOptions{}, false)
	return result, err
}

// checkDemoFolder refuses a dataset that has other streams than the demo's.
func checkDemoFolder(ctx context.Context, server *kvstest.Server, out string) error {
	ds, err := dataset.Open(ctx, out)
	if err != nil {
		return nil // the backfill makes one, or says what is there
	}
	asked, err := ds.Ledger().Requests(ctx)
	if err != nil {
		return err
	}
	for _, span := range asked {
		if arn := server.StreamARN(span.Series.StreamName); arn == "" || arn != span.Series.StreamARN {
			return mistakes(fmt.Errorf("--out is %s: the dataset there has the stream %s, which is not the demo's: give "+
				"the demo a folder of its own", quoted(out), quoted(span.Series.StreamName)))
		}
	}
	return nil
}

func (r demoResult) text() string {
	text := summaryText(r.Backfill, true) + reportText(r.Verify)
	if !r.Verify.Complete {
		return text
	}
	dir, self := shellQuote(r.Backfill.Dataset), program()
	next := [][2]string{
		{self + " verify " + dir, "read everything back again"},
		{self + " demo --out " + dir, "again: nothing is fetched twice"},
		{self + " serve --addr 127.0.0.1:8087", "the stand-in alone; it shows how to backfill from it"},
	}
	width := 0
	for _, n := range next {
		width = max(width, len(n[0]))
	}
	text += "\nTry next:\n"
	for _, n := range next {
		text += fmt.Sprintf("  %s%s  # %s\n", n[0], strings.Repeat(" ", width-len(n[0])), n[1])
	}
	return text + r.python()
}

// python is how to load the dataset.
func (r demoResult) python() string {
	ds, err := dataset.Open(context.Background(), r.Backfill.Dataset)
	if err != nil {
		return "" // it has gone since it was verified
	}
	return "\nIn Python:\n  " + card.PythonLine(ds.Options().Format, r.Backfill.Dataset) + "\n"
}
