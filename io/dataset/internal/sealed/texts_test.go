package sealed

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// TestTextsFit: labels and causes that a reader would refuse are refused before anything is
// written; those that fit are read back.
func TestTextsFit(t *testing.T) {
	defer func(room int) { textRoom = room }(textRoom)
	textRoom = 64 << 10
	for _, test := range []struct {
		name   string
		length int  // of a label or a cause
		alike  bool // all have the same
		causes bool
		want   string // what the error names; empty where it fits
	}{
		{"labels fit", 100, false, false, ""},
		{"alike labels fit", 1000, true, false, ""},
		{"labels", 1000, false, false, "front-door"},
		{"causes fit", 100, false, true, ""},
		{"alike causes fit", 1000, true, true, ""},
		{"causes", 1000, false, true, "front-door"},
	} {
		receipts := receiptsOf(1)
		r := receipts[0]
		text := func(i int) string {
			if test.alike {
				i = 0
			}
			return fmt.Sprint(i, strings.Repeat("x", test.length))
		}
		if test.causes {
			r.Frames, r.Bytes, r.Path, r.Sizes, r.Sha256, r.ImageOffsetsMs = 0, 0, "", nil, nil, nil
			r.Widths, r.Heights = nil, nil
			for i := range 100 {
				r.Gaps = append(r.Gaps, &framepb.GapRun{Offset: int32(i), Samples: 1, Reason: "FAILED", Cause: text(i)})
			}
		} else {
			for i := range 100 {
				r.Labels = append(r.Labels, &framepb.Labels{Values: map[string]string{"class": text(i)}})
			}
		}
		var file bytes.Buffer
		err := Write(&file, webdataset, receipts)
		if test.want != "" {
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "shorter") {
				t.Errorf("%s: %v", test.name, err)
			}
			if file.Len() > 0 {
				t.Errorf("%s: %d bytes were written", test.name, file.Len())
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		f, _ := opened(t, file.Bytes())
		if _, err := f.Receipts(); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
