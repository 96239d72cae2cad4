#!/usr/bin/python3
"""An event file as JSON lines, read without the code that wrote it: read_events.py FILE

Frames and their checksums by hand, messages by python3-protobuf from descriptors made here after TensorFlow's event.proto and
summary.proto and TensorBoard's plugin_data.proto.
"""
import json
import struct
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, struct_pb2

try:
    from google.protobuf.message_factory import GetMessageClass
except ImportError:  # before 4.22
    from google.protobuf.message_factory import MessageFactory
    GetMessageClass = MessageFactory().GetPrototype

F = descriptor_pb2.FieldDescriptorProto


def messages():
    file = descriptor_pb2.FileDescriptorProto(name="events.proto", package="t", syntax="proto3", dependency=["google/protobuf/struct.proto"])

    def message(name, *fields, parent=file.message_type):
        m = parent.add(name=name)
        for field, number, kind, *type_name in fields:
            repeated = kind < 0
            m.field.add(name=field, number=number, type=abs(kind), label=F.LABEL_REPEATED if repeated else F.LABEL_OPTIONAL,
                        **({"type_name": type_name[0]} if type_name else {}))
        return m

    message("Plugin", ("plugin_name", 1, F.TYPE_STRING), ("content", 2, F.TYPE_BYTES))
    message("Metadata", ("plugin_data", 1, F.TYPE_MESSAGE, ".t.Plugin"))
    message("Value", ("tag", 1, F.TYPE_STRING), ("simple_value", 2, F.TYPE_FLOAT), ("metadata", 9, F.TYPE_MESSAGE, ".t.Metadata"))
    message("Summary", ("value", 1, -F.TYPE_MESSAGE, ".t.Value"))
    message("Event", ("wall_time", 1, F.TYPE_DOUBLE), ("step", 2, F.TYPE_INT64), ("file_version", 3, F.TYPE_STRING),
            ("summary", 5, F.TYPE_MESSAGE, ".t.Summary"))
    message("Entry", ("key", 1, F.TYPE_STRING), ("value", 2, F.TYPE_MESSAGE, ".google.protobuf.Value"))
    message("Start", ("hparams", 1, -F.TYPE_MESSAGE, ".t.Entry"), ("start_time_secs", 5, F.TYPE_DOUBLE))
    message("End", ("status", 1, F.TYPE_INT32), ("end_time_secs", 2, F.TYPE_DOUBLE))
    message("HParams", ("version", 1, F.TYPE_INT32), ("start", 3, F.TYPE_MESSAGE, ".t.Start"), ("end", 4, F.TYPE_MESSAGE, ".t.End"))
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return {name: GetMessageClass(pool.FindMessageTypeByName("t." + name)) for name in ("Event", "HParams")}


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def main(path):
    classes = messages()
    with open(path, "rb") as f:
        data = f.read()
    at = 0
    while at < len(data):
        length, check = struct.unpack_from("<QI", data, at)
        assert check == crc32c(data[at:at + 8]), "checksum of a length"
        body = data[at + 12:at + 12 + length]
        assert struct.unpack_from("<I", data, at + 12 + length)[0] == crc32c(body), "checksum of an event"
        at += 16 + length
        event = classes["Event"].FromString(body)
        line = {"time": event.wall_time, "step": event.step}
        if event.file_version:
            line["version"] = event.file_version
        for value in event.summary.value:
            line["tag"] = value.tag
            if value.HasField("metadata"):
                plugin = value.metadata.plugin_data
                content = classes["HParams"].FromString(plugin.content)
                line["plugin"] = plugin.plugin_name
                line["params"] = {e.key: getattr(e.value, e.value.WhichOneof("kind")) for e in content.start.hparams}
                line["status"] = content.end.status
            else:
                line["value"] = value.simple_value
        print(json.dumps(line))


if __name__ == "__main__":
    main(sys.argv[1])
