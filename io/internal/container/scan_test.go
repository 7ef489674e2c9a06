package container

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/store"
)

// written is the files of a shard, by name.
type written map[string]*memory

func writtenBy(t testing.TB, format Format, shard frame.Shard) written {
	t.Helper()
	files := make(written)
	err := format.Write(shard, func(name string) (io.WriteCloser, error) {
		files[name] = new(memory)
		return files[name], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func (w written) scan(format Format, span frame.Span) ([]frame.Frame, error) {
	list := func() ([]string, error) { return slices.Collect(maps.Keys(w)), nil }
	return format.Scan(span, list, func(name string) (store.File, error) {
		return &memory{Reader: bytes.NewReader(w[name].Bytes())}, nil
	})
}

// shape makes the shard of some outcomes what tests of Scan need: all that a file can hold.
func shape(shard frame.Shard, tensors, npys, labels bool) frame.Shard {
	if tensors {
		shard = shardtest.WithTensors(shard)
	}
	for i := range shard.Frames {
		f := &shard.Frames[i]
		if npys {
			f.Format, f.Data, f.Tensor = frame.NPY, shardtest.Tensor("|u1", "(1, 9, 16, 3)", 9*16*3), nil
		}
		if labels && i%2 == 0 {
			f.Labels = map[string]string{"class": `{"tensor":{"dtype"`, "age": "3"}
		}
	}
	return shard
}

// TestScan: whatever a shard has, it is found again in its files; only "files" has neither
// image times nor labels.
func TestScan(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		series := shardtest.Door
		series.StreamName = rapid.StringMatching(`[a-zA-Z0-9_.-]{1,256}`).Draw(rt, "stream")
		series.Format = rapid.SampledFrom([]string{frame.JPEG, frame.PNG}).Draw(rt, "format")
		if rapid.Bool().Draw(rt, "arn") {
			series.StreamARN = "arn:aws:kinesisvideo:eu-west-1:111122223333:stream/x/1"
		}
		outcomes := rapid.StringMatching(`[fndF]{0,120}f[fndF]{0,120}`).Draw(rt, "outcomes")
		shard := shape(shardtest.Shard(series, rapid.Int64Range(-shardtest.First, 1e10).Draw(rt, "offset"), outcomes),
			rapid.Bool().Draw(rt, "tensors"), rapid.Bool().Draw(rt, "npys"), rapid.Bool().Draw(rt, "labels"))
		for i := range shard.Frames {
			f := &shard.Frames[i]
			f.ImageMs = f.SampleMs + int64(rapid.Int32().Draw(rt, "image time"))
		}
		for _, name := range Names() {
			want := slices.Clone(shard.Frames)
			for i := range want {
				if name == "files" {
					want[i].ImageMs, want[i].Labels = want[i].SampleMs, nil
				}
			}
			files := writtenBy(t, All[name], shard)
			if got, err := files.scan(All[name], shard.Span); err != nil || !reflect.DeepEqual(got, want) {
				rt.Errorf("%s: Scan = %+v, %v, want %+v", name, got, err, want)
			}
		}
	})
}

// TestScanRefuses: what is not a shard's file is an error that says so; no byte around the
// pictures may be another one, nor may they be a shard of other samples.
func TestScanRefuses(t *testing.T) {
	for _, name := range archives() {
		shard := shardtest.WithTensors(shardtest.Labelled())
		whole := writtenBy(t, All[name], shard)[""].Bytes()
		blobs := 0
		for _, f := range shard.Frames {
			blobs += len(f.Data) + len(f.Tensor)
		}
		refuses := func(data []byte, span frame.Span) bool {
			file := new(memory)
			file.Write(data)
			_, err := written{"": file}.scan(All[name], span)
			var not *NotShardError
			if err != nil && !errors.As(err, &not) {
				t.Errorf("%s: the error is %v", name, err)
			}
			return err != nil
		}
		passed, shorter := 0, 0
		for at := range whole {
			data := bytes.Clone(whole)
			data[at] ^= 1
			if !refuses(data, shard.Span) {
				passed++
			}
			if !refuses(whole[:at], shard.Span) {
				shorter++
			}
		}
		// A TFRecord file that ends after a record is one of fewer frames.
		if want := map[string]int{"tfrecord": len(shard.Frames) - 1}[name]; shorter != want {
			t.Errorf("%s: cut at %d places it passes, want %d", name, shorter, want)
		}
		// What is around them may change in no more than what frames may have else: their
		// times, sizes and labels.
		if most := blobs + 400; passed > most || name == "tfrecord" && passed > 0 {
			t.Errorf("%s: %d changes of a byte pass, want at most %d", name, passed, most)
		}
		later, other, part := shard.Span, shard.Span, shard.Span
		later.First++
		other.Series.StreamName = "back.door"
		part.Samples = 3
		for _, span := range []frame.Span{later, other, part} {
			if !refuses(whole, span) {
				t.Errorf("%s: it passes for the shard of %v", name, span)
			}
		}
		if !refuses(append(bytes.Clone(whole), 0), shard.Span) || !refuses(nil, shard.Span) {
			t.Errorf("%s: with a byte more, or none, it passes", name)
		}
	}
}

// TestScanFolder: the files of a shard alone are read, and no two pictures are of one sample.
func TestScanFolder(t *testing.T) {
	shard := shardtest.Shard(shardtest.Door, 0, "ffnf")
	for name, test := range map[string]struct {
		change func(written)
		frames int // 0 where it is no shard
	}{
		"as written":              {func(written) {}, 3},
		"a file of somebody's":    {func(w written) { w["cat.jpg"] = new(memory) }, 3},
		"one missing":             {func(w written) { delete(w, shard.Frames[1].Key()+".jpg") }, 2},
		"none":                    {func(w written) { clear(w) }, 0},
		"two of one sample":       {func(w written) { w[shard.Frames[1].Key()+".png"] = new(memory) }, 0},
		"pixels without a header": {func(w written) { w[shard.Frames[1].Key()+".rgb"] = new(memory) }, 0},
		"no picture":              {func(w written) { w[shard.Frames[1].Key()+".jpg"] = new(memory) }, 0},
		"no tensor": {func(w written) {
			delete(w, shard.Frames[1].Key()+".jpg")
			w[shard.Frames[1].Key()+".npy"] = new(memory)
		}, 0},
	} {
		files := writtenBy(t, Folder{}, shard)
		test.change(files)
		frames, err := files.scan(Folder{}, shard.Span)
		var not *NotShardError
		if len(frames) != test.frames || errors.As(err, &not) != (test.frames == 0) {
			t.Errorf("%s: %d frames, %v, want %d", name, len(frames), err, test.frames)
		}
	}
}

// endless is a file that claims to be larger than any.
type endless struct{ memory }

func (*endless) Size() int64 { return 1 << 50 }

// TestScanLarge: no memory is taken for what a file only claims.
func TestScanLarge(t *testing.T) {
	for _, name := range archives() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := All[name].Scan(shardtest.Shard(shardtest.Door, 0, "fff").Span, nil,
			func(string) (store.File, error) { return new(endless), nil })
		if err == nil || !strings.Contains(err.Error(), "at most") {
			t.Errorf("%s: the error is %v", name, err)
		}
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<20 {
			t.Errorf("%s: %d bytes of memory were taken", name, taken)
		}
	}
}

