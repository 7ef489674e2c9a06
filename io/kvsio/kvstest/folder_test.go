package kvstest

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	archived "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"
)

// plain is a picture of one shade.
func plain(shade uint8, width, height int) image.Image {
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = shade
	}
	return img
}

func writePicture(t *testing.T, path string, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	if filepath.Ext(path) == ".png" {
		err = png.Encode(&b, img)
	} else {
		err = jpeg.Encode(&b, img, nil)
	}
	if err == nil {
		err = os.WriteFile(path, b.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	files := [][]byte{
		writePicture(t, filepath.Join(dir, "1.jpg"), plain(50, 64, 48)),
		writePicture(t, filepath.Join(dir, "2.png"), plain(100, 64, 48)),
		writePicture(t, filepath.Join(dir, "3.JPEG"), plain(150, 32, 24)),
	}
	if err := os.WriteFile(filepath.Join(dir, "0.txt"), []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	cam := camera("cam")
	cam.Folder, cam.FrameRate = dir, 1
	f := start(t, Config{Streams: []Stream{cam}})
	ask := func(change func(*archived.GetImagesInput)) []types.Image {
		return f.mustImages("cam", window(0, 6*time.Second, time.Second), change).Images
	}
	raw := func(img types.Image) []byte {
		b, err := base64.StdEncoding.DecodeString(*img.ImageContent)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	shade := func(img types.Image) int {
		return int(color.GrayModel.Convert(decoded(t, img).At(5, 5)).(color.Gray).Y)
	}

	images := ask(func(*archived.GetImagesInput) {})
	for i, img := range images {
		if same := bytes.Equal(raw(img), files[i%3]); same != (i%3 != 1) {
			t.Errorf("image %d as in the file: %v", i, same)
		}
		if want := 50 + 50*(i%3); max(shade(img)-want, want-shade(img)) > 2 {
			t.Errorf("image %d has shade %d, want %d", i, shade(img), want)
		}
	}
	images = ask(func(in *archived.GetImagesInput) { in.Format = types.FormatPng })
	if !bytes.Equal(raw(images[1]), files[1]) || decoded(t, images[2]).Bounds().Dx() != 32 {
		t.Error("PNG: not the file, or another size")
	}
	images = ask(func(in *archived.GetImagesInput) { in.WidthPixels, in.HeightPixels = new(int32(161)), new(int32(9)) })
	for i, img := range images {
		if got := decoded(t, img).Bounds().Size(); got != image.Pt(161, 9) {
			t.Errorf("image %d is %v", i, got)
		}
	}
	images = ask(func(in *archived.GetImagesInput) { in.FormatConfig = map[string]string{"JPEGQuality": "80"} })
	if !bytes.Equal(raw(images[0]), files[0]) {
		t.Error("the default quality: not the file")
	}
	images = ask(func(in *archived.GetImagesInput) { in.FormatConfig = map[string]string{"JPEGQuality": "1"} })
	if len(raw(images[0])) >= len(files[0]) {
		t.Error("a lower quality is no smaller")
	}
}

func TestFolderWithoutPictures(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "nowhere")} {
		if err := (Config{Streams: []Stream{{Name: "cam", Folder: dir}}}).Validate(); err == nil {
			t.Errorf("%s is accepted", dir)
		}
	}
}

// Pictures whose headers cannot be read are named when the server starts.
func TestFolderWithBrokenPictures(t *testing.T) {
	dir := t.TempDir()
	whole := writePicture(t, filepath.Join(dir, "1.jpg"), plain(50, 64, 48))
	for name, data := range map[string][]byte{"2.jpg": []byte("no picture"), "3.png": whole[:20]} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cam := camera("cam")
	cam.Folder = dir
	err := Config{Streams: []Stream{cam}}.Validate()
	if err == nil || !strings.Contains(err.Error(), "2.jpg") || !strings.Contains(err.Error(), "3.png") ||
		strings.Contains(err.Error(), "1.jpg") {
		t.Errorf("got %v", err)
	}
}

// A picture whose pixels cannot be read fails the calls that need them.
func TestFolderWithADamagedPicture(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "1.png")
	if err := os.Truncate(path, int64(len(writePicture(t, path, plain(50, 64, 48)))/2)); err != nil {
		t.Fatal(err)
	}
	cam := camera("cam")
	cam.Folder = dir
	if _, err := start(t, Config{Streams: []Stream{cam}}).images("cam"); codeOf(err) != "InternalFailure" {
		t.Errorf("got %v", err)
	}
}
