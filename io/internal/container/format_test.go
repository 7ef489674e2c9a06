package container

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// memory is a store.File that is made and read in memory.
type memory struct {
	bytes.Buffer
	*bytes.Reader
}

func (m *memory) Write(p []byte) (int, error) { return m.Buffer.Write(p) }
func (m *memory) Read(p []byte) (int, error)  { return m.Reader.Read(p) }
func (m *memory) Size() int64                 { return m.Reader.Size() }
func (m *memory) Close() error                { return nil }

// pack writes a shard in a format of one file a shard.
func pack(t testing.TB, format Format, shard frame.Shard) ([]byte, *framepb.Receipt) {
	t.Helper()
	receipt, err := ledger.NewReceipt(shard, format.Path(shard.Span))
	if err != nil {
		t.Fatal(err)
	}
	file := new(memory)
	err = format.Write(shard, func(name string) (io.WriteCloser, error) {
		if name != "" {
			t.Errorf("a file %q is created", name)
		}
		return file, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), receipt
}

func sumOf(outcome ledger.Outcome, tensor bool) []byte {
	if tensor {
		return outcome.TensorSHA256
	}
	return outcome.SHA256
}

// unpack counts what of a shard is missing and corrupt in a file.
func unpack(t testing.TB, format Format, receipt *framepb.Receipt, data []byte) (missing, corrupt int) {
	t.Helper()
	var outcomes []ledger.Outcome
	for o := range ledger.Outcomes(receipt) {
		if o.Kind == ledger.Frame {
			outcomes = append(outcomes, o)
		}
	}
	blobs := make(map[Item]bool)
	for got, err := range format.Read(receipt,
		func(string) (store.File, error) { return &memory{Reader: bytes.NewReader(data)}, nil }) {
		outcome := outcomes[got.Frame]
		blobs[Item{Frame: got.Frame, Tensor: got.Tensor}] = true
		if sum := sha256.Sum256(got.Data); err == nil && !bytes.Equal(sum[:], sumOf(outcome, got.Tensor)) {
			err = errors.New("it is not what was written")
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing++
		case err != nil:
			corrupt++
		case !bytes.Equal(data[got.Offset:][:len(got.Data)], got.Data):
			t.Errorf("the %s %d is not at its offset %d", got.Kind(), got.Frame, got.Offset)
		}
	}
	if want := len(Items(MembersOf(receipt))); len(blobs) != want {
		t.Errorf("%d blobs are read of %d", len(blobs), want)
	}
	return missing, corrupt
}

func archives() []string {
	return slices.DeleteFunc(Names(), func(name string) bool { return name == "files" })
}

// TestSameBytes holds the formats to the bytes that datasets out there have:
// where they change, Verify takes older datasets for corrupt, and they need a
// name of their own. It writes in another process, in another time zone, too.
func TestSameBytes(t *testing.T) {
	want := map[string]string{
		"parquet":    "b0d3ab1c954fe413",
		"tfrecord":   "483e0ace1b186791",
		"webdataset": "829e053dc6a94de8",
	}
	series := shardtest.Door
	series.StreamARN = "arn:aws:kinesisvideo:eu-west-1:111122223333:stream/front.door/1"
	for _, name := range archives() {
		data, _ := pack(t, All[name], shardtest.Plain(series, "fnfdfff"))
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:8]) != want[name] {
			t.Errorf("%s: the SHA-256 begins with %x, want %s", name, sum[:8], want[name])
		}
	}
	if os.Getenv("TZ") == "Asia/Kathmandu" {
		return
	}
	command := exec.Command(os.Args[0], "-test.run=^TestSameBytes$")
	command.Env = append(os.Environ(), "TZ=Asia/Kathmandu")
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("in another time zone: %v\n%s", err, out)
	}
}

