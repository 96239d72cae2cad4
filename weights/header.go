package weights

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// dtypeBits is the element size of every type the format knows (the reference
// implementation's Dtype enum). Only F32 and I64 are read; the others are here
// so that a layout is judged before the type is refused, and the refusal can
// say which of the two it is.
var dtypeBits = map[string]int64{
	"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
	"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
	"I16": 16, "U16": 16, "F16": 16, "BF16": 16,
	"I32": 32, "U32": 32, "F32": 32,
	"C64": 64, "F64": 64, "I64": 64, "U64": 64,
}

// entry is one tensor of the header.
type entry struct {
	name       string
	at         int64 // offset of the entry in the file
	dtype      string
	shape      []int
	begin, end int64 // bytes relative to the data
}

func (e entry) field(part string) string {
	return "tensor " + strconv.Quote(e.name) + " " + part
}

// headerParser walks the header token by token, because that is what sees a
// duplicate key and knows the offset of a fault.
type headerParser struct {
	file string
	dec  *json.Decoder
}

// parseHeader reads the JSON header of a file whose data is size bytes and
// returns its entries by offset, checked to cover the data exactly.
func parseHeader(file string, header []byte, size int64) ([]entry, map[string]string, error) {
	p := &headerParser{file: file, dec: json.NewDecoder(bytes.NewReader(header))}
	p.dec.UseNumber()
	if len(header) == 0 || header[0] != '{' {
		return nil, nil, p.corrupt(lengthBytes, "header", "does not begin with {", "is this a safetensors file?")
	}
	// The tokens are lenient about both, so the whole is checked first.
	if !utf8.Valid(header) || !json.Valid(header) {
		return nil, nil, p.corrupt(lengthBytes, "header", "is not JSON in UTF-8", "")
	}
	var entries []entry
	var meta map[string]string
	err := p.object("header", func(key string) error {
		if key == metadataKey {
			meta = map[string]string{}
			return p.metadata(meta)
		}
		e, err := p.entry(key)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return entries, meta, p.checkLayout(entries, size)
}

func (p *headerParser) offset() int64 { return lengthBytes + p.dec.InputOffset() }

func (p *headerParser) corrupt(at int64, field, msg, hint string) *FormatError {
	return &FormatError{File: p.file, Offset: at, Field: field, Msg: msg, Hint: hint, Kind: ErrCorrupt}
}

// token returns the next token; the header is known to be valid JSON.
func (p *headerParser) token() json.Token {
	t, err := p.dec.Token()
	if err != nil {
		return nil // as JSON's null, which no caller accepts
	}
	return t
}

// object calls each for every key of the object that follows; each reads the value.
func (p *headerParser) object(field string, each func(key string) error) error {
	at := p.offset()
	if p.token() != json.Delim('{') {
		return p.corrupt(at, field, "is not an object", "")
	}
	seen := map[string]bool{}
	for p.dec.More() {
		at := p.offset()
		key, ok := p.token().(string)
		if !ok {
			return p.corrupt(at, field, "has a key that is no string", "")
		}
		if seen[key] {
			return p.corrupt(at, field, "has the key "+strconv.Quote(key)+" twice", "")
		}
		seen[key] = true
		if err := each(key); err != nil {
			return err
		}
	}
	p.token() // }
	return nil
}

func (p *headerParser) metadata(meta map[string]string) error {
	return p.object(metadataKey, func(key string) error {
		at := p.offset()
		v, ok := p.token().(string)
		if !ok {
			return p.corrupt(at, metadataKey, "the value of "+strconv.Quote(key)+" is not a string", "")
		}
		meta[key] = v
		return nil
	})
}

func (p *headerParser) entry(name string) (entry, error) {
	e := entry{name: name, at: p.offset()}
	if name == "" {
		return e, p.corrupt(e.at, "header", "a tensor has no name", "")
	}
	seen := 0
	err := p.object("tensor "+strconv.Quote(name), func(key string) error {
		seen++
		at := p.offset()
		switch key {
		case "dtype":
			var ok bool
			if e.dtype, ok = p.token().(string); !ok {
				return p.corrupt(at, e.field(key), "is not a string", "")
			}
		case "shape":
			dims, err := p.counts(e.field(key))
			if err != nil {
				return err
			}
			e.shape = make([]int, len(dims))
			for i, d := range dims {
				if e.shape[i] = int(d); int64(e.shape[i]) != d {
					return p.corrupt(at, e.field(key), fmt.Sprintf("dimension %d is too large", d), "")
				}
			}
		case "data_offsets":
			o, err := p.counts(e.field(key))
			if err != nil {
				return err
			}
			if len(o) != 2 {
				return p.corrupt(at, e.field(key), fmt.Sprintf("has %d numbers, not 2", len(o)), "")
			}
			e.begin, e.end = o[0], o[1]
		default:
			return p.corrupt(at, e.field(key), "is not a field of the format", "")
		}
		return nil
	})
	if err == nil && seen != 3 { // no key twice, none unknown: three is all
		err = p.corrupt(e.at, "tensor "+strconv.Quote(name), "lacks dtype, shape or data_offsets", "")
	}
	return e, err
}

// counts reads an array of non-negative integers, written without sign, point
// or exponent.
func (p *headerParser) counts(field string) ([]int64, error) {
	at := p.offset()
	if p.token() != json.Delim('[') {
		return nil, p.corrupt(at, field, "is not an array", "")
	}
	ns := []int64{}
	for p.dec.More() {
		at := p.offset()
		text, ok := p.token().(json.Number)
		if !ok {
			return nil, p.corrupt(at, field, "holds something that is no number", "")
		}
		n, err := strconv.ParseUint(string(text), 10, 63)
		if err != nil {
			return nil, p.corrupt(at, field, "holds "+string(text)+", not a whole number below 2^63", "")
		}
		ns = append(ns, int64(n))
	}
	p.token() // ]
	return ns, nil
}

// checkLayout sorts the entries by offset and proves that they fill the size
// bytes of data: right lengths, no hole, no overlap, nothing left over.
func (p *headerParser) checkLayout(entries []entry, size int64) error {
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	var end int64
	for _, e := range entries {
		bits, known := dtypeBits[e.dtype]
		if !known {
			return p.corrupt(e.at, e.field("dtype"), strconv.Quote(e.dtype)+" is unknown", "")
		}
		n, ok := elements(e.shape)
		if ok {
			n, ok = mul(n, bits)
		}
		if !ok {
			return p.corrupt(e.at, e.field("shape"), fmt.Sprintf("%v of %s overflows", e.shape, e.dtype), "")
		}
		offsets := fmt.Sprintf("[%d,%d]", e.begin, e.end)
		switch {
		case e.begin < end:
			return p.corrupt(e.at, e.field("data_offsets"), offsets+" overlaps the tensor before", "")
		case e.begin > end:
			return p.corrupt(e.at, e.field("data_offsets"), fmt.Sprintf("%s leaves a hole after byte %d", offsets, end), "")
		case e.end < e.begin || n%8 != 0 || e.end-e.begin != n/8:
			return p.corrupt(e.at, e.field("data_offsets"), fmt.Sprintf("%s is not the size of %v of %s", offsets, e.shape, e.dtype), "")
		case e.end > size:
			return p.corrupt(e.at, e.field("data_offsets"), fmt.Sprintf("%s ends after the file's %d bytes of data", offsets, size), "the file was cut short; copy or export it again")
		}
		end = e.end
	}
	if end != size {
		return p.corrupt(p.offset(), "data", fmt.Sprintf("%d bytes follow the last tensor", size-end), "")
	}
	for _, e := range entries {
		if e.dtype != "F32" && e.dtype != "I64" {
			return &FormatError{File: p.file, Offset: e.at, Field: e.field("dtype"), Kind: ErrDType,
				Msg: e.dtype + " is not supported, only F32 and I64 are", Hint: "convert it first, in PyTorch with tensor.float() or tensor.long()"}
		}
	}
	return nil
}
