package header

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// npyMagic begins a .npy file, as numpy.lib.format describes it.
const npyMagic = "\x93NUMPY"

// npyHeader is a header as numpy writes it; its values are of a simple type.
var npyHeader = regexp.MustCompile(`^\{'descr': '[<>|=]?([a-zA-Z])(\d{1,2})', 'fortran_order': (?:True|False), 'shape': \(([\d, ]*)\),? \} *\n$`)

// CheckNPY looks at what numpy will see first: the header, and that what follows is
// as long as it says.
func CheckNPY(data []byte) error {
	header, values, err := splitNPY(data)
	if err != nil {
		return fmt.Errorf("it is no .npy file: %w", err)
	}
	parts := npyHeader.FindSubmatch(header)
	if parts == nil {
		return errors.New("it is a .npy file with a header that cannot be read")
	}
	size, _ := strconv.ParseUint(string(parts[2]), 10, 64)
	if string(parts[1]) == "U" { // characters
		size *= 4
	}
	for side := range strings.SplitSeq(string(parts[3]), ",") {
		if side = strings.TrimSpace(side); side == "" {
			continue
		}
		n, err := strconv.ParseUint(side, 10, 32)
		if err != nil || n > uint64(len(data)) {
			return fmt.Errorf("it is a .npy file of shape (%s), too large for its %d bytes", parts[3], len(data))
		}
		if size *= n; size > uint64(len(data)) {
			break
		}
	}
	if size != uint64(len(values)) {
		return fmt.Errorf("it is a .npy file of shape (%s) with %d bytes of values", parts[3], len(values))
	}
	return nil
}

// npyPicture is the shape of the pixels of one picture.
var npyPicture = regexp.MustCompile(`^1, (\d{1,9}), (\d{1,9}), 3$`)

// SizeOfNPY returns the width and the height of the picture whose pixels are in a .npy file,
// in pixels, or 0 where its shape is not (1, height, width, 3).
func SizeOfNPY(data []byte) (width, height int, err error) {
	if err := CheckNPY(data); err != nil {
		return 0, 0, err
	}
	header, _, _ := splitNPY(data)
	if shape := npyPicture.FindSubmatch(npyHeader.FindSubmatch(header)[3]); shape != nil {
		height, _ = strconv.Atoi(string(shape[1]))
		width, _ = strconv.Atoi(string(shape[2]))
	}
	return width, height, nil
}

// splitNPY returns the header and the values of a .npy file.
func splitNPY(data []byte) (header, values []byte, err error) {
	rest, ok := bytes.CutPrefix(data, []byte(npyMagic))
	if !ok || len(rest) < 6 {
		return nil, nil, errors.New("it does not begin as one")
	}
	major, rest := rest[0], rest[2:]
	length, begins := uint64(binary.LittleEndian.Uint16(rest)), uint64(2)
	if major > 1 {
		length, begins = uint64(binary.LittleEndian.Uint32(rest)), 4
	}
	if begins+length > uint64(len(rest)) {
		return nil, nil, errors.New("it ends in its header")
	}
	return rest[begins : begins+length], rest[begins+length:], nil
}
