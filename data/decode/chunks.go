package decode

import "encoding/binary"

// readPNG reads the header and finds eXIf and tRNS chunks (PNG specification, 5.3 and 11.2).
func readPNG(b []byte, f *file) *Error {
	if len(b) < 33 {
		return truncated(b, "its header")
	}
	if string(b[12:16]) != "IHDR" {
		return &Error{Offset: 12, Msg: "is damaged: the first chunk is not IHDR"}
	}
	w, h := binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:])
	if w >= 1<<31 || h >= 1<<31 {
		return &Error{Offset: 16, Msg: "is damaged: a size above 2^31-1"}
	}
	channels, ok := map[byte]int{0: 1, 2: 3, 3: 3, 4: 2, 6: 4}[b[25]]
	if !ok {
		return &Error{Offset: 25, Msg: "is damaged: there is no such colour type"}
	}
	f.W, f.H, f.Channels, f.Bits = int(w), int(h), channels, int(b[24])
	f.png = pngHeader{colour: int(b[25]), bits: int(b[24]), interlaced: b[28] != 0}
	stored := channels
	if b[25] == 3 {
		stored = 1
	}
	// A Deflate length code and its distance take two bits for at most 258 bytes.
	f.least = float64(f.W) * float64(f.H) * float64(stored*f.Bits) / 8 * 2 / 258
	for at := 8; at+12 <= len(b); {
		n := int(binary.BigEndian.Uint32(b[at:]))
		if n < 0 || n > len(b)-at-12 {
			break // the decoder says what is wrong
		}
		switch string(b[at+4 : at+8]) {
		case "tRNS":
			f.png.transparent = true
		case "eXIf":
			if f.exif == nil {
				f.exif = b[at+8 : at+8+n]
			}
		}
		at += 12 + n
	}
	return nil
}

// readWebP reads the header and finds an EXIF chunk (RFC 9649, section 2.7).
func readWebP(b []byte, f *file) *Error {
	f.Bits = 8
	for at := 12; at+8 <= len(b); {
		id, n := string(b[at:at+4]), int(binary.LittleEndian.Uint32(b[at+4:]))
		s := b[at+8:]
		whole := n >= 0 && n <= len(s)
		f.lossless = f.lossless || id == "VP8L"
		if whole {
			s = s[:n]
		}
		switch {
		case id == "VP8X" && len(s) >= 10:
			if s[0]&2 != 0 {
				return unsupported(at, "is an animated WebP, which is not read; convert it to PNG")
			}
			f.Channels = 3 + int(s[0]>>4&1)
			f.W, f.H = 1+int(uint24(s[4:])), 1+int(uint24(s[7:]))
		case id == "VP8 " && len(s) >= 10 && f.W == 0:
			f.Channels = 3
			f.W = int(binary.LittleEndian.Uint16(s[6:]) & 0x3fff)
			f.H = int(binary.LittleEndian.Uint16(s[8:]) & 0x3fff)
		case id == "VP8L" && len(s) >= 5 && f.W == 0:
			v := binary.LittleEndian.Uint32(s[1:])
			f.W, f.H, f.Channels = 1+int(v&0x3fff), 1+int(v>>14&0x3fff), 3+int(v>>28&1)
		case id == "EXIF" && whole:
			f.exif = s
			if len(s) > 6 && string(s[:4]) == "Exif" { // some writers copy JPEG's prefix
				f.exif = s[6:]
			}
		}
		if !whole {
			break
		}
		at += 8 + n + n&1
	}
	if f.W == 0 {
		return truncated(b, "its header")
	}
	return nil
}

func uint24(b []byte) uint32 { return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 }

// readGIF reads the screen descriptor (GIF 89a, section 18).
func readGIF(b []byte, f *file) *Error {
	if len(b) < 13 {
		return truncated(b, "its header")
	}
	f.W, f.H = int(binary.LittleEndian.Uint16(b[6:])), int(binary.LittleEndian.Uint16(b[8:]))
	f.Channels, f.Bits = 3, 8
	f.least = float64(f.W) * float64(f.H) * 12 / 4096
	return nil
}

// readBMP reads the file and information headers.
func readBMP(b []byte, f *file) *Error {
	if len(b) < 34 {
		return truncated(b, "its header")
	}
	if n := binary.LittleEndian.Uint32(b[14:]); n < 40 {
		return unsupported(14, "is BMP with a header of %d bytes, where 40 or more are read; convert it to PNG", n)
	}
	f.W, f.H = int(int32(binary.LittleEndian.Uint32(b[18:]))), int(int32(binary.LittleEndian.Uint32(b[22:])))
	if f.H < 0 { // stored from the top
		f.H = -f.H
	}
	depth := int(binary.LittleEndian.Uint16(b[28:]))
	if c := binary.LittleEndian.Uint32(b[30:]); c == 1 || c == 2 { // run lengths
		return unsupported(30, "is compressed BMP, which is not read; convert it to PNG")
	}
	f.Channels, f.Bits = 3, 8
	if depth == 32 {
		f.Channels = 4
	}
	f.least = float64(f.W) * float64(f.H) * float64(depth)
	return nil
}
