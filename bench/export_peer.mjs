// An exported ONNX file in onnxruntime-node on random images: node export_peer.mjs MODULES FILE SIDE BATCH THREADS SECONDS
// MODULES is the node_modules that has onnxruntime-node. float32, every optimisation of the graph. Prints images a second, the
// median of the batches that begin within that many seconds after a first one, and images a second of the processor's time.
import path from 'node:path'
import { createRequire } from 'node:module'

const [modules, file, ...numbers] = process.argv.slice(2)
const [side, batch, threads, seconds] = numbers.map(Number)
const ort = createRequire(path.resolve(modules, 'x.js'))('onnxruntime-node')
const session = await ort.InferenceSession.create(file, {
  graphOptimizationLevel: 'all', executionMode: 'sequential', intraOpNumThreads: threads, interOpNumThreads: 1,
})
const values = Float32Array.from({ length: batch * 3 * side * side }, () => Math.random() * 4 - 2)
const input = new ort.Tensor('float32', values, [batch, 3, side, side])
await session.run({ input })
const times = []
const before = process.cpuUsage()
for (const end = performance.now() + 1000 * seconds; performance.now() < end || times.length === 0;) {
  const start = performance.now()
  await session.run({ input })
  times.push(performance.now() - start)
}
const used = process.cpuUsage(before)
const images = batch * times.length
times.sort((a, b) => a - b)
console.log((1000 * batch / times[Math.floor(times.length / 2)]).toFixed(1), (1e6 * images / (used.user + used.system)).toFixed(1))
