package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/store"
)

const indexHelp = `Put what a backfill has written into the index of its dataset, as every backfill does at
its end: Parquet files under index/, with a row a sample (what became of it, and the file,
offset, size and SHA-256 of its picture). Then write README.md, the dataset's card, which
tools that load it read, unless it is one that kvsframes did not write. Of the pictures it
reads only shards that no receipt names: these it records anew, so that an index that was
lost comes back. DIR is the folder of a dataset, or its URL, as backfill takes it with
--out.

It is needed where a backfill did not reach its end and no other one follows, or files of
the index were lost. The index is there all the time, and never has a sample less than
before: read index/*/*.parquet.

Exit status: 0 complete; 1 the dataset could not be opened, or the index not written, which
may pass; 2 not a dataset, or one that may not be read; 3 the index is written, but samples
that were asked for are missing or FAILED; 130 interrupted.`

const indexExample = `  kvsframes index frames
  duckdb -c "SELECT stream, outcome, count(*) FROM 'frames/index/*/*.parquet' GROUP BY ALL"`

func newIndex() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "index DIR",
		Short:   "Bring the index and the card of a dataset up to date",
		Long:    indexHelp,
		Example: indexExample,
		Args:    oneFolder,
	}
	show := newOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if _, err := store.At(args[0]); err != nil {
			return mistakes(err)
		}
		contents, err := show.index(cmd, args[0])
		if contents.Schema == "" {
			return err
		}
		return errors.Join(show.print(cmd.OutOrStdout(), contents, func() string { return contentsText(contents) }), err)
	}
	return cmd
}

// index writes the index of a dataset. The contents are empty where it could not.
func (show *output) index(cmd *cobra.Command, dir string) (dataset.Contents, error) {
	ds, err := dataset.Open(cmd.Context(), dir)
	if err != nil {
		return dataset.Contents{}, interrupted(mistakes(err))
	}
	line := show.progress(cmd)
	contents, err := ds.Finish(cmd.Context(), dataset.FinishOptions{
		Progress: func(done, total int64) { line.draw(indexStatus(done, total)) },
	})
	line.end()
	if err == nil && len(contents.Damaged) > 0 {
		err = incompleteError(fmt.Sprintf("%s is not complete: %d of its files of sealed receipts cannot be read, as %s: "+
			"verify --repair makes them again", dir, len(contents.Damaged), contents.Damaged[0]))
	}
	if err == nil && !contents.Complete {
		err = incompleteError(fmt.Sprintf("%s is not complete: the same backfill fetches what is missing", dir))
	}
	return contents, interrupted(err)
}
