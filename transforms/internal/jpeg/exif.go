package jpeg

import "encoding/binary"

// orientation returns what an EXIF segment says of how the picture is to be
// turned, or 0 where it says nothing that makes sense.
func orientation(payload []byte) int {
	const tag, short, long, signedLong = 0x0112, 3, 4, 9
	if len(payload) < 14 || string(payload[:6]) != "Exif\x00\x00" {
		return 0
	}
	tiff := payload[6:]
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	first := uint64(order.Uint32(tiff[4:]))
	if first+2 > uint64(len(tiff)) {
		return 0
	}
	entries := tiff[first+2:]
	for range order.Uint16(tiff[first:]) {
		if len(entries) < 12 {
			return 0
		}
		if order.Uint16(entries) == tag {
			var o uint32
			switch order.Uint16(entries[2:]) {
			case short:
				o = uint32(order.Uint16(entries[8:]))
			case long, signedLong:
				o = order.Uint32(entries[8:])
			}
			if 1 <= o && o <= 8 {
				return int(o)
			}
			return 0
		}
		entries = entries[12:]
	}
	return 0
}
