// Exported ONNX files in onnxruntime against the logits of oneshot's engine: node check_runtime.mjs MODULES FOLDER...
// MODULES is the node_modules that has onnxruntime-node. Each folder has model-*.onnx and case.json with the images
// (base64 of float32) that each file takes, and logits. Prints the relative differences; the exit status is 1 if one is over 1e-5.
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'

const [modules, ...folders] = process.argv.slice(2)
const ort = createRequire(path.resolve(modules, 'x.js'))('onnxruntime-node')
const floats = (text) => new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer)
let bad = folders.length === 0
for (const folder of folders) {
  const made = JSON.parse(fs.readFileSync(path.join(folder, 'case.json')))
  const want = floats(made.logits)
  for (const file of Object.keys(made.inputs).sort()) {
    const session = await ort.InferenceSession.create(path.join(folder, file), { graphOptimizationLevel: 'all' })
    const run = async (x) => (await session.run({ input: new ort.Tensor('float32', x, [x.length / 3 / made.image ** 2, 3, made.image, made.image]) })).logits.data
    const distance = (got) => {
      let diff = 0, all = 0
      want.forEach((w, i) => { diff += (got[i] - w) ** 2; all += w * w })
      return got.length === want.length ? Math.sqrt(diff / all) : Infinity
    }
    const x = floats(made.inputs[file])
    const far = distance(await run(x))
    x[5] += made.image // a wrong pixel must be noticed
    const noticed = distance(await run(x)) > 1e-5
    const best = (v, i) => { const row = Array.from(v.slice(i * made.classes, (i + 1) * made.classes)); return row.indexOf(Math.max(...row)) }
    x[5] -= made.image
    const got = await run(x)
    const same = Array.from({ length: want.length / made.classes }, (_, i) => best(got, i) === best(want, i)).every(Boolean)
    console.log(`${path.basename(folder)} ${file}: ${far.toExponential(1)}, same classes ${same}, a wrong pixel is noticed ${noticed}`)
    bad ||= !(far <= 1e-5) || !same || !noticed
  }
}
process.exit(bad ? 1 : 0)
