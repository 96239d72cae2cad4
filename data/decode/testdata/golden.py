"""Writes golden.zip: small image files, NAME.jpg and so on, and the pixels that PIL makes of
each, NAME.rgb: width and height (2 little-endian int32), then RGB. An empty NAME.rgb stands
for a file that is not read. Needs PIL, numpy and libturbojpeg.

    python3 golden.py
"""
import ctypes, io, os, struct, zipfile, zlib
import numpy as np
from PIL import Image

W, H = 27, 21
files = {}
pixels = {}


def photo(w=W, h=H):
    """Soft colours with an edge, as (h,w,3)."""
    y, x = np.mgrid[0:h, 0:w].astype(float)
    r = 128 + 120 * np.sin(x / 5 + y / 9)
    g = 128 + 120 * np.cos(y / 6)
    b = 60 + 190 * ((x / max(w, 2) + y / max(h, 2)) > 1)
    return np.stack([r, g, b], 2).clip(0, 255).astype(np.uint8)


def saved(image, **options):
    f = io.BytesIO()
    image.save(f, **options)
    return f.getvalue()


def add(name, data, want=None):
    """want: None for what PIL makes of the file, an array, or False for not read."""
    files[name] = data
    stem = name.rsplit(".", 1)[0]
    assert stem not in pixels
    if want is None:
        want = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    if want is False:
        pixels[stem] = b""
        return
    pixels[stem] = struct.pack("<ii", want.shape[1], want.shape[0]) + want.tobytes()


# JPEG by libturbojpeg: what PIL cannot write.
tj = ctypes.CDLL("libturbojpeg.so.0")
tj.tjInitCompress.restype = ctypes.c_void_p
S444, S422, S420, GREY, S440, S411 = range(6)


def turbo(a, sub, progressive=False, **environ):
    for k, v in environ.items():
        os.environ[k] = v  # os.environ sets it for C too
    a = np.ascontiguousarray(a)
    handle = ctypes.c_void_p(tj.tjInitCompress())  # a used one remembers progressive
    out, size = ctypes.POINTER(ctypes.c_ubyte)(), ctypes.c_ulong()
    flags = 16384 if progressive else 0
    assert tj.tjCompress2(handle, a.ctypes.data_as(ctypes.c_void_p), a.shape[1], 0, a.shape[0], 0,
                          ctypes.byref(out), ctypes.byref(size), sub, 85, flags) == 0
    for k in environ:
        del os.environ[k]
    return bytes(out[: size.value])


def frame(b):
    """Offset of the frame header's precision."""
    at = 2
    while not 0xC0 <= b[at + 1] <= 0xC2:
        at += 2 + struct.unpack(">H", b[at + 2 : at + 4])[0]
    return at + 4


def without(b, marker):
    """b without the segments of a marker, and the place of the first."""
    at, first = 2, None
    while b[at + 1] != 0xDA:
        n = 2 + struct.unpack(">H", b[at + 2 : at + 4])[0]
        if b[at + 1] == marker:
            first = first or at
            b = b[:at] + b[at + n :]
        else:
            at += n
    return b, first


for name, sub in dict(s444=S444, s422=S422, s420=S420, s440=S440, s411=S411).items():
    add(f"jpeg_{name}.jpg", turbo(photo(), sub))
    add(f"jpeg_{name}_progressive.jpg", turbo(photo(), sub, True))
for w, h in (1, 1), (2, 2), (3, 3), (4, 5), (5, 4), (6, 1), (1, 6), (16, 16), (17, 32):
    add(f"jpeg_s420_{w}x{h}.jpg", turbo(photo(w, h), S420))
    add(f"jpeg_s422_{w}x{h}.jpg", turbo(photo(w, h), S422))
    add(f"jpeg_s440_{w}x{h}.jpg", turbo(photo(w, h), S440))
add("jpeg_restart.jpg", turbo(photo(), S420, TJ_RESTART="1B"))
add("jpeg_arithmetic.jpg", turbo(photo(), S420, TJ_ARITHMETIC="1"), False)
grey = Image.fromarray(photo()).convert("L")
b = saved(grey, format="JPEG", quality=85)
add("jpeg_grey.jpg", b)
add("jpeg_grey_progressive.jpg", saved(grey, format="JPEG", quality=85, progressive=True))
at = frame(b)
add("jpeg_grey_s22.jpg", b[: at + 7] + b"\x22" + b[at + 8 :])
b = turbo(photo(), S420)
at = frame(b)
add("jpeg_12bit.jpg", b[:at] + b"\x0c" + b[at + 1 :], False)

# RGB stored as it is: written as if it were YCbCr, then marked.
b = saved(Image.frombytes("YCbCr", (W, H), photo().tobytes()), format="JPEG", quality=90, subsampling=0)
bare, first = without(b, 0xE0)
adobe = lambda t: b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([t])
add("jpeg_rgb_adobe.jpg", bare[:first] + adobe(0) + bare[first:])
add("jpeg_ycc_adobe.jpg", bare[:first] + adobe(1) + bare[first:])
named = bytearray(bare)
at = frame(bare)
scan = bare.index(b"\xff\xda")
for i, c in enumerate(b"RGB"):
    named[at + 6 + 3 * i] = c
    named[scan + 5 + 2 * i] = c
