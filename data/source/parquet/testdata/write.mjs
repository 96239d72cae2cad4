// Writes small parquet files of images with hyparquet-writer, a second implementation of the
// format beside parquet-go. Usage: npm install && node write.mjs OUT
//
// Every file holds 24 rows: image i is imageBytes(i) and its label i * 5 % 7, or nothing
// where a file is about nulls. The Go tests know the same formulas.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'

const out = process.argv[2]
mkdirSync(out, { recursive: true })

const rows = 24

function imageBytes(i) {
  const b = new Uint8Array(i * 37 % 64)
  for (let k = 0; k < b.length; k++) b[k] = i * 31 + k * k
  return b
}

const names = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox', 'gnu']
const features = {
  image: { _type: 'Image' },
  label: { names, _type: 'ClassLabel' },
}
const kvMetadata = [{ key: 'huggingface', value: JSON.stringify({ info: { features } }) }]

const index = Array.from({ length: rows }, (_, i) => i)
const labels = index.map(i => BigInt(i * 5 % 7))
const files = index.map(i => ({ bytes: imageBytes(i), path: `${i}.png` }))

const imageSchema = [
  { name: 'image', num_children: 2, repetition_type: 'OPTIONAL' },
  { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
  { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
]
const labelSchema = { name: 'label', type: 'INT64', repetition_type: 'OPTIONAL' }
const structs = [{ name: 'root', num_children: 2 }, ...imageSchema, labelSchema]
const binary = [
  { name: 'root', num_children: 2 },
  { name: 'image', type: 'BYTE_ARRAY', repetition_type: 'REQUIRED' },
  { name: 'label', type: 'INT64', repetition_type: 'REQUIRED' },
]

function write(name, { image = {}, label = {}, schema = structs, data = files, ys = labels, ...options } = {}) {
  const buffer = parquetWriteBuffer({
    columnData: [{ name: 'image', data, ...image }, { name: 'label', data: ys, ...label }],
    schema, kvMetadata, ...options,
  })
  writeFileSync(join(out, name + '.parquet'), new Uint8Array(buffer))
}

const plain = index.map(imageBytes)

write('snappy')
write('uncompressed', { codec: 'UNCOMPRESSED' })
write('gzip', { codec: 'GZIP', compressors: { GZIP: b => new Uint8Array(gzipSync(b)) } })
write('brotli', { codec: 'BROTLI', compressors: { BROTLI: b => new Uint8Array(brotliCompressSync(b)) } })
write('small-pages', { pageSize: 128 })
write('row-groups', { rowGroupSize: [5, 7] })
write('small-pages-row-groups', { pageSize: 64, rowGroupSize: 10, codec: 'UNCOMPRESSED' })
write('binary', { schema: binary, data: plain })
write('delta-length', { schema: binary, data: plain, image: { encoding: 'DELTA_LENGTH_BYTE_ARRAY' }, pageSize: 200 })
write('delta', { schema: binary, data: plain, image: { encoding: 'DELTA_BYTE_ARRAY' }, label: { encoding: 'DELTA_BINARY_PACKED' }, pageSize: 200 })
write('dictionary', { schema: binary, data: plain, image: { encoding: 'RLE_DICTIONARY' }, label: { encoding: 'RLE_DICTIONARY' } })
write('split', { schema: binary, data: plain, label: { encoding: 'BYTE_STREAM_SPLIT' } })
write('nulls', {
  data: files.map((f, i) => i % 6 === 1 ? { bytes: null, path: f.path } : i % 6 === 4 ? null : f),
  ys: labels.map((y, i) => i % 8 === 3 ? null : y),
  pageSize: 128,
})
write('repeated', { data: files.map((_, i) => files[i % 3]), ys: labels.map((_, i) => labels[i % 3]) })
