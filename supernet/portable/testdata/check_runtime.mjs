// Exported ONNX files in onnxruntime against the logits of oneshot's engine: node check_runtime.mjs MODULES FOLDER...
// MODULES is the node_modules that has onnxruntime-node. Each folder has model-*.onnx and case.json with the images
// (base64 of float32) that each file takes, and logits. Prints the largest relative difference of each, over its files; the exit
// status is 1 if one is over 1e-5, a class differs, or wrong images make no difference.
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'

const [modules, ...folders] = process.argv.slice(2)
const ort = createRequire(path.resolve(modules, 'x.js'))('onnxruntime-node')
const floats = (text) => new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer)
let bad = folders.length === 0
let most = 0
for (const folder of folders) {
  const made = JSON.parse(fs.readFileSync(path.join(folder, 'case.json')))
  const want = floats(made.logits)
  let worst = 0, sameAll = true, noticedAll = 'pixel'
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
    let noticed = distance(await run(x)) > 1e-5 ? 'pixel' : ''
    const best = (v, i) => { const row = Array.from(v.slice(i * made.classes, (i + 1) * made.classes)); return row.indexOf(Math.max(...row)) }
    x[5] -= made.image
    if (!noticed) { // a deep or narrow network may not show one: then a wrong channel must be
      const spoiled = x.slice()
      spoiled.fill(made.image, 0, made.image ** 2)
      noticed = distance(await run(spoiled)) > 1e-5 ? 'channel' : ''
    }
    const got = await run(x)
    const same = Array.from({ length: want.length / made.classes }, (_, i) => best(got, i) === best(want, i)).every(Boolean)
    worst = far <= worst ? worst : far
    sameAll &&= same
    if (noticed !== 'pixel') noticedAll = noticedAll && noticed
  }
  console.log(`${path.basename(folder).padEnd(36)} ${worst.toExponential(1)}  same classes ${sameAll}, noticed: a wrong ${noticedAll || 'NOTHING'}, files ${Object.keys(made.inputs).length}`)
  bad ||= !(worst <= 1e-5) || !sameAll || !noticedAll
  most = worst <= most ? most : worst
}
console.log(`onnxruntime: the largest relative difference of ${folders.length} networks is ${most.toExponential(1)}`)
process.exit(bad ? 1 : 0)
