package kvstest

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawn returns a frame as a client decodes it.
func drawn(t testing.TB, s *scene, frame int64, spec pictureSpec) image.Image {
	t.Helper()
	content, err := s.picture(frame, spec)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(string(content))
	if err != nil {
		t.Fatal(err)
	}
	img, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if size := image.Pt(spec.width, spec.height); img.Bounds().Size() != size {
		t.Fatalf("size %v, want %v", img.Bounds().Size(), size)
	}
	return img
}

func checkTimecode(t interface{ Fatalf(string, ...any) }, img image.Image, name string, frame int64) {
	got, err := ReadTimecode(img)
	want := Timecode{StreamCode(name), time.UnixMilli(frame).UTC()}
	if err != nil || got != want {
		t.Fatalf("%v %d in %v: got %v, %v", name, frame, img.Bounds().Size(), got, err)
	}
}

func TestTimecodeSurvives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.StringMatching(`[a-zA-Z0-9_.-]{1,40}`).Draw(rt, "name")
		frame := rapid.Int64Range(0, latest.UnixMilli()).Draw(rt, "frame")
		spec := pictureSpec{
			format:  rapid.SampledFrom([]string{"JPEG", "JPEG", "JPEG", "PNG"}).Draw(rt, "format"),
			quality: rapid.OneOf(rapid.Just(1), rapid.IntRange(1, 100)).Draw(rt, "quality"),
			width:   rapid.OneOf(rapid.IntRange(160, 200), rapid.IntRange(160, 640)).Draw(rt, "width"),
			height:  rapid.OneOf(rapid.IntRange(90, 120), rapid.IntRange(90, 480)).Draw(rt, "height"),
		}
		s := newScene(name, 1280, 720, newCaches())
		checkTimecode(rt, drawn(t, s, frame, spec), name, frame)
	})
}

// The smallest pictures at the worst quality, many times: here it would fail
// first.
func TestTimecodeAtTheEdge(t *testing.T) {
	s := newScene("edge", 160, 90, newCaches())
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		spec := pictureSpec{format: "JPEG", quality: 1, width: 160 + random.IntN(24), height: 90 + random.IntN(24)}
		frame := random.Int64N(latest.UnixMilli())
		checkTimecode(t, drawn(t, s, frame, spec), "edge", frame)
	}
}

func TestTimecodeAtOddShapes(t *testing.T) {
	s := newScene("odd", 160, 90, newCaches())
	for _, size := range []image.Point{{1921, 1081}, {160, 2160}, {3840, 90}, {1279, 97}} {
		spec := pictureSpec{format: "JPEG", quality: 1, width: size.X, height: size.Y}
		checkTimecode(t, drawn(t, s, 1_767_225_603_333, spec), "odd", 1_767_225_603_333)
	}
}

func TestTimecodeSurvivesScaling(t *testing.T) {
	s := newScene("cam", 1280, 720, newCaches())
	img := drawn(t, s, 1_767_225_603_000, pictureSpec{format: "JPEG", quality: 50, width: 1280, height: 720})
	for _, size := range []image.Point{{640, 360}, {321, 199}, {1920, 1080}} {
		checkTimecode(t, stretch(img, size.X, size.Y), "cam", 1_767_225_603_000)
	}
}

func TestTimecodeIsNotMisread(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	noise := image.NewGray(image.Rect(0, 0, 320, 180))
	for range 500 {
		for i := range noise.Pix {
			noise.Pix[i] = uint8(random.IntN(2) * 255)
		}
		if code, err := ReadTimecode(noise); err == nil {
			t.Fatalf("noise reads as %v", code)
		}
	}
	s := newScene("cam", 320, 180, newCaches())
	good := drawn(t, s, 5000, pictureSpec{format: "PNG", width: 320, height: 180})
	for column := range codeColumns {
		for row := range codeRows {
			bad := image.NewRGBA(good.Bounds())
			draw.Draw(bad, bad.Rect, good, image.Point{}, draw.Src)
			cell := codeCell(bad.Rect, column, row)
			flipped := color.Gray{Y: 255 - color.GrayModel.Convert(bad.At(cell.Min.X, cell.Min.Y)).(color.Gray).Y}
			draw.Draw(bad, cell, image.NewUniform(flipped), image.Point{}, draw.Src)
			if code, err := ReadTimecode(bad); err == nil {
				t.Fatalf("with cell %d,%d flipped it reads as %v", column, row, code)
			}
		}
	}
	for _, size := range []image.Point{{0, 0}, {10, 10}, {640, 480}} {
		if code, err := ReadTimecode(image.NewGray(image.Rectangle{Max: size})); err == nil {
			t.Fatalf("an empty picture of %v reads as %v", size, code)
		}
	}
}

func TestPicturesAreDeterministicAndMove(t *testing.T) {
	spec := pictureSpec{format: "JPEG", quality: 80, width: 320, height: 180}
	picture := func(name string, frame int64, spec pictureSpec) string {
		content, err := newScene(name, 1280, 720, newCaches()).picture(frame, spec)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	base := picture("a", 1000, spec)
	if picture("a", 1000, spec) != base {
		t.Error("the same picture has other bytes")
	}
	other := spec
	other.quality = 79
	if picture("b", 1000, spec) == base || picture("a", 1100, spec) == base || picture("a", 1000, other) == base {
		t.Error("another picture has the same bytes")
	}
}

func TestTinyPictures(t *testing.T) {
	s := newScene("tiny", 1280, 720, newCaches())
	for _, size := range []image.Point{{1, 1}, {1, 2160}, {3840, 1}, {7, 5}, {159, 89}} {
		for _, format := range []string{"JPEG", "PNG"} {
			drawn(t, s, 1000, pictureSpec{format: format, width: size.X, height: size.Y})
		}
	}
}

func BenchmarkPicture(b *testing.B) {
	for _, c := range []struct {
		name string
		spec pictureSpec
	}{
		{"JPEG160x90", pictureSpec{format: "JPEG", width: 160, height: 90}},
		{"JPEG640x360", pictureSpec{format: "JPEG", width: 640, height: 360}},
		{"JPEG1280x720", pictureSpec{format: "JPEG", width: 1280, height: 720}},
		{"PNG160x90", pictureSpec{format: "PNG", width: 160, height: 90}},
		{"PNG1280x720", pictureSpec{format: "PNG", width: 1280, height: 720}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := newScene("cam", 1280, 720, newCaches())
			bytes, frame := 0, int64(0)
			for b.Loop() {
				frame += 3000
				content, err := s.picture(frame, c.spec)
				if err != nil {
					b.Fatal(err)
				}
				bytes += len(content)
			}
			b.ReportMetric(float64(bytes)/float64(b.N), "base64-B/op")
		})
	}
}

// The least a JPEG can cost: to compare BenchmarkPicture with.
func BenchmarkEncodeAlone(b *testing.B) {
	for _, size := range []image.Point{{160, 90}, {1280, 720}} {
		b.Run(size.String(), func(b *testing.B) {
			s := newScene("cam", 1280, 720, newCaches())
			img := s.drawBackdrop(size).img
			s.drawFrame(img, 3000)
			var out bytes.Buffer
			for b.Loop() {
				out.Reset()
				if err := jpeg.Encode(&out, img, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
