package framepb

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

// TestChecksum: whatever bit of what is stored is flipped, and wherever it is cut, it
// is not read.
func TestChecksum(t *testing.T) {
	line, err := EncodeJSON(&Dataset{
		Version: 2, Format: "files", ShardSamples: 100,
		Transforms: []string{"resize 224x224"},
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"version":2,"format":"files","shardSamples":100,"transforms":["resize 224x224"],"crc32c":"739ceb93"}` +
		"\n"
	if string(line) != want {
		t.Errorf("it is written %s, want %s", line, want)
	}
	read := func(text []byte) error { return DecodeJSON(text, new(Dataset)) }
	everyChange(t, line, read)

	indented := AppendChecksum([]byte("{\n  \"version\": 1,\n  \"splits\": [\n    1\n  ]\n}\n"))
	if !json.Valid(indented) || !strings.HasSuffix(string(indented), "\n  ],\n  \"crc32c\": \"491c7bd3\"\n}\n") {
		t.Errorf("it is written %s", indented)
	}
	everyChange(t, indented, func(text []byte) error {
		_, err := CutChecksum(text)
		return err
	})
}

func everyChange(t *testing.T, text []byte, read func([]byte) error) {
	t.Helper()
	if err := read(text); err != nil {
		t.Fatal(err)
	}
	for i := range text {
		if read(text[:i]) == nil {
			t.Errorf("cut at byte %d, it is read", i)
		}
		for bit := range 8 {
			changed := slices.Clone(text)
			changed[i] ^= 1 << bit
			if read(changed) == nil {
				t.Errorf("with bit %d of byte %d flipped, it is read: %s", bit, i, changed)
			}
		}
	}
	for _, more := range []string{"\n", " ", string(text)} {
		if read(append(slices.Clone(text), more...)) == nil {
			t.Errorf("followed by %q, it is read", more)
		}
	}
}

// TestDecodeJSON: what has no checksum is told apart, and what has a field that
// nobody knows is not read.
func TestDecodeJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"version":2}` + "\n": "it has no checksum",
		`{}` + "\n":            "it has no checksum",
		`{"version":2}`:        "cut short",
		"":                     "cut short",
		`{"version":2,"crc32c":"00000000"}` + "\n":                             "its checksum is not that of its bytes",
		string(AppendChecksum([]byte(`{"version":2,"later":1}` + "\n"))):       "later",
		string(AppendChecksum([]byte(`{"version":"two"}` + "\n"))):             "two",
		string(AppendChecksum(AppendChecksum([]byte(`{"version":1}` + "\n")))): "crc32c",
		strings.ToUpper(string(AppendChecksum([]byte(`{"A":1}` + "\n")))):      "it has no checksum",
	} {
		err := DecodeJSON([]byte(text), new(Dataset))
		if err == nil || !strings.Contains(err.Error(), want) ||
			errors.Is(err, ErrNoChecksum) != (want == "it has no checksum") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	got := new(Dataset)
	if err := DecodeJSON(AppendChecksum([]byte(`{"version":2}`+"\n")), got); err != nil ||
		!proto.Equal(got, &Dataset{Version: 2}) {
		t.Errorf("DecodeJSON = %v, %v", got, err)
	}
}