// TestEveryBit: a change of any byte of a file harms one frame; a file that is cut
// anywhere, or goes on, is not whole.
func TestEveryBit(t *testing.T) {
	t.Parallel()
	for _, name := range archives() {
		t.Run(name, func(t *testing.T) {
			format := All[name]
			data, receipt := pack(t, format, shardtest.Plain(shardtest.Door, "fnfdf"))
			if missing, corrupt := unpack(t, format, receipt, data); missing+corrupt > 0 {
				t.Fatalf("of an undamaged file, %d are missing and %d corrupt", missing, corrupt)
			}
			for at := range data {
				for _, bit := range []byte{1, 0x80} {
					data[at] ^= bit
					if missing, corrupt := unpack(t, format, receipt, data); missing != 0 || corrupt != 1 {
						t.Fatalf("byte %d is changed: %d are missing and %d corrupt", at, missing, corrupt)
					}
					data[at] ^= bit
				}
				if missing, corrupt := unpack(t, format, receipt, data[:at]); missing+corrupt == 0 {
					t.Fatalf("cut at %d, nothing is missing or corrupt", at)
				}
			}
			for _, more := range []string{"\x00", string(data), strings.Repeat("\x00", 1024)} {
				if missing, corrupt := unpack(t, format, receipt, append(slices.Clone(data), more...)); missing != 0 ||
					corrupt != 1 {
					t.Errorf("with %d bytes more, %d are missing and %d corrupt", len(more), missing, corrupt)
				}
			}
		})
	}
}

// pieces cuts a file into one piece a frame, and its end.
func pieces(format Format, receipt *framepb.Receipt, data []byte) (pieces [][]byte) {
	layout, err := format.(Archive).lay(MembersOf(receipt))
	if err != nil {
		panic(err)
	}
	r := newReader(nil, layout)
	for i := range r.blobs {
		n := r.length(i)
		pieces, data = append(pieces, data[:n]), data[n:]
	}
	return append(pieces, data)
}

// TestMembers takes members out of a file, puts them in and moves them.
func TestMembers(t *testing.T) {
	for _, test := range []struct {
		name             string
		order            []int // 5 is the end; 6 a member that is not the shard's
		missing, corrupt int
	}{
		{"as written", []int{0, 1, 2, 3, 4, 5}, 0, 0},
		{"the first missing", []int{1, 2, 3, 4, 5}, 1, 0},
		{"one missing", []int{0, 1, 3, 4, 5}, 1, 0},
		{"the last missing", []int{0, 1, 2, 3, 5}, 1, 0},
		{"two missing", []int{0, 3, 4, 5}, 2, 0},
		{"all missing", []int{5}, 5, 0},
		{"one more", []int{0, 1, 6, 2, 3, 4, 5}, 0, 1},
		{"one more at the end", []int{0, 1, 2, 3, 4, 6, 5}, 0, 1},
		{"one twice", []int{0, 1, 1, 2, 3, 4, 5}, 0, 1},
		{"in another order", []int{0, 2, 1, 3, 4, 5}, 0, 2},
		{"another's", []int{0, 1, 6, 3, 4, 5}, 0, 1},
	} {
		for _, name := range []string{"tfrecord", "webdataset"} {
			t.Run(name+", "+test.name, func(t *testing.T) {
				format := All[name]
				data, receipt := pack(t, format, shardtest.Plain(shardtest.Door, "ffnfff"))
				all := pieces(format, receipt, data)
				yard := shardtest.Door
				yard.StreamName = "front.yard"
				other, otherReceipt := pack(t, format, shardtest.Plain(yard, "ffnfff"))
				all = append(all, pieces(format, otherReceipt, other)[2])
				var changed []byte
				for _, i := range test.order {
					changed = append(changed, all[i]...)
				}
				missing, corrupt := unpack(t, format, receipt, changed)
				if missing != test.missing || corrupt != test.corrupt {
					t.Errorf("%d are missing and %d corrupt, want %d and %d", missing, corrupt, test.missing, test.corrupt)
				}
			})
		}
	}
}

