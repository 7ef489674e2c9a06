package pack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/store"
)

// SplitFiles is what a split of a packed set consists of.
type SplitFiles struct {
	Name   string `json:"name"`
	Frames int64  `json:"frames"`
	Shards string `json:"shards"` // all files, as WebDataset and shells write it: train-{000000..000123}.tar
	Files  []File `json:"files"`  // each of them
}

// File is a file of a packed set; in the format "files" it is a folder.
type File struct {
	Name   string `json:"name"`
	Frames int64  `json:"frames"`
}

// Shards lists the files of the set, split by split.
func (s Set) Shards() []SplitFiles {
	extension := extensionOf(container.All[s.Format])
	var all []SplitFiles
	for _, split := range s.Splits {
		shards := SplitFiles{
			Name: split.Name, Frames: split.Frames,
			Shards: fmt.Sprintf("%s-{%06d..%06d}%s", split.Name, 0, split.Files-1, extension),
		}
		for n := range split.Files {
			shards.Files = append(shards.Files, File{
				fileName(split.Name, n) + extension,
				min(s.SamplesPerFile, split.Frames-n*s.SamplesPerFile),
			})
		}
		all = append(all, shards)
	}
	return all
}

func fileName(split string, n int64) string { return fmt.Sprintf("%s-%06d", split, n) }

// Finish ends a pack into a place: where all files of the set are there, it writes
// shards.json, which lists them, and a README.md, and removes what killed processes
// left there. Otherwise it returns how many files are not there.
func (p *Plan) Finish(ctx context.Context, place string) (missing int, err error) {
	root, err := store.At(place)
	if err != nil {
		return 0, err
	}
	files, folders, err := root.List(ctx, "")
	if err != nil {
		return 0, err
	}
	there := make(map[string]bool)
	for _, name := range append(files, folders...) {
		there[name] = true
	}
	shards := p.Set.Shards()
	for _, split := range shards {
		for _, file := range split.Files {
			if !there[file.Name] {
				missing++
			}
		}
	}
	if missing > 0 {
		return missing, nil
	}
	if err := writeText(ctx, root, shardsFile, indented(map[string]any{"splits": shards})); err != nil {
		return 0, err
	}
	if !there[card.File] { // or it may be somebody's own by now
		if err := writeText(ctx, root, card.File, p.Set.card(shards)); err != nil {
			return 0, err
		}
	}
	return 0, sweepPacked(root, p.Set)
}

func writeText(ctx context.Context, root store.Store, name string, text []byte) error {
	err := store.WriteFile(ctx, root, name, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// indented is v in JSON, with a checksum.
func indented(v any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		panic(err) // texts and numbers alone
	}
	return framepb.AppendChecksum(text.Bytes())
}

// pattern finds the pictures of a split, or the files that have them.
func (s Set) pattern(split string) string {
	if s.Format == "files" {
		return split + "-*/*"
	}
	return split + "-*" + extensionOf(container.All[s.Format])
}

// card is a README.md as Hugging Face shows and reads it.
func (s Set) card(shards []SplitFiles) []byte {
	w := new(bytes.Buffer)
	fmt.Fprintln(w, "---")
	var splits []card.Split
	for _, split := range s.Splits {
		if card.IsOfDatasets(s.Format, s.Tensors) {
			splits = append(splits, card.Split{Name: split.Name, Path: s.pattern(split.Name)})
		}
	}
	card.FrontMatter(w, splits, s.Format == "files", s.Frames)
	fmt.Fprintf(w, "\n# Frames of Amazon Kinesis Video Streams\n\n%s frames in the format `%s`, %s a file, packed by kvsframes. "+
		"The pictures take %s.\n\n",
		card.Number(s.Frames), s.Format, card.Number(s.SamplesPerFile), card.Bytes(s.Bytes))
	fmt.Fprint(w, "| split | frames | files |\n|---|---|---|\n")
	for _, split := range shards {
		fmt.Fprintf(w, "| %s | %s | `%s` |\n", split.Name, card.Number(split.Frames), split.Shards)
	}
	fmt.Fprintf(w, "\n%s\n\nEach split loads by a line of Python:\n\n```python\n", s.story())
	for _, split := range s.Splits {
		fmt.Fprintf(w, card.LoadingOf(s.Format, s.Tensors).Line+"\n", s.pattern(split.Name))
	}
	fmt.Fprint(w, "```\n")
	return w.Bytes()
}

// story says what is in the set.
func (s Set) story() string {
	var parts []string
	if len(s.Splits) > 1 {
		parts = append(parts, fmt.Sprintf("The splits are by %s.", s.SplitBy))
	}
	if s.ShuffleSeed != nil {
		parts = append(parts, fmt.Sprintf("The frames of each split are shuffled with the seed %d.", *s.ShuffleSeed))
	} else {
		parts = append(parts, "The frames are in the order of their series, then of time.")
	}
	if len(s.StreamNames) > 0 {
		parts = append(parts, fmt.Sprintf("They are of the streams %s.", card.Cell(strings.Join(s.StreamNames, ", "))))
	}
	if s.Start != "" {
		parts = append(parts, fmt.Sprintf("None is earlier than %s.", s.Start))
	}
	if s.End != "" {
		parts = append(parts, fmt.Sprintf("All are earlier than %s.", s.End))
	}
	return strings.Join(parts, " ")
}