add("jpeg_rgb_names.jpg", bytes(named))
cmyk = np.dstack([photo(), photo()[:, ::-1, 0] // 3])
b = saved(Image.frombytes("CMYK", (W, H), cmyk.tobytes()), format="JPEG", quality=90)
add("jpeg_cmyk.jpg", b)
bare, first = without(b, 0xEE)
add("jpeg_ycck.jpg", bare[:first] + adobe(2) + bare[first:])
add("jpeg_cmyk_bare.jpg", bare)
add("jpeg_extraneous.jpg", turbo(photo(), S420)[:-2] + b"\x12\x34\x56\x78" * 3 + b"\xff\xd9")
add("jpeg_trailing.jpg", turbo(photo(), S420) + b"<html>and more</html>")


def png(a, colour, bits, interlace=False, extra=b""):
    """A PNG file of a (H,W,C) of bits each, 8 or 16."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    a = a.astype(">u2" if bits == 16 else "u1")
    adam7 = (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
    raw = b""
    for x, y, dx, dy in adam7 if interlace else [(0, 0, 1, 1)]:
        part = a[y::dy, x::dx]
        if part.shape[1]:
            raw += b"".join(b"\0" + row.tobytes() for row in part)
    head = struct.pack(">IIBBBBB", a.shape[1], a.shape[0], bits, colour, 0, 0, int(interlace))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")


im = Image.fromarray(photo())
alpha = np.dstack([photo(), photo()[:, ::-1, 1]])
rgba = Image.fromarray(alpha)
wide = photo().astype(int) * 256 + 255 - photo()
add("png_rgb.png", saved(im, format="PNG"))
add("png_rgba.png", saved(rgba, format="PNG"))
add("png_grey.png", saved(grey, format="PNG"))
add("png_grey_alpha.png", saved(rgba.convert("LA"), format="PNG"))
add("png_1bit.png", saved(grey.convert("1"), format="PNG"))
add("png_palette.png", saved(im.quantize(50), format="PNG"))
add("png_palette_transparent.png", saved(im.quantize(9), format="PNG", transparency=2, bits=4))
add("png_rgb_transparent.png", saved(im, format="PNG", transparency=tuple(photo()[3, 3].tolist())))
add("png_rgb16.png", png(wide, 2, 16), photo())
add("png_rgba16.png", png(np.dstack([wide, wide[..., :1]]), 6, 16), photo())
add("png_grey16.png", png(wide[..., :1], 0, 16), photo()[..., :1].repeat(3, 2))
add("png_interlaced.png", png(photo(), 2, 8, True))
add("png_1x1.png", saved(Image.fromarray(photo(1, 1)), format="PNG"))

add("webp_lossy.webp", saved(im, format="WEBP", quality=80))
add("webp_lossless.webp", saved(im, format="WEBP", lossless=True))
add("webp_lossy_alpha.webp", saved(rgba, format="WEBP", quality=80))
add("webp_lossless_alpha.webp", saved(rgba, format="WEBP", lossless=True, exact=True))
add("webp_animated.webp", saved(im, format="WEBP", save_all=True, append_images=[im.rotate(90)]), False)
for w, h in (1, 1), (2, 3), (16, 16):
    add(f"webp_{w}x{h}.webp", saved(Image.fromarray(photo(w, h)), format="WEBP", quality=80))

add("gif_plain.gif", saved(im.quantize(60), format="GIF"))
add("gif_transparent.gif", saved(im.quantize(8), format="GIF", transparency=3))
b = saved(im.quantize(8).crop((0, 0, 20, 11)), format="GIF", interlace=0)
canvas = lambda b: b[:6] + struct.pack("<HH", W, H) + b[10:]
add("gif_small_frame.gif", canvas(b))
b = saved(im.quantize(8).crop((0, 0, 20, 11)), format="GIF", transparency=3)
add("gif_small_frame_transparent.gif", canvas(b))
add("gif_animated.gif", saved(im.quantize(8), format="GIF", save_all=True, append_images=[im.rotate(90).quantize(8)]))

add("bmp_rgb.bmp", saved(im, format="BMP"))
add("bmp_palette.bmp", saved(im.quantize(30), format="BMP"))
add("bmp_grey.bmp", saved(grey, format="BMP"))
add("bmp_1bit.bmp", saved(grey.convert("1"), format="BMP"))
add("bmp_rgba.bmp", saved(rgba, format="BMP"))

add("tiff.tif", saved(im.crop((0, 0, 3, 3)), format="TIFF"), False)
add("jpeg2000.jp2", saved(im.crop((0, 0, 8, 8)), format="JPEG2000"), False)
add("ico.ico", saved(im.resize((16, 16)), format="ICO"), False)
add("ppm.ppm", saved(im.crop((0, 0, 3, 3)), format="PPM"), False)

with zipfile.ZipFile("golden.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
    def write(name, data):
        z.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)
    for name, data in files.items():
        write(name, data)
    for stem, data in pixels.items():
        write(stem + ".rgb", data)
