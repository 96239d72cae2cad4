package decode

import "encoding/binary"

// orientation reads tag 274 of the first directory of an EXIF block, which is a TIFF file
// of its own (CIPA DC-008, 4.6). It is 1, upright, where the block is absent or broken: a
// camera's scribble is no reason to lose an image.
func orientation(exif []byte) int {
	var order binary.ByteOrder
	switch {
	case len(exif) < 8:
		return 1
	case string(exif[:4]) == "II*\x00":
		order = binary.LittleEndian
	case string(exif[:4]) == "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(exif[4:]))
	if at+2 > int64(len(exif)) {
		return 1
	}
	entries := exif[at+2:]
	for n := order.Uint16(exif[at:]); n > 0 && len(entries) >= 12; n-- {
		const tag, short = 274, 3
		if order.Uint16(entries) == tag {
			v := order.Uint16(entries[8:])
			if order.Uint16(entries[2:]) != short || order.Uint32(entries[4:]) != 1 || v < 1 || v > 8 {
				return 1
			}
			return int(v)
		}
		entries = entries[12:]
	}
	return 1
}