func FuzzScanParquet(f *testing.F)    { fuzzScan(f, "parquet") }
func FuzzScanTFRecord(f *testing.F)   { fuzzScan(f, "tfrecord") }
func FuzzScanWebdataset(f *testing.F) { fuzzScan(f, "webdataset") }

// fuzzScan reads any bytes as a shard's file without a receipt: what passes is what Write
// writes of the frames that were found.
func fuzzScan(f *testing.F, name string) {
	format := All[name]
	for _, labels := range []bool{false, true} {
		shard := shape(shardtest.Plain(shardtest.Door, "fnff"), labels, false, labels)
		whole := writtenBy(f, format, shard)[""].Bytes()
		f.Add(whole)
		f.Add(whole[:len(whole)/2])
		f.Add(whole[100:])
	}
	f.Add([]byte{})
	f.Add([]byte(parquetMagic + "\x15\x00\x15" + strings.Repeat("\xff", 16) + "\x00\x00\x00\x00" + parquetMagic))
	span := shardtest.Plain(shardtest.Door, "fnff").Span
	f.Fuzz(func(t *testing.T, data []byte) {
		file := new(memory)
		file.Write(data)
		frames, err := written{"": file}.scan(format, span)
		if err != nil {
			return
		}
		again := writtenBy(t, format, frame.Shard{Span: span, Frames: frames})
		if !bytes.Equal(again[""].Bytes(), data) {
			t.Error("it is not what is written of its frames")
		}
	})
}