// TestTar reads a tar as anyone would.
func TestTar(t *testing.T) {
	series := frame.Series{
		StreamName: strings.Repeat("long.name-", 25), StreamARN: "arn:aws:kinesisvideo:eu-west-1:111122223333:stream/x/1",
		IntervalMs: 1500, PhaseMs: 250, Format: frame.PNG,
	}
	shard := shardtest.Plain(series, "nfff")
	data, _ := pack(t, webdataset, shard)
	r := tar.NewReader(bytes.NewReader(data))
	for _, f := range shard.Frames {
		picture, got := readMember(t, r, f.Key()+".png", f.SampleMs)
		if !bytes.Equal(got, f.Data) {
			t.Errorf("%s is not the frame's picture", picture.Name)
		}
		_, got = readMember(t, r, f.Key()+".json", f.SampleMs)
		var fields map[string]any
		if err := json.Unmarshal(got, &fields); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"key": f.Key(), "stream": series.StreamName, "stream_arn": series.StreamARN,
			"sample_time": f.SampleTime().Format("2006-01-02T15:04:05.000Z"), "sample_time_ms": float64(f.SampleMs),
			"image_time": f.ImageTime().Format("2006-01-02T15:04:05.000Z"), "image_time_ms": float64(f.ImageMs),
			"format": "PNG", "width": 16., "height": 9.,
		}
		if !reflect.DeepEqual(fields, want) {
			t.Errorf("the fields are %v, want %v", fields, want)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func readMember(t *testing.T, r *tar.Reader, name string, ms int64) (*tar.Header, []byte) {
	t.Helper()
	header, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	got := tar.Header{
		Name: header.Name, Mode: header.Mode, Uid: header.Uid, Gid: header.Gid, Uname: header.Uname,
		Gname: header.Gname,
	}
	if want := (tar.Header{Name: name, Mode: 0o644}); !reflect.DeepEqual(got, want) || header.ModTime.Unix() != ms/1000 {
		t.Errorf("the header is %+v", header)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return header, data
}

// TestTarRefuses: what no tar can hold is an error, and nothing is written.
func TestTarRefuses(t *testing.T) {
	series := shardtest.Door
	series.StreamName = "a\x00b"
	err := webdataset.Write(shardtest.Plain(series, "ff"), func(string) (io.WriteCloser, error) {
		t.Error("a file is created")
		return nil, fs.ErrInvalid
	})
	if err == nil || !strings.Contains(err.Error(), "tar") {
		t.Errorf("the error is %v", err)
	}
}

type parquetRow struct {
	Key        *string    `parquet:"key,optional"`
	Stream     *string    `parquet:"stream,optional"`
	SampleTime *time.Time `parquet:"sample_time,optional,timestamp(millisecond)"`
	ImageTime  *time.Time `parquet:"image_time,optional,timestamp(millisecond)"`
	Width      *int32     `parquet:"width,optional"`
	Height     *int32     `parquet:"height,optional"`
	Format     *string    `parquet:"format,optional"`
	Image      *struct {
		Bytes []byte  `parquet:"bytes,optional"`
		Path  *string `parquet:"path,optional"`
	} `parquet:"image,optional"`
}

// TestParquet reads what was written with a library that knows nothing of it, in
// shards of one row group and of more.
func TestParquet(t *testing.T) {
	for _, outcomes := range []string{
		"f", "fnf", strings.Repeat("f", 100), strings.Repeat("fn", 101),
		strings.Repeat("f", 250),
	} {
		shard := shardtest.Plain(shardtest.Door, outcomes)
		data, _ := pack(t, parquetFormat, shard)
		file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if groups := (len(shard.Frames) + 99) / 100; len(file.RowGroups()) != groups {
			t.Errorf("%d frames: %d row groups, want %d", len(shard.Frames), len(file.RowGroups()), groups)
		}
		rows, err := parquet.Read[parquetRow](bytes.NewReader(data), int64(len(data)))
		if err != nil || len(rows) != len(shard.Frames) {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for i, f := range shard.Frames {
			r := rows[i]
			got := frame.Frame{
				Stream: *r.Stream, SampleMs: r.SampleTime.UnixMilli(), ImageMs: r.ImageTime.UnixMilli(),
				Format: *r.Format, Width: *r.Width, Height: *r.Height, Data: r.Image.Bytes,
			}
			if !reflect.DeepEqual(got, f) || *r.Key != f.Key() || *r.Image.Path != f.Key()+".jpg" {
				t.Errorf("row %d is %+v, want %+v", i, got, f)
			}
		}
		for i, group := range file.Metadata().RowGroups {
			column := group.Columns[sampleTime].MetaData
			first := shard.Frames[100*i].SampleMs
			if got := column.Statistics.MinValue; !bytes.Equal(got, parquetColumns[sampleTime].plain(first)) {
				t.Errorf("row group %d begins at %x, want %x", i, got, first)
			}
		}
	}
}

// TestRowGroups: they end by size, too, and a picture over it has one of its own.
func TestRowGroups(t *testing.T) {
	for want, sizes := range map[int][]int{
		1: {groupBytes / 2, groupBytes / 2},
		2: {groupBytes / 2, groupBytes/2 + 1},
		3: {1, 2 * groupBytes, 1},
	} {
		var members []Member
		for i, size := range sizes {
			members = append(members, Member{Frame: frame.Frame{Stream: "x", SampleMs: int64(i)}, Size: size})
		}
		l, err := newParquetLayout(members)
		if err != nil {
			t.Fatal(err)
		}
		if groups := len(l.(*parquetLayout).heads); groups != want {
			t.Errorf("%v: %d row groups, want %d", sizes, groups, want)
		}
	}
	if _, err := newParquetLayout([]Member{{Size: maxBlob + 1}}); err == nil {
		t.Error("a picture that no page takes is no error")
	}
}

// TestReadBack: whatever frames a shard has, every format gives them back.
func TestReadBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		series := shardtest.Door
		series.StreamName = rapid.StringMatching(`[a-zA-Z0-9_.-]{1,256}`).Draw(rt, "stream")
		series.Format = rapid.SampledFrom([]string{frame.JPEG, frame.PNG}).Draw(rt, "format")
		shard := shardtest.Shard(series, rapid.Int64Range(-shardtest.First, 1e10).Draw(rt, "offset"),
			rapid.StringMatching(`[fndF]{0,20}f[fndF]{0,20}`).Draw(rt, "outcomes"))
		tensors := rapid.Bool().Draw(rt, "tensors")
		for i := range shard.Frames {
			f := &shard.Frames[i]
			f.Data = rapid.SliceOfN(rapid.Byte(), 1, 3000).Draw(rt, "data")
			f.ImageMs = f.SampleMs + int64(rapid.Int32().Draw(rt, "image time"))
			if tensors {
				f.Tensor = rapid.SliceOfN(rapid.Byte(), 1, 3000).Draw(rt, "tensor")
			}
			f.Width, f.Height = rapid.Int32Min(0).Draw(rt, "width"), rapid.Int32Min(0).Draw(rt, "height")
		}
		for _, name := range archives() {
			data, receipt := pack(t, All[name], shard)
			if missing, corrupt := unpack(t, All[name], receipt, data); missing+corrupt > 0 {
				rt.Errorf("%s: %d are missing and %d corrupt", name, missing, corrupt)
			}
		}
	})
}

// TestLargeSizes: a receipt that tells of large pictures takes no memory for what
// its file does not have.
func TestLargeSizes(t *testing.T) {
	for _, name := range archives() {
		data, receipt := pack(t, All[name], shardtest.Plain(shardtest.Door, "fff"))
		for i := range receipt.Sizes {
			receipt.Sizes[i] = maxBlob
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if missing, corrupt := unpack(t, All[name], receipt, data); missing+corrupt != 3 {
			t.Errorf("%s: %d are missing and %d corrupt", name, missing, corrupt)
		}
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<20 {
			t.Errorf("%s: reading %d bytes took %d of memory", name, len(data), taken)
		}
	}
}

// TestTensorsEveryByte: no byte changes unnoticed, around tensors neither.
func TestTensorsEveryByte(t *testing.T) {
	t.Parallel()
	for _, name := range archives() {
		data, receipt := pack(t, All[name], shardtest.WithTensors(shardtest.Plain(shardtest.Door, "fnf")))
		if missing, corrupt := unpack(t, All[name], receipt, data); missing+corrupt > 0 {
			t.Fatalf("%s: of an undamaged file, %d are missing and %d corrupt", name, missing, corrupt)
		}
		for at := range data {
			data[at] ^= 1
			if missing, corrupt := unpack(t, All[name], receipt, data); missing+corrupt == 0 {
				t.Fatalf("%s: byte %d is changed, and nobody notices", name, at)
			}
			data[at] ^= 1
		}
	}
}

func FuzzParquet(f *testing.F)    { fuzz(f, "parquet") }
func FuzzTFRecord(f *testing.F)   { fuzz(f, "tfrecord") }
func FuzzWebdataset(f *testing.F) { fuzz(f, "webdataset") }

// fuzz reads any bytes as a shard's file: only the file itself passes.
func fuzz(f *testing.F, name string) {
	format := All[name]
	whole, receipt := pack(f, format, shardtest.Plain(shardtest.Door, "fnff"))
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(whole[100:])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if missing, corrupt := unpack(t, format, receipt, data); (missing+corrupt == 0) != bytes.Equal(data, whole) {
			t.Errorf("%d are missing and %d corrupt", missing, corrupt)
		}
	})
}
