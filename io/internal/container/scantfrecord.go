package container

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kvsframes/kvsframes/io/frame"
)

// scanRecords finds the frames in a TFRecord file.
func scanRecords(data []byte) (frames []frame.Frame, err error) {
	for len(data) > 0 {
		if len(data) < recordHeader {
			return nil, errors.New("it ends in the length of a record")
		}
		length := binary.LittleEndian.Uint64(data)
		data = data[recordHeader:]
		if length > uint64(len(data)) || len(data)-int(length) < 4 {
			return nil, fmt.Errorf("a record of %d bytes is longer than the file", length)
		}
		f, err := scanExample(data[:length:length])
		if err != nil {
			return nil, err
		}
		frames, data = append(frames, f), data[length+4:] // and its checksum
	}
	return frames, nil
}

// scanExample reads a tf.train.Example.
func scanExample(example []byte) (f frame.Frame, err error) {
	err = fields(example, func(number protowire.Number, features []byte) error {
		return fields(features, func(_ protowire.Number, entry []byte) error {
			var name string
			return fields(entry, func(number protowire.Number, value []byte) error {
				if number == entryKey {
					name = string(value)
					return nil
				}
				return scanFeature(&f, name, value)
			})
		})
	})
	return f, err
}

// scanFeature takes what a feature, a list of one, says of a frame.
func scanFeature(f *frame.Frame, name string, feature []byte) error {
	return fields(feature, func(kind protowire.Number, list []byte) error {
		return fields(list, func(_ protowire.Number, value []byte) error {
			if kind == featureInt64List {
				n, _ := protowire.ConsumeVarint(value)
				takeNumber(f, name, int64(n))
				return nil
			}
			switch name {
			case "image/encoded":
				f.Data = value
			case "image/tensor":
				f.Tensor = value
			case "image/format":
				f.Format = strings.ToUpper(string(value))
			case "image/labels":
				return json.Unmarshal(value, &f.Labels)
			}
			return nil
		})
	})
}

func takeNumber(f *frame.Frame, name string, n int64) {
	switch name {
	case "image/timestamp":
		f.SampleMs = n
	case "image/image_timestamp":
		f.ImageMs = n
	case "image/width":
		f.Width = int32(n)
	case "image/height":
		f.Height = int32(n)
	}
}

// fields calls take with the fields of a message, which must all hold bytes.
func fields(message []byte, take func(number protowire.Number, value []byte) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 || kind != protowire.BytesType {
			return errors.New("a record is no example of a frame")
		}
		value, m := protowire.ConsumeBytes(message[n:])
		if m < 0 {
			return protowire.ParseError(m)
		}
		if err := take(number, value); err != nil {
			return err
		}
		message = message[n+m:]
	}
	return nil
}
