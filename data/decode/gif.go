package decode

import "bytes"

// opaqueGIF returns a GIF file without transparency in its first frame, in a copy where it
// has some, and the colour that is shown where no frame is: the transparent one, or 0. The
// standard library would put black in the transparent colour's place.
func opaqueGIF(b []byte) (opaque []byte, outside uint8) {
	at := 13 // behind the screen descriptor
	if b[10]&0x80 != 0 {
		at += 3 << (b[10]&7 + 1) // global colour table
	}
	for at+8 <= len(b) && b[at] == 0x21 { // extensions, before the first frame
		if b[at+1] == 0xf9 && b[at+2] == 4 && b[at+3]&1 != 0 { // graphic control, with transparency
			outside = b[at+6]
			b = bytes.Clone(b)
			b[at+3] &^= 1
		}
		for at += 2; at < len(b) && b[at] != 0; {
			at += 1 + int(b[at])
		}
		at++
	}
	return b, outside
}
