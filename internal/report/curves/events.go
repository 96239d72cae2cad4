package curves

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of TensorFlow's event.proto and summary.proto, of TensorBoard's hparams plugin_data.proto and of
// protobuf's struct.proto.
const (
	eventTime, eventStep, eventVersion, eventSummary = 1, 2, 3, 5
	summaryValue                                     = 1
	valueTag, valueSimple, valueMetadata             = 1, 2, 9
	metadataPlugin                                   = 1
	pluginName, pluginContent                        = 1, 2
	hparamsStart, hparamsEnd                         = 3, 4
	startParams, startTime                           = 1, 5
	endStatus, endTime                               = 1, 2
	mapKey, mapValue                                 = 1, 2
	structNumber, structString, structBool           = 2, 3, 4
)

// Events are the points as an event file. time is that of every event, in seconds since 1970: when the run
// began. params, if any, are hyperparameters that TensorBoard lists beside the last values: texts, numbers
// and truth values.
func Events(points []Point, time float64, params map[string]any) []byte {
	var b bytes.Buffer
	b.Write(record(event(time, 0, protowire.AppendString(protowire.AppendTag(nil, eventVersion, protowire.BytesType), "brain.Event:2"))))
	if len(params) > 0 {
		b.Write(record(summary(time, 0, hparams("_hparams_/session_start_info", hparamsStart, sessionStart(params, time)))))
	}
	for _, p := range points {
		v := text(nil, valueTag, p.Tag)
		v = protowire.AppendTag(v, valueSimple, protowire.Fixed32Type)
		v = protowire.AppendFixed32(v, math.Float32bits(float32(p.Value)))
		b.Write(record(summary(time, p.Step, v)))
	}
	if len(params) > 0 {
		end := protowire.AppendVarint(protowire.AppendTag(nil, endStatus, protowire.VarintType), 1) // success
		b.Write(record(summary(time, 0, hparams("_hparams_/session_end_info", hparamsEnd, double(end, endTime, time)))))
	}
	return b.Bytes()
}

// record frames an event: its length and a checksum of that, the event and its checksum.
func record(e []byte) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(e)))
	out = binary.LittleEndian.AppendUint32(out, masked(out))
	out = append(out, e...)
	return binary.LittleEndian.AppendUint32(out, masked(e))
}

// masked is the checksum of TFRecord: CRC-32C, rotated and shifted, as checksums of what has checksums in it are weak.
func masked(b []byte) uint32 {
	c := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	return (c>>15 | c<<17) + 0xa282ead8
}

func event(time float64, step int64, rest []byte) []byte {
	b := double(nil, eventTime, time)
	if step != 0 {
		b = protowire.AppendVarint(protowire.AppendTag(b, eventStep, protowire.VarintType), uint64(step))
	}
	return append(b, rest...)
}

func summary(time float64, step int64, value []byte) []byte {
	return event(time, step, message(nil, eventSummary, message(nil, summaryValue, value)))
}

func double(b []byte, field protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), math.Float64bits(v))
}

func text(b []byte, field protowire.Number, v string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func message(b []byte, field protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
}

// hparams is a value without a number, whose metadata is of the plugin.
func hparams(tag string, field protowire.Number, content []byte) []byte {
	plugin := message(text(nil, pluginName, "hparams"), pluginContent, message(nil, field, content))
	return message(text(nil, valueTag, tag), valueMetadata, message(nil, metadataPlugin, plugin))
}

func sessionStart(params map[string]any, time float64) (b []byte) {
	names := make([]string, 0, len(params))
	for n := range params {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		var v []byte
		switch x := params[n].(type) {
		case float64:
			v = double(nil, structNumber, x)
		case bool:
			v = protowire.AppendVarint(protowire.AppendTag(nil, structBool, protowire.VarintType), protowire.EncodeBool(x))
		case string:
			v = text(nil, structString, x)
		default:
			continue
		}
		b = message(b, startParams, message(text(nil, mapKey, n), mapValue, v))
	}
	return double(b, startTime, time)
}
