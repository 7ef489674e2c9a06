package kvstest

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// folder serves pictures from files: one a frame, in name order, looping.
type folder struct {
	files   []string
	footage footage
	kept    *caches
}

func openFolder(dir string, f footage, kept *caches) (*folder, error) {
	files, err := listPictures(dir)
	return &folder{files, f, kept}, err
}

// listPictures returns the files of dir that are pictures, in name order.
func listPictures(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".jpg", ".jpeg", ".png":
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no *.jpg, *.jpeg or *.png", dir)
	}
	slices.Sort(files)
	return files, nil
}

// checkPictures returns an error that names each picture of dir whose header cannot
// be read.
func checkPictures(dir string) error {
	files, err := listPictures(dir)
	if err != nil {
		return err
	}
	var faults []error
	for _, name := range files {
		if err := checkPicture(name); err != nil {
			faults = append(faults, fmt.Errorf("%s cannot be read as a JPEG or PNG: %w", name, err))
		}
	}
	return errors.Join(faults...)
}

func checkPicture(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	_, _, err = image.DecodeConfig(file)
	return err
}

func (f *folder) picture(frame int64, spec pictureSpec) ([]byte, error) {
	index := f.footage.frameIndex(frame) % len(f.files)
	return f.kept.encoded.get(encodedKey{f, int64(index), spec}, func() ([]byte, error) {
		raw, err := os.ReadFile(f.files[index])
		if err != nil {
			return nil, err
		}
		raw, err = convert(raw, spec)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.files[index], err)
		}
		return toBase64(raw), nil
	})
}

// convert brings a picture to the format and size that are asked for. One that
// has them, where no quality but the default is asked either, stays as it is.
func convert(raw []byte, spec pictureSpec) ([]byte, error) {
	header, format, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if spec.width == 0 {
		spec.width, spec.height = header.Width, header.Height
	}
	sameSize := header.Width == spec.width && header.Height == spec.height
	sameQuality := format == "png" || spec.quality == 0 || spec.quality == defaultQuality
	if sameSize && sameQuality && strings.EqualFold(format, spec.format) {
		return raw, nil
	}
	img, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if !sameSize {
		img = stretch(img, spec.width, spec.height)
	}
	return encode(img, spec)
}

// stretch scales a picture, each pixel the nearest of the original.
func stretch(img image.Image, width, height int) image.Image {
	from := img.Bounds()
	to := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			to.Set(x, y, img.At(from.Min.X+x*from.Dx()/width, from.Min.Y+y*from.Dy()/height))
		}
	}
	return to
}
