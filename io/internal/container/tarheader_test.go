package container

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
)

// TestTarHeaders: every header is what archive/tar makes of it.
func TestTarHeaders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ours, theirs := &tarLayout{}, &tarLayout{}
		ours.members = []Member{{Frame: frame.Frame{SampleMs: rapid.Int64Range(-1e12, 8e12).Draw(t, "time")}}}
		theirs.members = ours.members
		name := rapid.StringMatching(`[a-zA-Z0-9_~é\x00-]{1,110}\.jpg`).Draw(t, "name")
		size := int(rapid.Int32Min(0).Draw(t, "size"))
		ourErr, theirErr := ours.header(0, name, size), theirs.anyHeader(0, name, size)
		if (ourErr == nil) != (theirErr == nil) || !bytes.Equal(ours.buffer.Bytes(), theirs.buffer.Bytes()) {
			t.Fatalf("%q of %d bytes:\n%q, %v\nwant\n%q, %v", name, size, ours.buffer.Bytes(), ourErr, theirs.buffer.Bytes(),
				theirErr)
		}
	})
}
